//! The ground-state energy of $`x^2/2 + gx^4`$ by its expansion in cumulants.

use crate::error::Result;

/// Partial sums of $`E_0(g) = \tfrac12 + \tfrac34 g - \tfrac{21}{8} g^2 + \tfrac{333}{16} g^3 - \dots`$ ($`\hbar = m = \omega = 1`$) up to order `order`.
///
/// The connected averages $`\langle (\int x^4)^n\rangle_c`$ of the Gaussian path integral, summed by the recursion of Bender and Wu (Phys. Rev.
/// 184, 1231 (1969)) for the wave function $`e^{-x^2/2}\sum_n g^n B_n(x)`$. The series diverges for every $`g \ne 0`$: its terms fall until
/// about order $`1/3g`$.
///
/// ```
/// use path_integral_nn::cumulant_expansion;
///
/// let sums = cumulant_expansion(0.01, 3)?;
/// let exact = [0.5, 0.5075, 0.5072375, 0.5072583125];
/// assert!(sums.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-15));
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) when $`g`$ is.
pub fn cumulant_expansion(g: f64, order: usize) -> Result<Vec<f64>> {
    crate::error::all_finite("coupling", &[g])?;
    // B_n = Σ_k b[n][k] x^{2k}, b[n][0] = 0 for n > 0. Order n of -B''/2 + x B' + x⁴ B_{n-1} = Σ_{p≥1} e_p B_{n-p}.
    let mut b = vec![vec![1.0f64]];
    let mut e = vec![0.5f64];
    for n in 1..=order {
        let degree = 2 * n;
        let mut row = vec![0.0; degree + 2];
        let at = |m: usize, k: usize| b[m].get(k).copied().unwrap_or(0.0);
        for k in (1..=degree).rev() {
            let mut sum = 0.5 * ((2 * k + 2) * (2 * k + 1)) as f64 * row[k + 1];
            if k >= 2 {
                sum -= at(n - 1, k - 2);
            }
            sum += (1..n).map(|p| e[p] * at(n - p, k)).sum::<f64>();
            row[k] = sum / (2 * k) as f64;
        }
        // x⁰: -b₁ = e_n.
        e.push(-row[1]);
        b.push(row);
    }
    let mut power = 1.0;
    let mut sum = 0.0;
    Ok(e.iter()
        .map(|e| {
            sum += e * power;
            power *= g;
            sum
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::Spectrum;
    use crate::{Polynomial, System};

    #[test]
    fn against_the_spectrum() {
        let sums = cumulant_expansion(0.01, 12).unwrap();
        assert!((sums[3] - 0.50725831).abs() < 1e-8);
        let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 0.01]).unwrap()).unwrap();
        let exact = Spectrum::new(&system).unwrap().energy(0);
        assert!((exact - 0.50725620).abs() < 1e-8);
        assert!((sums[12] - exact).abs() < 1e-9, "{}", sums[12] - exact);
        // The fourth coefficient, -30885/128.
        let unit = cumulant_expansion(1.0, 4).unwrap();
        assert!((unit[4] - unit[3] + 30885.0 / 128.0).abs() < 1e-9);
        assert!(cumulant_expansion(f64::NAN, 2).is_err());
    }
}
