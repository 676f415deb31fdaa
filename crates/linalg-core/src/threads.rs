//! Items of work on several threads.
//!
//! What is computed for an item must not depend on which thread has it or on how many there are; then results do not either.
//! Threads are started for a call and end with it, which costs some ten microseconds each: an item should be worth that.
//!
//! ```
//! use linalg_core::threads::for_each;
//!
//! let mut squares: Vec<u64> = (0..5).collect();
//! for_each(2, &mut squares, |x| *x *= *x);
//! assert_eq!(squares, [0, 1, 4, 9, 16]);
//! ```

/// Calls `work` on every item, with up to `threads` threads, this one among them; 0 counts as 1.
///
/// # Panics
/// If `work` does.
pub fn for_each<T: Send>(threads: usize, items: &mut [T], work: impl Fn(&mut T) + Sync) {
    for_pieces(threads, items, |_, piece| piece.iter_mut().for_each(&work));
}

/// Calls `work` on pieces of nearly equal size, a thread each; `work` gets the number of the first item of its piece.
///
/// ```
/// use linalg_core::threads::for_pieces;
///
/// let mut numbers = [0; 5];
/// for_pieces(2, &mut numbers, |first, piece| piece.iter_mut().enumerate().for_each(|(k, x)| *x = first + k));
/// assert_eq!(numbers, [0, 1, 2, 3, 4]);
/// ```
///
/// # Panics
/// If `work` does.
pub fn for_pieces<T: Send>(threads: usize, items: &mut [T], work: impl Fn(usize, &mut [T]) + Sync) {
    let threads = threads.clamp(1, items.len().max(1));
    let share = items.len().div_ceil(threads).max(1);
    if items.len() <= share {
        return work(0, items);
    }
    let work = &work;
    // This thread works, too: one less has to start.
    let (first, rest) = items.split_at_mut(share);
    std::thread::scope(|scope| {
        for (k, piece) in rest.chunks_mut(share).enumerate() {
            scope.spawn(move || work((k + 1) * share, piece));
        }
        work(0, first);
    });
}

/// The number of threads asked for: 0 stands for all there are.
pub fn count(threads: usize) -> usize {
    if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [0, 1, 2, 3, 100] {
            for n in [0, 1, 2, 7, 8] {
                let mut items = vec![0; n];
                for_pieces(threads, &mut items, |first, piece| {
                    piece.iter_mut().enumerate().for_each(|(k, x)| *x += first + k + 1);
                });
                for_each(threads, &mut items, |x| *x += 10);
                assert_eq!(items, (11..n + 11).collect::<Vec<_>>());
            }
        }
    }
}
