//! Codes of test images in a plane, coloured by digit.

use boltzmann::deep::Autoencoder;
use plotters::prelude::*;
use workspace_examples::figure;
use workspace_examples::grey_images::GreyImages;

use crate::pca;

/// Draws `target/figures/deep_autoencoder_codes.svg`: codes of two numbers as they are, longer ones on their two first principal
/// components.
pub fn draw(autoencoder: &Autoencoder, test: &GreyImages, threads: usize) -> Result<(), Box<dyn std::error::Error>> {
    let shown = test.first(2000);
    let codes = autoencoder.encode(&shown.pixels, threads);
    let d = codes.len() / shown.len();
    let points: Vec<(f64, f64)> = if d == 2 {
        codes.chunks_exact(2).map(|code| (f64::from(code[0]), f64::from(code[1]))).collect()
    } else {
        let directions = pca::components(&codes, d, 2.min(d))?;
        let along = |code: &[f32], k: usize| {
            directions.get(k).map_or(0.0, |to| to.iter().zip(code).map(|(a, b)| a * f64::from(*b)).sum())
        };
        codes.chunks_exact(d).map(|code| (along(code, 0), along(code, 1))).collect()
    };
    let range = |values: Vec<f64>| {
        let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let pad = 0.05 * (high - low).max(1e-9);
        low - pad..high + pad
    };
    let file = figure::path("deep_autoencoder_codes", "svg")?;
    let area = SVGBackend::new(&file, (760, 720)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Codes of test images", ("sans-serif", 22))
        .margin(14)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(range(points.iter().map(|p| p.0).collect()), range(points.iter().map(|p| p.1).collect()))?;
    chart.configure_mesh().light_line_style(WHITE).draw()?;
    for digit in 0..10 {
        let colour = HSLColor(digit as f64 / 10.0, 0.8, if digit % 2 == 0 { 0.42 } else { 0.58 });
        let own = points.iter().zip(&shown.labels).filter(|(_, label)| **label == digit);
        chart
            .draw_series(own.map(|(point, _)| Circle::new(*point, 2, colour.filled())))?
            .label(digit.to_string())
            .legend(move |(x, y)| Circle::new((x + 6, y), 4, colour.filled()));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
