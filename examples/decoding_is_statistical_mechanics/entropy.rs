//! Why the lightest error and the most likely class differ: energies and entropies of both classes of a syndrome.

use linalg_core::gf2::BitVec;
use linalg_core::stats::Running;
use quantum_ec::code::CssCode;
use quantum_ec::statmech::CosetModel;
use quantum_ec::{DecodingProblem, Result};
use spin_models::{Duplicates, Enumeration, InteractionModel};

/// Generators up to which all errors of a class are summed one by one.
pub const MOST_GENERATORS: usize = 14;

/// One class of errors as a spin model at β = 1.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// -ln of the probability of the class.
    pub free_energy: f64,
    /// -ln of the probability of its most likely error.
    pub least_energy: f64,
    /// Entropy of the errors of the class, given the class.
    pub entropy: f64,
}

/// What the shots at one rate said, by the two sums over classes.
#[derive(Debug, Clone, Default)]
pub struct Gap {
    /// Entropy of the most likely class.
    pub entropy: Running,
    /// Shots in which the lightest error lies in the less likely class.
    pub disagreements: u64,
    /// In those, by how much the lightest error is lighter.
    pub energy: Running,
    /// In those, by how much more the likelier class gains from its other errors: free energy below its lightest error.
    pub degeneracy: Running,
    /// Shots looked at.
    pub shots: u64,
}

/// Sums over the errors of both classes.
pub struct Classes {
    /// For an error with given syndrome and class.
    coset: CosetModel,
    /// The generators that act on each qubit.
    acting: Vec<Vec<usize>>,
    n_generators: usize,
    p: f64,
}

impl Classes {
    /// `None` where there are too many errors in a class, and for generators that depend on each other: those of the rotated code do not, so
    /// that configurations of spins are errors, one to one.
    pub fn new(code: &CssCode, problem: &DecodingProblem, p: f64) -> Result<Option<Self>> {
        let n_generators = code.hx().n_rows();
        if n_generators > MOST_GENERATORS || code.hx().rank() < n_generators {
            return Ok(None);
        }
        let acting =
            (0..code.n_qubits()).map(|q| (0..n_generators).filter(|&g| code.hx().get(g, q)).collect()).collect();
        Ok(Some(Self { coset: CosetModel::new(problem)?, acting, n_generators, p }))
    }

    /// E(s) = -Σ_q (-1)^{e_q} K Π_{g∋q} s_g - (n/2) ln p(1-p), so that e^{-E} is the probability of an error. The library's own
    /// model of a coset joins qubits that no check tells apart, which leaves ln Z as it is and takes their entropy out.
    fn model(&self, error: &BitVec) -> Result<InteractionModel> {
        let k = 0.5 * ((1.0 - self.p) / self.p).ln();
        let sign = |q: usize| if error.get(q) { -k } else { k };
        let terms = self.acting.iter().enumerate().map(|(q, generators)| (generators.clone(), sign(q)));
        let offset = -0.5 * self.acting.len() as f64 * (self.p * (1.0 - self.p)).ln();
        Ok(InteractionModel::builder(self.n_generators)
            .terms(terms)
            .offset(offset)
            .duplicates(Duplicates::Sum)
            .build()?)
    }

    fn class(&self, syndrome: &BitVec, class: bool) -> Result<Option<Class>> {
        let mut bits = BitVec::zeros(1);
        bits.set(0, class);
        let Some(error) = self.coset.representative(syndrome, &bits)? else { return Ok(None) };
        let model = self.model(&error)?;
        let cumulants = Enumeration::default().energy_cumulants(&model, 1.0, &mut ())?;
        let least_energy = Enumeration::default().ground_state(&model)?.energy;
        Ok(Some(Class { free_energy: -cumulants.ln_z, least_energy, entropy: cumulants.entropy().max(0.0) }))
    }

    /// Adds one syndrome.
    pub fn add(&self, syndrome: &BitVec, gap: &mut Gap) -> Result<()> {
        let (Some(a), Some(b)) = (self.class(syndrome, false)?, self.class(syndrome, true)?) else { return Ok(()) };
        let (likely, other) = if a.free_energy <= b.free_energy { (a, b) } else { (b, a) };
        gap.shots += 1;
        gap.entropy.push(likely.entropy);
        if other.least_energy < likely.least_energy - 1e-9 {
            gap.disagreements += 1;
            gap.energy.push(likely.least_energy - other.least_energy);
            let gain = |class: Class| class.least_energy - class.free_energy;
            gap.degeneracy.push(gain(likely) - gain(other));
        }
        Ok(())
    }
}
