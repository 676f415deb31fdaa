//! Exchanges with earlier states of the machine.

use linalg_core::rng::uniform_open01;
use linalg_core::simd::{Work, widest};
use linalg_core::{Streams, threads};

use super::{SHARDS, Trainer};
use crate::fast::bits::for_ones;
use crate::fast::shard::Shard;
use crate::fast::{Lanes, PackedRbm, SHARD};

/// Exchanges of a pair of machines before their rate counts.
const EXCHANGES: u64 = 200;

impl Trainer<'_> {
    /// One round of exchanges between neighbouring machines, even pairs and odd pairs in turn; then, where too few exchanges with the
    /// last machine are accepted, the one that learns joins the ladder as it is.
    pub(super) fn exchange_along_trajectory(&mut self, smallest_rate: f64, threads: usize) {
        let n = self.chains.len() / self.rungs();
        let last = self.ladder.len() - 1;
        let first_pair = (self.updates() % 2) as usize;
        let machines: Vec<&PackedRbm> = self.ladder.iter().chain([&self.machine]).collect();
        // The joint energies of every state in the machine of its neighbour.
        let mut items: Vec<(&Shard, &PackedRbm, [f64; SHARD])> = Vec::new();
        for r in (first_pair..machines.len() - 1).step_by(2) {
            for side in 0..2 {
                let shards = &self.chains[(r + side) * n..][..n];
                items.extend(shards.iter().map(|shard| (shard, machines[r + 1 - side], [0.0; SHARD])));
            }
        }
        threads::for_pieces(threads, &mut items, |_, items| {
            for (shard, machine, out) in items {
                widest(Energies { shard, machine, out });
            }
        });
        let elsewhere: Vec<[f64; SHARD]> = items.into_iter().map(|(_, _, energies)| energies).collect();
        for (r, elsewhere) in (first_pair..=last).step_by(2).zip(elsewhere.chunks_exact(2 * n)) {
            let (low, high) = self.chains[r * n..][..2 * n].split_at_mut(n);
            let pairs = low.iter_mut().zip(high).zip(elsewhere[..n].iter().zip(&elsewhere[n..]));
            for ((low, high), (of_low, of_high)) in pairs {
                for c in 0..low.n {
                    // Every term is -E.
                    let ln_ratio = of_low[c] + of_high[c] - low.ln_weight[c] - high.ln_weight[c];
                    let accepted = u64::from(uniform_open01(&mut self.exchanges).ln() < ln_ratio);
                    if accepted == 1 {
                        low.exchange(high, c);
                    }
                    self.exchanged = [self.exchanged[0] + accepted, self.exchanged[1] + 1];
                    if r == last {
                        self.recent = [self.recent[0] + accepted, self.recent[1] + 1];
                    }
                }
            }
        }
        let [accepted, tried] = self.recent;
        if tried >= EXCHANGES {
            if (accepted as f64) < smallest_rate * tried as f64 {
                self.freeze(n);
            }
            self.recent = [0; 2];
        }
    }

    /// Puts the machine as it is on the ladder, with copies of its chains.
    fn freeze(&mut self, per_rung: usize) {
        let streams = Streams::new(self.params.seed);
        let first = SHARDS + (self.batch.len() + self.chains.len()) as u64;
        let mut rung = self.chains[self.chains.len() - per_rung..].to_vec();
        for (shard, k) in rung.iter_mut().zip(first..) {
            shard.lanes = Lanes::from_rng(&mut streams.stream(k));
        }
        self.chains.extend(rung);
        self.ladder.push(self.machine.clone());
    }
}

/// `-E` of the states of a shard in a machine.
struct Energies<'a> {
    shard: &'a Shard,
    machine: &'a PackedRbm,
    out: &'a mut [f64; SHARD],
}

impl Work for Energies<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { shard, machine, out } = self;
        for (c, out) in out.iter_mut().enumerate().take(shard.n) {
            *out = machine.visible_energy(shard.visible(c));
            for (p, &mask) in shard.hidden(c).iter().enumerate() {
                let fields = machine.hidden_fields(p, shard.visible(c));
                for_ones(&[mask], |k| *out += f64::from(fields.0[k]));
            }
        }
    }
}
