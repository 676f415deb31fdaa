//! Models, solvers, networks and results can be sent to threads and shared between them.

use spin_models::Ising;
use variational::autoregressive::{
    ConditionalTransformer, Made, MadeParams, MadePass, PixelCnn, PixelCnnPass, SiteGroup, Symmetric, SymmetricPass,
    Symmetrized, SymmetrizedPass, Transformer, TransformerPass, TwoBody, TwoBodyPass,
};
use variational::bethe::{BetheParams, BetheSolution, FactorGraph, Response};
use variational::mean_field::{
    HopfieldBp, HopfieldSolution, HopfieldTap, Kikuchi, KikuchiSolution, MeanFieldParams, MeanFieldSolution, Patterns,
};
use variational::posterior::{BitFlips, Posterior};
use variational::van::{GlobalMove, Importance, NeuralChain, NeuralMcmc, Step, Trainer, TrainerParams, VanParams};
use variational::{Bethe, Completed, Error, FeedbackReduction, NaiveMeanField, Normalized, ProductState, Tap, Van};

fn send_and_sync<T: Send + Sync>() {}

#[test]
fn public_types_are_send_and_sync() {
    send_and_sync::<Bethe>();
    send_and_sync::<BetheParams>();
    send_and_sync::<BetheSolution>();
    send_and_sync::<FactorGraph>();
    send_and_sync::<Response>();
    send_and_sync::<NaiveMeanField>();
    send_and_sync::<Tap>();
    send_and_sync::<MeanFieldParams>();
    send_and_sync::<MeanFieldSolution>();
    send_and_sync::<HopfieldBp>();
    send_and_sync::<HopfieldTap>();
    send_and_sync::<HopfieldSolution>();
    send_and_sync::<Patterns>();
    send_and_sync::<Kikuchi>();
    send_and_sync::<KikuchiSolution>();
    send_and_sync::<FeedbackReduction>();
    send_and_sync::<Completed<'static, Made<f32>>>();
    send_and_sync::<Made<f32>>();
    send_and_sync::<MadeParams>();
    send_and_sync::<MadePass<f64>>();
    send_and_sync::<Symmetric<Made<f64>>>();
    send_and_sync::<SymmetricPass<MadePass<f32>>>();
    send_and_sync::<PixelCnn<f32>>();
    send_and_sync::<PixelCnnPass<f64>>();
    send_and_sync::<SiteGroup>();
    send_and_sync::<Symmetrized<Made<f64>>>();
    send_and_sync::<SymmetrizedPass<MadePass<f32>>>();
    send_and_sync::<ConditionalTransformer<f32>>();
    send_and_sync::<Transformer<f32>>();
    send_and_sync::<TransformerPass<f64>>();
    send_and_sync::<TwoBody<f32>>();
    send_and_sync::<TwoBodyPass<f64>>();
    send_and_sync::<Posterior<Ising, BitFlips>>();
    send_and_sync::<GlobalMove<'static, spin_models::mcmc::HeatBath, Made<f32>>>();
    send_and_sync::<Importance>();
    send_and_sync::<NeuralChain>();
    send_and_sync::<NeuralMcmc>();
    send_and_sync::<Step>();
    send_and_sync::<Trainer<'static, Ising, Made<f32>>>();
    send_and_sync::<TrainerParams>();
    send_and_sync::<Van>();
    send_and_sync::<VanParams>();
    send_and_sync::<ProductState>();
    send_and_sync::<Error>();
}

#[test]
fn networks_can_be_held_without_knowing_their_type() {
    let made = Made::<f64>::new(2, MadeParams::default()).unwrap();
    let held: Box<dyn Normalized> = Box::new(Symmetric::new(made));
    assert!((held.ln_prob(&[1, 1]) - held.ln_prob(&[-1, -1])).abs() < 1e-15);
}
