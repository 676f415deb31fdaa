//! Progress reports and cooperative stopping.

use std::ops::ControlFlow;

/// Receives events from a long computation and may stop it.
///
/// Implemented for `()` (never stops) and for closures. A computation calls [`observe`](Observer::observe) at a
/// bounded interval; on [`ControlFlow::Break`] it returns what its documentation promises for a stop.
///
/// ```
/// use linalg_core::observe::Observer;
/// use std::ops::ControlFlow;
///
/// let mut seen = Vec::new();
/// let mut observer = |step: &u64| {
///     seen.push(*step);
///     if *step < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// };
/// let stopped_at = (0..10u64).find(|k| observer.observe(k).is_break());
/// assert_eq!(stopped_at, Some(2));
/// assert_eq!(seen, [0, 1, 2]);
/// ```
pub trait Observer<E: ?Sized> {
    /// Called once an event; `Break` asks the computation to stop.
    fn observe(&mut self, event: &E) -> ControlFlow<()>;
}

impl<E: ?Sized> Observer<E> for () {
    fn observe(&mut self, _event: &E) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<E: ?Sized, F: FnMut(&E) -> ControlFlow<()>> Observer<E> for F {
    fn observe(&mut self, event: &E) -> ControlFlow<()> {
        self(event)
    }
}
