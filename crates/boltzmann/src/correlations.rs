//! Correlations of rows: what a machine should reproduce of its data.

use linalg_core::Streams;
use linalg_core::rand::RngExt;

use crate::BitRows;
use crate::error::check_length;
use crate::{Error, Result};

/// How well two sets of rows agree in means and in connected correlations of order 2 and 3.
///
/// ```math
/// c_{ik} = \langle \delta_i \delta_k \rangle, \qquad c_{ikl} = \langle \delta_i \delta_k \delta_l \rangle, \qquad \delta = x - \langle x \rangle .
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CorrelationAgreement {
    /// Root mean square difference of order 1, 2 and 3.
    pub difference: [f64; 3],
    /// Pearson's coefficient between the two sets, order 1, 2 and 3; NaN where one set does not vary.
    pub pearson: [f64; 3],
}

/// Compares rows of data with rows that a machine has drawn: all means, all pairs, and `triples` triples of different columns drawn at
/// random.
///
/// A finite number of rows makes differences of itself: compare with two halves of the data.
///
/// Cost: `O(rows · (n² + triples))` for n columns.
///
/// ```
/// use boltzmann::{BitRows, compare_correlations};
/// use linalg_core::Streams;
///
/// // Exclusive or against independent bits: means and pairs agree, the triple has -1/8 against 0.
/// let xor = BitRows::from_bytes(&[0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0], 3)?;
/// let free: Vec<u8> = (0..8).flat_map(|s| [s & 1, s >> 1 & 1, s >> 2 & 1]).collect();
/// let free = BitRows::from_bytes(&free, 3)?;
/// let agreement = compare_correlations(&xor, &free, 1, Streams::new(1))?;
/// assert!(agreement.difference[0] < 1e-15 && agreement.difference[1] < 1e-15);
/// assert!((agreement.difference[2] - 0.125).abs() < 1e-15);
/// # Ok::<(), boltzmann::Error>(())
/// ```
///
/// # Errors
/// [`Error::WrongLength`] for other numbers of columns, [`Error::Parameter`] for fewer than three columns with triples asked for.
pub fn compare_correlations(
    data: &BitRows,
    drawn: &BitRows,
    triples: usize,
    streams: Streams,
) -> Result<CorrelationAgreement> {
    let n = data.n_columns();
    check_length("columns of the drawn rows", drawn.n_columns(), n)?;
    if n < 3 && triples > 0 {
        let value = n.to_string();
        return Err(Error::Parameter { what: "number of columns", value, expected: "3 or more for triples" });
    }
    let mut rng = streams.fast_stream(0);
    let mut chosen = Vec::with_capacity(triples);
    while chosen.len() < triples {
        let triple: [usize; 3] = std::array::from_fn(|_| rng.random_range(0..n as u64) as usize);
        if triple[0] != triple[1] && triple[1] != triple[2] && triple[0] != triple[2] {
            chosen.push(triple);
        }
    }
    let both = [data, drawn].map(|rows| correlations(rows, &chosen));
    let [a, b] = &both;
    let mut agreement = CorrelationAgreement { difference: [f64::NAN; 3], pearson: [f64::NAN; 3] };
    for order in 0..3 {
        let (a, b) = (&a[order], &b[order]);
        let count = a.len() as f64;
        if a.is_empty() {
            continue;
        }
        let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
        agreement.difference[order] = (squares / count).sqrt();
        let (ma, mb) = (a.iter().sum::<f64>() / count, b.iter().sum::<f64>() / count);
        let product =
            |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
        agreement.pearson[order] = product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt();
    }
    Ok(agreement)
}

/// Means, covariances of all pairs, third cumulants of the triples.
fn correlations(rows: &BitRows, triples: &[[usize; 3]]) -> [Vec<f64>; 3] {
    let n = rows.n_columns();
    let means = rows.means();
    let weight = 1.0 / rows.n_rows() as f64;
    let (mut pairs, mut threes) = (vec![0.0; n * (n - 1) / 2], vec![0.0; triples.len()]);
    for row in 0..rows.n_rows() {
        let delta: Vec<f64> = rows.row_f64(row).iter().zip(&means).map(|(x, m)| x - m).collect();
        let mut start = 0;
        for i in 1..n {
            pairs[start..start + i].iter_mut().zip(&delta).for_each(|(c, x)| *c += weight * delta[i] * x);
            start += i;
        }
        for (c, [i, k, l]) in threes.iter_mut().zip(triples) {
            *c += weight * delta[*i] * delta[*k] * delta[*l];
        }
    }
    [means, pairs, threes]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Trainer, TrainingParams};
    use crate::{GibbsChains, PackedRbm};

    #[test]
    fn equal_rows_agree_and_others_do_not() {
        let mut rng = Streams::new(1).stream(0);
        let mut rows = |coupled: bool| {
            let bytes: Vec<u8> = (0..3000)
                .flat_map(|_| {
                    let bits: [u8; 5] = std::array::from_fn(|k| u8::from(rng.random_range(0..10u64) < 3 + k as u64));
                    let last = if coupled { bits[0] & bits[1] } else { bits[4] };
                    [bits[0], bits[1], bits[2], bits[3], last]
                })
                .collect();
            BitRows::from_bytes(&bytes, 5).unwrap()
        };
        let (coupled, again, free) = (rows(true), rows(true), rows(false));
        let compare = |other| compare_correlations(&coupled, other, 50, Streams::new(2)).unwrap();
        let same = compare(&coupled);
        assert!(same.difference.iter().all(|x| *x < 1e-15) && same.pearson.iter().all(|x| (x - 1.0).abs() < 1e-12));
        let alike = compare(&again);
        // Means of 3000 rows differ by a standard deviation of at most 0.013.
        assert!(alike.difference.iter().all(|x| *x < 0.03) && alike.pearson.iter().all(|x| *x > 0.9), "{alike:?}");
        assert!(compare(&free).difference[1] > 3.0 * alike.difference[1]);
        let small = BitRows::from_bytes(&[0, 1], 2).unwrap();
        assert!(compare_correlations(&small, &small, 1, Streams::new(1)).is_err());
        assert!(compare_correlations(&coupled, &small, 0, Streams::new(1)).is_err());
    }

    /// A trained machine draws rows whose correlations are those of its data; the second singular value of W grows meanwhile.
    #[test]
    fn a_trained_machine_reproduces_pairs_and_triples() {
        let mut rng = Streams::new(3).stream(0);
        let bytes: Vec<u8> = (0..2000)
            .flat_map(|_| {
                let (a, b) = (rng.random_range(0..2u64) as u8, rng.random_range(0..3u64) as u8 / 2);
                let noise = u8::from(rng.random_range(0..10u64) == 0);
                [a, a ^ noise, b, b, a & b, a | b]
            })
            .collect();
        let data = BitRows::from_bytes(&bytes, 6).unwrap();
        let start = PackedRbm::for_data(&data, 8, 0.05, &mut Streams::new(4).stream(0)).unwrap();
        let draw = |machine: &PackedRbm| {
            let mut chains = GibbsChains::new(machine, 2000, Streams::new(5)).unwrap();
            chains.advance(machine, 300, 1);
            compare_correlations(&data, &chains.visible(), 20, Streams::new(6)).unwrap()
        };
        let before = draw(&start);
        let spread = |machine: &PackedRbm| machine.to_rbm().unwrap().singular_values().unwrap()[1];
        let first = spread(&start);
        let mut trainer = Trainer::new(&data, start, TrainingParams::default().epochs(400).learning_rate(0.1)).unwrap();
        trainer.run(&mut ()).unwrap();
        let after = draw(trainer.machine());
        assert!(after.pearson[1] > 0.9 && after.pearson[2] > 0.8, "{after:?}");
        assert!(after.difference[1] < 0.5 * before.difference[1], "{before:?} {after:?}");
        assert!(spread(trainer.machine()) > 3.0 * first);
    }
}
