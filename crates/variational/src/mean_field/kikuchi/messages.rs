//! Convex problems inside a loop that lowers Kikuchi's free energy.

use linalg_core::Streams;
use linalg_core::logspace::{log_add_exp, log_sum_exp};
use rand::RngExt;

use super::regions::Regions;

/// A plaquette as a ring of four spins: the logarithm of its belief, fields and couplings.
#[derive(Clone, Copy)]
struct Ring {
    fields: [f64; 4],
    couplings: [f64; 4],
}

/// A coupling outside all plaquettes as a region of its own.
#[derive(Clone, Copy)]
struct Bond {
    fields: [f64; 2],
    coupling: f64,
}

/// A large region that holds a site, and which of its spins the site is.
#[derive(Clone, Copy)]
enum Parent {
    Ring(usize, usize),
    Bond(usize, usize),
}

/// An edge of two plaquettes or more: the logarithm of its belief, fields at its ends and the coupling.
struct Shared {
    edge: usize,
    belief: [f64; 3],
    /// The belief at which its entropy is linear now.
    linear: [f64; 3],
    /// What it sends to each plaquette.
    to: Vec<[f64; 3]>,
}

/// A site: the field of its belief.
struct Site {
    parents: Vec<Parent>,
    belief: f64,
    linear: f64,
    to: Vec<f64>,
}

/// The beliefs of all regions, within what the last messages made of them.
pub(super) struct Messages<'r> {
    pub regions: &'r Regions,
    pub beta: f64,
    rings: Vec<Ring>,
    bonds: Vec<Bond>,
    /// Which bond an edge is, where it is one.
    bond_of: Vec<Option<usize>>,
    shared: Vec<Shared>,
    sites: Vec<Site>,
}

/// A region of a few spins with effective fields and couplings.
pub(super) struct Local {
    /// Probabilities of its states, bit k set for spin k down.
    pub belief: Vec<f64>,
}

fn sign(state: usize, k: usize) -> f64 {
    if state >> k & 1 == 0 { 1.0 } else { -1.0 }
}

impl Local {
    fn new(fields: &[f64], couplings: &[(usize, usize, f64)]) -> Self {
        let ln: Vec<f64> = (0..1usize << fields.len())
            .map(|state| {
                let field: f64 = fields.iter().enumerate().map(|(k, h)| h * sign(state, k)).sum();
                let pair: f64 = couplings.iter().map(|&(j, k, c)| c * sign(state, j) * sign(state, k)).sum();
                field + pair
            })
            .collect();
        let total = log_sum_exp(&ln);
        Self { belief: ln.iter().map(|ln| (ln - total).exp()).collect() }
    }

    pub fn entropy(&self) -> f64 {
        self.belief.iter().filter(|&&b| b > 0.0).map(|b| -b * b.ln()).sum()
    }

    pub fn magnetization(&self, k: usize) -> f64 {
        self.belief.iter().enumerate().map(|(state, b)| b * sign(state, k)).sum()
    }

    pub fn product(&self, j: usize, k: usize) -> f64 {
        self.belief.iter().enumerate().map(|(state, b)| b * sign(state, j) * sign(state, k)).sum()
    }
}

/// `artanh(tanh K tanh f)` as a difference of logarithms, which does not saturate.
fn through(coupling: f64, f: f64) -> f64 {
    0.5 * (log_add_exp(coupling + f, -coupling - f) - log_add_exp(coupling - f, f - coupling))
}

impl Ring {
    /// The marginal of side `k`: fields at its ends, and a coupling.
    fn side(&self, k: usize) -> [f64; 3] {
        let [next, far, last] = [1, 2, 3].map(|step| (k + step) % 4);
        let ln = |a: f64, b: f64| {
            let (c, d) = (self.couplings[next] * b + self.fields[far], self.couplings[last] * a + self.fields[last]);
            let between = self.couplings[far];
            let even = log_add_exp(c + d, -c - d) + between;
            log_add_exp(even, log_add_exp(c - d, d - c) - between)
        };
        let (pp, pm, mp, mm) = (ln(1.0, 1.0), ln(1.0, -1.0), ln(-1.0, 1.0), ln(-1.0, -1.0));
        [
            self.fields[k] + 0.25 * ((pp + pm) - (mp + mm)),
            self.fields[next] + 0.25 * ((pp + mp) - (pm + mm)),
            self.couplings[k] + 0.25 * ((pp + mm) - (pm + mp)),
        ]
    }

    /// The field of the marginal of spin `k`.
    fn site(&self, k: usize) -> f64 {
        let [own, other, coupling] = self.side(k);
        own + through(coupling, other)
    }
}

/// Turns the ends of a side so that the smaller site of its edge comes first, or back.
fn turned(side: [f64; 3], first: usize) -> [f64; 3] {
    if first == 0 { side } else { [side[1], side[0], side[2]] }
}

impl<'r> Messages<'r> {
    pub fn new(regions: &'r Regions, beta: f64, noise: f64, seed: u64) -> Self {
        let mut rng = Streams::new(seed).stream(0);
        let mut random = || noise * (2.0 * rng.random::<f64>() - 1.0);
        let mut rings: Vec<Ring> =
            regions.plaquettes.iter().map(|_| Ring { fields: [0.0; 4], couplings: [0.0; 4] }).collect();
        let (mut bonds, mut bond_of, mut shared) = (Vec::new(), Vec::new(), Vec::new());
        let mut parents: Vec<Vec<Parent>> = vec![Vec::new(); regions.fields.len()];
        for (p, plaquette) in regions.plaquettes.iter().enumerate() {
            plaquette.sites.iter().enumerate().for_each(|(k, &i)| parents[i].push(Parent::Ring(p, k)));
        }
        // The energy of a coupling or a field is shared out evenly among the large regions that hold it.
        for (e, edge) in regions.edges.iter().enumerate() {
            let n = edge.plaquettes.len();
            bond_of.push((n == 0).then_some(bonds.len()));
            if n == 0 {
                edge.sites.iter().enumerate().for_each(|(end, &i)| parents[i].push(Parent::Bond(bonds.len(), end)));
                bonds.push(Bond { fields: [0.0; 2], coupling: beta * edge.coupling });
            }
            for &(p, k) in &edge.plaquettes {
                rings[p].couplings[k] += beta * edge.coupling / n as f64;
            }
            if n > 1 {
                shared.push(Shared { edge: e, belief: [0.0; 3], linear: [0.0; 3], to: vec![[0.0; 3]; n] });
            }
        }
        let site = |parents: Vec<Parent>| Site { belief: 0.0, linear: 0.0, to: vec![0.0; parents.len()], parents };
        let sites = parents.into_iter().map(site).collect();
        let mut messages = Self { regions, beta, rings, bonds, bond_of, shared, sites };
        for (i, h) in regions.fields.iter().enumerate() {
            let share = beta * h / messages.sites[i].parents.len().max(1) as f64;
            for t in 0..messages.sites[i].parents.len() {
                // Random first messages that add up to noise, not to a field.
                let sent = random();
                messages.sites[i].to[t] = sent;
                messages.add_field(messages.sites[i].parents[t], share + sent);
            }
            if messages.sites[i].parents.is_empty() {
                messages.sites[i].belief = beta * h;
            }
        }
        messages
    }

    fn add_field(&mut self, to: Parent, field: f64) {
        match to {
            Parent::Ring(p, k) => self.rings[p].fields[k] += field,
            Parent::Bond(e, end) => self.bonds[e].fields[end] += field,
        }
    }

    fn add_side(&mut self, (p, k): (usize, usize), side: [f64; 3]) {
        self.rings[p].fields[k] += side[0];
        self.rings[p].fields[(k + 1) % 4] += side[1];
        self.rings[p].couplings[k] += side[2];
    }

    fn first(&self, (p, k): (usize, usize)) -> usize {
        self.regions.plaquettes[p].first_end(&self.regions.edges, k)
    }

    /// Makes the plaquettes of every shared edge agree on it, and then the regions of every site on the site.
    ///
    /// Each is the exact solution of the convex problem in the messages of one small region.
    fn agree(&mut self) {
        for s in 0..self.shared.len() {
            let edge = &self.regions.edges[self.shared[s].edge];
            let mut from = Vec::with_capacity(edge.plaquettes.len());
            let mut belief = [0.0; 3];
            for (&(p, k), to) in edge.plaquettes.iter().zip(&self.shared[s].to) {
                let side = turned(self.rings[p].side(k), self.first((p, k)));
                let sent = [0, 1, 2].map(|x| side[x] - to[x]);
                (0..3).for_each(|x| belief[x] += sent[x] / edge.plaquettes.len() as f64);
                from.push(sent);
            }
            for (t, (&at, from)) in edge.plaquettes.iter().zip(&from).enumerate() {
                let new = [0, 1, 2].map(|x| belief[x] - from[x]);
                let step = [0, 1, 2].map(|x| new[x] - self.shared[s].to[t][x]);
                self.shared[s].to[t] = new;
                self.add_side(at, turned(step, self.first(at)));
            }
            self.shared[s].belief = belief;
        }
        for i in 0..self.sites.len() {
            let n = self.sites[i].parents.len();
            if n == 0 {
                continue;
            }
            let count = n as f64 + self.regions.counts[i].max(0.0);
            let marginal = |&parent: &Parent| match parent {
                Parent::Ring(p, k) => self.rings[p].site(k),
                Parent::Bond(e, end) => {
                    let Bond { fields, coupling } = self.bonds[e];
                    fields[end] + through(coupling, fields[1 - end])
                }
            };
            let site = &self.sites[i];
            let from: Vec<f64> = site.parents.iter().zip(&site.to).map(|(p, to)| marginal(p) - to).collect();
            let belief = from.iter().sum::<f64>() / count;
            for (t, from) in from.into_iter().enumerate() {
                let new = belief - from;
                let step = new - std::mem::replace(&mut self.sites[i].to[t], new);
                self.add_field(self.sites[i].parents[t], step);
            }
            self.sites[i].belief = belief;
        }
    }

    /// One step of the outer loop: `inner` rounds of messages, after which the entropies that count negatively are made
    /// linear at the new beliefs. Returns the largest change of those, and of the other beliefs. NaN if one is no number.
    pub fn sweep(&mut self, inner: u64) -> f64 {
        let mut residual: f64 = 0.0;
        let mut see = |change: f64| {
            if change.abs() > residual || change.is_nan() {
                residual = change.abs();
            }
        };
        (0..inner).for_each(|_| self.agree());
        for s in 0..self.shared.len() {
            let Shared { edge, belief, linear, .. } = self.shared[s];
            let plaquettes = &self.regions.edges[edge].plaquettes;
            let n = plaquettes.len() as f64;
            let step = [0, 1, 2].map(|x| (belief[x] - linear[x]) * (n - 1.0) / n);
            step.iter().for_each(|&x| see(x));
            for &at in plaquettes {
                self.add_side(at, turned(step, self.first(at)));
            }
            self.shared[s].linear = belief;
        }
        for i in 0..self.sites.len() {
            let (n, count) = (self.sites[i].parents.len() as f64, self.regions.counts[i]);
            let step = self.sites[i].belief - self.sites[i].linear;
            see(step);
            if count < 0.0 {
                for t in 0..self.sites[i].parents.len() {
                    self.add_field(self.sites[i].parents[t], -count / n * step);
                }
            }
            self.sites[i].linear = self.sites[i].belief;
        }
        residual
    }

    pub fn site_belief(&self, i: usize) -> Local {
        Local::new(&[self.sites[i].belief], &[])
    }

    /// The belief of an edge in its first plaquette, or as a region of its own.
    pub fn edge_belief(&self, e: usize) -> Local {
        let side = match (self.bond_of[e], self.regions.edges[e].plaquettes.first()) {
            (Some(b), _) => [self.bonds[b].fields[0], self.bonds[b].fields[1], self.bonds[b].coupling],
            (None, Some(&(p, k))) => turned(self.rings[p].side(k), self.first((p, k))),
            (None, None) => [0.0; 3],
        };
        Local::new(&side[..2], &[(0, 1, side[2])])
    }

    pub fn plaquette_belief(&self, p: usize) -> Local {
        let Ring { fields, couplings } = self.rings[p];
        Local::new(&fields, &[0, 1, 2, 3].map(|k| (k, (k + 1) % 4, couplings[k])))
    }
}
