//! The uniform square lattice on a torus, from the polynomial in Kaufman's solution.
//!
//! With m rows, n columns, $`x = e^{-2K}`$ and $`s = 2 \sinh 2K = (1 - x^2)/x`$, every product of Kaufman's formula is a
//! polynomial in x. A pair of momenta $`\pm\omega`$ contributes
//!
//! ```math
//! x^{2m} s^m \left(e^{m\gamma} + e^{-m\gamma} \pm 2\right) = V_m(A, Q) \pm 2 S^m , \qquad
//! A = (1 + x^2)^2 - 2 \cos\omega \, x (1 - x^2) , \quad S = x (1 - x^2) , \quad Q = S^2 ,
//! ```
//!
//! with Lucas's sequence $`V_0 = 2`$, $`V_1 = A`$, $`V_{j+1} = A V_j - Q V_{j-1}`$; the momenta 0 and π contribute
//! $`(1 - x)^m \pm x^m (1 + x)^m`$ and $`(1 + x)^m \pm x^m (1 - x)^m`$. Modulo a prime p of which 2n divides p - 1 the
//! cosines are integers, too: $`2 \cos \pi k / n = w^k + w^{-k}`$ with a root of unity w.

use super::modular::{Prime, primes_with_roots};
use super::{NAME, Natural, combine, interpolation};
use crate::model::Progress;
use crate::{Error, Result};
use linalg_core::Observer;

/// Most sites: 16384 take minutes.
const MOST_SITES: usize = 1 << 14;

/// A torus of two or more rows and columns with one coupling that is not frustrated.
pub(in crate::exact) struct SquareTorus {
    /// m, the larger length.
    rows: usize,
    /// n, which is the number of momenta.
    columns: usize,
}

/// Refuses more than [`MOST_SITES`].
pub(in crate::exact) fn check_sites(rows: usize, columns: usize) -> Result<()> {
    let value = rows.saturating_mul(columns);
    if value > MOST_SITES {
        return Err(Error::TooLarge { solver: NAME, what: "number of sites", value, bound: MOST_SITES });
    }
    Ok(())
}

impl SquareTorus {
    pub(in crate::exact) fn new(rows: usize, columns: usize) -> Self {
        Self { rows: rows.max(columns), columns: rows.min(columns) }
    }

    fn n_sites(&self) -> usize {
        self.rows * self.columns
    }

    /// Whether turning every other spin over exchanges satisfied and unsatisfied couplings.
    fn is_symmetric(&self) -> bool {
        self.rows.is_multiple_of(2) && self.columns.is_multiple_of(2)
    }

    /// Values of x that determine the polynomial, which is even: walls cross every row and column an even number of
    /// times.
    fn n_points(&self) -> usize {
        if self.is_symmetric() { self.n_sites() / 2 + 1 } else { self.n_sites() + 1 }
    }

    /// The numbers of configurations with 0, 1, …, 2N unsatisfied couplings.
    pub(in crate::exact) fn counts(&self, observer: &mut dyn Observer<Progress>) -> Result<Vec<Natural>> {
        let sites = self.n_sites();
        // Up to mirror images, as every other number is even: they add up to 2^(N - 1).
        let n_primes = (sites - 1) / 61 + 1;
        let total = (n_primes * self.n_points()) as u64;
        let mut residues = Vec::with_capacity(n_primes);
        for field in primes_with_roots(2 * self.columns as u64).take(n_primes) {
            let before = (residues.len() * self.n_points()) as u64;
            let mut go_on = |point: u64| {
                let flow = observer.observe(&Progress::new("counting", before + point, total));
                if flow.is_continue() {
                    return Ok(());
                }
                Err(Error::Stopped { solver: NAME, done: before + point, total })
            };
            let coefficients = self.coefficients(field, &mut go_on)?;
            residues.push((field, coefficients));
        }
        let mut counts = vec![Natural::default(); 2 * sites + 1];
        for (k, mut count) in combine(&residues).into_iter().enumerate() {
            count.mul_add(2, 0);
            counts[2 * k] = count;
        }
        Ok(counts)
    }

    /// The coefficients of the even powers of x, halved, modulo a prime.
    fn coefficients(&self, field: Prime, go_on: &mut dyn FnMut(u64) -> Result<()>) -> Result<Vec<u64>> {
        let momenta = Momenta::new(field, self.rows, self.columns);
        let (mut xs, mut ys) = (Vec::with_capacity(self.n_points()), Vec::with_capacity(self.n_points()));
        for k in 0..self.n_points() as u64 {
            if k.is_multiple_of(256) {
                go_on(k)?;
            }
            // Below 2^31 neither two squares nor two values of y + 1/y are equal.
            let x = field.element(k + 2);
            let (y, value) = (field.mul(x, x), momenta.half_sum(x));
            if self.is_symmetric() {
                let inverse = field.inverse(y);
                ys.push(field.mul(value, field.power(inverse, self.n_sites() as u64 / 2)));
                xs.push(field.add(y, inverse));
            } else {
                xs.push(y);
                ys.push(value);
            }
        }
        let mut coefficients = interpolation::interpolate(field, &xs, &ys);
        if self.is_symmetric() {
            coefficients = interpolation::unfold(field, &coefficients);
        }
        Ok(coefficients.into_iter().map(|c| field.integer(c)).collect())
    }
}

/// Kaufman's products modulo a prime.
struct Momenta {
    field: Prime,
    /// m, the exponent of all factors.
    m: u64,
    /// 2 cos ω of the momenta πk/n below n, of odd and of even number k; 0 is left out.
    cosines: [Vec<u64>; 2],
    /// Whether the momentum π is among those of even number.
    pi_is_even: bool,
    quarter: u64,
}

impl Momenta {
    fn new(field: Prime, m: usize, n: usize) -> Self {
        let root = field.root_of_unity(2 * n as u64);
        let twice_cosine = |k: u64| field.add(field.power(root, k), field.power(root, 2 * n as u64 - k));
        let of = |first: u64| (first..n as u64).step_by(2).map(twice_cosine).collect();
        let quarter = field.inverse(field.element(4));
        Self { field, m: m as u64, cosines: [of(1), of(2)], pi_is_even: n.is_multiple_of(2), quarter }
    }

    /// Half of the sum over x^(unsatisfied couplings).
    fn half_sum(&self, x: u64) -> u64 {
        let field = self.field;
        let y = field.mul(x, x);
        let (one_plus, one_minus) = (field.add(field.one, x), field.sub(field.one, x));
        let s = field.mul(x, field.mul(one_plus, one_minus));
        let q = field.mul(s, s);
        let twice = {
            let power = field.power(s, self.m);
            field.add(power, power)
        };
        let rest = {
            let root = field.add(field.one, y);
            field.mul(root, root)
        };
        // Both products, with cosh and with sinh, over all momenta of one parity.
        let pairs = |cosines: &[u64]| {
            cosines.iter().fold([field.one; 2], |[plus, minus], &cosine| {
                let v = self.lucas(field.sub(rest, field.mul(cosine, s)), q);
                [field.mul(plus, field.add(v, twice)), field.mul(minus, field.sub(v, twice))]
            })
        };
        let single = |first: u64, second: u64| {
            let (a, b) = (field.power(first, self.m), field.power(field.mul(x, second), self.m));
            [field.add(a, b), field.sub(a, b)]
        };
        let times = |[a, b]: [u64; 2], [c, d]: [u64; 2]| [field.mul(a, c), field.mul(b, d)];
        let [mut odd, mut even] = [pairs(&self.cosines[0]), pairs(&self.cosines[1])];
        even = times(even, single(one_minus, one_plus));
        let pi = single(one_plus, one_minus);
        if self.pi_is_even {
            even = times(even, pi);
        } else {
            odd = times(odd, pi);
        }
        let sum = [odd[0], odd[1], even[0], even[1]].into_iter().fold(0, |sum, term| field.add(sum, term));
        field.mul(sum, self.quarter)
    }

    /// `V_m(a, q)` by doubling: `V_2j = V_j² - 2 q^j`, `V_2j+1 = V_j V_j+1 - a q^j`.
    fn lucas(&self, a: u64, q: u64) -> u64 {
        let field = self.field;
        let two = field.add(field.one, field.one);
        let (mut low, mut high, mut power) = (two, a, field.one);
        for bit in (0..u64::BITS - self.m.leading_zeros()).rev() {
            let middle = field.sub(field.mul(low, high), field.mul(a, power));
            if self.m >> bit & 1 == 1 {
                let next = field.mul(power, q);
                high = field.sub(field.mul(high, high), field.add(next, next));
                low = middle;
                power = field.mul(field.mul(power, power), q);
            } else {
                low = field.sub(field.mul(low, low), field.add(power, power));
                high = middle;
                power = field.mul(power, power);
            }
        }
        low
    }
}

/// The numbers of configurations of a ring with 0, 1, …, `length` walls: twice the binomial coefficients of even numbers.
pub(in crate::exact) fn ring(length: usize) -> Vec<Natural> {
    let mut ways = Natural::from(2);
    let mut counts = Vec::with_capacity(length + 1);
    for walls in 0..=length as u64 {
        counts.push(if walls % 2 == 0 { ways.clone() } else { Natural::default() });
        ways.mul_add(length as u64 - walls, 0);
        ways.divide(walls + 1);
    }
    counts
}

#[cfg(test)]
mod tests {
    use crate::exact::Kaufman;
    use crate::exact::planar::{DensityOfStates, Natural};
    use crate::{Duplicates, Enumeration, Error, Ising};
    use std::ops::ControlFlow;

    fn total(density: &DensityOfStates) -> Natural {
        density.counts().iter().sum()
    }

    /// `2^power`.
    fn power_of_two(power: usize) -> Natural {
        let mut limbs = vec![0; power / 64 + 1];
        limbs[power / 64] = 1 << (power % 64);
        Natural::from(limbs)
    }

    /// The torus as a model, with the constants of sites bound to themselves.
    fn torus(rows: usize, columns: usize, couplings: [f64; 2]) -> Ising {
        let mut builder = Ising::builder(rows * columns).duplicates(Duplicates::Sum);
        for (r, c) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
            let site = r * columns + c;
            let others = [r * columns + (c + 1) % columns, (r + 1) % rows * columns + c];
            for (other, coupling) in others.into_iter().zip(couplings) {
                builder =
                    if other == site { builder.offset(-coupling) } else { builder.coupling(site, other, coupling) };
            }
        }
        builder.build().unwrap()
    }

    #[test]
    fn small_tori_agree_with_enumeration() {
        for rows in 1..=5 {
            for columns in 1..=5 {
                if rows * columns > 20 {
                    continue;
                }
                for couplings in [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]] {
                    let Ok(kaufman) = Kaufman::new(rows, columns, couplings[0], couplings[1]) else { continue };
                    let density = kaufman.density_of_states().unwrap();
                    let model = torus(rows, columns, couplings);
                    let counted = Enumeration::default().density_of_states(&model, &mut ()).unwrap();
                    let expected: Vec<(i64, String)> =
                        counted.iter().map(|level| (level.energy as i64, level.count.to_string())).collect();
                    let got: Vec<(i64, String)> = density.levels().map(|(e, g)| (e as i64, g.to_string())).collect();
                    assert_eq!(got, expected, "{rows} x {columns}, {couplings:?}");
                }
            }
        }
    }

    /// From the reference, by unsatisfied bonds.
    const SIX: [(usize, u64); 35] = [
        (0, 2),
        (4, 72),
        (6, 144),
        (8, 1620),
        (10, 6048),
        (12, 35148),
        (14, 159_840),
        (16, 804_078),
        (18, 3_846_576),
        (20, 17_569_080),
        (22, 71_789_328),
        (24, 260_434_986),
        (26, 808_871_328),
        (28, 2_122_173_684),
        (30, 4_616_013_408),
        (32, 8_196_905_106),
        (34, 11_674_988_208),
        (36, 13_172_279_424),
        (38, 11_674_988_208),
        (40, 8_196_905_106),
        (42, 4_616_013_408),
        (44, 2_122_173_684),
        (46, 808_871_328),
        (48, 260_434_986),
        (50, 71_789_328),
        (52, 17_569_080),
        (54, 3_846_576),
        (56, 804_078),
        (58, 159_840),
        (60, 35148),
        (62, 6048),
        (64, 1620),
        (66, 144),
        (68, 72),
        (72, 2),
    ];

    #[test]
    fn six_by_six() {
        let density = Kaufman::isotropic(6, 6, 2.0).unwrap().density_of_states().unwrap();
        let got: Vec<(usize, Natural)> = density
            .counts()
            .iter()
            .enumerate()
            .filter(|(_, count)| !count.is_zero())
            .map(|(n, count)| (n, count.clone()))
            .collect();
        let expected: Vec<(usize, Natural)> = SIX.iter().map(|&(n, count)| (n, Natural::from(count))).collect();
        assert_eq!(got, expected);
        assert!((density.energy(4) - 2.0 * (8.0 - 72.0)).abs() < 1e-12);
    }

    #[test]
    fn large_tori_have_kaufmans_partition_function() {
        for (rows, columns) in [(8, 8), (7, 9), (2, 30), (31, 3), (12, 17), (16, 16), (32, 32)] {
            let kaufman = Kaufman::isotropic(rows, columns, 1.0).unwrap();
            let density = kaufman.density_of_states().unwrap();
            let sites = rows * columns;
            assert_eq!(total(&density), power_of_two(sites));
            let bipartite = rows % 2 == 0 && columns % 2 == 0;
            assert_eq!(density.counts().iter().eq(density.counts().iter().rev()), bipartite);
            if rows.min(columns) > 4 {
                // A single spin, and pairs of neighbours.
                let counts: Vec<String> = density.counts()[..7].iter().map(Natural::to_string).collect();
                let expected = [2, 0, 0, 0, 2 * sites, 0, 4 * sites];
                assert_eq!(counts, expected.map(|count| count.to_string()));
            }
            for beta in [0.0, 0.01, 0.2, 0.440_686_793_509_771_5, 0.7, 2.0] {
                let (sums, thermal) = (kaufman.at(beta).unwrap(), density.thermodynamics(beta).unwrap());
                let scale = sites as f64;
                assert!((thermal.ln_z.value / sums.ln_z - 1.0).abs() < 1e-13, "{rows} x {columns}, {beta}");
                assert!((thermal.energy - sums.energy).abs() < 1e-11 * scale);
                assert!((thermal.specific_heat - sums.heat_capacity).abs() < 1e-10 * scale);
                let histogram = density.histogram(beta).unwrap();
                assert!((histogram.iter().map(|level| level.1).sum::<f64>() - 1.0).abs() < 1e-14);
                let mean: f64 = histogram.iter().map(|(e, p)| e * p).sum();
                assert!((mean - thermal.energy).abs() < 1e-12 * scale);
            }
        }
    }

    #[test]
    fn antiferromagnets_and_rings() {
        let of = |rows, columns, coupling: f64| {
            Kaufman::isotropic(rows, columns, coupling).unwrap().density_of_states().unwrap()
        };
        assert_eq!(of(10, 8, -1.0), of(10, 8, 1.0));
        assert_eq!(of(9, 6, 1.5), of(6, 9, 1.5));
        let ring = of(1, 300, 1.0);
        assert_eq!(total(&ring), power_of_two(300));
        // Two walls in a ring of 300, in 300 · 299 / 2 places, and two mirror images.
        assert_eq!(ring.count(2), &Natural::from(300 * 299));
    }

    #[test]
    fn refused_or_stopped() {
        let kaufman = Kaufman::new(4, 4, 1.0, 0.5).unwrap();
        assert!(matches!(kaufman.density_of_states(), Err(Error::NotApplicable { .. })));
        let huge = Kaufman::isotropic(129, 128, 1.0).unwrap();
        assert!(matches!(huge.density_of_states(), Err(Error::TooLarge { value: 16512, bound: 16384, .. })));
        let huge = Kaufman::isotropic(usize::MAX, usize::MAX, 1.0).unwrap();
        assert!(matches!(huge.density_of_states(), Err(Error::TooLarge { .. })));
        let mut stop = |_: &crate::Progress| ControlFlow::Break(());
        let stopped = Kaufman::isotropic(12, 12, 1.0).unwrap().density_of_states_observed(&mut stop);
        assert!(matches!(stopped, Err(Error::Stopped { done: 0, .. })));
    }

    #[cfg(feature = "num-bigint")]
    #[test]
    fn counts_as_big_integers() {
        use num_bigint::BigUint;
        let density = Kaufman::isotropic(16, 16, 1.0).unwrap().density_of_states().unwrap();
        let sum: BigUint = density.counts().iter().map(BigUint::from).sum();
        assert_eq!(sum, BigUint::from(1u8) << 256);
        assert_eq!(BigUint::from(density.count(256)).to_string(), density.count(256).to_string());
    }
}
