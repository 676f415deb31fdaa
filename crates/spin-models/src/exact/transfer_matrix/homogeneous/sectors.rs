//! Subspaces of row states that translations, reflection and spin reversal keep apart.

use std::f64::consts::PI;

/// An orthonormal basis of one subspace, and how many subspaces have the same eigenvalues.
pub(super) struct Sector {
    pub multiplicity: f64,
    /// Sparse vectors: states with their coefficients.
    pub basis: Vec<Vec<(u32, f64)>>,
}

/// A character of the symmetry group: momentum `2πk/w`, sign under reflection, sign under spin reversal.
struct Character {
    momentum: usize,
    reflection: f64,
    reversal: f64,
    multiplicity: f64,
}

/// Symmetries of a row.
struct Group {
    width: usize,
    /// Translations by 0, 1, …: all around a periodic row, one otherwise.
    translations: usize,
    reversal: bool,
}

impl Group {
    fn translate(&self, state: u32, by: usize) -> u32 {
        let mask = (1u32 << self.width) - 1;
        if by == 0 { state } else { (state << by | state >> (self.width - by)) & mask }
    }

    fn reflect(&self, state: u32) -> u32 {
        state.reverse_bits() >> (32 - self.width)
    }

    fn reverse(&self, state: u32) -> u32 {
        state ^ ((1u32 << self.width) - 1)
    }

    /// All images of a state, with the factors of a character.
    fn images(&self, state: u32, character: &Character) -> Vec<(u32, f64)> {
        let mut images = Vec::new();
        for reversed in 0..=u32::from(self.reversal) {
            let (state, sign) = if reversed == 0 { (state, 1.0) } else { (self.reverse(state), character.reversal) };
            for by in 0..self.translations {
                let angle = 2.0 * PI * ((character.momentum * by) % self.translations) as f64;
                let factor = sign * (angle / self.translations as f64).cos();
                let moved = self.translate(state, by);
                images.push((moved, factor));
                images.push((self.reflect(moved), factor * character.reflection));
            }
        }
        images
    }

    /// The characters. A momentum other than 0 and π comes with its opposite; of the two equal subspaces the one even
    /// under reflection is taken.
    fn characters(&self) -> Vec<Character> {
        let reversals: &[f64] = if self.reversal { &[1.0, -1.0] } else { &[1.0] };
        let mut characters = Vec::new();
        for momentum in 0..=self.translations / 2 {
            let own_opposite = momentum == 0 || 2 * momentum == self.translations;
            let reflections: &[f64] = if own_opposite { &[1.0, -1.0] } else { &[1.0] };
            let multiplicity = if own_opposite { 1.0 } else { 2.0 };
            for &reflection in reflections {
                for &reversal in reversals {
                    characters.push(Character { momentum, reflection, reversal, multiplicity });
                }
            }
        }
        characters
    }
}

/// The sectors of a row of at most 31 sites. With `reversal` the two parities are kept apart.
pub(super) fn sectors(width: usize, periodic: bool, reversal: bool) -> Vec<Sector> {
    let group = Group { width, translations: if periodic { width } else { 1 }, reversal };
    let trivial = Character { momentum: 0, reflection: 1.0, reversal: 1.0, multiplicity: 1.0 };
    let mut seen = vec![false; 1 << width];
    let mut orbits: Vec<Vec<u32>> = Vec::new();
    for state in 0..1u32 << width {
        if !seen[state as usize] {
            let mut orbit: Vec<u32> = group.images(state, &trivial).into_iter().map(|(image, _)| image).collect();
            orbit.sort_unstable();
            orbit.dedup();
            orbit.iter().for_each(|&state| seen[state as usize] = true);
            orbits.push(orbit);
        }
    }
    let sector = |character: &Character| {
        let basis = orbits.iter().flat_map(|orbit| orbit_basis(&group, character, orbit)).collect();
        Sector { multiplicity: character.multiplicity, basis }
    };
    group.characters().iter().map(sector).filter(|sector: &Sector| !sector.basis.is_empty()).collect()
}

/// The part of a sector that lives on one orbit: images of its states under the projector, made orthonormal.
fn orbit_basis(group: &Group, character: &Character, orbit: &[u32]) -> Vec<Vec<(u32, f64)>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for &state in orbit {
        let mut vector = vec![0.0; orbit.len()];
        let images = group.images(state, character);
        let scale = 1.0 / images.len() as f64;
        for (image, factor) in images {
            if let Ok(k) = orbit.binary_search(&image) {
                vector[k] += scale * factor;
            }
        }
        // What is left of a vector in the span of the others is rounding; of a new one, at least 1/4w.
        for _ in 0..2 {
            for other in &basis {
                let overlap: f64 = vector.iter().zip(other).map(|(x, y)| x * y).sum();
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= overlap * y);
            }
        }
        let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 1e-6 {
            vector.iter_mut().for_each(|x| *x /= length);
            basis.push(vector);
        }
    }
    let sparse = |vector: Vec<f64>| orbit.iter().copied().zip(vector).filter(|&(_, x)| x != 0.0).collect();
    basis.into_iter().map(sparse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_make_up_the_whole_space() {
        for width in 1..=9 {
            for periodic in [false, true] {
                for reversal in [false, true] {
                    if periodic && width == 1 {
                        continue;
                    }
                    let sectors = sectors(width, periodic, reversal);
                    let dimension: f64 =
                        sectors.iter().map(|sector| sector.multiplicity * sector.basis.len() as f64).sum();
                    assert_eq!(dimension as usize, 1 << width, "width {width}, {periodic}, {reversal}");
                    // Orthonormal across all sectors: dense Gram matrix.
                    let all: Vec<&Vec<(u32, f64)>> = sectors.iter().flat_map(|sector| &sector.basis).collect();
                    let dense = |vector: &[(u32, f64)]| {
                        let mut dense = vec![0.0; 1 << width];
                        vector.iter().for_each(|&(state, x)| dense[state as usize] = x);
                        dense
                    };
                    for (a, first) in all.iter().enumerate().step_by(3) {
                        let first = dense(first);
                        for (b, second) in all.iter().enumerate() {
                            let product: f64 = second.iter().map(|&(state, x)| x * first[state as usize]).sum();
                            let expected = if a == b { 1.0 } else { 0.0 };
                            approx::assert_abs_diff_eq!(product, expected, epsilon = 1e-12);
                        }
                    }
                }
            }
        }
    }
}
