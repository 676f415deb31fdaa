//! The model, and its exact partition function where that is cheap.

use linalg_core::Streams;
use spin_models::exact::kaufman;
use spin_models::{Boundary, EnergyModel, Enumeration, Ising, LogPartition, SherringtonKirkpatrick};
use workspace_examples::instance;

use crate::args::Args;

/// Spins up to which the exact value is enumerated.
const ENUMERATED: usize = 24;

/// What is trained for.
pub struct Subject {
    /// Name in the figure.
    pub name: String,
    /// The model.
    pub model: Ising,
    lattice: Option<usize>,
}

impl Subject {
    /// The model asked for; an 8 x 8 torus if none is.
    pub fn new(args: &Args) -> Result<Self, Box<dyn std::error::Error>> {
        if let Some(file) = &args.file {
            let model = instance::read_file(file, args.format, args.sign)?.model;
            let name = file.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            return Ok(Self { name, model, lattice: None });
        }
        if let Some(n) = args.sk {
            let model = SherringtonKirkpatrick::gaussian(usize::from(n), &mut Streams::new(args.seed).stream(0))?;
            return Ok(Self { name: format!("SK, {n} spins"), model: model.to_ising()?, lattice: None });
        }
        let l = usize::from(args.lattice.unwrap_or(8));
        let model = Ising::square(l, Boundary::Periodic, 1.0)?;
        Ok(Self { name: format!("{l} x {l} torus"), model, lattice: Some(l) })
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.model.n_spins()
    }

    /// Rows and columns of a lattice.
    pub fn shape(&self) -> Option<(usize, usize)> {
        self.lattice.map(|l| (l, l))
    }

    /// The exact ln Z, where it is known.
    pub fn exact(&self, beta: f64) -> Option<f64> {
        match self.lattice {
            Some(l) => kaufman::ln_z(l, l, beta).ok(),
            None if self.n_spins() <= ENUMERATED => {
                Enumeration::default().ln_z(&self.model, beta).ok().map(|z| z.value)
            }
            None => None,
        }
    }
}
