//! The guard's file: owner-only, append-only, locked for each decision, and on the disk before a signature is made.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use coldbridge::guard::{Entry, Guard, Log, Record, Replacement, Reservation, Tail, Verdict};
use coldbridge::refusal::printable;
use coldbridge::{Code, Refusal};
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::cli::GuardArgs;
use crate::output::Errors;
use crate::secret_file::judge;
use crate::terminal::wrapped;

/// How long another process may hold the lock: it needs a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

/// Where the record of what was signed stands.
pub enum Place {
    /// In a file, which is made when the first payload is reserved.
    File(Box<GuardFile>),
    /// Nowhere. Said once, when the first payload is about to be signed.
    Nowhere {
        /// Why.
        because: &'static str,
        /// Whether it was said.
        is_said: bool,
    },
}

impl Place {
    /// The place that the command line names: beside the key file, unless it says otherwise.
    pub fn named(guard: &GuardArgs, key: Option<&Path>, errors: Errors) -> Result<Self, Refusal> {
        let beside = key.map(beside);
        let path = match &guard.guard {
            Some(name) if name.as_os_str() == "none" => return Ok(Self::nowhere("--guard none")),
            Some(path) => path.clone(),
            None => match beside {
                Some(path) => path,
                None => return Ok(Self::nowhere("there is no key file to keep it beside")),
            },
        };
        let mut file = GuardFile::new(&path, Access::Append, errors);
        // What is wrong with it is said before anybody is asked.
        file.read(|_| Ok(()))?;
        Ok(Self::File(Box::new(file)))
    }

    fn nowhere(because: &'static str) -> Self {
        Self::Nowhere { because, is_said: false }
    }

    /// What a person has to know before agreeing: no guard, or what this takes the place of.
    ///
    /// # Errors
    /// Those of the guard's decision.
    pub fn foresee(&mut self, plan: &Reservation, replacement: Replacement) -> Result<String, Refusal> {
        match self {
            Self::Nowhere { because, .. } => Ok(format!("{}\n", no_guard(because))),
            Self::File(file) => file.read(|guard| match guard.decide(plan, replacement)? {
                Verdict::Known => {
                    Ok("GUARD: the same was signed before; these are the same payloads again\n".to_owned())
                }
                Verdict::New { replaces } => {
                    Ok(replaces.iter().map(|entry| wrapped("GUARD: ", "       ", &replaced(entry))).collect())
                }
            }),
        }
    }

    /// Records a plan, on the disk when this returns: after it the plan may be signed.
    ///
    /// # Errors
    /// Those of the guard's decision, and of its file.
    pub fn reserve(&mut self, plan: &Reservation, replacement: Replacement, errors: Errors) -> Result<(), Refusal> {
        match self {
            Self::Nowhere { because, is_said } => {
                if !*is_said {
                    errors.note(&no_guard(because));
                    *is_said = true;
                }
                Ok(())
            }
            Self::File(file) => file.update(|guard| match guard.decide(plan, replacement)? {
                Verdict::Known => Ok(Vec::new()),
                Verdict::New { replaces } => {
                    for entry in &replaces {
                        errors.note(&replaced(entry));
                    }
                    Ok(vec![Record::Signed(plan.clone())])
                }
            }),
        }
    }
}

fn replaced(entry: &Entry) -> String {
    format!(
        "this takes the place of {} with nonce {} on chain {}: {}",
        entry.purpose, entry.slot.nonce, entry.slot.chain_id, entry.digest
    )
}

fn no_guard(because: &str) -> String {
    format!("NO GUARD ({because}): whether a nonce or an intent was signed before is not known")
}

/// The guard that belongs to a key file: its name and `.guard`.
pub fn beside(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".guard");
    PathBuf::from(name)
}

/// A guard's file and what has been read of it.
pub struct GuardFile {
    path: PathBuf,
    access: Access,
    errors: Errors,
    open: Option<Open>,
}

/// What is wanted of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It may be on a medium that can not be written.
    Read,
    /// It is made where there is none.
    Append,
}

struct Open {
    file: File,
    log: Log,
    length: u64,
}

/// What happens to what was read when the lock is given back.
enum Work<R> {
    /// It is as the file is.
    Keep(Result<R, Refusal>),
    /// The file could not be written: what is known of it is not certain any more.
    Forget(Refusal),
}

impl GuardFile {
    /// Nothing is opened yet.
    pub fn new(path: &Path, access: Access, errors: Errors) -> Self {
        Self { path: path.to_owned(), access, errors, open: None }
    }

    /// Asks the guard as it is now. No file is an empty guard.
    pub fn read<R>(&mut self, ask: impl FnOnce(&Guard) -> Result<R, Refusal>) -> Result<R, Refusal> {
        if self.open.is_none() && self.path.symlink_metadata().is_err() {
            return ask(&Guard::default());
        }
        self.locked(|open, _| Work::Keep(ask(open.log.guard())))
    }

    /// Lets the guard decide what to add, and adds it: nobody else decides meanwhile, and it is on the disk when this returns.
    pub fn update(&mut self, decide: impl FnOnce(&Guard) -> Result<Vec<Record>, Refusal>) -> Result<(), Refusal> {
        self.locked(|open, path| {
            let records = match decide(open.log.guard()) {
                Ok(records) if records.is_empty() => return Work::Keep(Ok(())),
                Ok(records) => records,
                Err(refusal) => return Work::Keep(Err(refusal)),
            };
            let is_first = open.length == 0;
            let text = open.log.add(records);
            let written = open.append(text.as_bytes()).and_then(|()| if is_first { sync_folder(path) } else { Ok(()) });
            match written {
                Ok(()) => Work::Keep(Ok(())),
                Err(error) => Work::Forget(failed(path, "written", &error)),
            }
        })
    }

    /// Everything that the file holds, checked, without a torn end.
    pub fn text(&mut self) -> Result<Vec<u8>, Refusal> {
        self.locked(|open, path| {
            let mut text = vec![0; usize::try_from(open.length).unwrap_or(0)];
            let read = open.file.read_exact_at(&mut text, 0).map_err(|error| failed(path, "read", &error));
            Work::Keep(read.map(|()| text))
        })
    }

    fn locked<R>(&mut self, work: impl FnOnce(&mut Open, &Path) -> Work<R>) -> Result<R, Refusal> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Open { file: open(&self.path, self.access)?, log: Log::default(), length: 0 },
        };
        lock(&open.file, &self.path)?;
        let work = match open.catch_up(&self.path, self.access, self.errors) {
            Ok(()) => work(&mut open, &self.path),
            Err(refusal) => Work::Forget(refusal),
        };
        let _ = open.file.unlock();
        match work {
            Work::Keep(result) => {
                self.open = Some(open);
                result
            }
            Work::Forget(refusal) => Err(refusal),
        }
    }
}

impl Open {
    /// Reads what other processes have added, and cuts off what a crash has left.
    fn catch_up(&mut self, path: &Path, access: Access, errors: Errors) -> Result<(), Refusal> {
        let unreadable = |error: &io::Error| failed(path, "read", error);
        let metadata = self.file.metadata().map_err(|error| unreadable(&error))?;
        let named = path.symlink_metadata().map_err(|error| unreadable(&error))?;
        let is_replaced = (named.dev(), named.ino()) != (metadata.dev(), metadata.ino());
        let Some(added) = metadata.len().checked_sub(self.length).filter(|_| !is_replaced) else {
            return Err(Refusal::new(
                Code::GUARD_CORRUPT,
                "",
                format!("{} was replaced or cut while it was in use", name(path)),
                "find out what did that; a guard is only ever added to",
            ));
        };
        let mut text = vec![0; usize::try_from(added).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut text, self.length).map_err(|error| unreadable(&error))?;
        let whole = self.log.read(&text).map_err(|refusal| in_file(path, &refusal))?;
        self.length += u64::try_from(whole).unwrap_or(0);
        let tail = self.log.end(&text[whole..]).map_err(|refusal| in_file(path, &refusal))?;
        match (tail, access) {
            (Tail::None, _) => {}
            (Tail::Unended, Access::Read) => self.length = metadata.len(),
            (Tail::Unended, Access::Append) => {
                self.length = metadata.len();
                self.append(b"\n").map_err(|error| failed(path, "written", &error))?;
            }
            (Tail::Torn, _) => {
                let problem = format!(
                    "{} ends in {} bytes of an unfinished line, which no signature followed",
                    name(path),
                    text.len() - whole
                );
                if access == Access::Read {
                    errors.note(&format!("{problem}: not counted"));
                } else {
                    self.file
                        .set_len(self.length)
                        .and_then(|()| self.file.sync_all())
                        .map_err(|error| failed(path, "written", &error))?;
                    errors.note(&format!("{problem}: cut off"));
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(text, self.length).and_then(|()| self.file.sync_all());
        if written.is_err() {
            // A line that is not wholly on the disk was not released.
            let _ = self.file.set_len(self.length);
        }
        written?;
        self.length += u64::try_from(text.len()).unwrap_or(0);
        Ok(())
    }
}

fn open(path: &Path, access: Access) -> Result<File, Refusal> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
    if access == Access::Append {
        options.write(true).create(true).mode(0o600);
    }
    let file = options.open(path).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP | Errno::ISDIR) => not_private(path, "is not a regular file"),
        _ => failed(path, if access == Access::Append { "written" } else { "read" }, &error),
    })?;
    let metadata = file.metadata().map_err(|error| failed(path, "read", &error))?;
    match judge(&metadata) {
        None => Ok(file),
        Some(problem) => Err(not_private(path, &problem)),
    }
}

fn not_private(path: &Path, problem: &str) -> Refusal {
    Refusal::new(
        Code::GUARD_PERMISSIONS,
        "",
        format!("{} {problem}", name(path)),
        "keep the guard in a regular file of your own: chmod 600 FILE",
    )
}

/// Waits for the others, each of which holds the lock for one decision.
fn lock(file: &File, path: &Path) -> Result<(), Refusal> {
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if waited < PATIENCE => {
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Refusal::new(
                    Code::GUARD_LOCKED,
                    "",
                    format!("{} has been held by another process for {} seconds", name(path), PATIENCE.as_secs()),
                    "look for a coldbridge that hangs, and try again",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(failed(path, "locked", &error)),
        }
    }
}

/// A new name is durable only when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn in_file(path: &Path, refusal: &Refusal) -> Refusal {
    Refusal::new(refusal.code(), "", format!("{}: {}", name(path), refusal.problem()), refusal.remedy())
}

fn failed(path: &Path, verb: &str, error: &io::Error) -> Refusal {
    let code = if verb == "written" { Code::IO_WRITE } else { Code::IO_READ };
    Refusal::new(
        code,
        "",
        format!("the guard {} can not be {verb}: {error}", name(path)),
        "check the folder and its permissions, or keep the guard elsewhere: --guard FILE",
    )
}

fn name(path: &Path) -> String {
    printable(&path.to_string_lossy())
}
