//! What the machine has learned, epoch by epoch.

use boltzmann::train::TracePoint;
use workspace_examples::figure::{self, Curves};
use workspace_examples::json::Line;

/// Singular values that are drawn.
const SHOWN: usize = 8;

/// A line for one look.
pub fn print(point: &TracePoint, epoch: u64, json: bool) {
    let [means, pairs, triples] = point.correlations.pearson;
    let largest = point.singular_values[0];
    if json {
        let line = Line::new()
            .count("epoch", epoch)
            .number("largest_singular_value", Some(largest))
            .number("hidden_overlap", Some(point.overlap))
            .number("largest_hidden_overlap", Some(point.largest_overlap))
            .number("pearson_means", Some(means))
            .number("pearson_pairs", Some(pairs))
            .number("pearson_triples", Some(triples));
        println!("{}", line.finish());
    } else {
        println!(
            "       singular value {largest:.3}, overlap {:.3}, correlations of drawn images with data: {means:.4}, {pairs:.4}, {triples:.4}",
            point.overlap
        );
    }
}

/// Draws `target/figures/rbm_mnist_spectrum.svg` and `rbm_mnist_statistics.svg`, with the numbers as CSV.
pub fn draw(points: &[TracePoint], per_epoch: u64) -> Result<(), Box<dyn std::error::Error>> {
    let epoch = |point: &TracePoint| point.updates as f64 / per_epoch as f64;
    let line = |value: &dyn Fn(&TracePoint) -> f64| -> Vec<(f64, f64)> {
        points.iter().map(|point| (epoch(point), value(point))).collect()
    };
    let shown = points.first().map_or(0, |point| point.singular_values.len().min(SHOWN));
    let spectrum = Curves {
        title: "Singular values of the weights".to_owned(),
        x_label: "epoch".to_owned(),
        y_label: "singular value".to_owned(),
        lines: (0..shown).map(|k| (format!("{}", k + 1), line(&|point| point.singular_values[k]))).collect(),
        ..Curves::default()
    };
    let mut lines = vec![
        ("overlap of hidden units".to_owned(), line(&|point| point.overlap)),
        ("largest overlap".to_owned(), line(&|point| point.largest_overlap)),
    ];
    for (order, name) in ["means", "pairs", "triples"].into_iter().enumerate() {
        lines.push((format!("{name} of drawn images and of data"), line(&|point| point.correlations.pearson[order])));
    }
    let statistics = Curves {
        title: "Overlaps and correlations".to_owned(),
        x_label: "epoch".to_owned(),
        y_label: "cosine, Pearson coefficient".to_owned(),
        lines,
        ..Curves::default()
    };
    for (name, curves) in [("rbm_mnist_spectrum", spectrum), ("rbm_mnist_statistics", statistics)] {
        curves.write_svg(&figure::path(name, "svg")?)?;
        curves.write_csv(&figure::path(name, "csv")?)?;
    }
    Ok(())
}
