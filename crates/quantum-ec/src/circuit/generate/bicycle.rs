//! Memory experiments of bivariate bicycle codes.

use linalg_core::gf2::{BitMatrix, BitVec};

use super::Writer;
use crate::circuit::gate::Gate;
use crate::circuit::model::Circuit;
use crate::code::MOST;
use crate::error::{Error, Result};

/// The basis Z memory of a bivariate bicycle code with the CNOT schedule of depth seven of Bravyi et al., Nature 627, 778
/// (2024), table 5.
///
/// Qubits: checks of X from 0, data of the left and of the right block, checks of Z, `l m` each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BicycleMemory {
    /// Orders of the two cyclic groups.
    pub orders: [usize; 2],
    /// The three terms of A, exponents of x and y.
    pub a: [(usize, usize); 3],
    /// The three terms of B.
    pub b: [(usize, usize); 3],
}

/// Which checks become detectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Detectors {
    /// Those of Z, which see what flips the observables of a Z memory.
    Z,
    /// All.
    Both,
}

#[derive(Clone, Copy)]
enum Block {
    Left,
    Right,
}

/// Block and term that the checks of X meet at each of the seven steps, then those of Z.
const X_STEPS: [Option<(Block, usize)>; 7] = [
    None,
    Some((Block::Left, 1)),
    Some((Block::Right, 1)),
    Some((Block::Right, 0)),
    Some((Block::Right, 2)),
    Some((Block::Left, 0)),
    Some((Block::Left, 2)),
];
const Z_STEPS: [Option<(Block, usize)>; 7] = [
    Some((Block::Right, 0)),
    Some((Block::Right, 2)),
    Some((Block::Left, 0)),
    Some((Block::Left, 1)),
    Some((Block::Left, 2)),
    Some((Block::Right, 1)),
    None,
];

impl BicycleMemory {
    /// The circuit without noise, rounds unrolled.
    ///
    /// ```
    /// use quantum_ec::circuit::{BicycleMemory, CircuitNoise, Detectors};
    ///
    /// let [a, b] = [[(3, 0), (0, 1), (0, 2)], [(0, 3), (1, 0), (2, 0)]];
    /// let gross = BicycleMemory { orders: [12, 6], a, b };
    /// let circuit = CircuitNoise::depolarizing(0.001)?.apply(&gross.circuit(12, Detectors::Z)?)?;
    /// assert_eq!((circuit.counts().detectors, circuit.counts().observables), (13 * 72, 12));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for no rounds and orders of 0, [`Error::TooLarge`] beyond 20000 data qubits, `2 l m`, for the
    /// elimination is dense, and beyond 2²⁸ qubits times rounds.
    pub fn circuit(&self, rounds: u64, detectors: Detectors) -> Result<Circuit> {
        let [l, m] = self.orders;
        for (what, value) in [("rounds", rounds), ("order", l.min(m) as u64)] {
            if value == 0 {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "at least 1" });
            }
        }
        let data = l.saturating_mul(m).saturating_mul(2);
        // The rounds are written out.
        let size = data.saturating_mul(2).saturating_mul(usize::try_from(rounds).unwrap_or(usize::MAX));
        for (what, value, bound) in [("number of data qubits", data, MOST), ("qubits times rounds", size, 1 << 28)] {
            if value > bound {
                return Err(Error::TooLarge { method: "building a circuit", what, value, bound });
            }
        }
        let n = l * m;
        let block = |k: usize| ((k * n) as u32..((k + 1) * n) as u32).collect::<Vec<u32>>();
        let (x_checks, z_checks) = (block(0), block(3));
        let data: Vec<u32> = (n as u32..3 * n as u32).collect();
        let (hx, hz) = self.checks();

        let cycle = |writer: &mut Writer| -> Result<()> {
            writer.gate(Gate::R, &z_checks)?;
            writer.gate(Gate::Rx, &x_checks)?;
            writer.tick()?;
            for (x_step, z_step) in X_STEPS.into_iter().zip(Z_STEPS) {
                let mut pairs = Vec::with_capacity(2 * n);
                if let Some((side, term)) = x_step {
                    for (i, &check) in x_checks.iter().enumerate() {
                        let partner = match side {
                            Block::Left => n + self.shifted(i, self.a[term], false),
                            Block::Right => 2 * n + self.shifted(i, self.b[term], false),
                        };
                        pairs.push((check, partner as u32));
                    }
                }
                if let Some((side, term)) = z_step {
                    for (i, &check) in z_checks.iter().enumerate() {
                        let partner = match side {
                            Block::Left => n + self.shifted(i, self.b[term], true),
                            Block::Right => 2 * n + self.shifted(i, self.a[term], true),
                        };
                        pairs.push((partner as u32, check));
                    }
                }
                writer.pairs(Gate::Cx, &pairs)?;
                writer.tick()?;
            }
            writer.gate(Gate::M, &z_checks)?;
            writer.gate(Gate::Mx, &x_checks)
        };

        let mut writer = Writer::default();
        writer.gate(Gate::R, &data)?;
        for round in 0..rounds {
            cycle(&mut writer)?;
            for i in 0..n {
                let last = 2 * n - i;
                let records = if round == 0 { vec![last] } else { vec![last, last + 2 * n] };
                writer.detector(&[i as f64, round as f64, 0.0], records)?;
            }
            if detectors == Detectors::Both && round > 0 {
                for i in 0..n {
                    writer.detector(&[i as f64, round as f64, 1.0], [n - i, 3 * n - i])?;
                }
            }
            writer.tick()?;
        }
        writer.gate(Gate::M, &data)?;
        for (i, row) in hz.rows().enumerate() {
            let support = row.iter_ones().map(|q| 2 * n - q);
            writer.detector(&[i as f64, rounds as f64, 0.0], support.chain([4 * n - i]))?;
        }
        for (k, logical) in logical_z(&hx, &hz).iter().enumerate() {
            writer.observable(k, logical.iter_ones().map(|q| 2 * n - q))?;
        }
        Ok(writer.circuit)
    }

    /// The group element next to `i` along a term, or before it.
    fn shifted(&self, i: usize, (a, b): (usize, usize), back: bool) -> usize {
        let [l, m] = self.orders;
        let step = |at: usize, by: usize, order: usize| {
            let by = by % order;
            (at + if back { order - by } else { by }) % order
        };
        step(i / m, a, l) * m + step(i % m, b, m)
    }

    /// Checks of X and of Z on the data.
    fn checks(&self) -> (BitMatrix, BitMatrix) {
        let n = self.orders[0] * self.orders[1];
        let (mut hx, mut hz) = (BitMatrix::zeros(n, 2 * n), BitMatrix::zeros(n, 2 * n));
        for i in 0..n {
            for k in 0..3 {
                hx.flip(i, self.shifted(i, self.a[k], false));
                hx.flip(i, n + self.shifted(i, self.b[k], false));
                hz.flip(i, self.shifted(i, self.b[k], true));
                hz.flip(i, n + self.shifted(i, self.a[k], true));
            }
        }
        (hx, hz)
    }
}

/// Representatives of the logical operators Z: vectors of the reduced basis of the kernel of hx, in order, that are
/// independent of the rows of hz and of those before.
fn logical_z(hx: &BitMatrix, hz: &BitMatrix) -> Vec<BitVec> {
    let kernel = hx.nullspace();
    let mut chosen = Vec::new();
    let mut span = hz.row_reduce();
    for v in kernel.rows() {
        let v = v.to_bitvec();
        if !span.contains(&v) {
            let mut rows = span.matrix().clone();
            rows.push_row(&v);
            span = rows.row_reduce();
            chosen.push(v);
        }
    }
    chosen
}
