//! Square lattices recognised from bare edge lists.

use std::collections::HashMap;

use super::{Boundary, Shape};

/// What the bonds seen so far say about a direction.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Horizontal,
    HorizontalWrap,
    Vertical,
    VerticalWrap,
}

/// The role of the pair `a < b` on a lattice of `w` columns and `h` rows, if it has one.
fn role(a: usize, b: usize, w: usize, h: usize) -> Option<Kind> {
    let step = b - a;
    if step == 1 && a % w != w - 1 {
        Some(Kind::Horizontal)
    } else if step == w {
        Some(Kind::Vertical)
    } else if w > 2 && step == w - 1 && a.is_multiple_of(w) {
        Some(Kind::HorizontalWrap)
    } else if h > 2 && step == (h - 1) * w {
        Some(Kind::VerticalWrap)
    } else {
        None
    }
}

/// The shape with `w` columns if every bond fits it and more than half of its inner bonds are there.
fn fit(n: usize, w: usize, bonds: &HashMap<(usize, usize), usize>) -> Option<Shape> {
    let h = n / w;
    let (mut rows_close, mut columns_close, mut inner) = (false, false, 0usize);
    for (&(a, b), &copies) in bonds {
        let kind = role(a, b, w, h)?;
        match kind {
            Kind::HorizontalWrap => columns_close = true,
            Kind::VerticalWrap => rows_close = true,
            Kind::Horizontal | Kind::Vertical => inner += 1,
        }
        // Parallel bonds belong to a periodic direction of length 2 and to nothing else.
        match (copies, kind) {
            (1, _) => {}
            (2, Kind::Horizontal) if w == 2 => columns_close = true,
            (2, Kind::Vertical) if h == 2 => rows_close = true,
            _ => return None,
        }
    }
    let all = h * (w - 1) + w * (h - 1);
    if 2 * inner <= all {
        return None;
    }
    let boundary = |closes| if closes { Boundary::Periodic } else { Boundary::Free };
    Shape::new(&[h, w], &[boundary(rows_close), boundary(columns_close)]).ok()
}

impl Shape {
    /// The shape `[rows, columns]` of a square lattice, read off from the numbers at the ends of its edges.
    ///
    /// For edge lists without positions, so that a drawing can place the sites. Some width must explain every edge as
    /// a bond between neighbours of a row-by-row numbering, free or periodic; more than half of the inner bonds must
    /// be present (diluted lattices pass); and no other width may do as well. Otherwise `None`. A chain is one row.
    /// A periodic direction of length 2 shows only in parallel edges. `O(M)` for each divisor of N, in practice few.
    ///
    /// ```
    /// use spin_models::{Boundary, Lattice, Shape};
    ///
    /// let lattice = Lattice::rectangle([3, 5], [Boundary::Free, Boundary::Periodic])?;
    /// assert_eq!(Shape::recognize(15, lattice.edges()).as_ref(), lattice.shape());
    ///
    /// // One bond that does not fit.
    /// let odd = lattice.edges().chain([(0, 7)]);
    /// assert_eq!(Shape::recognize(15, odd), None);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn recognize(n_sites: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Option<Self> {
        let mut bonds: HashMap<(usize, usize), usize> = HashMap::new();
        for (i, j) in edges {
            if i == j || i.max(j) >= n_sites {
                return None;
            }
            *bonds.entry((i.min(j), i.max(j))).or_default() += 1;
        }
        // A lattice needs its bonds: fewer than a third of N cannot be more than half of any shape's.
        if 3 * bonds.len() < n_sites {
            return None;
        }
        let mut fits = divisors(n_sites).into_iter().filter(|&w| w > 1).filter_map(|w| fit(n_sites, w, &bonds));
        let only = fits.next()?;
        fits.next().is_none().then_some(only)
    }
}

fn divisors(n: usize) -> Vec<usize> {
    let mut divisors = Vec::new();
    let mut k = 1;
    while k <= n / k {
        if n.is_multiple_of(k) {
            divisors.push(k);
            if k != n / k {
                divisors.push(n / k);
            }
        }
        k += 1;
    }
    divisors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Lattice;
    use Boundary::{Free, Periodic};
    use linalg_core::Streams;

    fn recognized(lattice: &Lattice) -> Option<Shape> {
        Shape::recognize(lattice.n_sites(), lattice.edges())
    }

    #[test]
    fn every_small_rectangle_is_itself() {
        for h in 1..=7 {
            for w in 2..=7 {
                for (rows, columns) in [(Free, Free), (Free, Periodic), (Periodic, Free), (Periodic, Periodic)] {
                    let Ok(lattice) = Lattice::rectangle([h, w], [rows, columns]) else { continue };
                    assert_eq!(recognized(&lattice).as_ref(), lattice.shape(), "{h} x {w} {rows:?} {columns:?}");
                }
            }
        }
        let column = Lattice::rectangle([5, 1], [Free, Free]).unwrap();
        assert_eq!(recognized(&column).unwrap().lengths(), [1, 5]);
    }

    #[test]
    fn order_and_direction_do_not_matter_and_dilution_little() {
        let lattice = Lattice::rectangle([6, 4], [Free, Periodic]).unwrap();
        let turned = lattice.edges().map(|(i, j)| (j, i)).collect::<Vec<_>>().into_iter().rev();
        assert_eq!(Shape::recognize(24, turned).as_ref(), lattice.shape());
        let diluted = lattice.edges().enumerate().filter(|(k, _)| k % 5 != 0).map(|(_, edge)| edge);
        assert_eq!(Shape::recognize(24, diluted).as_ref(), lattice.shape());
    }

    #[test]
    fn other_graphs_are_not_recognized() {
        let mut rng = Streams::new(50).stream(0);
        for lattice in [
            Lattice::complete(12).unwrap(),
            Lattice::triangular([4, 4], [Free; 2]).unwrap(),
            Lattice::cubic(3, Free).unwrap(),
            Lattice::random_regular(24, 4, &mut rng).unwrap(),
            Lattice::tree(20, &mut rng).unwrap(),
            Lattice::from_edges(6, []).unwrap(),
            Lattice::from_edges(1, []).unwrap(),
        ] {
            assert_eq!(recognized(&lattice), None);
        }
        // Too few bonds to tell, and parallel bonds where the lattice has none.
        assert_eq!(Shape::recognize(16, [(0, 4), (1, 5)]), None);
        let doubled = Lattice::square(4, Free).unwrap();
        assert_eq!(Shape::recognize(16, doubled.edges().chain([(0, 1)])), None);
        assert_eq!(Shape::recognize(4, [(0, 9)]), None);
    }
}
