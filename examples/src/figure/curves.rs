//! Curves with points and error bars.

use std::io::Write;
use std::path::Path;

use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
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

fn color(k: usize) -> RGBColor {
    COLORS[k % COLORS.len()]
}

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
    /// Numbers of colour and marker of the series of measured points, whose points are then joined by a line; series
    /// without them take colours in turn.
    pub looks: Vec<(usize, usize)>,
    /// A logarithmic vertical axis, on which only positive values have a place.
    pub log_y: bool,
}

impl Curves {
    fn bounds(&self) -> [f64; 4] {
        let mut bounds = [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY];
        let mut include = |x: f64, y: f64| {
            if x.is_finite() && self.has_place(y) {
                bounds = [bounds[0].min(x), bounds[1].max(x), bounds[2].min(y), bounds[3].max(y)];
            }
        };
        for (_, line) in &self.lines {
            line.iter().for_each(|&(x, y)| include(x, y));
        }
        for points in &self.points {
            for &(x, y, error) in points.points.iter().filter(|point| self.has_place(point.1)) {
                include(x, y);
                include(x, y - error);
                include(x, y + error);
            }
        }
        let [left, right, bottom, top] = bounds;
        if left > right {
            return [0.0, 1.0, if self.log_y { 0.1 } else { 0.0 }, 1.0];
        }
        let pad = |low: f64, high: f64| 0.04 * (high - low).max(1e-9 * low.abs().max(1.0));
        let dx = pad(left, right);
        if self.log_y {
            return [left - dx, right + dx, bottom / 1.2, top * 1.2];
        }
        let dy = pad(bottom, top);
        [left - dx, right + dx, bottom - dy, top + dy]
    }

    fn has_place(&self, y: f64) -> bool {
        y.is_finite() && (y > 0.0 || !self.log_y)
    }

    /// Colour and marker of series k of the points.
    fn look(&self, k: usize) -> (RGBColor, usize) {
        match self.looks.get(k) {
            Some(&(number, marker)) => (color(number), marker),
            None => (color(self.lines.len() + k), usize::from(self.lines.len() + k >= COLORS.len())),
        }
    }

    /// The corner for the legend: the one with the fewest points in its third of the width and height.
    fn emptiest_corner(&self) -> SeriesLabelPosition {
        let scale = |y: f64| if self.log_y { y.ln() } else { y };
        let [left, right, bottom, top] = self.bounds();
        let (bottom, top) = (scale(bottom), scale(top));
        let mut counts = [0u32; 4];
        let mut count = |x: f64, y: f64| {
            let (x, y) = ((x - left) / (right - left), (scale(y) - bottom) / (top - bottom));
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
        let mut chart = ChartBuilder::on(&area);
        chart.caption(&self.title, ("sans-serif", 22)).margin(14).x_label_area_size(44).y_label_area_size(64);
        if self.log_y {
            self.draw(chart.build_cartesian_2d(left..right, (bottom..top).log_scale())?)?;
        } else {
            self.draw(chart.build_cartesian_2d(left..right, bottom..top)?)?;
        }
        area.present()?;
        Ok(())
    }

    fn draw<'a, Y>(
        &self,
        mut chart: ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, Y>>,
    ) -> Result<(), Box<dyn std::error::Error>>
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let bottom = self.bounds()[2];
        chart.configure_mesh().light_line_style(WHITE).x_desc(&self.x_label).y_desc(&self.y_label).draw()?;
        for (k, (name, line)) in self.lines.iter().enumerate() {
            let style = color(k).stroke_width(2);
            chart
                .draw_series(LineSeries::new(line.iter().copied().filter(|point| self.has_place(point.1)), style))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        for (k, series) in self.points.iter().enumerate() {
            let (color, marker) = self.look(k);
            let shown: Vec<_> = series.points.iter().copied().filter(|&(_, y, _)| self.has_place(y)).collect();
            chart.draw_series(shown.iter().flat_map(|&(x, y, error)| {
                let low = if self.log_y { (y - error).max(bottom) } else { y - error };
                (error > 0.0 && error.is_finite())
                    .then(|| PathElement::new([(x, low), (x, y + error)], color.stroke_width(1)))
            }))?;
            if k < self.looks.len() {
                chart.draw_series(LineSeries::new(
                    shown.iter().map(|&(x, y, _)| (x, y)),
                    color.mix(0.5).stroke_width(1),
                ))?;
            }
            // Hollow once the colours begin again, then crosses, then triangles.
            let (filled, hollow) = (color.filled(), color.stroke_width(1));
            let places = shown.iter().map(|&(x, y, _)| (x, y));
            match marker {
                0 | 1 => {
                    let style = if marker == 0 { filled } else { hollow };
                    chart
                        .draw_series(places.map(|at| Circle::new(at, 3, style)))?
                        .label(&series.name)
                        .legend(move |(x, y)| Circle::new((x + 9, y), 3, style));
                }
                2 => {
                    chart
                        .draw_series(places.map(|at| Cross::new(at, 3, hollow)))?
                        .label(&series.name)
                        .legend(move |(x, y)| Cross::new((x + 9, y), 3, hollow));
                }
                _ => {
                    chart
                        .draw_series(places.map(|at| TriangleMarker::new(at, 4, hollow)))?
                        .label(&series.name)
                        .legend(move |(x, y)| TriangleMarker::new((x + 9, y), 4, hollow));
                }
            }
        }
        chart
            .configure_series_labels()
            .position(self.emptiest_corner())
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_has_no_place_for_zero() {
        let file = std::env::temp_dir().join(format!("curves_{}.svg", std::process::id()));
        let circles = |y: [f64; 3], log_y: bool| {
            let points = (0..3).map(|k| (k as f64, y[k], 0.2)).collect();
            let series = Points { name: "rate".into(), points };
            let curves = Curves { points: vec![series], looks: vec![(1, 0)], log_y, ..Curves::default() };
            curves.write_svg(&file).unwrap();
            std::fs::read_to_string(&file).unwrap().matches("<circle").count()
        };
        // And one in the legend.
        assert_eq!(circles([0.1, 0.0, f64::NAN], true), 2);
        assert_eq!(circles([0.1, 0.0, f64::NAN], false), 3);
        assert_eq!(circles([0.0; 3], true), 1);
        std::fs::remove_file(&file).unwrap();
    }
}
