//! Couplings and fields as integers.

use super::local::MAX_DEGREE;
use crate::models::Ising;
use crate::{Error, Result};

/// Relative deviation from an integer that is taken for rounding.
const ROUNDING: f64 = 1e-9;

/// A model whose couplings and fields are integer multiples of one number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct IntegerModel {
    pub(super) n_spins: usize,
    /// The number: the smallest absolute value of a coupling or field that is not 0.
    pub(super) unit: f64,
    pub(super) offset: f64,
    /// `(i, j, J_ij / unit)`, those that are not 0.
    pub(super) couplings: Vec<(u32, u32, i32)>,
    /// `h_i / unit`.
    pub(super) fields: Vec<i32>,
}

impl IntegerModel {
    /// # Errors
    /// [`Error::NotApplicable`] for a coupling or field that is not a multiple of the smallest one, or a site where
    /// they sum up to more than [`MAX_DEGREE`] units; it names the coupling, field or site.
    pub(super) fn new(model: &Ising, solver: &'static str) -> Result<Self> {
        let smallest = Smallest::of(model);
        let unit = smallest.as_ref().map_or(1.0, |smallest| smallest.value);
        let refuse = |what: String, value: f64| {
            let smallest = smallest.as_ref().map_or(String::new(), |smallest| smallest.place.clone());
            let reason = format!("{what} is {value}, not a multiple of {unit}, the absolute value of {smallest}");
            Error::NotApplicable { solver, reason }
        };
        let mut degrees = vec![0u64; model.fields().len()];
        let mut couplings = Vec::with_capacity(model.n_couplings());
        for (entry, (i, j, value)) in model.couplings().enumerate() {
            let Some(multiple) = multiple(value, unit) else {
                return Err(refuse(format!("coupling {entry} (sites {i} and {j})"), value));
            };
            if multiple != 0 {
                couplings.push((i as u32, j as u32, multiple));
                degrees[i] += u64::from(multiple.unsigned_abs());
                degrees[j] += u64::from(multiple.unsigned_abs());
            }
        }
        let mut fields = Vec::with_capacity(model.fields().len());
        for (site, &value) in model.fields().iter().enumerate() {
            let Some(multiple) = multiple(value, unit) else {
                return Err(refuse(format!("field of site {site}"), value));
            };
            fields.push(multiple);
            degrees[site] += u64::from(multiple.unsigned_abs());
        }
        if let Some((site, degree)) = degrees.iter().enumerate().find(|&(_, &degree)| degree > MAX_DEGREE as u64) {
            let reason = format!(
                "the couplings and field of site {site} have absolute values of {degree} times {unit} in all, \
                 at most {MAX_DEGREE} are possible"
            );
            return Err(Error::NotApplicable { solver, reason });
        }
        Ok(Self { n_spins: degrees.len(), unit, offset: model.offset(), couplings, fields })
    }
}

impl IntegerModel {
    /// Sum of the absolute values of the couplings.
    pub(super) fn n_bonds(&self) -> u64 {
        self.couplings.iter().map(|&(_, _, j)| u64::from(j.unsigned_abs())).sum()
    }

    /// Sum of the absolute values of couplings and fields.
    pub(super) fn interactions(&self) -> u64 {
        self.n_bonds() + self.fields.iter().map(|&h| u64::from(h.unsigned_abs())).sum::<u64>()
    }

    /// The energy of `energy` units.
    pub(super) fn energy(&self, energy: i64) -> f64 {
        self.offset + self.unit * energy as f64
    }
}

/// The smallest absolute value that is not 0.
struct Smallest {
    value: f64,
    place: String,
}

impl Smallest {
    fn of(model: &Ising) -> Option<Self> {
        let couplings = model.couplings().enumerate().map(|(entry, (_, _, value))| (value.abs(), entry));
        let fields = model.fields().iter().enumerate().map(|(site, value)| (value.abs(), site));
        let least = |a: (f64, usize), b: (f64, usize)| if b.0 < a.0 { b } else { a };
        let coupling = couplings.filter(|a| a.0 > 0.0).reduce(least);
        let field = fields.filter(|a| a.0 > 0.0).reduce(least);
        match (coupling, field) {
            (Some((value, entry)), field) if field.is_none_or(|field| value <= field.0) => {
                Some(Self { value, place: format!("coupling {entry}") })
            }
            (_, Some((value, site))) => Some(Self { value, place: format!("the field of site {site}") }),
            _ => None,
        }
    }
}

/// `value / unit`, if it is an integer of moderate size.
fn multiple(value: f64, unit: f64) -> Option<i32> {
    let ratio = value / unit;
    let nearest = ratio.round();
    let close = (ratio - nearest).abs() <= ROUNDING * nearest.abs();
    // Whatever exceeds the largest degree by far is reported as a degree.
    close.then(|| nearest.clamp(-1e6, 1e6) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(model: &Ising) -> String {
        IntegerModel::new(model, "replicas").unwrap_err().to_string()
    }

    #[test]
    fn couplings_and_fields_are_counted_in_the_smallest() {
        let model =
            Ising::builder(3).coupling(0, 1, -0.3).coupling(1, 2, 0.0).field(2, 0.1).offset(2.0).build().unwrap();
        let integers = IntegerModel::new(&model, "replicas").unwrap();
        assert_eq!(integers.couplings, [(0, 1, -3)]);
        assert_eq!(integers.fields, [0, 0, 1]);
        assert!((integers.unit - 0.1).abs() < 1e-15 && (integers.offset - 2.0).abs() < 1e-15);
        let free = IntegerModel::new(&Ising::builder(2).build().unwrap(), "replicas").unwrap();
        assert_eq!((free.couplings.len(), free.fields), (0, vec![0, 0]));
    }

    #[test]
    fn refusals_name_the_place() {
        let model = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, -0.5).coupling(0, 2, 0.7).build().unwrap();
        assert_eq!(
            refusal(&model),
            "replicas does not apply: coupling 2 (sites 0 and 2) is 0.7, not a multiple of 0.5, the absolute value of \
             coupling 1"
        );
        let model = Ising::builder(2).coupling(0, 1, 1.0).field(1, 1.5).build().unwrap();
        assert_eq!(
            refusal(&model),
            "replicas does not apply: field of site 1 is 1.5, not a multiple of 1, the absolute value of coupling 0"
        );
        let model = Ising::builder(2).coupling(0, 1, 12.0).field(1, 1.0).build().unwrap();
        assert!(IntegerModel::new(&model, "replicas").is_ok());
        let model = Ising::builder(3).coupling(0, 1, 12.0).coupling(1, 2, 1.0).field(1, 1e300).build().unwrap();
        assert_eq!(
            refusal(&model),
            "replicas does not apply: the couplings and field of site 1 have absolute values of 1000013 times 1 in \
             all, at most 16 are possible"
        );
    }
}
