//! Spin flips that leave every interaction unchanged.

/// The group of flips `s_i → -s_i, i ∈ g` under which every product of the model is even.
///
/// Each independent generator halves the sum: one spin that it flips is fixed to +1 (the spin's own bit is in no
/// other generator). A model without fields has the global flip; one of several components has a flip for each;
/// a spin without interactions has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Symmetry {
    /// Generators as bit masks.
    pub generators: Vec<u64>,
    /// The spins fixed to +1, one for each generator.
    pub fixed: u64,
    /// The spins that stay, ascending.
    pub kept: Vec<usize>,
}

impl Symmetry {
    /// No symmetry used: all spins stay.
    pub fn none(n: usize) -> Self {
        Self { generators: Vec::new(), fixed: 0, kept: (0..n).collect() }
    }

    /// The null space of the products over GF(2). One spin stays even when there is no product.
    pub fn of(n: usize, products: impl Iterator<Item = u64>) -> Self {
        // Reduced row echelon form with the lowest bit of a row as its pivot: late spins tend to be free.
        let mut rows = vec![0u64; n];
        for mut row in products {
            while row != 0 {
                let pivot = row.trailing_zeros() as usize;
                if rows[pivot] == 0 {
                    rows[pivot] = row;
                    break;
                }
                row ^= rows[pivot];
            }
        }
        for pivot in (0..n).rev() {
            for later in pivot + 1..n {
                if rows[later] != 0 && rows[pivot] >> later & 1 == 1 {
                    rows[pivot] ^= rows[later];
                }
            }
        }
        let mut free: Vec<usize> = (0..n).filter(|&i| rows[i] == 0).collect();
        if free.len() == n {
            free.remove(0);
        }
        let generators = free
            .iter()
            .map(|&i| (0..n).filter(|&p| rows[p] >> i & 1 == 1).fold(1u64 << i, |g, p| g | 1 << p))
            .collect();
        let fixed = free.iter().fold(0, |mask, &i| mask | 1 << i);
        Self { generators, fixed, kept: (0..n).filter(|&i| fixed >> i & 1 == 0).collect() }
    }

    /// Whether the average of a product can differ from 0.
    pub fn is_invariant(&self, product: u64) -> bool {
        self.generators.iter().all(|g| (g & product).count_ones().is_multiple_of(2))
    }

    /// A product over the kept spins: the fixed ones are +1, the others are numbered anew.
    pub fn restrict(&self, product: u64) -> u64 {
        self.kept.iter().enumerate().fold(0, |mask, (k, &i)| mask | (product >> i & 1) << k)
    }

    /// The full configuration of a state of the kept spins.
    pub fn spins(&self, state: u64) -> Vec<i8> {
        let mut spins = vec![1; self.kept.len() + self.generators.len()];
        for (k, &i) in self.kept.iter().enumerate() {
            spins[i] = 1 - 2 * (state >> k & 1) as i8;
        }
        spins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_has_the_global_flip() {
        let symmetry = Symmetry::of(4, [0b0011, 0b0110, 0b1100, 0b1001].into_iter());
        assert_eq!(symmetry.generators, [0b1111]);
        assert_eq!((symmetry.fixed, &*symmetry.kept), (0b1000, &[0, 1, 2][..]));
        assert!(symmetry.is_invariant(0b0101) && !symmetry.is_invariant(0b0100));
        assert_eq!(symmetry.restrict(0b1100), 0b100);
        assert_eq!(symmetry.spins(0b101), [-1, 1, -1, 1]);
    }

    #[test]
    fn every_generator_keeps_every_product() {
        // Two plaquettes that share an edge, and a lonely spin: six spins in products, one without.
        let products = [0b001111, 0b111100];
        let symmetry = Symmetry::of(7, products.into_iter());
        assert_eq!(symmetry.generators.len(), 5);
        for &g in &symmetry.generators {
            assert!(products.iter().all(|p| (p & g).count_ones() % 2 == 0));
            assert_eq!((g & symmetry.fixed).count_ones(), 1);
        }
    }

    #[test]
    fn one_spin_stays_without_products() {
        let symmetry = Symmetry::of(3, std::iter::empty());
        assert_eq!((symmetry.kept.len(), symmetry.generators.len()), (1, 2));
    }
}
