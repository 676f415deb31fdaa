//! The models.

mod duplicates;
mod interaction;
mod ising;
mod potts;
mod sherrington_kirkpatrick;

pub use duplicates::Duplicates;
pub use interaction::{InteractionBuilder, InteractionModel};
pub use ising::{Ising, IsingBuilder};
pub use potts::{Potts, PottsBuilder};
pub use sherrington_kirkpatrick::SherringtonKirkpatrick;
