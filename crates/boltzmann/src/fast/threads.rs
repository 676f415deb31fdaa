//! Shares of work on several threads.

/// Calls `work` on pieces of nearly equal size, a thread each; `work` gets the number of the first item of its piece.
///
/// What is computed for an item must not depend on its piece.
pub(crate) fn for_pieces<T: Send>(threads: usize, items: &mut [T], work: impl Fn(usize, &mut [T]) + Sync) {
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
pub(crate) fn count(threads: usize) -> usize {
    if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [1, 2, 3, 100] {
            for n in [0, 1, 2, 7, 8] {
                let mut items = vec![0; n];
                super::for_pieces(threads, &mut items, |first, piece| {
                    piece.iter_mut().enumerate().for_each(|(k, x)| *x += first + k + 1);
                });
                assert_eq!(items, (1..=n).collect::<Vec<_>>());
            }
        }
    }
}
