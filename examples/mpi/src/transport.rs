//! How ranks tell each other numbers.

use std::sync::mpsc::{Receiver, Sender, channel};

/// Ranks that can gather numbers.
pub trait Transport {
    /// Number of this rank, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn ranks(&self) -> usize;

    /// Gives numbers to all ranks: `all` becomes those of rank 0, then those of rank 1 and so on. Every rank calls it, with as many
    /// numbers as the others.
    ///
    /// # Panics
    /// If `all` has not `ranks()` times the length of `mine`, or another rank has ended.
    fn all_gather(&self, mine: &[f64], all: &mut [f64]);
}

/// A thread as a rank: channels to and from every other one.
#[derive(Debug)]
pub struct Threads {
    rank: usize,
    to: Vec<Sender<Vec<f64>>>,
    from: Vec<Receiver<Vec<f64>>>,
}

impl Threads {
    /// Ranks to be handed to as many threads.
    ///
    /// ```
    /// use tempering_over_mpi::{Threads, Transport};
    ///
    /// std::thread::scope(|scope| {
    ///     for rank in Threads::ranks_of(3) {
    ///         scope.spawn(move || {
    ///             let mut all = [0.0; 3];
    ///             rank.all_gather(&[rank.rank() as f64], &mut all);
    ///             assert_eq!(all, [0.0, 1.0, 2.0]);
    ///         });
    ///     }
    /// });
    /// ```
    pub fn ranks_of(n: usize) -> Vec<Self> {
        let mut ranks: Vec<Self> = (0..n).map(|rank| Self { rank, to: Vec::new(), from: Vec::new() }).collect();
        for source in 0..n {
            for target in 0..n {
                let (sender, receiver) = channel();
                // Both in ascending order of the other end: targets of one source, sources of one target.
                ranks[source].to.push(sender);
                ranks[target].from.push(receiver);
            }
        }
        ranks
    }
}

impl Transport for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.to.len()
    }

    fn all_gather(&self, mine: &[f64], all: &mut [f64]) {
        assert_eq!(all.len(), self.ranks() * mine.len(), "{} numbers from {} ranks", all.len(), self.ranks());
        for to in &self.to {
            // Who has ended is noticed by the receiver.
            let _ = to.send(mine.to_vec());
        }
        for (from, part) in self.from.iter().zip(all.chunks_mut(mine.len().max(1))) {
            part.copy_from_slice(&from.recv().expect("another rank has ended"));
        }
    }
}
