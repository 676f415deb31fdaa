//! Where in the complex plane does the partition function of the Ising model vanish?
//!
//! Z of a square lattice is a polynomial in tanh K. Its integer coefficients are counted exactly, and its zeros found
//! with enough digits to enclose each in a disc of its own. On the infinite lattice they lie on the circles
//! |tanh K ± 1| = √2, which cut the real axis at the critical point K_c = ln(1 + √2) / 2: this is how a phase transition
//! comes about (M. E. Fisher, 1965). With free boundaries the zeros of small lattices lie beside the circles; with one
//! fixed row of equal and one of alternating spins (H. J. Brascamp and H. Kunz, 1974) they lie on them, and are known.
//!
//! ```text
//! cargo run --release --example fisher_zeros
//! cargo run --release --example fisher_zeros -- --size 8 --plane x --json
//! cargo run --release --example fisher_zeros -- --quick
//! ```
//!
//! The default, 16 x 16, takes about 20 s. Expected: the zeros with fixed rows agree with the formula to 1e-10 or
//! better, and all lie on the circles.

mod known;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use linalg_core::num_complex::Complex64;
use spin_models::exact::planar::{DensityOfStates, FisherZeros};
use spin_models::{Boundary, Ising};
use workspace_examples::exit;
use workspace_examples::progress::Bar;

type Failure = Box<dyn std::error::Error>;

/// The complex plane to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Plane {
    /// tanh K.
    Tanh,
    /// exp(-2 K).
    X,
}

/// Complex zeros of the partition function of the square lattice.
#[derive(Debug, Clone, Parser)]
#[command(name = "fisher_zeros", version)]
struct Args {
    /// Linear size, even, from 4 to 24.
    #[arg(long, default_value_t = 16)]
    size: usize,
    /// The plane in which zeros are printed and drawn.
    #[arg(long, value_enum, default_value_t = Plane::Tanh)]
    plane: Plane,
    /// Size 8.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/fisher_zeros.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the tables.
    #[arg(long)]
    json: bool,
}

/// The zeros of one lattice.
struct Family {
    name: &'static str,
    zeros: FisherZeros,
    /// Where they should lie, if that is known.
    known: Option<Vec<Complex64>>,
    seconds: f64,
}

impl Family {
    fn new(name: &'static str, model: &Ising, known: Option<Vec<Complex64>>) -> Result<Self, Failure> {
        let start = std::time::Instant::now();
        let mut bar = Bar::new(name);
        let density = DensityOfStates::of_observed(model, &mut bar)?;
        bar.finish();
        let zeros = density.fisher_zeros();
        Ok(Self { name, zeros, known, seconds: start.elapsed().as_secs_f64() })
    }

    /// The zeros in a plane.
    fn points(&self, plane: Plane) -> Vec<Complex64> {
        match plane {
            Plane::Tanh => self.zeros.tanh(),
            Plane::X => self.zeros.x.clone(),
        }
    }

    /// The largest distance of a zero from the circles, in tanh K.
    fn off_circles(&self) -> f64 {
        let root = 2f64.sqrt();
        let off = |v: &Complex64| ((v - 1.0).norm() - root).abs().min(((v + 1.0).norm() - root).abs());
        self.zeros.tanh().iter().map(off).fold(0.0, f64::max)
    }

    /// The zero nearest to the critical point of the ferromagnet, in exp(-2 K).
    fn nearest(&self) -> Complex64 {
        let critical = 2f64.sqrt() - 1.0;
        let distance = |x: &Complex64| (x - critical).norm();
        let upper = self.zeros.x.iter().filter(|x| x.im >= 0.0);
        upper.min_by(|a, b| distance(a).total_cmp(&distance(b))).copied().unwrap_or(Complex64::ZERO)
    }

    /// The largest distance of a known zero from the nearest that was found.
    fn off_known(&self) -> Option<f64> {
        let off = |x: &Complex64| self.zeros.x.iter().map(|y| (x - y).norm()).fold(f64::INFINITY, f64::min);
        self.known.as_ref().map(|known| known.iter().map(off).fold(0.0, f64::max))
    }
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.size = 8;
    }
    let l = args.size;
    if !(4..=24).contains(&l) || l % 2 == 1 {
        return Err(format!("--size is {l}, expected an even number from 4 to 24").into());
    }
    let free = Family::new("free boundaries", &Ising::square(l, Boundary::Free, 1.0)?, None)?;
    report::family(&args, &free);
    let known = known::zeros(l, l);
    let fixed = Family::new("fixed rows", &known::brascamp_kunz(l, l)?, Some(known))?;
    report::family(&args, &fixed);
    report::draw(&args, &[free, fixed])
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
