//! A slow planarity test that shares nothing with the fast one.

use std::collections::HashMap;

/// Planarity by Wagner's theorem: no K₅ or K₃,₃ is left by contracting edges and leaving out others.
#[derive(Default)]
pub struct Minors {
    known: HashMap<Vec<u16>, bool>,
}

impl Minors {
    pub fn is_planar(&mut self, adjacent: Vec<u16>) -> bool {
        let n = adjacent.len();
        if n < 5 {
            return true;
        }
        if let Some(&answer) = self.known.get(&adjacent) {
            return answer;
        }
        let mut answer = !Self::contains(&adjacent);
        for u in 0..n {
            for v in 0..u {
                answer = answer && (adjacent[u] >> v & 1 == 0 || self.is_planar(Self::contract(&adjacent, u, v)));
            }
        }
        self.known.insert(adjacent, answer);
        answer
    }

    /// K₅ or K₃,₃ as a subgraph.
    fn contains(adjacent: &[u16]) -> bool {
        let n = adjacent.len() as u32;
        let all = |set: u16, inside: &dyn Fn(usize) -> bool| (0..n as usize).all(|v| set >> v & 1 == 0 || inside(v));
        let five = (0..1u16 << n).filter(|set| set.count_ones() == 5);
        let mut three = (0..1u16 << n).filter(|set| set.count_ones() == 3);
        five.into_iter().any(|set| all(set, &|v| adjacent[v] & set == set & !(1 << v)))
            || three.any(|set| {
                let common = (0..n as usize).filter(|v| set >> v & 1 == 1).fold(u16::MAX, |c, v| c & adjacent[v]);
                (common & !set).count_ones() >= 3
            })
    }

    fn contract(adjacent: &[u16], u: usize, v: usize) -> Vec<u16> {
        let n = adjacent.len();
        let mut merged = adjacent.to_vec();
        merged[v] = (merged[v] | merged[u]) & !(1 << v);
        for (w, row) in merged.iter_mut().enumerate() {
            if w != v && *row >> u & 1 == 1 {
                *row |= 1 << v;
            }
        }
        let low = (1u16 << u) - 1;
        (0..n).filter(|&w| w != u).map(|w| merged[w] & low | (merged[w] >> 1) & !low).collect()
    }
}

pub fn rows(n: usize, edges: &[(usize, usize)]) -> Vec<u16> {
    let mut rows = vec![0; n];
    for &(u, v) in edges.iter().filter(|(u, v)| u != v) {
        rows[u] |= 1 << v;
        rows[v] |= 1 << u;
    }
    rows
}
