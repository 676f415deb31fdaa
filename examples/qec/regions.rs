//! `regions`: where a detector sees errors, tick by tick, as text and as a drawing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use quantum_ec::sensitivity::{DetectingRegion, Sensor};
use quantum_ec::{Circuit, Pauli};
use serde_json::json;

use crate::files::{Outcome, create_text, named, read_circuit};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("sensor").required(true).args(["detector", "observable"]))]
pub struct Args {
    /// The circuit.
    #[arg(long, value_name = "FILE")]
    circuit: PathBuf,
    /// The detector.
    #[arg(long, value_name = "K")]
    detector: Option<u64>,
    /// An observable instead.
    #[arg(long, value_name = "K")]
    observable: Option<u64>,
    /// Draws a panel a tick on the coordinates of the qubits: X red, Y green, Z blue.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object on one line.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Outcome<()> {
    let circuit = read_circuit(&args.circuit)?;
    let (sensor, name) = match (args.detector, args.observable) {
        (Some(k), _) => (Sensor::Detector(k), format!("D{k}")),
        (None, Some(k)) => (Sensor::Observable(k), format!("L{k}")),
        (None, None) => return Err("--detector or --observable is needed".into()),
    };
    let region = named(&args.circuit, circuit.detecting_region(sensor))?;
    if let Some(path) = &args.svg {
        create_text(path, &draw(&circuit, &region, &name))?;
    }
    if args.json {
        let slices: Vec<_> = region.slices.iter().map(|(t, p)| json!({"tick": t, "operator": p.to_string()})).collect();
        println!("{}", json!({"circuit": args.circuit.display().to_string(), "sensor": name, "slices": slices}));
    } else {
        for (tick, operator) in &region.slices {
            println!("tick {tick}: {operator}");
        }
    }
    Ok(())
}

/// Pixels of a panel, of its margin and of its title.
const PANEL: f64 = 220.0;
const MARGIN: f64 = 24.0;
const TITLE: f64 = 22.0;

/// Places of qubits in a panel.
struct Layout {
    places: BTreeMap<u32, (f64, f64)>,
}

impl Layout {
    /// The first two coordinates; qubits without any in a row below.
    fn new(circuit: &Circuit) -> Self {
        let known = circuit.qubit_coordinates();
        let lowest = known.values().map(|c| c.get(1).copied().unwrap_or(0.0)).reduce(f64::max).map_or(0.0, |y| y + 1.0);
        let mut row = 0.0;
        let mut places = BTreeMap::new();
        for qubit in 0..circuit.counts().qubits {
            match known.get(&qubit) {
                Some(c) => {
                    let coordinate = |k: usize| c.get(k).copied().unwrap_or(0.0);
                    places.insert(qubit, (coordinate(0), coordinate(1)));
                }
                // Generators number qubits with gaps: unused ones have no place.
                None if !known.is_empty() => {}
                None => {
                    places.insert(qubit, (row, lowest));
                    row += 1.0;
                }
            }
        }
        let bound = |pick: fn(&(f64, f64)) -> f64, choose: fn(f64, f64) -> f64| {
            places.values().map(pick).reduce(choose).unwrap_or(0.0)
        };
        let (x0, x1) = (bound(|p| p.0, f64::min), bound(|p| p.0, f64::max));
        let (y0, y1) = (bound(|p| p.1, f64::min), bound(|p| p.1, f64::max));
        let scale = (PANEL - 2.0 * MARGIN) / (x1 - x0).max(y1 - y0).max(1.0);
        for place in places.values_mut() {
            *place = (MARGIN + (place.0 - x0) * scale, TITLE + MARGIN + (place.1 - y0) * scale);
        }
        Self { places }
    }
}

fn color(pauli: Pauli) -> &'static str {
    match pauli {
        Pauli::X => "#d62728",
        Pauli::Y => "#2ca02c",
        _ => "#1f77b4",
    }
}

fn draw(circuit: &Circuit, region: &DetectingRegion, name: &str) -> String {
    let layout = Layout::new(circuit);
    let columns = (region.slices.len() as f64).sqrt().ceil().max(1.0) as usize;
    let rows = region.slices.len().div_ceil(columns).max(1);
    let (width, height) = (PANEL * columns as f64, (PANEL + TITLE) * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\">\n<title>Detecting region of {name}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    let mut line = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    for (k, (tick, operator)) in region.slices.iter().enumerate() {
        let (x, y) = (PANEL * (k % columns) as f64, (PANEL + TITLE) * (k / columns) as f64);
        line(format!("<g transform=\"translate({x} {y})\">"));
        line(format!(
            "<text x=\"{}\" y=\"16\" font-size=\"13\" text-anchor=\"middle\">{name}, tick {tick}</text>",
            PANEL / 2.0
        ));
        let factors: Vec<((f64, f64), Pauli)> = (operator.factors().iter())
            .filter_map(|&(qubit, pauli)| Some((*layout.places.get(&u32::try_from(qubit).ok()?)?, pauli)))
            .collect();
        line(outline(&factors));
        for (x, y) in layout.places.values() {
            line(format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"#999\"/>"));
        }
        for ((x, y), pauli) in factors {
            let fill = color(pauli);
            line(format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\" fill=\"{fill}\"/>"));
            line(format!(
                "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"white\" text-anchor=\"middle\">{}</text>",
                y + 4.0,
                pauli.letter()
            ));
        }
        line("</g>".to_owned());
    }
    svg.push_str("</svg>\n");
    svg
}

/// A polygon through the qubits of a region, in the colour of its Pauli matrices if they are all the same.
fn outline(factors: &[((f64, f64), Pauli)]) -> String {
    let n = factors.len() as f64;
    let (cx, cy) = factors.iter().fold((0.0, 0.0), |(x, y), (p, _)| (x + p.0 / n, y + p.1 / n));
    let mut points: Vec<(f64, f64)> = factors.iter().map(|(p, _)| *p).collect();
    points.sort_by(|a, b| f64::total_cmp(&(a.1 - cy).atan2(a.0 - cx), &(b.1 - cy).atan2(b.0 - cx)));
    let same = factors.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let fill = factors.first().filter(|_| same).map_or("#777", |(_, pauli)| color(*pauli));
    let mut text = String::from("<polygon points=\"");
    for (x, y) in points {
        let _ = write!(text, "{x:.1},{y:.1} ");
    }
    let _ = write!(
        text,
        "\" fill=\"{fill}\" fill-opacity=\"0.25\" stroke=\"{fill}\" stroke-width=\"12\" stroke-opacity=\"0.25\" \
         stroke-linejoin=\"round\"/>"
    );
    text
}
