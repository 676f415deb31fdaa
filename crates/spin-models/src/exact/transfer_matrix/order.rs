//! The order in which sites enter the frontier.

use super::graph::Graph;

/// What a symbolic pass finds out about an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    /// Most spins in the state vector at one time.
    pub width: usize,
    /// `Σ 2^width` over the steps.
    pub cost: f64,
}

/// Per-site scratch space of the symbolic passes, reused over orders and components.
pub(super) struct Symbolic<'g> {
    graph: &'g Graph,
    /// Place of a site in the order under study.
    place: Vec<u32>,
    /// How many sites leave at a place.
    leaving: Vec<u32>,
    /// Sites met by a search; all false between searches.
    met: Vec<bool>,
    frontier: Frontier,
}

const NOWHERE: u32 = u32::MAX;

impl<'g> Symbolic<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        let n = graph.n_sites();
        Self {
            graph,
            place: vec![NOWHERE; n],
            leaving: vec![0; n],
            met: vec![false; n],
            frontier: Frontier::new(graph),
        }
    }

    /// The places at which the sites of `order` leave: when the last interaction of each is complete.
    pub(super) fn departures(&mut self, order: &[u32]) -> Vec<u32> {
        for (k, &site) in order.iter().enumerate() {
            self.place[site as usize] = k as u32;
        }
        let place = &self.place;
        let complete = |a: u32| self.graph.term(a).iter().map(|&site| place[site as usize]).max().unwrap_or(0);
        order
            .iter()
            .enumerate()
            .map(|(k, &site)| self.graph.terms_of(site).iter().map(|&a| complete(a)).fold(k as u32, u32::max))
            .collect()
    }

    /// The vector sizes, as exponents of two, at the steps of `order`.
    pub(super) fn widths(&mut self, order: &[u32], departures: &[u32]) -> Vec<usize> {
        let leaving = &mut self.leaving[..order.len()];
        leaving.fill(0);
        for &k in departures {
            leaving[k as usize] += 1;
        }
        let mut width = 0usize;
        let mut widths = Vec::with_capacity(order.len());
        for (k, &departure) in departures.iter().enumerate() {
            let others = leaving[k] as usize - usize::from(departure as usize == k);
            // An entering site takes the place of a leaving one.
            widths.push(if others > 0 { width } else { width + 1 });
            width = width + 1 - leaving[k] as usize;
        }
        widths
    }

    pub(super) fn size(&mut self, order: &[u32]) -> Size {
        let departures = self.departures(order);
        let widths = self.widths(order, &departures);
        Size {
            width: widths.iter().copied().max().unwrap_or(0),
            cost: widths.iter().map(|&width| (width as f64).exp2()).sum(),
        }
    }

    /// The place of the site whose absence would save most: a factor two at every step of its stay. Its later
    /// symbolic passes count it as present from the start, so that it delays no interaction.
    pub(super) fn costliest(&mut self, order: &[u32]) -> usize {
        let departures = self.departures(order);
        let widths = self.widths(order, &departures);
        let mut total = 0.0;
        let mut before = vec![0.0];
        for &width in &widths {
            total += (width as f64).exp2();
            before.push(total);
        }
        let stay = |k: usize| before[departures[k] as usize + 1] - before[k];
        let costliest = (0..order.len()).max_by(|&a, &b| stay(a).total_cmp(&stay(b)).then(b.cmp(&a))).unwrap_or(0);
        if let Some(&site) = order.get(costliest) {
            self.place[site as usize] = 0;
        }
        costliest
    }

    /// The cheapest of several orders of one component.
    ///
    /// Tried are the given order, the positions sorted along each axis, Cuthill-McKee levels from the ends of the
    /// graph, all of these backwards, and the greedy order that keeps the frontier smallest from step to step.
    pub(super) fn best_order(&mut self, component: &[u32], positions: Option<&[[f64; 3]]>) -> Vec<u32> {
        let mut best = (Size { width: usize::MAX, cost: f64::INFINITY }, Vec::new());
        let mut offer = |symbolic: &mut Self, order: Vec<u32>| {
            let size = symbolic.size(&order);
            if best.1.is_empty() || (size.cost, size.width) < (best.0.cost, best.0.width) {
                best = (size, order);
            }
            best.0
        };
        let mut both_ways = |symbolic: &mut Self, order: Vec<u32>| {
            let backwards = order.iter().rev().copied().collect();
            offer(symbolic, order);
            offer(symbolic, backwards)
        };
        let mut size = both_ways(self, component.to_vec());
        if let Some(positions) = positions {
            for axes in [[0, 1, 2], [1, 0, 2], [2, 0, 1], [2, 1, 0], [0, 2, 1], [1, 2, 0]] {
                let mut order = component.to_vec();
                let key = |&site: &u32| axes.map(|axis| positions[site as usize][axis]);
                order.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
                size = both_ways(self, order);
            }
        }
        let (end, other_end) = self.ends(component);
        for start in [end, other_end] {
            let order = self.levels(start);
            size = both_ways(self, order);
        }
        for start in [end, other_end] {
            if let Some(order) = self.greedy(component, start, size.cost) {
                size = offer(self, order);
            }
        }
        best.1
    }

    fn degree(&self, site: u32) -> usize {
        self.graph.terms_of(site).len()
    }

    /// Two sites far from each other: ends of a long shortest path.
    fn ends(&mut self, component: &[u32]) -> (u32, u32) {
        let mut end = component.iter().copied().min_by_key(|&site| self.degree(site)).unwrap_or(0);
        let mut other = end;
        for _ in 0..3 {
            other = end;
            end = self.levels(end).last().copied().unwrap_or(end);
        }
        (end, other)
    }

    /// Breadth-first order from `start`, neighbours of low degree first (Cuthill and McKee).
    fn levels(&mut self, start: u32) -> Vec<u32> {
        let mut order = vec![start];
        self.met[start as usize] = true;
        let mut next = 0;
        while next < order.len() {
            let site = order[next];
            next += 1;
            let from = order.len();
            for other in self.graph.neighbors(site) {
                if !std::mem::replace(&mut self.met[other as usize], true) {
                    order.push(other);
                }
            }
            order[from..].sort_by_key(|&site| self.degree(site));
        }
        for &site in &order {
            self.met[site as usize] = false;
        }
        order
    }

    /// Enters, at each step, the neighbour of the frontier after which the frontier is smallest; among equals the
    /// one beside the oldest frontier site. `None` as soon as the cost exceeds `bound` or the search its allowance.
    fn greedy(&mut self, component: &[u32], start: u32, bound: f64) -> Option<Vec<u32>> {
        const ALLOWANCE: usize = 4_000_000;
        let Self { graph, met, frontier, .. } = self;
        frontier.reset(graph, component);
        let mut candidates = vec![start];
        met[start as usize] = true;
        let (mut cost, mut work) = (0.0, 0usize);
        let mut order = Vec::with_capacity(component.len());
        while cost <= bound && work <= ALLOWANCE {
            let mut best: Option<(usize, u32, usize)> = None;
            for (c, &site) in candidates.iter().enumerate() {
                let (after, age, looked_at) = frontier.try_site(graph, site);
                work += looked_at;
                if best.is_none_or(|(width, oldest, _)| (after, age) < (width, oldest)) {
                    best = Some((after, age, c));
                }
            }
            let Some((_, _, c)) = best else { break };
            let site = candidates.swap_remove(c);
            cost += (frontier.enter(graph, site) as f64).exp2();
            order.push(site);
            for other in graph.neighbors(site) {
                if !std::mem::replace(&mut met[other as usize], true) {
                    candidates.push(other);
                }
            }
        }
        for &site in component {
            met[site as usize] = false;
        }
        (order.len() == component.len()).then_some(order)
    }
}

/// The state of the greedy search.
struct Frontier {
    place: Vec<u32>,
    entered: u32,
    width: usize,
    /// Sites of a term that have not entered.
    missing: Vec<u32>,
    /// Terms of a site that are not complete.
    open: Vec<u32>,
}

impl Frontier {
    fn new(graph: &Graph) -> Self {
        let n = graph.n_sites();
        Self { place: vec![NOWHERE; n], entered: 0, width: 0, missing: vec![0; graph.n_terms()], open: vec![0; n] }
    }

    fn reset(&mut self, graph: &Graph, component: &[u32]) {
        (self.entered, self.width) = (0, 0);
        for &site in component {
            self.place[site as usize] = NOWHERE;
            self.open[site as usize] = graph.terms_of(site).len() as u32;
            for &a in graph.terms_of(site) {
                self.missing[a as usize] = graph.term(a).len() as u32;
            }
        }
    }

    /// The width after `site` would have entered, the place of the oldest site beside it, and the work done.
    fn try_site(&mut self, graph: &Graph, site: u32) -> (usize, u32, usize) {
        let (mut leaving, mut oldest, mut work) = (0usize, NOWHERE, 1usize);
        for &a in graph.terms_of(site) {
            let sites = graph.term(a);
            work += sites.len();
            oldest = sites.iter().map(|&other| self.place[other as usize]).fold(oldest, u32::min);
            if self.missing[a as usize] == 1 {
                for &other in sites {
                    self.open[other as usize] -= 1;
                    leaving += usize::from(self.open[other as usize] == 0);
                }
            }
        }
        for &a in graph.terms_of(site) {
            if self.missing[a as usize] == 1 {
                for &other in graph.term(a) {
                    self.open[other as usize] += 1;
                }
            }
        }
        (self.width + 1 - leaving, oldest, work)
    }

    /// Lets `site` enter and returns the width of the step.
    fn enter(&mut self, graph: &Graph, site: u32) -> usize {
        let before = self.width;
        self.place[site as usize] = self.entered;
        self.entered += 1;
        let mut leaving = 0;
        for &a in graph.terms_of(site) {
            self.missing[a as usize] -= 1;
            if self.missing[a as usize] == 0 {
                for &other in graph.term(a) {
                    self.open[other as usize] -= 1;
                    leaving += usize::from(self.open[other as usize] == 0);
                }
            }
        }
        self.width = before + 1 - leaving;
        let others = leaving - usize::from(self.open[site as usize] == 0);
        if others > 0 { before } else { before + 1 }
    }
}
