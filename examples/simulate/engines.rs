//! The engines behind one face.

use linalg_core::Streams;
use spin_models::mcmc::cluster::Houdayer;
use spin_models::mcmc::multispin::TemperingLadders;
use spin_models::mcmc::vector::VectorLadders;
use spin_models::mcmc::{
    Dynamics, Engine, Ladder, Metropolis, Overlaps, ParallelTempering, ParallelTemperingParams, ReplicaPairs,
};
use spin_models::{EnergyModel, Error, Ising, Result, Simulation};

use crate::args::{Args, EngineName};

/// Replicas in the bits of a block of packed spins.
const BITS: usize = 512;

/// Replicas with real couplings in a vector.
const LANES: usize = 16;

/// A simulation at one or many temperatures.
pub enum Running<'a> {
    /// At one temperature; two where overlaps need a pair of single chains.
    Copies(Vec<Box<dyn Simulation + Send + 'a>>),
    /// Replicas that exchange temperatures, with cluster moves on pairs.
    Houdayer(Box<ParallelTempering<&'a Ising, Metropolis, Houdayer>>),
    /// Packed ladders of temperatures.
    Ladders(Box<TemperingLadders>),
    /// Ladders in vectors, for any couplings.
    Vectors(Box<VectorLadders>),
}

/// Accepted exchanges.
pub struct Exchanges {
    /// For each pair of neighbouring temperatures.
    pub acceptances: Vec<f64>,
    pub round_trips: u64,
}

impl<'a> Running<'a> {
    /// A simulation at one temperature; unit `2 job` of the seed, and the next one for the copy.
    pub fn at(
        engine: Engine,
        model: &'a Ising,
        beta: f64,
        pairs: bool,
        streams: Streams,
        job: u64,
        threads: usize,
    ) -> Result<Self> {
        let first = engine.simulation_on(model, beta, streams, 2 * job, threads)?;
        let mut copies = vec![first];
        if pairs && copies[0].n_lanes() == 1 {
            copies.push(engine.simulation_on(model, beta, streams, 2 * job + 1, threads)?);
        }
        Ok(Self::Copies(copies))
    }

    /// Parallel tempering: packed where the couplings allow it and in vectors where not, unless cluster moves are wanted.
    pub fn tempering(args: &Args, model: &'a Ising, betas: &[f64], pairs: bool) -> Result<Self> {
        let (streams, threads) = (Streams::new(args.seed), usize::from(args.threads));
        if args.houdayer {
            let ladder = Ladder::new(betas.to_vec())?;
            let params = ParallelTemperingParams::default().with_sets(2).with_threads(threads);
            let moves = Houdayer::new();
            let run = ParallelTempering::with_pair_moves(model, Metropolis::default(), moves, ladder, params, streams)?;
            return Ok(Self::Houdayer(Box::new(run)));
        }
        let least = if pairs { 2 } else { 1 };
        let (k, metropolis) = (betas.len(), Dynamics::Metropolis);
        if k <= BITS {
            match TemperingLadders::new(model, betas, least.max(BITS / k), metropolis, streams, 0) {
                // Other couplings.
                Err(Error::NotApplicable { .. }) => {}
                ladders => return Ok(Self::Ladders(Box::new(ladders?.with_threads(threads)))),
            }
        }
        let ladders = VectorLadders::new(model, betas, least.max(LANES / k.max(1)), metropolis, streams, 0)?;
        Ok(Self::Vectors(Box::new(ladders.with_threads(threads))))
    }

    /// The simulations, each with averages of its own.
    pub fn parts(&mut self) -> Vec<&mut dyn Simulation> {
        match self {
            Self::Copies(copies) => copies.iter_mut().map(|copy| &mut **copy as &mut dyn Simulation).collect(),
            Self::Houdayer(run) => vec![&mut **run],
            Self::Ladders(run) => vec![&mut **run],
            Self::Vectors(run) => vec![&mut **run],
        }
    }

    /// Replicas to compare at each temperature: lanes of [`Overlaps`].
    pub fn pairs_per_beta(&self) -> usize {
        match self {
            Self::Copies(copies) if copies.len() == 1 => copies[0].n_lanes() / 2,
            _ => 1,
        }
    }

    /// Measures all pairs.
    pub fn measure_overlaps(&self, into: &mut Overlaps) {
        match self {
            Self::Copies(copies) => match &copies[..] {
                [one] => {
                    for pair in 0..one.n_lanes() / 2 {
                        into.record(pair, &one.configuration(2 * pair), &one.configuration(2 * pair + 1));
                    }
                }
                [a, b, ..] => into.record(0, &a.configuration(0), &b.configuration(0)),
                [] => {}
            },
            Self::Houdayer(run) => run.measure_overlaps(into),
            Self::Ladders(run) => run.measure_overlaps(into),
            Self::Vectors(run) => run.measure_overlaps(into),
        }
    }

    /// What the exchanges did.
    pub fn exchanges(&self) -> Option<Exchanges> {
        match self {
            Self::Copies(_) => None,
            Self::Houdayer(run) => {
                Some(Exchanges { acceptances: run.swap_acceptances(), round_trips: run.round_trips() })
            }
            Self::Ladders(run) => {
                Some(Exchanges { acceptances: run.swap_acceptances(), round_trips: run.round_trips() })
            }
            Self::Vectors(run) => {
                Some(Exchanges { acceptances: run.swap_acceptances(), round_trips: run.round_trips() })
            }
        }
    }
}

/// The engine at one temperature, and why where it was planned.
pub fn at_one_temperature(name: EngineName, model: &Ising, beta: f64) -> (Engine, Option<String>) {
    match name {
        EngineName::Metropolis => (Engine::Metropolis, None),
        EngineName::HeatBath => (Engine::HeatBath, None),
        EngineName::Multispin => (Engine::Multispin, None),
        EngineName::Vector => (Engine::Vector, None),
        EngineName::Wolff => (Engine::Wolff, None),
        EngineName::SwendsenWang => (Engine::SwendsenWang, None),
        EngineName::Niedermayer => (Engine::Niedermayer, None),
        _ => {
            let plan = Engine::plan(model, beta);
            (plan.engine, Some(plan.reason))
        }
    }
}

/// Attempted flips: clusters attempt the spins that they turn, a decomposition all spins.
pub fn attempted_flips(engine: Option<Engine>, model: &Ising, attempted: u64, flipped: u64, sweeps: u64) -> u64 {
    match engine {
        Some(Engine::Wolff | Engine::Niedermayer) => flipped,
        Some(Engine::SwendsenWang) => sweeps * model.n_spins() as u64,
        _ => attempted,
    }
}
