//! The models.

mod batch_energies;
mod duplicates;
mod ensembles;
mod interaction;
mod ising;
mod lattice;
mod max_cut;
mod potts;
mod sherrington_kirkpatrick;

pub use duplicates::Duplicates;
pub use ensembles::Disorder;
pub use interaction::{InteractionBuilder, InteractionModel};
pub use ising::{Ising, IsingBuilder};
pub use lattice::{Boundary, Lattice, Shape};
pub use potts::{Potts, PottsBuilder};
pub use sherrington_kirkpatrick::SherringtonKirkpatrick;
