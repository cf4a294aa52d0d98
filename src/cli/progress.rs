//! A bar for whoever waits.
//!
//! In: what is done, of how much.
//! Out: a bar on standard error where that is a terminal, and nothing elsewhere.
//! Never: leaves anything behind when it is dropped; touches standard output.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that is gone when this is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar that says what is being done; `all` is how much that is.
    pub fn new(doing: &'static str, all: u64) -> Self {
        // The target hides itself where nobody looks at a terminal.
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg} {bar:40} {percent:>3} %, {eta} left");
        bar.set_style(style.expect("a legal template"));
        bar.set_message(doing);
        bar.tick();
        Self(bar)
    }

    /// So much more is done. Any thread may say so.
    pub fn more(&self, done: u64) {
        self.0.inc(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
