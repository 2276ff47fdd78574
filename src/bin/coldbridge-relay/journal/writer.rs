//! The one thread that writes the journal while payloads are on their way.
//!
//! What several payloads want to write at the same time becomes one transaction and one wait for the disk. Nobody goes on
//! before what it wrote is there.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, TransactionBehavior};

/// So many at most in one transaction.
const MOST_TOGETHER: usize = 256;

/// Does its work on the connection and gives what is to be told once that is on the disk.
type Job = Box<dyn FnOnce(&Connection) -> Telling + Send>;
type Telling = Box<dyn FnOnce(Result<(), String>) + Send>;

/// A handle for all threads.
pub struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Hands the connection to a thread of its own.
    pub fn start(connection: Connection) -> Self {
        let (jobs, received) = channel();
        let thread = std::thread::spawn(move || write(connection, &received));
        Self { jobs: Some(jobs), thread: Some(thread) }
    }

    /// Runs a statement and comes back when it is on the disk.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let (tell, told) = sync_channel(1);
        let job: Job = Box::new(move |connection| {
            let result = work(connection).map_err(|error| error.to_string());
            Box::new(move |committed| {
                // Nobody waits any more if the thread that asked has died.
                let _ = tell.send(result.and_then(|value| committed.map(|()| value)));
            })
        });
        let gone = || "its writer has stopped".to_owned();
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(gone)?;
        told.recv().unwrap_or_else(|_| Err(gone()))
    }
}

impl Drop for Writer {
    /// Closes the journal before the program ends.
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(mut connection: Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut waiting = vec![first];
        waiting.extend(jobs.try_iter().take(MOST_TOGETHER - 1));
        let mut tellings = Vec::with_capacity(waiting.len());
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let result = begun.and_then(|transaction| {
            tellings.extend(waiting.drain(..).map(|job| job(&transaction)));
            transaction.commit()
        });
        let result = result.map_err(|error| error.to_string());
        // Jobs that never ran are dropped, which their threads see.
        for telling in tellings {
            telling(result.clone());
        }
    }
}
