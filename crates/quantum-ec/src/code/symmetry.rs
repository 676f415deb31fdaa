//! Symmetries of a code: permutations of its qubits.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::StabilizerCode;
use crate::pauli::{Pauli, PauliString};

/// A permutation of the qubits, with or without an exchange of X and Z on all of them, that takes every generator of a code
/// to a generator.
///
/// Noise that is the same on all qubits has the symmetries without exchange, and those with it if X and Z are equally
/// likely.
///
/// ```
/// use quantum_ec::code;
///
/// // Reflections of the square and the turns by 90 degrees, which exchange X and Z.
/// let code = code::parse("unrotated-surface:3")?;
/// let symmetries = code.symmetries(100);
/// assert_eq!(symmetries.len(), 8);
/// assert_eq!(symmetries.iter().filter(|symmetry| symmetry.exchanges()).count(), 4);
/// for symmetry in &symmetries {
///     assert!(code.generators().contains(&symmetry.apply(&code.generators()[0])));
/// }
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symmetry {
    /// Where every qubit goes.
    qubits: Vec<usize>,
    exchange: bool,
}

impl Symmetry {
    /// Where every qubit goes.
    pub fn qubits(&self) -> &[usize] {
        &self.qubits
    }

    /// Whether X and Z are exchanged.
    pub fn exchanges(&self) -> bool {
        self.exchange
    }

    /// The image of an operator, with phase 0.
    ///
    /// # Panics
    /// If the operator has another number of qubits.
    pub fn apply(&self, operator: &PauliString) -> PauliString {
        assert_eq!(operator.n_qubits(), self.qubits.len(), "qubits of the operator");
        let mut out = PauliString::identity(self.qubits.len());
        for (q, pauli) in operator.support() {
            let (x, z) = pauli.bits();
            out.set(self.qubits[q], if self.exchange { Pauli::from_bits(z, x) } else { pauli });
        }
        out
    }
}

impl StabilizerCode {
    /// The symmetries that map generators to generators, the identity first, and at most `most` of them. Generators that are
    /// listed twice count once.
    ///
    /// The automorphisms of the Tanner graph with edges named X, Y, Z: nodes are coloured by their neighbourhoods until
    /// nothing changes, and where that leaves several of a colour, one is paired with each in turn.
    ///
    /// Cost: a colouring, `O(edges · log · diameter)`, for every choice on the way to a symmetry; milliseconds in all for codes
    /// of a hundred qubits.
    pub fn symmetries(&self, most: usize) -> Vec<Symmetry> {
        // Equal ones could change places without any qubit moving.
        let mut seen = BTreeSet::new();
        let generators: Vec<&PauliString> = self.generators().iter().filter(|g| seen.insert(g.letters())).collect();
        let mut found = Vec::new();
        for exchange in [false, true] {
            let n = self.n_qubits();
            let mut search = Search { n, edges: edges(n, &generators, exchange), most, exchange, found };
            let nodes = n + generators.len();
            let kind = |node: usize| usize::from(node % nodes >= self.n_qubits());
            search.extend((0..2 * nodes).map(kind).collect());
            found = search.found;
        }
        if let Some(identity) =
            found.iter().position(|s| !s.exchange && s.qubits.iter().enumerate().all(|(i, &q)| i == q))
        {
            found[..=identity].rotate_right(1);
        }
        found
    }
}

/// Neighbours of the nodes of two Tanner graphs, qubits before generators, with the letter of the edge; the second graph has
/// X and Z exchanged if asked for.
fn edges(n: usize, generators: &[&PauliString], exchange: bool) -> Vec<Vec<(u8, usize)>> {
    let nodes = n + generators.len();
    let mut edges = vec![Vec::new(); 2 * nodes];
    for (i, generator) in generators.iter().enumerate() {
        for (q, pauli) in generator.support() {
            for (copy, exchange) in [(0, false), (nodes, exchange)] {
                let (x, z) = pauli.bits();
                let (x, z) = if exchange { (z, x) } else { (x, z) };
                let letter = u8::from(x) + 2 * u8::from(z);
                edges[copy + q].push((letter, copy + n + i));
                edges[copy + n + i].push((letter, copy + q));
            }
        }
    }
    edges
}

struct Search {
    n: usize,
    edges: Vec<Vec<(u8, usize)>>,
    most: usize,
    exchange: bool,
    found: Vec<Symmetry>,
}

impl Search {
    /// All isomorphisms of the first graph onto the second that keep the colours.
    fn extend(&mut self, mut colours: Vec<usize>) {
        if self.found.len() >= self.most || !self.refine(&mut colours) {
            return;
        }
        let nodes = colours.len() / 2;
        let (first, second) = colours.split_at(nodes);
        let mut cells: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        first.iter().enumerate().for_each(|(node, &colour)| cells.entry(colour).or_default().push(node));
        let Some((&colour, cell)) = cells.iter().filter(|(_, cell)| cell.len() > 1).min_by_key(|(_, cell)| cell.len())
        else {
            let place: BTreeMap<usize, usize> =
                second.iter().enumerate().map(|(node, &colour)| (colour, node)).collect();
            let image: Vec<usize> = first.iter().map(|colour| place[colour]).collect();
            if self.is_isomorphism(&image) {
                self.found.push(Symmetry { qubits: image[..self.n].to_vec(), exchange: self.exchange });
            }
            return;
        };
        let (chosen, fresh) = (cell[0], colours.len());
        let partners: Vec<usize> = (nodes..2 * nodes).filter(|&node| colours[node] == colour).collect();
        for partner in partners {
            let mut next = colours.clone();
            (next[chosen], next[partner]) = (fresh, fresh);
            self.extend(next);
        }
    }

    /// Splits colours by the colours of the neighbours until none does; whether both graphs still have equally many of each.
    fn refine(&self, colours: &mut Vec<usize>) -> bool {
        let nodes = colours.len() / 2;
        let mut number = 0;
        loop {
            let mut names = BTreeMap::new();
            let signatures: Vec<(usize, Vec<(u8, usize)>)> = (colours.iter().zip(&self.edges))
                .map(|(&colour, edges)| {
                    let mut seen: Vec<(u8, usize)> = edges.iter().map(|&(letter, to)| (letter, colours[to])).collect();
                    seen.sort_unstable();
                    (colour, seen)
                })
                .collect();
            for signature in &signatures {
                let next = names.len();
                names.entry(signature).or_insert(next);
            }
            let next: Vec<usize> = signatures.iter().map(|signature| names[signature]).collect();
            let mut balance = vec![0i64; names.len()];
            for (node, &colour) in next.iter().enumerate() {
                balance[colour] += if node < nodes { 1 } else { -1 };
            }
            if balance.iter().any(|&x| x != 0) {
                return false;
            }
            let done = names.len() == number;
            number = names.len();
            *colours = next;
            if done {
                return true;
            }
        }
    }

    /// Whether all edges are there in the second graph.
    fn is_isomorphism(&self, image: &[usize]) -> bool {
        let nodes = image.len();
        (0..nodes).all(|node| {
            let of = |edges: &[(u8, usize)], map: &dyn Fn(usize) -> usize| {
                let mut list: Vec<(u8, usize)> = edges.iter().map(|&(letter, to)| (letter, map(to))).collect();
                list.sort_unstable();
                list
            };
            of(&self.edges[node], &|to| image[to]) == of(&self.edges[nodes + image[node]], &|to| to - nodes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::parse;

    /// Known groups, and the axioms of a group.
    #[test]
    fn symmetries_are_those_of_the_lattice() {
        // Rotated: turns by 90 degrees. Toric: 9 translations, 8 symmetries of the square, and as many that exchange vertices
        // and faces. Steane: the three generators of a kind in any order, X and Z exchanged or not.
        let cases = [("rotated-surface:3", 4), ("unrotated-surface:3", 8), ("toric:3", 144), ("steane", 12)];
        for (name, expected) in cases {
            let code = parse(name).unwrap();
            let symmetries = code.symmetries(1000);
            assert_eq!(symmetries.len(), expected, "{name}");
            let identity: Vec<usize> = (0..code.n_qubits()).collect();
            assert_eq!((symmetries[0].qubits(), symmetries[0].exchanges()), (&identity[..], false));
            let generators: BTreeSet<String> = code.generators().iter().map(PauliString::letters).collect();
            let all: BTreeSet<(Vec<usize>, bool)> = symmetries.iter().map(|s| (s.qubits.clone(), s.exchange)).collect();
            assert_eq!(all.len(), expected, "each once");
            for symmetry in &symmetries {
                let images: BTreeSet<String> = code.generators().iter().map(|g| symmetry.apply(g).letters()).collect();
                assert_eq!(images, generators);
                let second = &symmetries[symmetries.len() / 2];
                let product: Vec<usize> = symmetry.qubits.iter().map(|&q| second.qubits[q]).collect();
                assert!(all.contains(&(product, symmetry.exchange != second.exchange)), "{name}: not closed");
            }
        }
        assert_eq!(parse("toric:3").unwrap().symmetries(10).len(), 10);
    }

    #[test]
    fn each_symmetry_is_listed_once_and_no_more_than_asked() {
        let symmetries = |generators: &[&str], most| {
            let code = StabilizerCode::from_text(generators).unwrap();
            code.symmetries(most).iter().map(|s| (s.qubits.clone(), s.exchange)).collect::<Vec<_>>()
        };
        // The identity, and X and Z exchanged with the qubits.
        let both = [(vec![0, 1], false), (vec![1, 0], true)];
        for most in 0..4 {
            assert_eq!(symmetries(&["XZ"], most), both[..most.min(2)]);
        }
        assert_eq!(symmetries(&["ZZ", "ZZ"], 9), [(vec![0, 1], false), (vec![1, 0], false)]);
        // The other way round one generator is listed twice.
        assert_eq!(symmetries(&["ZZI", "ZZI", "IZZ"], 9), [(vec![0, 1, 2], false), (vec![2, 1, 0], false)]);
    }
}
