//! Averages over the temperatures.

use std::path::Path;

use linalg_core::stats::Estimate;
use workspace_examples::figure::{Curves, Points};

use crate::row::Row;

type Quantity = (&'static str, fn(&Row) -> Option<Estimate>);

const QUANTITIES: [Quantity; 6] = [
    ("energy per spin", |row| row.energy_per_spin),
    ("specific heat", |row| row.specific_heat),
    ("|m|", |row| row.abs_magnetization),
    ("Binder cumulant", |row| row.binder),
    ("q²", |row| row.glass.as_ref().map(|glass| glass.q2)),
    ("ξ/L", |row| row.glass.as_ref().and_then(|glass| glass.xi_over_l)),
];

/// Draws what was measured, with a CSV file beside the figure.
pub fn draw(file: &Path, title: &str, rows: &[Row]) -> Result<(), Box<dyn std::error::Error>> {
    let points = QUANTITIES.iter().filter_map(|(name, quantity)| {
        let point = |row: &Row| quantity(row).map(|x| (row.beta, x.value, x.std_error.unwrap_or(0.0)));
        let points: Vec<(f64, f64, f64)> = rows.iter().filter_map(point).collect();
        (!points.is_empty()).then(|| Points { name: (*name).to_owned(), points })
    });
    let curves = Curves {
        title: title.to_owned(),
        x_label: "β".to_owned(),
        y_label: String::new(),
        lines: Vec::new(),
        points: points.collect(),
        ..Curves::default()
    };
    curves.write_svg(file)?;
    curves.write_csv(&file.with_extension("csv"))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}
