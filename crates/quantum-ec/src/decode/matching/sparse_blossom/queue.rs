//! A queue of events whose times never go back and lie within a window.

/// What is due at a time: `what` and `which` are the solver's.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub time: i64,
    pub what: u32,
    pub which: u32,
}

const BUCKETS: usize = 256;
const WORDS: usize = BUCKETS / 64;

/// A ring of buckets of equal width, of which the first is kept in order.
///
/// Events lie between the time of the last one taken and the horizon after it, so that a bucket never holds two turns of
/// the ring. A bucket is sorted when its turn comes.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The bucket whose turn it is, latest first.
    current: Vec<Event>,
    /// Times of the current bucket, without the bits within a bucket.
    turn: i64,
    shift: u32,
    occupied: [u64; WORDS],
    ring: Vec<Vec<Event>>,
}

impl Queue {
    pub fn new() -> Self {
        Self { current: Vec::new(), turn: 0, shift: 0, occupied: [0; WORDS], ring: vec![Vec::new(); BUCKETS] }
    }

    /// Empties the queue and sets time to 0; events are then at most `span` after the last one taken.
    pub fn reset(&mut self, span: u32) {
        self.current.clear();
        self.turn = 0;
        for (k, word) in self.occupied.iter_mut().enumerate() {
            while *word != 0 {
                self.ring[64 * k + word.trailing_zeros() as usize].clear();
                *word &= *word - 1;
            }
        }
        // The window touches one bucket more than it has widths, hence the 2.
        self.shift = 32 - (span / (BUCKETS as u32 - 2)).leading_zeros();
    }

    /// The longest an event may be ahead.
    #[inline]
    pub fn horizon(&self) -> i64 {
        ((BUCKETS as i64) - 2) << self.shift
    }

    #[inline]
    pub fn push(&mut self, time: i64, what: u32, which: u32) {
        let event = Event { time, what, which };
        let turn = time >> self.shift;
        if turn == self.turn {
            let mut at = self.current.len();
            while at > 0 && self.current[at - 1].time < time {
                at -= 1;
            }
            self.current.insert(at, event);
        } else {
            debug_assert!(turn > self.turn && turn - self.turn < BUCKETS as i64);
            let slot = turn as usize % BUCKETS;
            self.ring[slot].push(event);
            self.occupied[slot / 64] |= 1 << (slot % 64);
        }
    }

    /// The earliest event.
    #[inline]
    pub fn pop(&mut self) -> Option<Event> {
        if let Some(event) = self.current.pop() {
            return Some(event);
        }
        self.turn_over()
    }

    fn turn_over(&mut self) -> Option<Event> {
        let start = self.turn as usize % BUCKETS;
        let mut step = 0;
        // The word of `start` comes twice: first its high bits, last its low ones.
        for k in 0..=WORDS {
            let word = (start / 64 + k) % WORDS;
            let bits = match k {
                0 => self.occupied[word] >> (start % 64) << (start % 64),
                WORDS => self.occupied[word] & !(u64::MAX << (start % 64)),
                _ => self.occupied[word],
            };
            if bits != 0 {
                let slot = 64 * word + bits.trailing_zeros() as usize;
                step = (slot + BUCKETS - start) % BUCKETS;
                break;
            }
        }
        if step == 0 {
            return None;
        }
        self.turn += step as i64;
        let slot = self.turn as usize % BUCKETS;
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        // Not swapped: every bucket keeps its memory, and the same shot needs no more of it.
        self.current.append(&mut self.ring[slot]);
        if self.current.len() > 1 {
            self.current.sort_unstable_by_key(|event| std::cmp::Reverse(event.time));
        }
        self.current.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_around_the_ring() {
        let mut queue = Queue::new();
        for span in [1u32, 7, 254, 255, 1000, 1 << 20] {
            queue.reset(span);
            assert!(queue.horizon() >= i64::from(span));
            let (mut state, mut now, mut waiting) = (span, 0i64, 0);
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                i64::from(state >> 8)
            };
            let mut times = std::collections::BTreeMap::new();
            for _ in 0..5000 {
                if waiting < 20 || next() % 2 == 0 {
                    let time = now + next() % (i64::from(span) + 1);
                    queue.push(time, 0, 0);
                    *times.entry(time).or_insert(0) += 1;
                    waiting += 1;
                } else {
                    now = queue.pop().unwrap().time;
                    let mut first = times.first_entry().unwrap();
                    assert_eq!(*first.key(), now);
                    *first.get_mut() -= 1;
                    if *first.get() == 0 {
                        first.remove();
                    }
                    waiting -= 1;
                }
            }
            while queue.pop().is_some() {
                waiting -= 1;
            }
            assert_eq!(waiting, 0);
        }
    }
}
