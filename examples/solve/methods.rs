//! The list of methods.

use spin_models::exact::BranchAndBound;
use spin_models::exact::planar::PlanarGroundState;
use spin_models::mcmc::{AnnealingSolver, ParallelTemperingSolver, PopulationAnnealingSolver, WangLandauSolver};
use spin_models::{
    BoundaryMps, EnergyModel, Enumeration, Error, Ising, MonteCarlo, Planar, Solve, TensorNetwork, TensorNetworkParams,
    TransferMatrix, Tree,
};
use variational::mean_field::{Kikuchi, squares};
use variational::{Bethe, NaiveMeanField, Tap, Van};

use crate::args::Args;

type Method = Box<dyn Solve<Ising>>;

/// Spins that `auto` enumerates; 2³⁰ configurations take a few seconds.
const AUTO_SPINS: usize = 30;

/// Binary logarithm of the multiplications that `auto` gives to a tensor network: a second or two with the means.
const AUTO_FLOPS: f64 = 30.0;

/// Frontier up to which `auto` asks the transfer matrix: 2²⁰ numbers a vector.
const AUTO_FRONTIER: usize = 20;

/// The tensor network with the memory asked for.
pub fn tensor_network(args: &Args) -> TensorNetwork {
    let bytes = usize::try_from(u64::from(args.memory) << 20).unwrap_or(usize::MAX);
    TensorNetwork::new(TensorNetworkParams::default().with_memory_bytes(bytes))
}

fn all(args: &Args) -> Vec<Method> {
    let monte_carlo = |solver: MonteCarlo| -> Method {
        let solver = solver.with_seed(args.seed).with_threads(usize::from(args.threads));
        Box::new(if args.quick { solver.quick() } else { solver })
    };
    let (seed, threads) = (args.seed, usize::from(args.threads));
    let tempering = ParallelTemperingSolver::default().with_seed(seed).with_threads(threads);
    let population = PopulationAnnealingSolver::default().with_seed(seed).with_threads(threads);
    let wang_landau = WangLandauSolver::default().with_seed(seed).with_threads(threads);
    let annealing = AnnealingSolver::default().with_seed(seed);
    let van = Van::default().with_seed(seed).with_threads(threads);
    vec![
        Box::new(Enumeration::default()),
        Box::new(TransferMatrix::default()),
        Box::new(Tree::default()),
        Box::new(Planar::default()),
        Box::new(PlanarGroundState::default()),
        Box::new(BranchAndBound::default()),
        Box::new(tensor_network(args)),
        Box::new(BoundaryMps::new(usize::from(args.chi))),
        Box::new(NaiveMeanField::default()),
        Box::new(Tap::default()),
        Box::new(Bethe::default()),
        Box::new(Kikuchi::default()),
        monte_carlo(MonteCarlo::metropolis()),
        monte_carlo(MonteCarlo::heat_bath()),
        Box::new(if args.quick { tempering.quick() } else { tempering }),
        Box::new(if args.quick { population.quick() } else { population }),
        Box::new(if args.quick { wang_landau.quick() } else { wang_landau }),
        Box::new(if args.quick { annealing.quick() } else { annealing }),
        Box::new(if args.quick { van.quick() } else { van }),
    ]
}

/// Whether `auto` asks this method: it applies, and it answers in seconds.
fn in_auto(method: &dyn Solve<Ising>, args: &Args, model: &Ising) -> bool {
    let coldest = model.couplings().fold(0.0, |k: f64, (_, _, coupling)| k.max((args.beta * coupling).abs()));
    let affordable = match method.name() {
        "enumerate" => model.n_spins() <= if args.quick { 20 } else { AUTO_SPINS },
        "transfer-matrix" => {
            let width = TransferMatrix::default().frontier(model).frontier_width();
            width <= if args.quick { 16 } else { AUTO_FRONTIER }
        }
        "tensor-network" => tensor_network(args)
            .cost(model)
            .is_ok_and(|cost| cost.slices == 1 && cost.log2_flops <= if args.quick { 26.0 } else { AUTO_FLOPS }),
        // Large and cold lattices need more digits than 64-bit numbers have, and minutes.
        "planar" => model.n_spins() <= if coldest <= 1.5 { 1 << 14 } else { 1 << 10 } && coldest <= 5.0,
        "boundary-mps" => model.n_spins() <= 1 << 14 && coldest <= 3.0,
        "naive-mean-field" | "tap" | "bethe" => model.n_spins() + model.n_couplings() <= 1 << 16,
        // Without squares it is the Bethe approximation once more.
        "kikuchi" => model.n_couplings() <= 1 << 13 && squares(model).is_ok_and(|squares| !squares.is_empty()),
        // Seconds to train; ask for it.
        "van" => false,
        // No answer at this temperature, or of the same kind as another method.
        "ground-state" | "branch-and-bound" | "heat-bath" | "population-annealing" | "wang-landau" | "annealing" => {
            false
        }
        _ => true,
    };
    affordable && method.check(model, args.beta).is_ok()
}

/// The methods asked for, in the order of the list; every name once.
pub fn chosen(args: &Args, model: &Ising) -> Result<Vec<Method>, Box<dyn std::error::Error>> {
    let methods = all(args);
    let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
    if let Some(unknown) = args.methods.iter().find(|name| *name != "auto" && !names.contains(&name.as_str())) {
        return Err(format!("unknown method {unknown}, expected auto, {}", names.join(", ")).into());
    }
    if !(args.beta.is_finite() && args.beta >= 0.0) {
        return Err(Error::Beta { beta: args.beta }.into());
    }
    let auto = args.methods.iter().any(|name| name == "auto");
    let asked = |method: &Method| args.methods.iter().any(|name| name == method.name());
    Ok(methods.into_iter().filter(|method| asked(method) || (auto && in_auto(method.as_ref(), args, model))).collect())
}
