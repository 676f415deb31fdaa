//! Independent chains on several threads.

pub(super) use linalg_core::threads::for_each;

/// Up to `threads` threads, each with work for some tenths of a millisecond: starting one takes a tenth of that, and much
/// longer on a machine that is busy.
pub(super) fn worthwhile(threads: usize, updates: u64, updates_per_thread: u64) -> usize {
    threads.min(usize::try_from(updates / updates_per_thread).unwrap_or(usize::MAX)).max(1)
}

/// The sum of what `work` returns for every item: with several threads, or else as [`for_each_read`].
pub(super) fn sum_over<T: Send>(threads: usize, items: &mut [T], work: impl Fn(&mut T) -> u64 + Sync + Send) -> u64 {
    let mut items: Vec<(&mut T, u64)> = items.iter_mut().map(|item| (item, 0)).collect();
    let work = |(item, sum): &mut (&mut T, u64)| *sum = work(item);
    if threads > 1 {
        for_each(threads, &mut items, work)
    } else {
        for_each_read(&mut items, work)
    }
    items.iter().map(|(_, sum)| sum).sum()
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
        assert_eq!([0, 1, 2, 9].map(|threads| worthwhile(threads, 700, 100)), [1, 1, 2, 7]);
        assert_eq!(worthwhile(3, 0, 100), 1);
        assert_eq!(sum_over(1, &mut [1, 2, 3], |x| *x), 6);
        assert_eq!(sum_over(2, &mut [1, 2, 3], |x| *x), 6);
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
