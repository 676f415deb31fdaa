//! Exact numbers of configurations, counted site by site.

/// The largest L that is counted.
pub const LARGEST: usize = 8;

/// Energies of the L x L torus with the logarithms of their numbers of configurations.
///
/// For each first row, a table holds for every state of the latest row how many ways there are to have so many
/// unsatisfied bonds; a site at a time is replaced by that of the next row. Sums of positive numbers, in 64-bit floats:
/// exact up to 2⁵³ and to some 15 digits beyond. 4^L L⁴ additions.
pub fn levels(size: usize) -> Vec<(f64, f64)> {
    let (n_bonds, states) = (2 * size * size, 1usize << size);
    let width = n_bonds + 1;
    let mut counts = vec![0.0; width];
    let mut table = vec![0.0; states * width];
    // Turning all spins over changes nothing: the last spin of the first row is up.
    for first in 0..states / 2 {
        table.fill(0.0);
        let along = (0..size).filter(|&c| (first >> c ^ first >> ((c + 1) % size)) & 1 == 1).count();
        table[first * width + along] = 1.0;
        for _ in 1..size {
            for c in 0..size {
                replace(&mut table, width, size, c);
            }
        }
        for state in 0..states {
            let closing = (state ^ first).count_ones() as usize;
            for k in closing..width {
                counts[k] += 2.0 * table[state * width + k - closing];
            }
        }
    }
    let level = |(k, &count): (usize, &f64)| (2.0 * k as f64 - n_bonds as f64, count.ln());
    counts.iter().enumerate().filter(|(_, count)| **count > 0.0).map(level).collect()
}

/// Sums over the spin in column `c` of the old row and puts that of the new row in its place.
fn replace(table: &mut [f64], width: usize, size: usize, c: usize) {
    let bit = 1 << c;
    for low in (0..1 << size).filter(|state| state & bit == 0) {
        let old: [Vec<f64>; 2] = [low, low | bit].map(|state| table[state * width..(state + 1) * width].to_vec());
        for new in 0..2 {
            let state = if new == 1 { low | bit } else { low };
            let differs = |other: usize| usize::from(state >> other & 1 != new);
            let left = if c > 0 { differs(c - 1) } else { 0 };
            // The row closes on itself at its last site.
            let right = if c + 1 == size { differs(0) } else { 0 };
            let row = &mut table[state * width..(state + 1) * width];
            row.fill(0.0);
            for (above, counts) in old.iter().enumerate() {
                let unsatisfied = usize::from(above != new) + left + right;
                for (count, old) in row[unsatisfied..].iter_mut().zip(counts) {
                    *count += old;
                }
            }
        }
    }
}
