//! Tables, one line of JSON, and the distribution of probabilities as a figure.

use std::path::PathBuf;

use linalg_core::stats::{Estimate, Running};
use spin_models::amplitude::{Circuit, Complex64, ContractionCost, SampleReport};
use workspace_examples::figure::{Curves, Points, path};
use workspace_examples::json::Line;

type Failure = Box<dyn std::error::Error>;

/// Width and number of the bins of 2^n p.
const WIDTH: f64 = 0.25;
const BINS: usize = 32;

/// What was found.
#[derive(Debug)]
pub struct Report<'a> {
    pub n_qubits: usize,
    pub operations: usize,
    pub open: usize,
    pub cost: ContractionCost,
    pub contractions: u64,
    pub seconds: f64,
    pub seconds_search: f64,
    pub sampled: Option<&'a SampleReport>,
    /// Fidelity and cross entropy; the first is the circuit's own.
    pub mixtures: Vec<(f64, Estimate)>,
    pub amplitudes: &'a [Complex64],
    pub self_cross_entropy: Option<f64>,
    pub deviation: Option<f64>,
    pub check: Option<(f64, u64)>,
}

/// What a contraction will cost.
pub fn before(circuit: &Circuit, cost: &ContractionCost, open: usize, seconds: f64) {
    let (n, gates, pairs) = (circuit.n_qubits(), circuit.operations().len(), circuit.n_two_qubit_gates());
    println!("{n} qubits, {gates} gates, {pairs} of them on pairs; {} tensors, {open} qubits open", cost.n_tensors);
    println!(
        "a contraction: {:.3e} operations, {} slices, largest tensor 2^{:.0}, {:.1} MiB; search {seconds:.2} s",
        cost.flops,
        cost.slices,
        cost.log2_size,
        cost.peak_bytes / 2f64.powi(20)
    );
}

impl Report<'_> {
    fn states(&self) -> f64 {
        2f64.powi(self.n_qubits as i32)
    }

    /// 2^n p of the uniform bitstrings.
    fn scaled(&self) -> Vec<f64> {
        self.amplitudes.iter().map(|a| self.states() * a.norm_sqr()).collect()
    }

    fn flops(&self) -> f64 {
        self.cost.flops * self.contractions as f64
    }

    pub fn json(&self) -> String {
        let own = self.mixtures.first().map(|(_, xeb)| xeb);
        let first = self.amplitudes.first();
        Line::new()
            .count("n_qubits", self.n_qubits as u64)
            .count("gates", self.operations as u64)
            .count("samples", self.sampled.map_or(0, |sampled| sampled.bitstrings.len() as u64))
            .count("amplitudes", self.amplitudes.len() as u64)
            .number("xeb", own.map(|xeb| xeb.value))
            .number("xeb_std_error", own.and_then(|xeb| xeb.std_error))
            .number("xeb_exact", self.self_cross_entropy)
            .number("flops", Some(self.flops()))
            .number("flops_per_contraction", Some(self.cost.flops))
            .count("contractions", self.contractions)
            .count("open_qubits", self.open as u64)
            .count("slices", self.cost.slices)
            .number("log2_largest_tensor", Some(self.cost.log2_size))
            .number("peak_bytes", Some(self.cost.peak_bytes))
            .number("seconds", Some(self.seconds))
            .number("seconds_search", Some(self.seconds_search))
            .number("amplitude_re", first.map(|a| a.re))
            .number("amplitude_im", first.map(|a| a.im))
            .number("deviation_from_state_vector", self.deviation)
            .number("deviation_of_another_order", self.check.map(|check| check.0))
            .finish()
    }

    pub fn print(&self) {
        let speed = self.flops() / self.seconds * 1e-9;
        println!("{} contractions in {:.2} s: {speed:.2} billion operations a second", self.contractions, self.seconds);
        if let Some(amplitude) = self.amplitudes.first() {
            println!("amplitude of 00...0: {:.12e} {:+.12e} i", amplitude.re, amplitude.im);
        }
        if let Some(deviation) = self.deviation {
            println!("largest difference of the first batch from the state vector: {deviation:.1e}");
        }
        if let Some((difference, slices)) = self.check {
            println!("another order, whole and in {slices} slices: relative difference {difference:.1e}");
        }
        let scaled: Running = self.scaled().into_iter().collect();
        if scaled.count() > 1 {
            println!();
            // Bitstrings of a batch share their closed bits: batches are independent, their members are not.
            let values = self.scaled();
            let mean = |batch: &[f64]| batch.iter().sum::<f64>() / batch.len() as f64;
            let batches: Running = values.chunks_exact(1 << self.open).map(mean).collect();
            let norm = if batches.count() > 1 {
                Estimate::new(batches.mean(), batches.std_error()).to_string()
            } else {
                format!("{:.6}", scaled.mean())
            };
            println!("norm, 2^n <p> over uniform bitstrings: {norm}");
            let second = scaled.raw_moment(2);
            println!("2^2n <p^2>: {second:.3}, 2 for Porter and Thomas");
        }
        let Some(sampled) = self.sampled else { return };
        println!();
        let (kept, asked) = (sampled.bitstrings.len(), if sampled.complete { "" } else { ", fewer than asked for" });
        let (batches, bound) = (sampled.batches, sampled.bound);
        println!(
            "{kept} bitstrings from {batches} contractions{asked}; bound {bound:.3}, raised {} times",
            sampled.raised
        );
        println!("{:>10}{:>20}{:>14}", "fidelity", "cross entropy", "expected");
        for (fidelity, xeb) in &self.mixtures {
            let expected = self.self_cross_entropy.map_or("-".into(), |exact| format!("{:.4}", exact * fidelity));
            println!("{fidelity:>10}{:>20}{expected:>14}", xeb.to_string());
        }
    }

    /// The histogram of 2^n p beside exp(-x).
    pub fn draw(&self, file: Option<PathBuf>) -> Result<(), Failure> {
        let scaled = self.scaled();
        if scaled.len() < 100 {
            return Ok(());
        }
        let mut counts = [0.0; BINS];
        for x in &scaled {
            if let Some(count) = counts.get_mut((x / WIDTH) as usize) {
                *count += 1.0;
            }
        }
        let unit = scaled.len() as f64 * WIDTH;
        let middle = |k: usize| (k as f64 + 0.5) * WIDTH;
        let points = counts.iter().enumerate().map(|(k, &count)| (middle(k), count / unit, f64::sqrt(count) / unit));
        let curves = Curves {
            title: format!("Probabilities of {} bitstrings, {} qubits", scaled.len(), self.n_qubits),
            x_label: "x = 2^n p".into(),
            y_label: "density".into(),
            lines: vec![("exp(-x)".into(), (0..=160).map(|k| f64::from(k) * 0.05).map(|x| (x, (-x).exp())).collect())],
            points: vec![Points { name: "circuit".into(), points: points.collect() }],
            ..Curves::default()
        };
        let file = match file {
            Some(file) => file,
            None => path("random_circuit", "svg")?,
        };
        curves.write_svg(&file)?;
        curves.write_csv(&file.with_extension("csv"))?;
        println!("drawn: {}", file.display());
        Ok(())
    }
}
