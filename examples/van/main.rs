//! How close does a variational autoregressive network come to a Boltzmann distribution?
//!
//! Trains a network to a lattice, a Sherrington-Kirkpatrick model or an instance from a file, at one inverse temperature
//! or at several in turn, and weighs its samples afterwards. Shows the training live, and the exact value where there is
//! one: Kaufman's for lattices, enumeration up to 24 spins.
//!
//! ```text
//! cargo run --release --example van -- --lattice 8 --beta 0.44 --network made:3:4 --batch 1000 --seconds 60 --threads 2
//! cargo run --release --example van -- --file examples/data/sk_20.txt --network made:1:1 --beta 0.5,1,2,3 --steps 1100 --json
//! cargo run --release --example van -- --quick
//! ```
//!
//! `relative_error` is that of the variational free energy, which lies above the true one. The last JSON line is the
//! summary at the last inverse temperature. The same seed gives the same numbers for any number of threads, unless
//! `--seconds` ends the run by the clock. Ctrl-C is not caught: `--checkpoint FILE` saves every 100 steps.

mod args;
mod run;
mod subject;

use std::process::ExitCode;

use clap::Parser;
use variational::autoregressive::{
    Autoregressive, Made, PixelCnn, SiteGroup, Symmetric, Symmetrized, Transformer, TwoBody,
};
use workspace_examples::exit;

use args::{Args, Network, Symmetries};
use run::run;
use subject::Subject;

fn van(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.quick {
        args.steps = args.steps.min(150);
        args.samples = args.samples.min(10_000);
        if args.file.is_none() && args.sk.is_none() {
            args.lattice = Some(args.lattice.unwrap_or(4).min(4));
        }
    }
    let numbers = args.beta.iter().all(|beta| beta.is_finite() && *beta >= 0.0);
    if args.beta.is_empty() || !numbers || !args.beta.is_sorted() {
        return Err(format!("beta is {:?}, expected finite numbers >= 0, ascending", args.beta).into());
    }
    if args.seconds.is_some_and(|seconds| seconds.is_nan() || seconds <= 0.0) {
        return Err(format!("seconds is {:?}, expected a positive number", args.seconds).into());
    }
    if !(0.0..1.0).contains(&args.rate()) {
        return Err(format!("anneal is {}, expected a number from 0 to below 1", args.rate()).into());
    }
    let subject = Subject::new(&args)?;
    let symmetric = !subject.model.has_fields() && !args.plain;
    let n = subject.n_spins();
    match (args.network()?, args.double) {
        (Network::Made(params), false) => start(&args, &subject, symmetric, Made::<f32>::new(n, params)?),
        (Network::Made(params), true) => start(&args, &subject, symmetric, Made::<f64>::new(n, params)?),
        (Network::PixelCnn(params), double) => {
            let (height, width) = subject.shape().ok_or("pixelcnn needs a lattice")?;
            if double {
                start(&args, &subject, symmetric, PixelCnn::<f64>::new(height, width, params)?)
            } else {
                start(&args, &subject, symmetric, PixelCnn::<f32>::new(height, width, params)?)
            }
        }
        (Network::Transformer(params), false) => start(&args, &subject, symmetric, Transformer::<f32>::new(n, params)?),
        (Network::Transformer(params), true) => start(&args, &subject, symmetric, Transformer::<f64>::new(n, params)?),
        // The couplings enter at the last temperature; without fields the form is symmetric by itself.
        (Network::TwoBody(params), false) => {
            average(&args, &subject, TwoBody::<f32>::new(&subject.model, last(&args), params)?)
        }
        (Network::TwoBody(params), true) => {
            average(&args, &subject, TwoBody::<f64>::new(&subject.model, last(&args), params)?)
        }
    }
}

fn last(args: &Args) -> f64 {
    args.beta.last().copied().unwrap_or_default()
}

fn start<N: Autoregressive>(
    args: &Args,
    subject: &Subject,
    symmetric: bool,
    network: N,
) -> Result<(), Box<dyn std::error::Error>> {
    if symmetric { average(args, subject, Symmetric::new(network)) } else { average(args, subject, network) }
}

/// Puts the mean over lattice symmetries around the network.
fn average<N: Autoregressive>(args: &Args, subject: &Subject, network: N) -> Result<(), Box<dyn std::error::Error>> {
    let side = || subject.shape().map(|(l, _)| l).ok_or("symmetries need a lattice");
    let group = match args.symmetries {
        Symmetries::None => return run(args, subject, network),
        Symmetries::Translations => SiteGroup::translations(side()?, side()?)?,
        Symmetries::Rotations => SiteGroup::rotations(side()?)?,
        Symmetries::Reflections => SiteGroup::reflections(side()?, side()?)?,
        Symmetries::Square => SiteGroup::square(side()?)?,
        Symmetries::All => SiteGroup::square(side()?)?.with(&SiteGroup::translations(side()?, side()?)?)?,
    };
    run(args, subject, Symmetrized::new(network, group)?)
}

fn main() -> ExitCode {
    exit::report(van(Args::parse()))
}
