//! The distance: exact by search, bounded from above by random information sets.

use linalg_core::Streams;
use linalg_core::gf2::{BitMatrix, BitVec};
use linalg_core::rand::{Rng, RngExt};

use super::css::CssCode;
use super::decompose::Decomposition;
use super::stabilizer::StabilizerCode;
use crate::error::{Error, Result};
use crate::pauli::{Pauli, PauliString};
use crate::shots::words_per_row;

/// Which logical operators count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Kind {
    /// All: the distance d.
    Any,
    /// Products of X alone: the distance against bit flips, for a CSS code.
    X,
    /// Products of Z alone: the distance against phase flips, for a CSS code.
    Z,
}

/// How much work a distance may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DistanceParams {
    /// Steps of the exact search, about 10 to 50 ns each.
    pub max_steps: u64,
    /// Random information sets, at most: large codes are given fewer, see [`distance`].
    pub trials: u64,
    /// Seed of the information sets.
    pub seed: u64,
}

impl Default for DistanceParams {
    /// 20 million steps, 1000 trials, seed 0.
    fn default() -> Self {
        Self { max_steps: 20_000_000, trials: 1000, seed: 0 }
    }
}

impl DistanceParams {
    /// Sets the steps of the exact search.
    #[must_use]
    pub fn with_max_steps(mut self, max_steps: u64) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Sets the number of information sets.
    #[must_use]
    pub fn with_trials(mut self, trials: u64) -> Self {
        self.trials = trials;
        self
    }

    /// Sets the seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// What is known of a distance.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Distance {
    /// No logical operator has a smaller weight: proved by search.
    pub lower: usize,
    /// The weight of the lightest logical operator known.
    pub upper: usize,
    /// That operator.
    pub operator: PauliString,
    /// Information sets tried, of each kind: those asked for, or as many as the bound on the work allows.
    pub trials: u64,
    /// How often each of the lightest operators was met by the information sets, on average; 0 if none was tried. Where
    /// X and Z were searched apart and a bound is open, the number of the kind with the lower confidence.
    pub mean_hits: f64,
    /// 1 where the distance is exact, else $`1 - e^{-\text{mean hits}}`$ and below 1: the probability that a lighter
    /// operator would have been met, if it is met as often as those of the weight found. An estimate, not a proof. Where
    /// X and Z were searched apart, the lower number of the two.
    pub confidence: f64,
}

impl Distance {
    /// The distance, if both bounds agree.
    pub fn exact(&self) -> Option<usize> {
        (self.lower == self.upper).then_some(self.upper)
    }
}

/// The smallest weight of a logical operator; `None` for a code without logical qubits.
///
/// First an upper bound by random information sets ([Pryadko, Shabashov, Kozin, JOSS 7, 4120 (2022)], where the
/// confidence also comes from): a Gaussian elimination of the normaliser with the qubits in random order gives rows of
/// low weight. Then a search that extends an error, qubit by qubit, at the qubits of an unsatisfied check; with checks of
/// weight δ and distance d it takes at most $`n (2\delta)^{d-1}`$ steps (for one kind of operators
/// $`n (\delta - 1)^{d-1}`$), usually far fewer, and stops at `max_steps`.
///
/// An elimination of r rows of b bits takes about $`r^2 \lceil b/64 \rceil / 8`$ operations on words; the information sets
/// together are held to $`2^{36}`$ of them, whatever `trials` asks for: 30 million sets for one kind of operators of a code
/// of 144 qubits, 17 for one of 20000. A CSS code is searched for X and for Z apart, each with its own bounds.
///
/// # Errors
/// [`Error::NotApplicable`] if [`Kind::X`] or [`Kind::Z`] is asked of a code that is not CSS.
///
/// ```
/// use quantum_ec::code::{self, DistanceParams, Kind, distance};
///
/// let code = code::parse("five-qubit")?;
/// let found = distance(&code, Kind::Any, DistanceParams::default())?.expect("one logical qubit");
/// assert_eq!((found.exact(), found.operator.weight()), (Some(3), 3));
/// let line = code::parse("repetition:9")?;
/// let against = |kind| Ok::<_, quantum_ec::Error>(distance(&line, kind, DistanceParams::default())?.unwrap().upper);
/// assert_eq!((against(Kind::X)?, against(Kind::Z)?), (9, 1));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// [Pryadko, Shabashov, Kozin, JOSS 7, 4120 (2022)]: https://doi.org/10.21105/joss.04120
pub fn distance(code: &StabilizerCode, kind: Kind, params: DistanceParams) -> Result<Option<Distance>> {
    let css = CssCode::from_stabilizer(code);
    if kind != Kind::Any && css.is_none() {
        return Err(Error::NotApplicable {
            method: "distance against X or Z alone",
            reason: format!("the code {:?} has generators with both X and Z, or a minus sign", code.name()),
        });
    }
    if code.n_logical() == 0 {
        return Ok(None);
    }
    // Its logical operators are of one kind.
    let code = css.as_ref().map_or(code, CssCode::stabilizer);
    let one = |kind| Task::new(code, kind).run(params);
    Ok(Some(match (kind, css.is_some()) {
        // A lightest operator of a CSS code can be chosen of one kind.
        (Kind::Any, true) => {
            let (x, z) = (one(Kind::X), one(Kind::Z));
            let lower = x.lower.min(z.lower);
            let weaker = if x.confidence <= z.confidence { &x } else { &z };
            let (confidence, mean_hits) = (weaker.confidence, weaker.mean_hits);
            let best = if x.upper <= z.upper { x } else { z };
            if lower == best.upper {
                Distance { lower, confidence: 1.0, ..best }
            } else {
                // Both bounds of one kind may agree while the other kind is open: a lighter operator could be of either.
                Distance { lower, confidence, mean_hits, ..best }
            }
        }
        _ => one(kind),
    }))
}

/// Operations on words that the eliminations of a distance may take.
const WORDS: u64 = 1 << 36;

/// How many eliminations of so many rows of so many bits are within the bound.
fn affordable(rows: usize, bits: usize) -> u64 {
    let rows = rows as u64;
    let words = rows.saturating_mul(rows).saturating_mul(bits.div_ceil(64) as u64) / 8;
    WORDS / words.max(1)
}

/// Elementary errors: the qubit, the Pauli matrix, and the words of what it does to checks and logical operators.
struct Element {
    qubit: usize,
    pauli: Pauli,
    effect: Vec<u64>,
}

struct Task<'a> {
    code: &'a StabilizerCode,
    basis: Decomposition,
    elements: Vec<Element>,
    /// The elements that flip a check.
    flippers: Vec<Vec<usize>>,
    check_words: usize,
    /// Most checks that an element flips.
    reach: usize,
    paulis: Vec<Pauli>,
}

impl<'a> Task<'a> {
    fn new(code: &'a StabilizerCode, kind: Kind) -> Self {
        let paulis = match kind {
            Kind::Any => Pauli::ERRORS.to_vec(),
            Kind::X => vec![Pauli::X],
            Kind::Z => vec![Pauli::Z],
        };
        let (n, m) = (code.n_qubits(), code.n_generators());
        let check_words = words_per_row(m);
        let logical = code.logical_x().iter().chain(code.logical_z());
        let tests: Vec<&PauliString> = code.generators().iter().chain(logical).collect();
        let bit = |i: usize| if i < m { i } else { 64 * check_words + i - m };
        let words = check_words + words_per_row(tests.len() - m);
        let mut flippers = vec![Vec::new(); m];
        let mut elements = Vec::new();
        for qubit in 0..n {
            for &pauli in &paulis {
                let mut effect = vec![0u64; words];
                for (i, test) in tests.iter().enumerate() {
                    if !test.get(qubit).commutes_with(pauli) {
                        effect[bit(i) / 64] |= 1 << (bit(i) % 64);
                        if i < m {
                            flippers[i].push(elements.len());
                        }
                    }
                }
                elements.push(Element { qubit, pauli, effect });
            }
        }
        let reach = elements.iter().map(|e| ones(&e.effect[..check_words])).max().unwrap_or(0);
        Self { code, basis: Decomposition::new(code), elements, flippers, check_words, reach, paulis }
    }

    fn run(&self, params: DistanceParams) -> Distance {
        let mut found = self.information_sets(params);
        let mut search = Search {
            task: self,
            state: vec![0; self.elements.first().map_or(0, |e| e.effect.len())],
            used: vec![false; self.code.n_qubits()],
            excluded: vec![false; self.elements.len()],
            chosen: Vec::new(),
            steps: params.max_steps,
        };
        while found.lower < found.upper {
            match search.weight(found.lower) {
                Some(true) => {
                    let mut operator = PauliString::identity(self.code.n_qubits());
                    for &e in &search.chosen {
                        operator.set(self.elements[e].qubit, self.elements[e].pauli);
                    }
                    found.upper = found.lower;
                    found.operator = operator;
                }
                Some(false) => found.lower += 1,
                None => break,
            }
        }
        if found.lower == found.upper {
            found.confidence = 1.0;
        }
        found
    }

    /// The lightest rows of eliminated normalisers.
    fn information_sets(&self, params: DistanceParams) -> Distance {
        let n = self.code.n_qubits();
        // All operators of the kind that commute with the generators: x and z bits of a qubit side by side.
        let per_qubit = self.paulis.len().min(2);
        let bits = |p: &PauliString| -> BitVec {
            match self.paulis[..] {
                [Pauli::X] => p.x().clone(),
                [Pauli::Z] => p.z().clone(),
                _ => (0..2 * n).map(|j| if j % 2 == 0 { p.x().get(j / 2) } else { p.z().get(j / 2) }).collect(),
            }
        };
        let logical: Vec<&PauliString> = self.basis.logical_x().iter().chain(self.basis.logical_z()).collect();
        let members = logical.iter().copied().chain(self.basis.generators());
        let rows: Vec<BitVec> = members.map(bits).filter(|row| !row.is_zero()).collect();
        let columns = BitMatrix::from_rows(per_qubit * n, &rows).transpose();
        let operator = |row: &BitVec, order: &[usize]| -> PauliString {
            let mut out = PauliString::identity(n);
            for (place, &q) in order.iter().enumerate() {
                let pauli = match self.paulis[..] {
                    [pauli] => {
                        if row.get(place) {
                            pauli
                        } else {
                            Pauli::I
                        }
                    }
                    _ => Pauli::from_bits(row.get(2 * place), row.get(2 * place + 1)),
                };
                out.set(q, pauli);
            }
            out
        };
        // The logical operators of the code itself come first.
        let wanted = |p: &PauliString| match self.paulis[..] {
            [Pauli::X] => p.z().is_zero(),
            [Pauli::Z] => p.x().is_zero(),
            _ => true,
        };
        let first = logical.iter().copied().filter(|p| wanted(p)).min_by_key(|p| p.weight());
        // Candidates have phase 0: the same operator must not be counted twice.
        let first = first.map_or_else(|| PauliString::identity(n), |p| p.clone().with_phase(0));
        let mut upper = if first.is_identity() { usize::MAX } else { first.weight() };
        let mut best: std::collections::HashMap<PauliString, u64> = [(first, 0)].into();
        let streams = Streams::new(params.seed);
        let trials = params.trials.min(affordable(rows.len(), per_qubit * n));
        for trial in 0..trials {
            let mut rng = streams.stream(trial);
            let order = permutation(n, &mut rng);
            let mut permuted = BitMatrix::zeros(0, columns.n_cols());
            for &q in &order {
                for bit in 0..per_qubit {
                    permuted.push_row(columns.row(per_qubit * q + bit));
                }
            }
            let reduced = permuted.transpose().row_reduce();
            for row in reduced.matrix().rows().take(reduced.rank()) {
                // A quick bound before the operator is made.
                if row.weight() > per_qubit * upper.min(n) {
                    continue;
                }
                let candidate = operator(&row.to_bitvec(), &order);
                let weight = candidate.weight();
                if weight > upper || logical.iter().all(|l| l.commutes_with(&candidate)) {
                    continue;
                }
                if weight < upper {
                    upper = weight;
                    best.clear();
                }
                *best.entry(candidate).or_insert(0) += 1;
            }
        }
        let hits: u64 = best.values().sum();
        let mean_hits = hits as f64 / best.len() as f64;
        let operator = best.into_keys().min_by_key(PauliString::to_symplectic);
        Distance {
            lower: 1,
            upper,
            operator: operator.unwrap_or_default(),
            trials,
            mean_hits,
            // Many hits would round to 1, which is kept for a proof.
            confidence: (-(-mean_hits).exp_m1()).min(1.0f64.next_down()),
        }
    }
}

fn ones(words: &[u64]) -> usize {
    words.iter().map(|w| w.count_ones() as usize).sum()
}

/// A uniformly random order of 0..n.
fn permutation<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Vec<usize> {
    let mut out: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        out.swap(i, rng.random_range(0..=i as u64) as usize);
    }
    out
}

struct Search<'a> {
    task: &'a Task<'a>,
    state: Vec<u64>,
    used: Vec<bool>,
    excluded: Vec<bool>,
    chosen: Vec<usize>,
    steps: u64,
}

impl Search<'_> {
    /// Whether there is a logical operator of this weight, none being lighter; `None` if the steps are used up.
    fn weight(&mut self, weight: usize) -> Option<bool> {
        self.chosen.clear();
        self.excluded.fill(false);
        self.used.fill(false);
        self.state.fill(0);
        for first in 0..self.task.elements.len() {
            if self.with(first, weight - 1)? {
                return Some(true);
            }
            // Operators with this element have been seen.
            self.excluded[first] = true;
        }
        Some(false)
    }

    /// Adds an element and `left` more; takes it back unless an operator was found.
    fn with(&mut self, element: usize, left: usize) -> Option<bool> {
        self.steps = self.steps.checked_sub(1)?;
        let task = self.task;
        let e = &task.elements[element];
        self.state.iter_mut().zip(&e.effect).for_each(|(s, w)| *s ^= w);
        self.used[e.qubit] = true;
        self.chosen.push(element);
        let found = self.extend(left)?;
        if !found {
            self.chosen.pop();
            self.used[e.qubit] = false;
            self.state.iter_mut().zip(&e.effect).for_each(|(s, w)| *s ^= w);
        }
        Some(found)
    }

    /// Every operator that completes the present one flips the unsatisfied check once more: on an unused qubit.
    fn extend(&mut self, left: usize) -> Option<bool> {
        let task = self.task;
        let violated = ones(&self.state[..task.check_words]);
        if violated == 0 {
            // A stabilizer is no use: without it the rest would be lighter.
            return Some(self.state[task.check_words..].iter().any(|&w| w != 0));
        }
        if violated > left * task.reach {
            return Some(false);
        }
        // The unsatisfied check with the fewest ways on would be better still; the first is cheap.
        let word = self.state.iter().position(|&w| w != 0).unwrap_or(0);
        let check = 64 * word + self.state[word].trailing_zeros() as usize;
        let mut tried = Vec::new();
        let mut found = false;
        for &next in &task.flippers[check] {
            if self.excluded[next] || self.used[task.elements[next].qubit] {
                continue;
            }
            if self.with(next, left - 1)? {
                found = true;
                break;
            }
            self.excluded[next] = true;
            tried.push(next);
        }
        tried.into_iter().for_each(|next| self.excluded[next] = false);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{parse, repetition};

    /// The smallest weight among all operators, by brute force.
    fn brute(code: &StabilizerCode, paulis: &[Pauli]) -> usize {
        let n = code.n_qubits();
        let letters: Vec<Pauli> = [&[Pauli::I], paulis].concat();
        let mut best = usize::MAX;
        for index in 0..letters.len().pow(n as u32) {
            let mut operator = PauliString::identity(n);
            let mut rest = index;
            for q in 0..n {
                operator.set(q, letters[rest % letters.len()]);
                rest /= letters.len();
            }
            let weight = operator.weight();
            if weight < best && code.syndrome(&operator).is_zero() && !code.is_stabilizer(&operator) {
                best = weight;
            }
        }
        best
    }

    fn check(code: &StabilizerCode, kind: Kind, found: &Distance) {
        assert_eq!(found.operator.weight(), found.upper);
        assert!(code.syndrome(&found.operator).is_zero() && !code.is_stabilizer(&found.operator));
        assert!(kind != Kind::X || found.operator.z().is_zero());
        assert!(kind != Kind::Z || found.operator.x().is_zero());
    }

    #[test]
    fn search_and_information_sets_against_all_operators() {
        for name in ["five-qubit", "steane", "rotated-surface:2", "repetition:4", "unrotated-surface:2", "toric:2"] {
            let code = parse(name).unwrap();
            let mut kinds = vec![(Kind::Any, &Pauli::ERRORS[..])];
            if name != "five-qubit" {
                kinds.extend([(Kind::X, &[Pauli::X][..]), (Kind::Z, &[Pauli::Z])]);
            }
            for (kind, paulis) in kinds {
                let expected = brute(&code, paulis);
                // Without information sets the search starts from the code's own logical operators.
                for params in [DistanceParams::default().with_trials(0), DistanceParams::default().with_max_steps(0)] {
                    let found = distance(&code, kind, params).unwrap().unwrap();
                    assert_eq!(found.upper, expected, "{name} {kind:?}");
                    assert_eq!(found.exact().is_some(), params.max_steps > 0 || expected == 1, "{name} {kind:?}");
                    check(&code, kind, &found);
                }
                // The general search, also of codes that are CSS.
                let found = Task::new(&code, kind).run(DistanceParams::default());
                assert_eq!(found.exact(), Some(expected), "{name} {kind:?}");
            }
        }
    }

    #[test]
    fn published_distances_exactly() {
        let rows = [
            ("shor", 3, 3, 3),
            ("rotated-surface:3", 3, 3, 3),
            ("rotated-surface:5", 5, 5, 5),
            ("rotated-surface:6", 6, 6, 6),
            ("unrotated-surface:3", 3, 3, 3),
            ("unrotated-surface:5", 5, 5, 5),
            ("toric:4", 4, 4, 4),
            ("color-666:3", 3, 3, 3),
            ("color-666:5", 5, 5, 5),
            ("color-666:7", 7, 7, 7),
            ("color-488:3", 3, 3, 3),
            ("color-488:5", 5, 5, 5),
            ("color-488:7", 7, 7, 7),
            ("reed-muller", 3, 7, 3),
            ("toric-3d:2", 2, 4, 2),
            ("toric-3d:3", 3, 9, 3),
            ("bb:72,12,6", 6, 6, 6),
        ];
        for (name, d, dx, dz) in rows {
            let code = parse(name).unwrap();
            for (kind, expected) in [(Kind::Any, d), (Kind::X, dx), (Kind::Z, dz)] {
                let found = distance(&code, kind, DistanceParams::default().with_trials(20)).unwrap().unwrap();
                assert_eq!(found.exact(), Some(expected), "{name} {kind:?}: {found:?}");
                check(&code, kind, &found);
            }
        }
        for (name, d) in [("five-qubit", 3), ("xzzx:3", 3), ("xzzx:5", 5)] {
            let code = parse(name).unwrap();
            let found = distance(&code, Kind::Any, DistanceParams::default().with_trials(20)).unwrap().unwrap();
            assert_eq!(found.exact(), Some(d), "{name}");
            assert!(matches!(distance(&code, Kind::X, DistanceParams::default()), Err(Error::NotApplicable { .. })));
        }
    }

    #[test]
    fn upper_bounds_of_bivariate_bicycles() {
        for (name, d) in [("bb:90,8,10", 10), ("bb:108,8,10", 10), ("bb:144,12,12", 12)] {
            let code = parse(name).unwrap();
            let params = DistanceParams::default().with_trials(300).with_max_steps(100_000);
            let found = distance(&code, Kind::X, params).unwrap().unwrap();
            assert_eq!(found.upper, d, "{name}: {found:?}");
            check(&code, Kind::X, &found);
            assert!(found.mean_hits > 0.0 && found.confidence < 1.0 && found.lower < d);
        }
    }

    #[test]
    fn an_open_bound_is_never_certain() {
        let code = parse("shor").unwrap();
        let found = distance(&code, Kind::Any, DistanceParams::default().with_max_steps(30)).unwrap().unwrap();
        assert_eq!((found.exact(), found.upper), (None, 3));
        assert!(found.confidence < 1.0 && found.mean_hits > 0.0, "{found:?}");
        for steps in 0..200 {
            let few = DistanceParams::default().with_max_steps(steps).with_trials(1);
            let [any, x, z] = [Kind::Any, Kind::X, Kind::Z].map(|kind| distance(&code, kind, few).unwrap().unwrap());
            match any.exact() {
                Some(d) => assert!(d == 3 && any.confidence > 1.0f64.next_down()),
                // One kind may be certain while the other is open.
                None => {
                    approx::assert_abs_diff_eq!(any.confidence, x.confidence.min(z.confidence), epsilon = 0.0);
                    assert!(any.confidence < 1.0 && (x.exact().is_none() || z.exact().is_none()), "{x:?} {z:?}");
                }
            }
        }
    }

    #[test]
    fn the_work_of_information_sets_is_bounded() {
        assert_eq!(affordable(10_001, 20_000), 17);
        assert_eq!(affordable(78, 144), (1 << 36) / 2281);
        assert_eq!((affordable(0, 0), affordable(usize::MAX, usize::MAX)), (1 << 36, 0));
        let code = parse("steane").unwrap();
        assert_eq!(distance(&code, Kind::X, DistanceParams::default()).unwrap().unwrap().trials, 1000);
    }

    #[test]
    fn the_sign_of_a_logical_operator_does_not_matter() {
        let line = repetition(3).unwrap().into_stabilizer();
        let signed = line.clone().with_logicals(vec!["-XXX".parse().unwrap()], vec!["-ZII".parse().unwrap()]).unwrap();
        for kind in [Kind::Any, Kind::X, Kind::Z] {
            let [plus, minus] =
                [&line, &signed].map(|code| distance(code, kind, DistanceParams::default()).unwrap().unwrap());
            assert_eq!(plus, minus);
        }
    }

    #[test]
    fn stabilizer_states_have_no_distance() {
        let bell = StabilizerCode::from_text(&["XX", "ZZ"]).unwrap();
        assert_eq!(distance(&bell, Kind::Any, DistanceParams::default()).unwrap(), None);
        // Z alone is a logical operator.
        let line = repetition(3).unwrap().into_stabilizer();
        assert_eq!(distance(&line, Kind::Any, DistanceParams::default()).unwrap().unwrap().exact(), Some(1));
    }
}
