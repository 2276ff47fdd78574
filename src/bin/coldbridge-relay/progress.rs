//! Progress for a person: a bar for all payloads and a line for each that is on its way. Nothing where nobody looks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::output::print_note;

const TICK: Duration = Duration::from_millis(120);

/// The bar, with its lines.
pub struct Board {
    all: MultiProgress,
    total: ProgressBar,
    /// The sentences that were written.
    said: Arc<Mutex<BTreeSet<String>>>,
}

/// One payload's line.
pub struct Line {
    all: MultiProgress,
    bar: ProgressBar,
    said: Arc<Mutex<BTreeSet<String>>>,
}

impl Board {
    /// A bar of so many payloads.
    pub fn new(total: u64) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} payloads  {elapsed} (about {eta} left)");
        let bar = ProgressBar::new(total).with_style(style.unwrap_or(ProgressStyle::default_bar()));
        let total = all.add(bar);
        total.enable_steady_tick(TICK);
        Self { all, total, said: Arc::default() }
    }

    /// A line above the bar.
    pub fn line(&self) -> Line {
        let style = ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or(ProgressStyle::default_spinner());
        let bar = self.all.insert_before(&self.total, ProgressBar::new_spinner().with_style(style));
        Line { all: self.all.clone(), bar, said: Arc::clone(&self.said) }
    }

    /// One payload more is through.
    pub fn done(&self) {
        self.total.inc(1);
    }

    /// Writes while the bars are out of the way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.all.suspend(write)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.all.clear();
    }
}

impl Line {
    /// What happens now.
    pub fn says(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }

    /// Shows that it still waits.
    pub fn tick(&self) {
        self.bar.tick();
    }

    /// Writes a sentence for a person, once in a run.
    pub fn note(&self, text: &str) {
        if self.said.lock().is_ok_and(|mut said| said.insert(text.to_owned())) {
            self.suspend(|| print_note(text));
        }
    }

    /// Writes while the bars are out of the way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.all.suspend(write)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        // A line that is not taken out is kept until the end: where nobody looks, nothing else ever takes it out.
        self.all.remove(&self.bar);
    }
}

#[cfg(test)]
mod tests {
    use super::Board;

    /// The memory of this process that is its own, in KiB.
    fn anonymous_memory() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("RssAnon");
        line.split_whitespace().next().expect("a number").parse().expect("a number")
    }

    #[test]
    fn a_line_that_is_gone_keeps_no_memory() {
        let board = Board::new(100_000);
        // While one above waits, those below come and go.
        let _waiting = board.line();
        let lines = |count| (0..count).for_each(|_| board.line().says("sending"));
        lines(1_000);
        let before = anonymous_memory();
        lines(50_000);
        let grown = anonymous_memory().saturating_sub(before);
        assert!(grown < 1_024, "50,000 lines that are gone keep {grown} KiB");
    }
}
