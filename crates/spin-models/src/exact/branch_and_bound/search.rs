//! Depth first through the configurations of a dense problem, with bounds from its own smaller problems.

use linalg_core::simd::Work;

/// Fields are summed in so many lanes.
const LANES: usize = 8;

/// Which branches can be left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    /// Energies that differ by no more count as equal.
    pub tolerance: f64,
    /// Two different energies differ by more than this.
    pub spacing: f64,
    /// Whether all configurations of the lowest energy are wanted.
    pub count: bool,
}

impl Rule {
    /// Branches with a bound of at least this can be left out when `best` is known.
    fn cutoff(&self, best: f64) -> f64 {
        if self.count {
            // The next number above what counts as equal.
            (best + self.tolerance).next_up()
        } else if self.spacing > 0.0 {
            best - 0.5 * self.spacing
        } else {
            best - self.tolerance
        }
    }
}

/// A problem without fields, `E = -Σ_{j>i} J_ij s_i s_j`, and the search through it.
///
/// Problem t consists of the first t spins. Spins are fixed from the last to the first; what is left of problem t after
/// fixing some is problem d < t in fields.
#[derive(Debug, Clone)]
pub(super) struct Search {
    n: usize,
    stride: usize,
    /// Row j: couplings of spin j to those before it; 0 from the diagonal on.
    couplings: Vec<f64>,
    /// Lower bounds of the problems without fields.
    pub bounds: Vec<f64>,
    rule: Rule,
    /// Row d: fields on the first d spins from the fixed ones; 0 from d on.
    fields: Vec<f64>,
    /// The field that spin j felt when it was fixed.
    felt: Vec<f64>,
    /// The energy among the fixed spins, by the number of those that are free.
    energies: Vec<f64>,
    signs: Vec<f64>,
    /// The bound of the other sign of spin j; infinite where it has been looked at.
    others: Vec<f64>,
    /// Number of spins of the problem, and of those that are free now.
    size: usize,
    free: usize,
    pub best: Best,
}

/// What was found of one problem.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Best {
    pub energy: f64,
    pub signs: Vec<f64>,
    /// Configurations of this energy met, of two mirror images one; counted where the rule says so.
    pub count: f64,
    /// The first of them.
    pub all: Vec<Vec<f64>>,
    /// How many may be kept.
    pub keep: usize,
    pub nodes: u64,
}

impl Search {
    /// A problem from a symmetric matrix, row by row.
    pub fn new(n: usize, matrix: &[f64], rule: Rule) -> Self {
        let stride = n.next_multiple_of(LANES);
        let mut couplings = vec![0.0; n * stride];
        for j in 0..n {
            couplings[j * stride..j * stride + j].copy_from_slice(&matrix[j * n..j * n + j]);
        }
        Self {
            n,
            stride,
            couplings,
            bounds: vec![0.0; n + 1],
            rule,
            fields: vec![0.0; (n + 1) * stride],
            felt: vec![0.0; n],
            energies: vec![0.0; n + 1],
            signs: vec![1.0; n],
            others: vec![f64::INFINITY; n],
            size: 0,
            free: 0,
            best: Best::default(),
        }
    }

    /// `Σ_i |J_ij|` over the spins before j.
    pub fn reach(&self, j: usize) -> f64 {
        self.row(j).iter().map(|x| x.abs()).sum()
    }

    pub fn row(&self, j: usize) -> &[f64] {
        &self.couplings[j * self.stride..j * self.stride + j]
    }

    /// The symmetric matrix of all couplings, row by row.
    pub fn matrix(&self) -> Vec<f64> {
        let n = self.n;
        let mut matrix = vec![0.0; n * n];
        for j in 0..n {
            for (i, &x) in self.row(j).iter().enumerate() {
                matrix[j * n + i] = x;
                matrix[i * n + j] = x;
            }
        }
        matrix
    }

    /// The energy of the first `signs.len()` spins.
    pub fn energy(&self, signs: &[f64]) -> f64 {
        let field = |j: usize| -> f64 { self.row(j).iter().zip(signs).map(|(x, s)| x * s).sum() };
        -(0..signs.len()).map(|j| signs[j] * field(j)).sum::<f64>()
    }

    /// Begins problem `size`, of which a configuration is known; its last spin is held.
    pub fn begin(&mut self, size: usize, known: &[f64], count: bool, keep: usize) {
        debug_assert!(size >= 1 && size <= self.n && known.len() == size);
        self.rule.count = count;
        self.best = Best { energy: self.energy(known), signs: known.to_vec(), keep, ..Best::default() };
        self.size = size;
        self.free = size - 1;
        self.signs[size - 1] = 1.0;
        self.energies[size - 1] = 0.0;
        self.others.fill(f64::INFINITY);
        let (row, stride) = (self.couplings[(size - 1) * self.stride..size * self.stride].to_vec(), self.stride);
        self.fields[(size - 1) * stride..size * stride].copy_from_slice(&row);
        if self.free == 0 {
            self.leaf();
            self.size = 0;
        }
    }

    /// Whether the whole problem has been searched.
    pub fn is_done(&self) -> bool {
        self.size == 0
    }

    /// A lower bound of what has not been searched; the best energy where nothing is left that could be below.
    pub fn open_bound(&self) -> f64 {
        if self.is_done() {
            return self.best.energy;
        }
        let felt: f64 = self.fields[self.free * self.stride..][..self.stride].iter().map(|h| h.abs()).sum();
        let here = self.energies[self.free] - felt + self.bounds[self.free];
        self.others[self.free..self.size].iter().fold(here.min(self.best.energy), |least, &other| least.min(other))
    }

    /// How much of the problem has been searched, in parts of 1, if every branch were as large.
    pub fn share(&self) -> f64 {
        if self.is_done() {
            return 1.0;
        }
        // A branch that is no longer open beside this one has been searched.
        let open = (self.free..self.size - 1).rev().map(|j| self.others[j].is_infinite());
        let (share, _) =
            open.fold((0.0, 0.5), |(share, part), searched| (if searched { share + part } else { share }, 0.5 * part));
        share
    }

    /// Notes the configuration that is now fixed.
    fn leaf(&mut self) {
        let energy = self.energies[0];
        let signs = &self.signs[..self.size];
        if energy < self.best.energy - self.rule.tolerance {
            self.best.energy = energy;
            self.best.signs.copy_from_slice(signs);
            self.best.count = 0.0;
            self.best.all.clear();
        }
        if self.rule.count {
            self.best.count += 1.0;
            if self.best.all.len() < self.best.keep {
                self.best.all.push(signs.to_vec());
            }
        }
    }

    /// Fixes spin `self.free - 1` with this sign.
    #[inline(always)]
    fn fix(&mut self, sign: f64) {
        let j = self.free - 1;
        let stride = self.stride;
        let (below, above) = self.fields.split_at_mut((j + 1) * stride);
        let (to, from) = (&mut below[j * stride..], &above[..stride]);
        let row = &self.couplings[j * stride..(j + 1) * stride];
        let width = j.next_multiple_of(LANES).min(stride);
        for ((to, from), row) in (to[..width].as_chunks_mut::<LANES>().0.iter_mut())
            .zip(from[..width].as_chunks::<LANES>().0)
            .zip(row[..width].as_chunks::<LANES>().0)
        {
            for k in 0..LANES {
                to[k] = from[k] + sign * row[k];
            }
        }
        self.signs[j] = sign;
        self.energies[j] = self.energies[j + 1] - sign * self.felt[j];
        self.free = j;
    }

    /// The sums of the absolute fields on the spins before j for both signs of spin j.
    #[inline(always)]
    fn sums(&self, j: usize) -> [f64; 2] {
        let width = j.next_multiple_of(LANES).min(self.stride);
        let fields = &self.fields[(j + 1) * self.stride..][..width];
        let row = &self.couplings[j * self.stride..][..width];
        let (mut up, mut down) = ([0.0f64; LANES], [0.0f64; LANES]);
        for (field, row) in fields.as_chunks::<LANES>().0.iter().zip(row.as_chunks::<LANES>().0) {
            for k in 0..LANES {
                up[k] += (field[k] + row[k]).abs();
                down[k] += (field[k] - row[k]).abs();
            }
        }
        [up, down].map(|x| ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7])))
    }

    /// Goes on to the next branch that is open; false where there is none.
    #[inline(always)]
    fn back(&mut self) -> bool {
        let cutoff = self.rule.cutoff(self.best.energy);
        while self.free + 1 < self.size {
            let j = self.free;
            self.free = j + 1;
            if self.others[j] < cutoff {
                self.others[j] = f64::INFINITY;
                self.fix(-self.signs[j]);
                return true;
            }
            self.others[j] = f64::INFINITY;
        }
        self.size = 0;
        false
    }
}

/// Looks at up to so many nodes.
pub(super) struct Advance<'a> {
    pub search: &'a mut Search,
    pub nodes: u64,
}

impl Work for Advance<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { search, nodes } = self;
        for _ in 0..nodes {
            if search.is_done() {
                return;
            }
            search.best.nodes += 1;
            if search.free == 0 {
                search.leaf();
                if !search.back() {
                    return;
                }
                continue;
            }
            let j = search.free - 1;
            let place = search.free * search.stride + j;
            // The field of the spin that is fixed next is no longer one of those that are summed.
            let felt = std::mem::take(&mut search.fields[place]);
            search.felt[j] = felt;
            let [up, down] = search.sums(j);
            let base = search.energies[j + 1] + search.bounds[j];
            let bounds = [base - felt - up, base + felt - down];
            let (sign, lower, upper) =
                if bounds[0] <= bounds[1] { (1.0, bounds[0], bounds[1]) } else { (-1.0, bounds[1], bounds[0]) };
            if lower < search.rule.cutoff(search.best.energy) {
                search.others[j] = upper;
                search.fix(sign);
            } else if !search.back() {
                return;
            }
        }
    }
}
