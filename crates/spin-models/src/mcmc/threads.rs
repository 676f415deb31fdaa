//! Independent chains on several threads.

/// Calls `work` on every item, with up to `threads` threads; the numbers cannot depend on how many.
pub(super) fn for_each<T: Send>(threads: usize, items: &mut [T], work: impl Fn(&mut T) + Sync) {
    if threads <= 1 || items.len() <= 1 {
        return items.iter_mut().for_each(work);
    }
    let share = items.len().div_ceil(threads);
    let work = &work;
    std::thread::scope(|scope| {
        for part in items.chunks_mut(share) {
            scope.spawn(move || part.iter_mut().for_each(work));
        }
    });
}

/// Calls `work` on every item: in turn, or with the feature `rayon` on all cores.
pub(super) fn for_each_read<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        items.par_iter_mut().for_each(work);
    }
    #[cfg(not(feature = "rayon"))]
    items.iter_mut().for_each(work);
}

/// Cuts `total` steps into at most `parts` pieces of nearly equal size, none of them empty.
pub(super) fn pieces(total: u64, parts: u64) -> impl Iterator<Item = u64> {
    let parts = parts.min(total);
    // 128 bits: the product may not fit 64.
    let at = move |k: u64| (u128::from(total) * u128::from(k) / u128::from(parts.max(1))) as u64;
    (0..parts).map(move |k| at(k + 1) - at(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [0, 1, 2, 3, 100] {
            let mut items: Vec<u64> = (0..7).collect();
            for_each(threads, &mut items, |x| *x += 10);
            assert_eq!(items, (10..17).collect::<Vec<_>>());
        }
        for_each(4, &mut [] as &mut [u64], |_| unreachable!());
    }

    #[test]
    fn pieces_add_up() {
        for (total, parts) in [(0, 5), (1, 5), (100, 7), (7, 7), (u64::MAX, 3), (5, 0)] {
            let sum: u64 = pieces(total, parts).sum();
            assert_eq!(sum, if parts == 0 { 0 } else { total });
            assert!(pieces(total, parts).all(|piece| piece > 0));
        }
    }
}
