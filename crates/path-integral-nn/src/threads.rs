//! Numbered work units on several threads.

/// Calls `work` on every item, with up to `threads` threads; the numbers cannot depend on how many.
pub(crate) fn for_each<T: Send>(threads: usize, items: &mut [T], work: impl Fn(&mut T) + Sync) {
    if threads <= 1 || items.len() <= 1 {
        return items.iter_mut().for_each(work);
    }
    let (share, work) = (items.len().div_ceil(threads), &work);
    // This thread works, too: one less has to start.
    let (first, rest) = items.split_at_mut(share);
    std::thread::scope(|scope| {
        for items in rest.chunks_mut(share) {
            scope.spawn(move || items.iter_mut().for_each(work));
        }
        first.iter_mut().for_each(work);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_once() {
        for threads in [0, 1, 2, 3, 100] {
            let mut items: Vec<u64> = (0..7).collect();
            for_each(threads, &mut items, |x| *x += 10);
            assert_eq!(items, (10..17).collect::<Vec<_>>());
        }
    }
}
