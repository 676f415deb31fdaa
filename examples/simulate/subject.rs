//! What is simulated.

use linalg_core::Streams;
use spin_models::mcmc::WaveVectors;
use spin_models::{Boundary, Disorder, EnergyModel, Ising, Lattice, Shape};
use workspace_examples::instance;

use crate::args::{Args, DisorderName, Kind, LatticeName};

/// Stream of the couplings, apart from those of the simulation.
const COUPLINGS: u64 = u64::MAX;

/// Bytes a site of a lattice, its model and a configuration take, roughly, for each direction.
const BYTES_PER_BOND: u128 = 64;

/// A model and what is known about it.
pub struct Subject {
    pub name: String,
    pub model: Ising,
    /// For the correlation length of overlaps, on tori.
    pub waves: Option<WaveVectors>,
    /// Whether couplings or fields differ from each other: overlaps are then of interest.
    pub disordered: bool,
}

impl Subject {
    pub fn new(args: &Args) -> Result<Self, Box<dyn std::error::Error>> {
        match &args.file {
            Some(path) => {
                let model = instance::read_file(path, args.format, args.sign)?.model;
                let edges = model.couplings().map(|(i, j, _)| (i, j));
                let shape = Shape::recognize(model.n_spins(), edges);
                let waves = shape.and_then(|shape| WaveVectors::periodic(&shape).ok());
                Ok(Self::of(path.display().to_string(), model, waves))
            }
            None => {
                let length = if args.quick { 16 } else { 64 };
                let default = LatticeName { kind: Kind::Square, length, open: false };
                let name = args.lattice.unwrap_or(default);
                let lattice = lattice(name)?;
                let mut rng = Streams::new(args.disorder_seed.unwrap_or(args.seed)).stream(COUPLINGS);
                let model = match args.disorder {
                    DisorderName::None => Ising::ferromagnet(&lattice, 1.0)?,
                    DisorderName::PlusMinus(p_negative) => {
                        Ising::edwards_anderson(&lattice, Disorder::PlusMinus { j: 1.0, p_negative }, &mut rng)?
                    }
                    DisorderName::Gaussian => Ising::edwards_anderson(&lattice, Disorder::gaussian(), &mut rng)?,
                };
                let kind = format!("{:?}", name.kind).to_lowercase();
                Ok(Self::of(format!("{kind} lattice, L = {}", name.length), model, waves(name, &lattice)))
            }
        }
    }

    fn of(name: String, model: Ising, waves: Option<WaveVectors>) -> Self {
        let first = model.couplings().next().map(|(.., coupling)| coupling);
        let equal = model.couplings().all(|(.., coupling)| Some(coupling) == first);
        let uniform = model.fields().iter().all(|field| Some(field) == model.fields().first());
        Self { name, disordered: !(equal && uniform), model, waves }
    }
}

fn lattice(name: LatticeName) -> Result<Lattice, Box<dyn std::error::Error>> {
    let LatticeName { kind, length, open } = name;
    let boundary = if open { Boundary::Free } else { Boundary::Periodic };
    // Sites per L^d and bonds per site.
    let (dimension, sites, bonds) = match kind {
        Kind::Chain => (1, 1, 1),
        Kind::Square => (2, 1, 2),
        Kind::Triangular => (2, 1, 3),
        Kind::Honeycomb => (2, 2, 2),
        Kind::Cubic => (3, 1, 3),
        Kind::Hypercubic => (4, 1, 4),
    };
    let bytes = (length as u128).checked_pow(dimension).map(|n| n.saturating_mul(sites * bonds * BYTES_PER_BOND));
    let there = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    if there.is_none_or(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_err()) {
        let gib = bytes
            .map_or("more than 10^20".to_owned(), |bytes| format!("about {:.1}", bytes as f64 / (1u64 << 30) as f64));
        return Err(format!(
            "a lattice of length {length} in {dimension} dimensions takes {gib} GiB, which are not there"
        )
        .into());
    }
    Ok(match kind {
        Kind::Chain => Lattice::chain(length, boundary)?,
        Kind::Square => Lattice::square(length, boundary)?,
        Kind::Triangular => Lattice::triangular([length; 2], [boundary; 2])?,
        Kind::Honeycomb => Lattice::honeycomb([length; 2], [boundary; 2])?,
        Kind::Cubic => Lattice::cubic(length, boundary)?,
        Kind::Hypercubic => Lattice::hypercubic(&[length; 4], &[boundary; 4])?,
    })
}

fn waves(name: LatticeName, lattice: &Lattice) -> Option<WaveVectors> {
    match name.kind {
        Kind::Triangular if !name.open => WaveVectors::triangular(name.length).ok(),
        Kind::Honeycomb => None,
        _ => WaveVectors::of_lattice(lattice).ok(),
    }
}
