//! Progress bars on standard error; silent where it is not a terminal.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};
use linalg_core::Observer;
use spin_models::Progress;

/// Shows the progress of a computation as a bar, with the running estimates.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    stage: &'static str,
}

impl Bar {
    /// A bar named after a method.
    pub fn new(name: &str) -> Self {
        let bar = ProgressBar::new(0).with_prefix(name.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{prefix:>18} {wide_bar} {percent:>3}% {msg} {eta}") {
            bar.set_style(style);
        }
        Self { bar, stage: "" }
    }

    /// Removes the bar.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

impl Observer<Progress> for Bar {
    fn observe(&mut self, event: &Progress) -> ControlFlow<()> {
        if self.stage != event.stage {
            self.stage = event.stage;
            self.bar.reset();
        }
        self.bar.set_length(event.total);
        self.bar.set_position(event.done);
        let mut message = event.stage.to_owned();
        if let Some(energy) = event.energy {
            message.push_str(&format!(" E = {energy:.4}"));
        }
        if let Some(ln_z) = event.ln_z {
            message.push_str(&format!(" ln Z = {ln_z:.6}"));
        }
        self.bar.set_message(message);
        ControlFlow::Continue(())
    }
}
