//! In which order a sweep visits the sites.

use linalg_core::rand::{Rng, RngExt};

use crate::model::PairwiseModel;
use crate::{Error, Result};

/// In which order a sweep visits the sites.
///
/// A random-order update is in detailed balance by itself. A fixed order is a product of updates that are, which
/// leaves the measure invariant without being reversible; it is faster and usually decorrelates faster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Order {
    /// Sites 0, 1, …, N-1. The default.
    #[default]
    Sequential,
    /// N sites drawn uniformly, with repetition.
    Random,
    /// Class by class of a colouring: sites of one class do not interact, so that the order within it is immaterial.
    Colored(Coloring),
}

impl Order {
    /// Calls `visit` once an attempt, with the site and the generator.
    ///
    /// # Panics
    /// If a colouring is for another number of sites.
    #[inline]
    pub(crate) fn for_each<R: Rng + ?Sized>(&self, n: usize, rng: &mut R, mut visit: impl FnMut(usize, &mut R)) {
        match self {
            Self::Sequential => (0..n).for_each(|i| visit(i, rng)),
            Self::Random => {
                for _ in 0..n {
                    // Site numbers fit in 32 bits; the narrow draw is the same on every platform.
                    let i = rng.random_range(0..n as u32) as usize;
                    visit(i, rng);
                }
            }
            Self::Colored(coloring) => {
                assert_eq!(coloring.n_sites(), n, "a colouring of {} sites for {n}", coloring.n_sites());
                coloring.order.iter().for_each(|&i| visit(i as usize, rng));
            }
        }
    }
}

/// Sites in classes such that no two sites of one class are coupled.
///
/// Checkerboard order is the case of two classes.
///
/// ```
/// use spin_models::Ising;
/// use spin_models::mcmc::Coloring;
///
/// let ring = Ising::builder(4).couplings([(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0), (0, 3, 1.0)]).build()?;
/// let checkerboard = Coloring::checkerboard(&ring)?;
/// assert_eq!(checkerboard.classes().collect::<Vec<_>>(), [&[0, 2], &[1, 3]]);
///
/// let wrong = Coloring::new(&ring, &[0, 1, 2, 2]).unwrap_err();
/// assert_eq!(wrong.to_string(), "colouring does not apply: sites 2 and 3 are coupled and both have colour 2");
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coloring {
    order: Vec<u32>,
    class_start: Vec<usize>,
}

impl Coloring {
    /// Takes a colour for every site and checks it against the couplings; couplings of value 0 do not count.
    ///
    /// `O(N + M)`.
    ///
    /// # Errors
    /// [`Error::WrongLength`], or [`Error::NotApplicable`] naming a coupled pair of one colour.
    pub fn new<M: PairwiseModel + ?Sized>(model: &M, colors: &[usize]) -> Result<Self> {
        let edges = (0..model.n_spins()).flat_map(|i| later_neighbors(model, i).map(move |j| (i, j)));
        Self::from_edges(model.n_spins(), edges, colors)
    }

    /// Takes a colour for every site and checks it against a list of pairs, for models that are not pairwise.
    ///
    /// ```
    /// use spin_models::Potts;
    /// use spin_models::mcmc::Coloring;
    ///
    /// let potts = Potts::builder(3, 5).couplings([(0, 1, 1.0), (1, 2, 1.0)]).build()?;
    /// let edges = potts.couplings().map(|(i, j, _)| (i, j));
    /// assert_eq!(Coloring::from_edges(3, edges, &[0, 1, 0])?.n_classes(), 2);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongLength`], [`Error::SiteOutOfBounds`], or [`Error::NotApplicable`] naming a pair of one colour.
    pub fn from_edges(
        n_sites: usize,
        edges: impl IntoIterator<Item = (usize, usize)>,
        colors: &[usize],
    ) -> Result<Self> {
        if colors.len() != n_sites {
            return Err(Error::WrongLength { what: "colours", got: colors.len(), expected: n_sites });
        }
        for (entry, (i, j)) in edges.into_iter().enumerate() {
            if let Some(site) = [i, j].into_iter().find(|&site| site >= n_sites) {
                return Err(Error::SiteOutOfBounds { what: "edge", entry, site, n_spins: n_sites });
            }
            if colors[i] == colors[j] {
                return Err(conflict(i, j, colors[i]));
            }
        }
        Ok(Self::from_valid(colors))
    }

    /// The checkerboard: two classes, site 0 in the first.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming an edge that closes a cycle of odd length.
    pub fn checkerboard<M: PairwiseModel + ?Sized>(model: &M) -> Result<Self> {
        let n = model.n_spins();
        let mut colors = vec![usize::MAX; n];
        let mut queue = Vec::new();
        for root in 0..n {
            if colors[root] != usize::MAX {
                continue;
            }
            colors[root] = 0;
            queue.push(root);
            while let Some(i) = queue.pop() {
                for (j, _) in model.neighbors(i).filter(|&(_, coupling)| coupling != 0.0) {
                    if colors[j] == usize::MAX {
                        colors[j] = 1 - colors[i];
                        queue.push(j);
                    } else if colors[j] == colors[i] {
                        return Err(conflict(i.min(j), i.max(j), colors[i]));
                    }
                }
            }
        }
        Ok(Self::from_valid(&colors))
    }

    /// A colouring of any model: every site takes the smallest colour that no neighbour before it has.
    ///
    /// At most one class more than the largest degree; not the fewest possible.
    pub fn greedy<M: PairwiseModel + ?Sized>(model: &M) -> Self {
        let n = model.n_spins();
        let mut colors = vec![usize::MAX; n];
        // Marks which colours are taken, by the site that looks; no clearing between sites.
        let mut taken_by = Vec::new();
        for i in 0..n {
            for (j, _) in model.neighbors(i).filter(|&(j, coupling)| j < i && coupling != 0.0) {
                taken_by[colors[j]] = i;
            }
            let color = taken_by.iter().position(|&site| site != i).unwrap_or(taken_by.len());
            if color == taken_by.len() {
                taken_by.push(usize::MAX);
            }
            colors[i] = color;
        }
        Self::from_valid(&colors)
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.order.len()
    }

    /// Number of classes; colours that no site has do not count.
    pub fn n_classes(&self) -> usize {
        self.class_start.len() - 1
    }

    /// The classes in order of colour, sites ascending.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = &[u32]> + '_ {
        self.class_start.windows(2).map(|ends| &self.order[ends[0]..ends[1]])
    }

    fn from_valid(colors: &[usize]) -> Self {
        let mut order: Vec<u32> = (0..colors.len() as u32).collect();
        order.sort_by_key(|&i| colors[i as usize]);
        let changes = (1..order.len()).filter(|&k| colors[order[k] as usize] != colors[order[k - 1] as usize]);
        let mut class_start = vec![0];
        class_start.extend(changes);
        if !order.is_empty() {
            class_start.push(order.len());
        }
        Self { order, class_start }
    }
}

fn later_neighbors<M: PairwiseModel + ?Sized>(model: &M, i: usize) -> impl Iterator<Item = usize> + '_ {
    model.neighbors(i).filter(move |&(j, coupling)| j > i && coupling != 0.0).map(|(j, _)| j)
}

fn conflict(i: usize, j: usize, color: usize) -> Error {
    let reason = format!("sites {i} and {j} are coupled and both have colour {color}");
    Error::NotApplicable { solver: "colouring", reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ising, SherringtonKirkpatrick};
    use linalg_core::Streams;

    #[test]
    fn odd_cycles_are_named() {
        let ring = Ising::builder(5).couplings((0..5).map(|i| (i, (i + 1) % 5, 1.0))).build().unwrap();
        let error = Coloring::checkerboard(&ring).unwrap_err().to_string();
        assert!(error.starts_with("colouring does not apply: sites"), "{error}");
        assert_eq!(Coloring::greedy(&ring).n_classes(), 3);
    }

    #[test]
    fn greedy_colourings_pass_the_check() {
        let mut rng = Streams::new(5).stream(0);
        for n in [1, 2, 7, 30] {
            let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
            let edges: Vec<_> = pairs.filter(|_| rng.random_bool(0.2)).map(|(i, j)| (i, j, 1.0)).collect();
            let model = Ising::builder(n).couplings(edges).build().unwrap();
            let coloring = Coloring::greedy(&model);
            let mut colors = vec![0; n];
            for (color, class) in coloring.classes().enumerate() {
                class.iter().for_each(|&i| colors[i as usize] = color);
            }
            assert_eq!(Coloring::new(&model, &colors).unwrap(), coloring);
        }
        let dense = SherringtonKirkpatrick::gaussian(6, &mut rng).unwrap();
        assert_eq!(Coloring::greedy(&dense).n_classes(), 6);
    }

    #[test]
    fn zero_couplings_and_loose_sites_do_not_constrain() {
        let model = Ising::builder(3).coupling(0, 1, 0.0).build().unwrap();
        assert_eq!(Coloring::new(&model, &[4, 4, 4]).unwrap().n_classes(), 1);
        assert!(matches!(Coloring::new(&model, &[0]), Err(Error::WrongLength { got: 1, expected: 3, .. })));
        let error = Coloring::from_edges(2, [(0, 2)], &[0, 1]).unwrap_err().to_string();
        assert_eq!(error, "edge 0: site 2 is out of bounds for 2 spins");
    }

    #[test]
    fn every_order_makes_n_attempts() {
        let model = Ising::builder(4).couplings([(0, 1, 1.0), (2, 3, 1.0)]).build().unwrap();
        let mut rng = Streams::new(2).stream(0);
        for order in [Order::Sequential, Order::Random, Order::Colored(Coloring::checkerboard(&model).unwrap())] {
            let mut visits = [0; 4];
            order.for_each(4, &mut rng, |i, _| visits[i] += 1);
            assert_eq!(visits.iter().sum::<i32>(), 4);
            assert!(order == Order::Random || visits == [1; 4]);
        }
    }
}
