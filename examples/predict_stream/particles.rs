//! Series as particles: a table and a drawing.

use std::io::Write;
use std::path::Path;

use physics_inference::cluster::ClusterSet;
use physics_inference::predict::CoulombCoupling;
use physics_inference::series::{BitSeries, Correlations};
use workspace_examples::figure::{Curves, Points};

/// One series in space.
pub struct Particle {
    name: String,
    cluster: Option<usize>,
    sign: i8,
    /// Variance of the cluster's variable, or of the series outside clusters.
    mass: f64,
    charge: f64,
    gain: f64,
    position: [f64; 3],
}

/// The particles of fitted charges.
pub fn list(
    charges: &CoulombCoupling<3>,
    series: &BitSeries,
    clusters: &ClusterSet,
    pairs: &Correlations,
) -> Vec<Particle> {
    let masses = clusters.masses(pairs);
    let particle = |i: usize| Particle {
        name: series.name(i).to_owned(),
        cluster: clusters.cluster_of(i),
        sign: clusters.sign(i),
        mass: clusters.cluster_of(i).map_or(1.0 - pairs.mean(i) * pairs.mean(i), |c| masses[c]),
        charge: charges.charge(i, 0),
        gain: charges.gain(i, 0),
        position: charges.positions()[i],
    };
    (0..series.n_series()).map(particle).collect()
}

/// Writes rows `name,cluster,sign,mass,charge,gain,x,y,z`; the cluster is empty outside clusters.
pub fn write(particles: &[Particle], file: &Path) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    writeln!(out, "name,cluster,sign,mass,charge,gain,x,y,z")?;
    for p in particles {
        let cluster = p.cluster.map_or(String::new(), |c| c.to_string());
        let [x, y, z] = p.position;
        writeln!(out, "{},{cluster},{},{},{},{},{x},{y},{z}", p.name, p.sign, p.mass, p.charge, p.gain)?;
    }
    out.flush()
}

/// Draws x and y of all particles, positive and negative charges apart.
pub fn draw(particles: &[Particle], file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let of_sign = |name: &str, positive: bool| Points {
        name: name.to_owned(),
        points: particles
            .iter()
            .filter(|p| (p.charge > 0.0) == positive)
            .map(|p| (p.position[0], p.position[1], 0.0))
            .collect(),
    };
    let figure = Curves {
        title: format!("{} series as charges", particles.len()),
        x_label: "x".into(),
        y_label: "y".into(),
        lines: Vec::new(),
        points: vec![of_sign("positive charge", true), of_sign("negative charge", false)],
        ..Curves::default()
    };
    figure.write_svg(file)
}
