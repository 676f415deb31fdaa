//! Do bitstrings of a random quantum circuit look random, and what does it cost to know?
//!
//! A circuit on a grid (or from a file) becomes a tensor network. Batches of its amplitudes give bitstrings by rejection,
//! their linear cross entropy, also when a part of them is replaced by coin tosses (a depolarised device of that fidelity), and
//! the distribution of probabilities, which is that of Porter and Thomas for a deep circuit: 2^n p has the density exp(-x).
//!
//! ```text
//! cargo run --release --example random_circuit
//! cargo run --release --example random_circuit -- --rows 3 --cols 4 --depth 14 --gates cz --samples 5000 --json
//! cargo run --release --example random_circuit -- --rows 7 --cols 7 --depth 10 --gates cz --samples 0 --amplitudes 4 --check
//! ```
//!
//! The defaults (4 x 4, 14 cycles) take some twenty seconds. Expected: a cross entropy that is the fidelity times that of the exact
//! distribution, which is 1 within a few hundredths, and points on the curve exp(-x) in `target/figures/random_circuit.svg`.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use linalg_core::Streams;
use linalg_core::tensor::OrderParams;
use rand::RngExt;
use spin_models::amplitude::{
    Circuit, Complex64, Contraction, ContractionParams, Entangler, RandomGrid, Sampling, StateVector,
    linear_cross_entropy, read_open_qasm, write_open_qasm,
};
use workspace_examples::exit;
use workspace_examples::progress::Bar;

use report::Report;

type Failure = Box<dyn std::error::Error>;

/// Gates of two qubits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Gates {
    /// fSim(π/2, π/6).
    Fsim,
    /// CZ.
    Cz,
}

/// Amplitudes, bitstrings and cross entropy of random circuits.
#[derive(Debug, Clone, Parser)]
#[command(name = "random_circuit", version)]
struct Args {
    /// Rows of the grid.
    #[arg(long, default_value_t = 4)]
    rows: usize,
    /// Columns of the grid.
    #[arg(long, default_value_t = 4)]
    cols: usize,
    /// Cycles, each a round of gates on single qubits and one of gates on pairs.
    #[arg(long, default_value_t = 14)]
    depth: usize,
    /// Seed of the circuit and of the bitstrings.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Gates on pairs.
    #[arg(long, value_enum, default_value_t = Gates::Fsim)]
    gates: Gates,
    /// A circuit in OpenQASM 2 instead of a random one.
    #[arg(long, value_name = "FILE")]
    qasm: Option<PathBuf>,
    /// Where to write the circuit in OpenQASM 2.
    #[arg(long, value_name = "FILE")]
    write_qasm: Option<PathBuf>,
    /// Amplitudes of random bitstrings, for the distribution of probabilities.
    #[arg(long, default_value_t = 20_000)]
    amplitudes: usize,
    /// Bitstrings drawn from the circuit, for the cross entropy.
    #[arg(long, default_value_t = 2000)]
    samples: usize,
    /// Qubits left open, whose values come all at once; 6 by default, 0 for fewer than 64 amplitudes without samples.
    #[arg(long)]
    open: Option<usize>,
    /// Memory for intermediate tensors in MiB.
    #[arg(long, default_value_t = 1024)]
    memory: usize,
    /// Threads; 0 for all.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Time spent on the search for a contraction order over that of one contraction.
    #[arg(long, default_value_t = 2.0)]
    effort: f64,
    /// Repeats the first amplitude with another order, in more slices, and without open qubits.
    #[arg(long)]
    check: bool,
    /// Where to draw the distribution; `target/figures/random_circuit.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// At most 3 x 3 qubits, 8 cycles, 300 samples, 1000 amplitudes.
    #[arg(long)]
    quick: bool,
    /// One JSON object instead of the tables and the drawing.
    #[arg(long)]
    json: bool,
}

fn circuit(args: &Args) -> Result<Circuit, Failure> {
    if let Some(file) = &args.qasm {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        return read_open_qasm(&text).map_err(|error| format!("{}: {error}", file.display()).into());
    }
    let entangler = if args.gates == Gates::Cz { Entangler::Cz } else { Entangler::default() };
    let grid = RandomGrid::new(args.rows, args.cols, args.depth)?.with_entangler(entangler);
    Ok(grid.circuit(&mut Streams::new(args.seed).stream(0))?)
}

/// Amplitudes of uniform bitstrings, whole batches, and the first bitstring.
fn uniform(
    contraction: &Contraction,
    count: usize,
    streams: Streams,
    bar: &mut Bar,
) -> Result<(Vec<Complex64>, u64), Failure> {
    let (n, batch) = (contraction.n_qubits(), 1 << contraction.open().len());
    let mut amplitudes = Vec::new();
    let mut contractions = 0;
    while amplitudes.len() < count {
        let mut rng = streams.stream(contractions);
        // The first one is of the bitstring 00…0, which other programs can be asked for.
        let bits: Vec<bool> = (0..n).map(|_| contractions > 0 && rng.random::<bool>()).collect();
        let made = contraction.batch_observed(&bits, bar)?;
        contractions += 1;
        amplitudes.extend(made.into_iter().take(batch.min(count - amplitudes.len())));
    }
    Ok((amplitudes, contractions))
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.rows, args.cols, args.depth) = (args.rows.min(3), args.cols.min(3), args.depth.min(8));
        (args.samples, args.amplitudes) = (args.samples.min(300), args.amplitudes.min(1000));
    }
    let circuit = circuit(&args)?;
    if let Some(file) = &args.write_qasm {
        std::fs::write(file, write_open_qasm(&circuit)?).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let n = circuit.n_qubits();
    let few = args.samples == 0 && args.amplitudes < 64;
    let open = args.open.unwrap_or(if few { 0 } else { 6.min(n) });
    if open > n {
        return Err(format!("--open is {open}, the circuit has {n} qubits").into());
    }
    let bytes = args.memory.checked_mul(1 << 20).ok_or_else(|| format!("--memory is {} MiB", args.memory))?;
    let order = OrderParams::default().with_effort(args.effort).with_seed(args.seed);
    let params = ContractionParams::default().with_memory_bytes(bytes).with_threads(args.threads).with_order(order);
    let streams = Streams::new(args.seed);

    let start = Instant::now();
    let open_qubits: Vec<usize> = (n - open..n).collect();
    let contraction = Contraction::new(&circuit, &open_qubits, &params)?;
    let seconds_search = start.elapsed().as_secs_f64();
    let cost = contraction.cost();
    if !args.json {
        report::before(&circuit, &cost, open, seconds_search);
    }

    let start = Instant::now();
    let mut bar = Bar::new("random_circuit");
    let mut contractions = 0;
    let sampled = if args.samples > 0 {
        let sampled = Sampling::default().run(&contraction, args.samples, streams.child(1), &mut bar)?;
        contractions += sampled.batches;
        Some(sampled)
    } else {
        None
    };
    let (amplitudes, more) = uniform(&contraction, args.amplitudes, streams.child(2), &mut bar)?;
    contractions += more;
    bar.finish();
    let seconds = start.elapsed().as_secs_f64();

    let exact = if n <= 20 { Some(StateVector::run(&circuit)?) } else { None };
    let mut mixtures = Vec::new();
    if let Some(sampled) = sampled.as_ref().filter(|sampled| sampled.probabilities.len() > 1) {
        mixtures.push((1.0, linear_cross_entropy(n, &sampled.probabilities)?));
        // Uniform bitstrings come from the amplitudes above: theirs are uniform.
        let noise: Vec<f64> = amplitudes.iter().map(|a| a.norm_sqr()).collect();
        if noise.len() > 1 && !args.json {
            for fidelity in [0.5, 0.2, 0.0] {
                let mut rng = streams.child(3).stream((fidelity * 10.0) as u64);
                let mut clean = sampled.probabilities.iter();
                let mixed: Vec<f64> = (0..sampled.probabilities.len())
                    .filter_map(|_| {
                        let own = clean.next().copied();
                        let coin = noise[rng.random_range(0..noise.len() as u64) as usize];
                        if rng.random::<f64>() < fidelity { own } else { Some(coin) }
                    })
                    .collect();
                mixtures.push((fidelity, linear_cross_entropy(n, &mixed)?));
            }
        }
    }
    let check = if args.check { Some(check(&args, &circuit, &contraction, &params)?) } else { None };
    let report = Report {
        n_qubits: n,
        operations: circuit.operations().len(),
        open,
        cost,
        contractions,
        seconds,
        seconds_search,
        sampled: sampled.as_ref(),
        mixtures,
        amplitudes: &amplitudes,
        self_cross_entropy: exact.as_ref().map(StateVector::self_cross_entropy),
        // The first batch has bits 00…0 on the closed qubits; the open ones are the highest of the index.
        deviation: exact.as_ref().map(|state| {
            let made = amplitudes.iter().take(1 << open).enumerate();
            made.map(|(k, a)| (a - state.amplitudes()[k << (n - open)]).norm()).fold(0.0, f64::max)
        }),
        check,
    };
    if args.json {
        println!("{}", report.json());
        return Ok(());
    }
    report.print();
    report.draw(args.svg)
}

/// The amplitude of 00…0 three times over: the largest difference, relative to the amplitude, and the slices of the second way.
fn check(
    args: &Args,
    circuit: &Circuit,
    contraction: &Contraction,
    params: &ContractionParams,
) -> Result<(f64, u64), Failure> {
    let zeros = vec![false; circuit.n_qubits()];
    let first = contraction.amplitude(&zeros)?;
    let order = params.order.clone().with_seed(args.seed.wrapping_add(1));
    let other = Contraction::new(circuit, &[], &params.clone().with_order(order.clone()))?;
    let bytes = (other.cost().peak_bytes / 3.0) as usize;
    let sliced = Contraction::new(circuit, &[], &params.clone().with_order(order).with_memory_bytes(bytes))?;
    let second = other.amplitude(&zeros)?;
    let third = sliced.amplitude(&zeros)?;
    let difference = (first - second).norm().max((first - third).norm());
    Ok((difference / first.norm(), sliced.cost().slices))
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
