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

/// Pixels between the nearest qubits, if the panel is then no larger than its bound.
const SPACING: f64 = 30.0;
const LARGEST: f64 = 900.0;
/// Pixels around the qubits, of the title above them, and of a panel at least.
const MARGIN: f64 = 22.0;
const TITLE: f64 = 26.0;
const SMALLEST: f64 = 130.0;
/// Pixels of a circle around a Pauli matrix, at most.
const RADIUS: f64 = 9.0;

/// Places of qubits in a panel.
struct Layout {
    places: BTreeMap<u32, (f64, f64)>,
    width: f64,
    height: f64,
    radius: f64,
}

impl Layout {
    /// The first two coordinates, the second downward; qubits in a row if none has any.
    fn new(circuit: &Circuit) -> Self {
        let known = circuit.qubit_coordinates();
        let mut places: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        for qubit in 0..circuit.counts().qubits {
            match known.get(&qubit) {
                Some(c) => {
                    let coordinate = |k: usize| c.get(k).copied().unwrap_or(0.0);
                    places.insert(qubit, (coordinate(0), coordinate(1)));
                }
                // Generators number qubits with gaps: unused ones have no place.
                None if !known.is_empty() => {}
                None => drop(places.insert(qubit, (f64::from(qubit), 0.0))),
            }
        }
        let bound = |pick: fn(&(f64, f64)) -> f64, choose: fn(f64, f64) -> f64| {
            places.values().map(pick).reduce(choose).unwrap_or(0.0)
        };
        let (x0, x1) = (bound(|p| p.0, f64::min), bound(|p| p.0, f64::max));
        let (y0, y1) = (bound(|p| p.1, f64::min), bound(|p| p.1, f64::max));
        // Halves: differences of huge coordinates overflow.
        let extent = (0.5 * x1 - 0.5 * x0).max(0.5 * y1 - 0.5 * y0);
        let spacing = nearest(&places);
        let scale = (SPACING / spacing).min(0.5 * LARGEST / extent).min(f64::MAX);
        let pixels = |from: f64, to: f64| 2.0 * ((0.5 * to - 0.5 * from) * scale);
        let width = (pixels(x0, x1) + 2.0 * MARGIN).max(SMALLEST);
        let height = pixels(y0, y1) + 2.0 * MARGIN + TITLE;
        let left = 0.5 * (width - pixels(x0, x1));
        for place in places.values_mut() {
            *place = (left + pixels(x0, place.0), TITLE + MARGIN + pixels(y0, place.1));
        }
        Self { places, width, height, radius: RADIUS.min(0.42 * spacing * scale) }
    }
}

/// The distance between the nearest qubits that are not at the same place; 1 if there are none.
fn nearest(places: &BTreeMap<u32, (f64, f64)>) -> f64 {
    let mut list: Vec<(f64, f64)> = places.values().copied().collect();
    list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut best = f64::INFINITY;
    for (k, a) in list.iter().enumerate() {
        // A few hundred further on are another column of any reasonable drawing.
        for b in list[k + 1..].iter().take(500) {
            if b.0 - a.0 >= best {
                break;
            }
            let distance = (b.0 - a.0).hypot(b.1 - a.1);
            if distance > 0.0 {
                best = best.min(distance);
            }
        }
    }
    if best.is_finite() { best } else { 1.0 }
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
    let Layout { width: panel, height: tall, radius, .. } = layout;
    let columns =
        ((region.slices.len() as f64 * tall / panel).sqrt().ceil() as usize).clamp(1, region.slices.len().max(1));
    let rows = region.slices.len().div_ceil(columns).max(1);
    let (width, height) = (panel * columns as f64, tall * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.1} {height:.1}\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" \
         text-anchor=\"middle\">\n<title>Detecting region of {name}</title>\n\
         <rect width=\"{width:.1}\" height=\"{height:.1}\" fill=\"white\"/>\n"
    );
    let mut line = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    for (k, (tick, operator)) in region.slices.iter().enumerate() {
        let (x, y) = (panel * (k % columns) as f64, tall * (k / columns) as f64);
        line(format!("<g transform=\"translate({x:.1} {y:.1})\">"));
        line(format!(
            "<rect x=\"2\" y=\"2\" width=\"{:.1}\" height=\"{:.1}\" fill=\"none\" stroke=\"#ddd\"/>",
            panel - 4.0,
            tall - 4.0
        ));
        line(format!("<text x=\"{:.1}\" y=\"20\" font-size=\"13\">{name}, tick {tick}</text>", panel / 2.0));
        let factors: Vec<(u32, (f64, f64), Pauli)> = (operator.factors().iter())
            .filter_map(|&(qubit, pauli)| {
                let qubit = u32::try_from(qubit).ok()?;
                Some((qubit, *layout.places.get(&qubit)?, pauli))
            })
            .collect();
        line(outline(&factors, radius));
        for (qubit, (x, y)) in &layout.places {
            line(format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{:.1}\" fill=\"#999\"><title>{qubit}</title></circle>",
                0.28 * radius
            ));
        }
        for (qubit, (x, y), pauli) in factors {
            let fill = color(pauli);
            line(format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{fill}\"><title>{}{qubit}</title></circle>",
                pauli.letter()
            ));
            line(format!(
                "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"{:.1}\" fill=\"white\">{}</text>",
                y + 0.44 * radius,
                1.22 * radius,
                pauli.letter()
            ));
        }
        line("</g>".to_owned());
    }
    svg.push_str("</svg>\n");
    svg
}

/// The convex hull of the qubits of a region, in the colour of its Pauli matrices if they are all the same.
fn outline(factors: &[(u32, (f64, f64), Pauli)], radius: f64) -> String {
    let mut points: Vec<(f64, f64)> = factors.iter().map(|(_, place, _)| *place).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        let mut chain: Vec<(f64, f64)> = Vec::new();
        for p in points {
            while let [.., a, b] = chain[..]
                && (b.0 - a.0) * (p.1 - a.1) <= (b.1 - a.1) * (p.0 - a.0)
            {
                chain.pop();
            }
            chain.push(p);
        }
        // The last point is the first of the other half.
        chain.pop();
        chain
    };
    let mut hull = half(&mut points.iter().copied());
    hull.extend(half(&mut points.iter().rev().copied()));
    if hull.is_empty() {
        hull.extend(points.first());
    }
    let same = factors.windows(2).all(|pair| pair[0].2 == pair[1].2);
    let fill = factors.first().filter(|_| same).map_or("#777", |(_, _, pauli)| color(*pauli));
    let mut text = String::from("<polygon points=\"");
    for (x, y) in hull {
        let _ = write!(text, "{x:.1},{y:.1} ");
    }
    let _ = write!(
        text,
        "\" fill=\"{fill}\" stroke=\"{fill}\" stroke-width=\"{:.1}\" opacity=\"0.25\" stroke-linejoin=\"round\"/>",
        1.4 * radius
    );
    text
}
