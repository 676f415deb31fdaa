//! What happens next while a tree grows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that may have become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The edge of a half-edge that leaves an outer vertex may be tight.
    Tight(u32),
    /// The dual of an inner blossom may be 0.
    Expand(u32),
}

/// Events by the time at which they are due, with the one that ends the search kept apart.
///
/// Nothing is ever removed when circumstances change: whoever takes an event checks that it still holds.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Due at once.
    now: Vec<Event>,
    later: BinaryHeap<Reverse<(i64, Event)>>,
    /// The earliest edge to an exposed vertex: it stays what it is until the search ends.
    exit: Option<(i64, u32)>,
}

impl Events {
    pub fn clear(&mut self) {
        self.now.clear();
        self.later.clear();
        self.exit = None;
    }

    /// Whether an event at this time can come before the end of the search.
    #[inline]
    pub fn matters(&self, time: i64) -> bool {
        self.exit.is_none_or(|(end, _)| time < end)
    }

    #[inline]
    pub fn push(&mut self, now: i64, time: i64, event: Event) {
        debug_assert!(time >= now, "an event in the past");
        if time == now {
            self.now.push(event);
        } else if self.matters(time) {
            self.later.push(Reverse((time, event)));
        }
    }

    /// An edge to an exposed vertex becomes tight at this time.
    #[inline]
    pub fn push_exit(&mut self, time: i64, half: u32) {
        if self.matters(time) {
            self.exit = Some((time, half));
        }
    }

    /// The next event before the exit, with its time.
    pub fn pop(&mut self, now: i64) -> Option<(i64, Event)> {
        if self.exit.is_some_and(|(end, _)| end <= now) {
            return None;
        }
        if let Some(event) = self.now.pop() {
            return Some((now, event));
        }
        let Reverse((time, event)) = self.later.pop()?;
        self.matters(time).then_some((time, event))
    }

    /// Where and when the search ends, once no event comes before.
    pub fn exit(&self) -> Option<(i64, u32)> {
        self.exit
    }
}
