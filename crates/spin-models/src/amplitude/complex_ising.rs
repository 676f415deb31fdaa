//! Partition functions with complex couplings.

use linalg_core::Observer;
use linalg_core::num_complex::Complex64;
use linalg_core::tensor::{Leg, Tensor};
use linalg_core::threads::count;

use super::circuit::Circuit;
use super::contract::ContractionParams;
use super::engine::Engine;
use super::gate::Gate;
use super::path_sum::PathSum;
use crate::model::Progress;
use crate::{Error, Result};

/// An Ising model with complex couplings and fields,
///
/// ```math
/// Z = \sum_{s \in \{\pm1\}^N} \exp\Big( c + \sum_{i<j} K_{ij} s_i s_j + \sum_i h_i s_i \Big) .
/// ```
///
/// The amplitude of a circuit of gates that are diagonal or act on one qubit is such a sum: the gates on a single qubit between
/// two others begin a new spin, coupled to the one before it, unless they are diagonal too; diagonal gates are couplings and
/// fields. A Hadamard gate and CZ have couplings of modulus $`\pi/4`$; T is a field. With inputs and outputs fixed, an IQP
/// circuit H D H has one spin a qubit.
///
/// ```
/// use spin_models::amplitude::{Circuit, ComplexIsing, Gate};
///
/// // H ⊗ H, CZ, H ⊗ H: two spins, and (1 + 1 + 1 - 1)/4 for 00.
/// let mut circuit = Circuit::new(2)?;
/// for (gate, qubits) in [(Gate::H, &[0][..]), (Gate::H, &[1]), (Gate::Cz, &[0, 1]), (Gate::H, &[0]), (Gate::H, &[1])] {
///     circuit.push(gate, qubits)?;
/// }
/// let model = ComplexIsing::amplitude(&circuit, &[false, false])?;
/// assert_eq!((model.n_spins(), model.couplings().len()), (2, 1));
/// assert!((model.partition_function()? - 0.5).norm() < 1e-15);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: M. Van den Nest, W. Dür and H. J. Briegel, Phys. Rev. Lett. 98, 117207 (2007); M. J. Bremner, A. Montanaro and
/// D. J. Shepherd, Phys. Rev. Lett. 117, 080501 (2016).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ComplexIsing {
    offset: Complex64,
    fields: Vec<Complex64>,
    couplings: Vec<(usize, usize, Complex64)>,
}

const NAME: &str = "complex Ising model";

impl ComplexIsing {
    /// Most spins of [`partition_function`](Self::partition_function).
    pub const MAX_SPINS: usize = 26;

    /// A model from its constant, the fields of its spins and its couplings; a pair given twice is added up.
    ///
    /// ```
    /// use spin_models::amplitude::ComplexIsing;
    ///
    /// // Real: two spins with K = 1 have Z = 2e + 2/e.
    /// let pair = ComplexIsing::new(0.0.into(), vec![0.0.into(); 2], &[(0, 1, 0.5.into()), (1, 0, 0.5.into())])?;
    /// assert!((pair.partition_function()?.re - 2.0 * (1f64.exp() + (-1f64).exp())).abs() < 1e-14);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::SiteOutOfBounds`], [`Error::SelfCoupling`], [`Error::NotFinite`]. The constant may be $`-\infty`$: Z is 0 then.
    pub fn new(offset: Complex64, fields: Vec<Complex64>, couplings: &[(usize, usize, Complex64)]) -> Result<Self> {
        let n = fields.len();
        let finite = |what, entry, sites: &[usize], value: Complex64| {
            let bad = [value.re, value.im].into_iter().find(|part| !part.is_finite());
            bad.map_or(Ok(()), |value| Err(Error::NotFinite { what, entry, sites: sites.to_vec(), value }))
        };
        if !(offset.re == f64::NEG_INFINITY && offset.im.is_finite()) {
            finite("constant", 0, &[], offset)?;
        }
        fields.iter().enumerate().try_for_each(|(i, &field)| finite("field", i, &[i], field))?;
        let mut sum = std::collections::BTreeMap::new();
        for (entry, &(i, j, coupling)) in couplings.iter().enumerate() {
            if let Some(&site) = [i, j].iter().find(|&&site| site >= n) {
                return Err(Error::SiteOutOfBounds { what: "coupling", entry, site, n_spins: n });
            }
            if i == j {
                return Err(Error::SelfCoupling { entry, site: i });
            }
            finite("coupling", entry, &[i, j], coupling)?;
            *sum.entry((i.min(j), i.max(j))).or_insert(Complex64::ZERO) += coupling;
        }
        let couplings = sum.into_iter().map(|((i, j), coupling)| (i, j, coupling)).collect();
        Ok(Self { offset, fields, couplings })
    }

    /// The amplitude of a bitstring as a partition function.
    ///
    /// All named gates are taken; those of two qubits that are not diagonal are written as diagonal ones between gates of one
    /// qubit, if they do not just exchange their qubits. Where a qubit keeps a value other than the one asked for, the
    /// constant is $`-\infty`$.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of bits than qubits, [`Error::NotApplicable`] for a unitary of two qubits that
    /// is neither diagonal nor so up to an exchange, with its place.
    pub fn amplitude(circuit: &Circuit, bits: &[bool]) -> Result<Self> {
        let n = circuit.n_qubits();
        if bits.len() != n {
            return Err(Error::WrongLength { what: "bits of a bitstring", got: bits.len(), expected: n });
        }
        let (written, origin) = diagonal_gates(circuit)?;
        let paths = PathSum::new(&written);
        if let Some(factor) = paths.factors.iter().find(|factor| factor.legs.len() > 2) {
            let place = origin[factor.operation];
            let name = circuit.operations()[place].gate().name();
            let reason =
                format!("operation {place} ({name}) is neither diagonal nor so up to an exchange of its qubits");
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        // Spins of the legs that have no value given.
        let mut given: Vec<Option<f64>> = vec![None; paths.n_legs];
        given[..n].fill(Some(1.0));
        for (wire, &bit) in paths.outputs.iter().zip(bits) {
            given[wire.leg as usize] = Some(if bit ^ wire.flipped { -1.0 } else { 1.0 });
        }
        let mut spin = vec![usize::MAX; paths.n_legs];
        let mut n_spins = 0;
        for leg in (0..paths.n_legs).filter(|&leg| given[leg].is_none()) {
            spin[leg] = n_spins;
            n_spins += 1;
        }
        let mut sum = Sum { offset: Complex64::ZERO, fields: vec![Complex64::ZERO; n_spins], couplings: Vec::new() };
        for factor in &paths.factors {
            let legs: Vec<(Option<f64>, usize)> =
                factor.legs.iter().map(|&leg| (given[leg as usize], spin[leg as usize])).collect();
            sum.add(&legs, &factor.table);
        }
        Self::new(sum.offset, sum.fields, &sum.couplings)
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.fields.len()
    }

    /// The constant.
    pub fn offset(&self) -> Complex64 {
        self.offset
    }

    /// The fields.
    pub fn fields(&self) -> &[Complex64] {
        &self.fields
    }

    /// The couplings `(i, j, K)` with i < j, each pair once, in order.
    pub fn couplings(&self) -> &[(usize, usize, Complex64)] {
        &self.couplings
    }

    /// The exponent of a configuration, the constant included.
    ///
    /// # Panics
    /// If there are not as many signs as spins.
    pub fn exponent(&self, spins: &[i8]) -> Complex64 {
        assert_eq!(spins.len(), self.n_spins(), "{} signs for {} spins", spins.len(), self.n_spins());
        let sign = |i: usize| f64::from(spins[i]);
        let fields: Complex64 = self.fields.iter().enumerate().map(|(i, field)| field * sign(i)).sum();
        let couplings: Complex64 = self.couplings.iter().map(|&(i, j, coupling)| coupling * sign(i) * sign(j)).sum();
        self.offset + fields + couplings
    }

    /// Z by summing all configurations, $`2^N`$ of them.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than [`MAX_SPINS`](Self::MAX_SPINS) spins.
    pub fn partition_function(&self) -> Result<Complex64> {
        let n = self.n_spins();
        if n > Self::MAX_SPINS {
            let what = "number of spins";
            return Err(Error::TooLarge { solver: "sum over configurations", what, value: n, bound: Self::MAX_SPINS });
        }
        // The couplings of each spin to those before it.
        let mut before = vec![Vec::new(); n];
        for &(i, j, coupling) in &self.couplings {
            before[j].push((i, coupling));
        }
        // Exponents of the first spins; a change of spin k needs those from k on.
        let mut spins = vec![1.0; n];
        let mut exponents = vec![self.offset; n + 1];
        let extend = |from: usize, spins: &[f64], exponents: &mut [Complex64]| {
            for k in from..n {
                let field: Complex64 = before[k].iter().map(|&(i, coupling)| coupling * spins[i]).sum();
                exponents[k + 1] = exponents[k] + (self.fields[k] + field) * spins[k];
            }
        };
        extend(0, &spins, &mut exponents);
        let mut sum = exponents[n].exp();
        for number in 1..1u64 << n {
            // Counting with the last spin fastest.
            let changed = n - 1 - number.trailing_zeros() as usize;
            spins[changed] = -1.0;
            spins[changed + 1..].fill(1.0);
            extend(changed, &spins, &mut exponents);
            sum += exponents[n].exp();
        }
        Ok(sum)
    }

    /// Z by tensor network contraction, for any number of spins on a graph of moderate width.
    ///
    /// # Errors
    /// [`Error::MemoryBudget`] with the least number of bytes, [`Error::Stopped`].
    pub fn contract(&self, params: &ContractionParams, observer: &mut dyn Observer<Progress>) -> Result<Complex64> {
        let params = ContractionParams { threads: count(params.threads), ..params.clone() };
        // The larger of the two moduli is taken out: no entry overflows.
        let both = |x: Complex64| ((x - x.re.abs()).exp(), (-x - x.re.abs()).exp());
        let single = |(i, &field): (usize, &Complex64)| {
            let (up, down) = both(field);
            Tensor::new(vec![i as Leg], vec![2], vec![up, down])
        };
        let pair = |&(i, j, coupling): &(usize, usize, Complex64)| {
            let (same, other) = both(coupling);
            Tensor::new(vec![i as Leg, j as Leg], vec![2, 2], vec![same, other, other, same])
        };
        let tensors = self.fields.iter().enumerate().map(single).chain(self.couplings.iter().map(pair)).collect();
        let engine = Engine::new(self.n_spins(), tensors, &[], Vec::new(), &params)?;
        let tensor = engine.run(&|_| 0, params.threads, observer)?;
        let shift: f64 = self.fields.iter().chain(self.couplings.iter().map(|c| &c.2)).map(|x| x.re.abs()).sum();
        Ok(tensor.data()[0] * (self.offset + shift + tensor.ln_scale()).exp())
    }
}

struct Sum {
    offset: Complex64,
    fields: Vec<Complex64>,
    couplings: Vec<(usize, usize, Complex64)>,
}

impl Sum {
    /// Adds the logarithm of a table: legs with a sign given, or with the number of their spin.
    fn add(&mut self, legs: &[(Option<f64>, usize)], table: &[Complex64]) {
        let free = legs.iter().any(|leg| leg.0.is_none());
        let logarithm = |k: usize| match table[k] {
            x if x.norm() > 0.0 => x.ln(),
            // A zero beside a free spin: below the rounding of the others, but finite, as fields and couplings must be.
            _ if free => Complex64::from(1e-30f64.ln()),
            _ => f64::NEG_INFINITY.into(),
        };
        let index = |sign: f64| usize::from(sign < 0.0);
        match *legs {
            [(Some(sign), _)] => self.offset += logarithm(index(sign)),
            [(None, spin)] => self.field(spin, logarithm(0), logarithm(1)),
            [(Some(x), _), (Some(y), _)] => self.offset += logarithm(2 * index(x) + index(y)),
            [(Some(x), _), (None, spin)] => self.field(spin, logarithm(2 * index(x)), logarithm(2 * index(x) + 1)),
            [(None, spin), (Some(y), _)] => self.field(spin, logarithm(index(y)), logarithm(2 + index(y))),
            [(None, i), (None, j)] => {
                let [a, b, c, d] = [0, 1, 2, 3].map(logarithm);
                self.offset += (a + b + c + d) * 0.25;
                self.fields[i] += (a + b - c - d) * 0.25;
                self.fields[j] += (a - b + c - d) * 0.25;
                self.couplings.push((i, j, (a - b - c + d) * 0.25));
            }
            _ => unreachable!("factors of one or two legs"),
        }
    }

    fn field(&mut self, spin: usize, up: Complex64, down: Complex64) {
        self.offset += (up + down) * 0.5;
        self.fields[spin] += (up - down) * 0.5;
    }
}

/// The circuit with gates of two qubits as diagonal ones between gates of one qubit, and the operation each came from.
fn diagonal_gates(circuit: &Circuit) -> Result<(Circuit, Vec<usize>)> {
    let mut written = Circuit::new(circuit.n_qubits())?;
    let mut origin = Vec::new();
    for (place, operation) in circuit.operations().iter().enumerate() {
        let qubits = operation.qubits();
        let both =
            |written: &mut Circuit, gate: Gate| qubits.iter().try_for_each(|&q| written.push(gate.clone(), &[q]));
        // X X and Y Y are Z Z between gates that turn Z.
        let xx = |written: &mut Circuit, theta: f64| {
            both(written, Gate::H)?;
            written.push(Gate::Zz(theta), qubits)?;
            both(written, Gate::H)
        };
        let yy = |written: &mut Circuit, theta: f64| {
            both(written, Gate::Sdg)?;
            xx(written, theta)?;
            both(written, Gate::S)
        };
        match *operation.gate() {
            Gate::Cnot => {
                written.push(Gate::H, &qubits[1..])?;
                written.push(Gate::Cz, qubits)?;
                written.push(Gate::H, &qubits[1..])?;
            }
            Gate::Xx(theta) => xx(&mut written, theta)?,
            Gate::Yy(theta) => yy(&mut written, theta)?,
            Gate::FSim { theta, phi } if theta.cos().abs() > 1e-15 => {
                xx(&mut written, theta)?;
                yy(&mut written, theta)?;
                written.push(Gate::CPhase(-phi), qubits)?;
            }
            ref gate => written.push(gate.clone(), qubits)?,
        }
        origin.resize(written.operations().len(), place);
    }
    Ok((written, origin))
}
