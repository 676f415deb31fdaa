//! Threads that take many short steps together.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Looks at the others before the processor is offered to another thread: some microseconds.
const SPINS: u32 = 200;

/// Where threads wait for each other, for steps that take less time than waking a thread does.
///
/// A thread that waits looks again and again for some microseconds, then lets other threads run between two looks. What
/// a thread wrote before it waited is seen by all others after they have waited.
pub(super) struct Barrier {
    threads: usize,
    /// Threads that have come to the present step.
    arrived: AtomicUsize,
    steps: AtomicUsize,
    broken: AtomicBool,
}

/// Another thread has panicked: nobody will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

impl Barrier {
    fn new(threads: usize) -> Self {
        let (arrived, steps) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { threads, arrived, steps, broken: AtomicBool::new(false) }
    }

    /// Returns when all threads have called this as often as this one.
    pub(super) fn wait(&self) -> Result<(), Broken> {
        // Only this thread's arrival lets the number go on, so it is the latest.
        let step = self.steps.load(Ordering::Relaxed);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.steps.store(step.wrapping_add(1), Ordering::Release);
            return Ok(());
        }
        let mut spins = 0;
        while self.steps.load(Ordering::Acquire) == step {
            if self.broken.load(Ordering::Acquire) {
                // All may have arrived at this step before one of them broke the next.
                return if self.steps.load(Ordering::Acquire) == step { Err(Broken) } else { Ok(()) };
            }
            if spins < SPINS {
                spins += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
        Ok(())
    }
}

/// Breaks the barrier unless the work came to its end.
struct Guard<'a>(&'a Barrier);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.broken.store(true, Ordering::Release);
    }
}

fn guarded<T>(barrier: &Barrier, work: impl FnOnce(&Barrier) -> T) -> T {
    let guard = Guard(barrier);
    let result = work(barrier);
    std::mem::forget(guard);
    result
}

/// Runs `first` on this thread and each of `others` on one of its own, with a barrier for all of them. The results, that
/// of `first` in front.
///
/// # Panics
/// As the first of the works that does; the others find the barrier broken.
pub(super) fn together<T: Send>(
    first: impl FnOnce(&Barrier) -> T,
    others: Vec<impl FnOnce(&Barrier) -> T + Send>,
) -> Vec<T> {
    let barrier = &Barrier::new(others.len() + 1);
    std::thread::scope(|scope| {
        // Also where a thread cannot be started: those that were would wait for it.
        let guard = Guard(barrier);
        let handles: Vec<_> = others.into_iter().map(|work| scope.spawn(move || guarded(barrier, work))).collect();
        let mut results = vec![first(barrier)];
        std::mem::forget(guard);
        for handle in handles {
            results.push(handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn nobody_is_ahead() {
        for threads in [1, 2, 3, 7] {
            let counters: Vec<_> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
            let counters = &counters;
            let work = |own: usize| {
                move |barrier: &Barrier| {
                    for step in 1..=500 {
                        counters[own].store(step, Ordering::Relaxed);
                        barrier.wait().unwrap();
                        // All have written this step, none the next.
                        assert!(counters.iter().all(|counter| counter.load(Ordering::Relaxed) == step));
                        barrier.wait().unwrap();
                    }
                    own
                }
            };
            let results = together(work(0), (1..threads).map(work).collect());
            assert_eq!(results, (0..threads).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_ends_the_others() {
        for culprit in 0..3 {
            let ended = AtomicUsize::new(0);
            let work = |own: usize| {
                let ended = &ended;
                move |barrier: &Barrier| {
                    barrier.wait().unwrap();
                    assert!(own != culprit, "thread {own}");
                    assert_eq!(barrier.wait(), Err(Broken));
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            };
            let panic = catch_unwind(AssertUnwindSafe(|| together(work(0), vec![work(1), work(2)]))).unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().unwrap(), &format!("thread {culprit}"));
            assert_eq!(ended.load(Ordering::Relaxed), 2);
        }
    }
}
