//! Curves with points and error bars.

use std::io::Write;
use std::path::Path;

use plotters::prelude::*;

/// Told apart with the common kinds of colour blindness (Okabe and Ito's palette, black first).
const COLORS: [RGBColor; 7] = [
    BLACK,
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// Measured points `(x, y, error of y)` under one name.
#[derive(Debug, Clone)]
pub struct Points {
    /// Name in the legend.
    pub name: String,
    /// The points.
    pub points: Vec<(f64, f64, f64)>,
}

/// A figure of lines, for references, and points with error bars, for measurements.
#[derive(Debug, Clone, Default)]
pub struct Curves {
    /// Title above the figure.
    pub title: String,
    /// Label of the horizontal axis.
    pub x_label: String,
    /// Label of the vertical axis.
    pub y_label: String,
    /// Reference curves by name.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
    /// Measured points.
    pub points: Vec<Points>,
}

impl Curves {
    fn bounds(&self) -> [f64; 4] {
        let mut bounds = [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY];
        let mut include = |x: f64, y: f64| {
            if x.is_finite() && y.is_finite() {
                bounds = [bounds[0].min(x), bounds[1].max(x), bounds[2].min(y), bounds[3].max(y)];
            }
        };
        for (_, line) in &self.lines {
            line.iter().for_each(|&(x, y)| include(x, y));
        }
        for points in &self.points {
            for &(x, y, error) in &points.points {
                include(x, y);
                include(x, y - error);
                include(x, y + error);
            }
        }
        let [left, right, bottom, top] = bounds;
        if left > right {
            return [0.0, 1.0, 0.0, 1.0];
        }
        let pad = |low: f64, high: f64| 0.04 * (high - low).max(1e-9 * low.abs().max(1.0));
        let (dx, dy) = (pad(left, right), pad(bottom, top));
        [left - dx, right + dx, bottom - dy, top + dy]
    }

    /// The corner for the legend: the one with the fewest points in its third of the width and height.
    fn emptiest_corner(&self) -> SeriesLabelPosition {
        let [left, right, bottom, top] = self.bounds();
        let mut counts = [0u32; 4];
        let mut count = |x: f64, y: f64| {
            let (x, y) = ((x - left) / (right - left), (y - bottom) / (top - bottom));
            let corners = [(x > 0.67, y > 0.67), (x < 0.33, y > 0.67), (x > 0.67, y < 0.33), (x < 0.33, y < 0.33)];
            for (count, (across, along)) in counts.iter_mut().zip(corners) {
                *count += u32::from(across && along);
            }
        };
        self.lines.iter().flat_map(|(_, line)| line).for_each(|&(x, y)| count(x, y));
        self.points.iter().flat_map(|points| &points.points).for_each(|&(x, y, _)| count(x, y));
        let positions = [
            SeriesLabelPosition::UpperRight,
            SeriesLabelPosition::UpperLeft,
            SeriesLabelPosition::LowerRight,
            SeriesLabelPosition::LowerLeft,
        ];
        let least = (0..4).min_by_key(|&k| counts[k]).unwrap_or(0);
        positions[least].clone()
    }

    /// Draws the figure.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_svg(&self, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::new(file, (840, 560)).into_drawing_area();
        area.fill(&WHITE)?;
        let [left, right, bottom, top] = self.bounds();
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 22))
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(left..right, bottom..top)?;
        chart.configure_mesh().light_line_style(WHITE).x_desc(&self.x_label).y_desc(&self.y_label).draw()?;
        let color = |k: usize| COLORS[k % COLORS.len()];
        for (k, (name, line)) in self.lines.iter().enumerate() {
            let style = color(k).stroke_width(2);
            chart
                .draw_series(LineSeries::new(line.iter().copied(), style))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        for (k, series) in self.points.iter().enumerate() {
            // Hollow once the colours begin again.
            let at = self.lines.len() + k;
            let color = color(at);
            let style = if at < COLORS.len() { color.filled() } else { color.stroke_width(1) };
            chart.draw_series(series.points.iter().flat_map(|&(x, y, error)| {
                (error > 0.0 && error.is_finite())
                    .then(|| PathElement::new([(x, y - error), (x, y + error)], color.stroke_width(1)))
            }))?;
            chart
                .draw_series(series.points.iter().map(|&(x, y, _)| Circle::new((x, y), 3, style)))?
                .label(&series.name)
                .legend(move |(x, y)| Circle::new((x + 9, y), 3, style));
        }
        chart
            .configure_series_labels()
            .position(self.emptiest_corner())
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        area.present()?;
        Ok(())
    }

    /// Writes all numbers as rows `series,x,y,error`; the error of a line is empty.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_csv(&self, file: &Path) -> std::io::Result<()> {
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        writeln!(out, "series,x,y,error")?;
        for (name, line) in &self.lines {
            for (x, y) in line {
                writeln!(out, "{name},{x},{y},")?;
            }
        }
        for points in &self.points {
            for (x, y, error) in &points.points {
                writeln!(out, "{},{x},{y},{error}", points.name)?;
            }
        }
        out.flush()
    }
}
