//! Histograms.

use std::io::Write;
use std::path::Path;

use plotters::prelude::*;

/// A histogram of numbers, with one of them marked by a line.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    /// Title above the figure.
    pub title: String,
    /// Label of the horizontal axis.
    pub x_label: String,
    /// The numbers; what is not finite is left out.
    pub values: Vec<f64>,
    /// A reference by name.
    pub mark: Option<(String, f64)>,
}

/// Bins at most.
const BINS: usize = 40;

impl Histogram {
    /// Left edges, width and counts of the bins. A few different values have a bin each.
    fn bins(&self) -> (Vec<f64>, f64, Vec<u64>) {
        let mut sorted: Vec<f64> = self.values.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return (Vec::new(), 1.0, Vec::new()) };
        let gap =
            sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0).fold(f64::INFINITY, f64::min);
        let width = if high > low { gap.max((high - low) / BINS as f64) } else { 1.0 };
        let count = ((high - low) / width).round() as usize + 1;
        let left: Vec<f64> = (0..count).map(|k| low + (k as f64 - 0.5) * width).collect();
        let mut counts = vec![0; count];
        for x in sorted {
            counts[(((x - low) / width).round() as usize).min(count - 1)] += 1;
        }
        (left, width, counts)
    }

    /// Draws the figure.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_svg(&self, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let (left, width, counts) = self.bins();
        let mark = self.mark.as_ref().map(|&(_, x)| x);
        let low = left.first().copied().into_iter().chain(mark).fold(f64::INFINITY, f64::min);
        let high = left.last().map(|x| x + width).into_iter().chain(mark).fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low < high { (low - 0.5 * width, high + 0.5 * width) } else { (-1.0, 1.0) };
        let top = 1.08 * counts.iter().copied().max().unwrap_or(1) as f64;
        let area = SVGBackend::new(file, (840, 560)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 22))
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(low..high, 0.0..top)?;
        chart.configure_mesh().light_line_style(WHITE).x_desc(&self.x_label).y_desc("reads").draw()?;
        chart.draw_series(left.iter().zip(&counts).filter(|(_, count)| **count > 0).map(|(&x, &count)| {
            Rectangle::new([(x + 0.05 * width, 0.0), (x + 0.95 * width, count as f64)], BLUE.mix(0.6).filled())
        }))?;
        if let Some((name, x)) = &self.mark {
            let style = RED.stroke_width(2);
            chart
                .draw_series(LineSeries::new([(*x, 0.0), (*x, top)], style))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK)
                .draw()?;
        }
        area.present()?;
        Ok(())
    }

    /// Writes the bins as rows `from,to,count`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_csv(&self, file: &Path) -> std::io::Result<()> {
        let (left, width, counts) = self.bins();
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        writeln!(out, "from,to,count")?;
        for (x, count) in left.iter().zip(counts) {
            writeln!(out, "{x},{},{count}", x + width)?;
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(values: &[f64]) -> Vec<u64> {
        Histogram { values: values.to_vec(), ..Histogram::default() }.bins().2
    }

    #[test]
    fn every_number_is_counted_once() {
        assert_eq!(counts(&[-4.0, -2.0, -4.0, 0.0]), [2, 1, 1]);
        assert_eq!(counts(&[3.0, 3.0]), [2]);
        assert!(counts(&[f64::NAN]).is_empty());
        let many: Vec<f64> = (0..1000).map(|k| f64::from(k).sin()).collect();
        let bins = counts(&many);
        assert!(bins.len() <= BINS + 1 && bins.iter().sum::<u64>() == 1000);
    }
}
