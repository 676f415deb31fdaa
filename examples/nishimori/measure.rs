//! Samples of errors and what is measured of them.

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use linalg_core::stats::{Estimate, jackknife};
use quantum_ec::code::{self, CssCode, Kind};
use quantum_ec::dem::Sampler;
use quantum_ec::noise::css_problem;
use quantum_ec::statmech::CosetModel;
use spin_models::mcmc::Dynamics;
use spin_models::mcmc::multispin::DisorderSamples;
use spin_models::{EnergyModel, Ising, Simulation};
use workspace_examples::json::Line;
use workspace_examples::units::{Computed, Study, UnitLine};

use crate::{Args, Failure};

/// Samples of a unit: as many as are simulated at the cost of one.
pub const UNIT: usize = 512;

/// Measurements at most.
const MEASUREMENTS: u64 = 400;

/// Names of the means of a sample in its line.
const KEYS: [&str; 4] = ["m2", "m4", "bond", "half_difference"];

/// Means of one sample over time and both starts: m², m⁴, the bond, and half of m² from all spins up less m² from random spins.
pub type Means = [f64; 4];

/// What was measured at one size and rate.
pub struct Point {
    pub l: usize,
    pub p: f64,
    pub binder: Estimate,
    /// Mean of -E/(K bonds) - (1 - 2p), zero on the line.
    pub identity: Estimate,
    /// m² from all spins up over m² from random spins, less one: zero in equilibrium but for thermal noise, which the samples of
    /// a unit share.
    pub starts: f64,
}

impl Point {
    /// Averages over samples, whose disorder is independent. The thermal noise that the samples of a unit share does not show in
    /// their scatter: the error is the larger one of leaving out samples and of leaving out units, where there are several.
    pub fn new(l: usize, p: f64, means: &[Means]) -> Result<Self, Failure> {
        let rows: Vec<f64> = means.iter().flatten().copied().collect();
        let mean = |unit: &[Means], k: usize| unit.iter().map(|means| means[k]).sum::<f64>() / unit.len() as f64;
        let units: Vec<f64> =
            means.chunks_exact(UNIT).flat_map(|unit| (0..KEYS.len()).map(move |k| mean(unit, k))).collect();
        let estimate = |function: &dyn Fn(&[f64]) -> f64| -> Result<Estimate, Failure> {
            let found = jackknife(&rows, KEYS.len(), function)?;
            let of_units =
                if units.len() > KEYS.len() { jackknife(&units, KEYS.len(), function)?.std_error } else { 0.0 };
            Ok(Estimate::new(found.value, found.std_error.max(of_units)))
        };
        let binder = estimate(&|means| 1.0 - means[1] / (3.0 * means[0] * means[0]))?;
        let identity = estimate(&|means| means[2] - (1.0 - 2.0 * p))?;
        let [random, up] = [-1.0, 1.0].map(|sign| means.iter().map(|mean| mean[0] + sign * mean[3]).sum::<f64>());
        Ok(Self { l, p, binder, identity, starts: up / random - 1.0 })
    }
}

/// The samples of one size and rate, in units of 512.
pub struct Samples {
    code: CssCode,
    l: usize,
    p: f64,
    sweeps: u64,
    seed: u64,
}

impl Samples {
    pub fn new(args: &Args, l: usize, p: f64) -> Result<Self, Failure> {
        let code = CssCode::from_stabilizer(&code::parse(&format!("toric:{l}"))?).ok_or("the toric code is CSS")?;
        Ok(Self { code, l, p, sweeps: args.sweeps, seed: args.seed })
    }

    /// The models of the errors of a unit: the same couplings with other signs.
    fn models(&self, unit: u64, streams: &Streams) -> Computed<Vec<Ising>> {
        let problem = css_problem(&self.code, Kind::X, vec![self.p; self.code.n_qubits()])?;
        // One spin a plaquette: all X stabilizers, although their product is the identity.
        let plaquettes: Vec<Vec<usize>> = self.code.hx().rows().map(|row| row.iter_ones().collect()).collect();
        let coset = CosetModel::with_generators(&problem, &plaquettes)?;
        let sampler = Sampler::new(&problem).with_mechanisms();
        let errors = sampler.sample_from(unit, UNIT, streams).mechanisms.ok_or("no mechanisms")?;
        let model = |shot: usize| {
            let error = linalg_core::gf2::BitVec::from_words(errors.row(shot).to_vec(), problem.n_mechanisms())?;
            Ok(coset.with_representative(&error)?.to_ising()?)
        };
        (0..UNIT).map(model).collect()
    }
}

impl Study for Samples {
    type Record = Vec<Means>;
    type Worker = ();

    fn task(&self) -> String {
        format!("nishimori L={} p={}", self.l, self.p)
    }

    fn problem(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("nishimori 1").write_u64s(&[self.l as u64, self.sweeps, self.seed, MEASUREMENTS]);
        hash.write_f64s(&[self.p]).finish()
    }

    fn worker(&self) {}

    fn compute(&self, (): &mut (), unit: u64) -> Computed<Vec<Means>> {
        let streams = Streams::new(self.seed).child(self.l as u64).child(self.p.to_bits());
        let models = self.models(unit, &streams.child(0))?;
        let (n, bonds) = (models[0].n_spins(), models[0].n_couplings());
        let up = vec![1; n];
        let sum_of_couplings = |model: &Ising| model.couplings().map(|(.., j)| j).sum::<f64>();
        let offsets: Vec<f64> = models.iter().map(|model| model.energy(&up) + sum_of_couplings(model)).collect();
        let k = 0.5 * ((1.0 - self.p) / self.p).ln();
        let interval = self.sweeps.div_ceil(MEASUREMENTS);
        let rounds = self.sweeps / interval;
        let mut means = vec![[0.0; 4]; UNIT];
        for (start, sign) in [(1, -1.0), (2, 1.0)] {
            let mut simulation = DisorderSamples::new(&models, Dynamics::HeatBath, 1.0, streams.child(start), unit)?;
            if start == 2 {
                (0..UNIT).for_each(|sample| simulation.set_spins(sample, &up));
            }
            simulation.advance(self.sweeps, &mut ());
            for _ in 0..rounds {
                simulation.advance(interval, &mut ());
                let observed = simulation.magnetizations().into_iter().zip(simulation.energies());
                for ((mean, (m, energy)), offset) in means.iter_mut().zip(observed).zip(&offsets) {
                    let m2 = (m as f64 / n as f64).powi(2);
                    let bond = -(energy - offset) / (k * bonds as f64);
                    for (sum, x) in mean.iter_mut().zip([m2 / 2.0, m2 * m2 / 2.0, bond / 2.0, sign * m2 / 2.0]) {
                        *sum += x / rounds as f64;
                    }
                }
            }
        }
        Ok(means)
    }

    fn write(&self, means: &Vec<Means>, line: Line) -> Line {
        let line = line.count("size", self.l as u64).number("p", Some(self.p));
        let line = line.count("sweeps", self.sweeps).count("seed", self.seed);
        KEYS.iter().enumerate().fold(line, |line, (k, key)| {
            line.numbers(key, Some(&means.iter().map(|mean| mean[k]).collect::<Vec<f64>>()))
        })
    }

    fn read(&self, line: &UnitLine) -> Result<Vec<Means>, String> {
        let mut means = vec![[0.0; 4]; UNIT];
        for (k, key) in KEYS.iter().enumerate() {
            means.iter_mut().zip(line.numbers(key, UNIT)?).for_each(|(mean, value)| mean[k] = value);
        }
        Ok(means)
    }
}
