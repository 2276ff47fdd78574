//! Answers out: to standard output, or into a new file that is complete or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use coldbridge::refusal::printable;
use coldbridge::{Code, Json, Refusal};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, renameat_with};
use rustix::io::Errno;

/// Where answers go. A file appears under its name only when [`Output::finish`] has written all of it.
pub enum Output {
    /// Standard output.
    Stdout(io::StdoutLock<'static>),
    /// A new file.
    File {
        /// Its name when it is complete.
        path: PathBuf,
        /// Its name until then, on file systems that have no files without a name.
        temporary: Option<PathBuf>,
        /// The open file.
        file: io::BufWriter<File>,
    },
}

impl Output {
    /// Opens standard output, or a file that must not be there yet.
    pub fn open(path: Option<&Path>) -> Result<Self, Refusal> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Ok(Self::Stdout(io::stdout().lock()));
        };
        if fs::symlink_metadata(path).is_ok() {
            return Err(exists(path));
        }
        path.file_name().ok_or_else(|| failed(path, &io::Error::other("it names no file")))?;
        // A file without a name vanishes with the process, whatever ends it. It gets one through /proc, where that is mounted.
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        if let Ok(unnamed) = rustix::fs::openat(CWD, folder(path), flags, Mode::RUSR | Mode::WUSR)
            && fs::symlink_metadata(by_descriptor(&unnamed)).is_ok()
        {
            let file = io::BufWriter::new(File::from(unnamed));
            return Ok(Self::File { path: path.to_owned(), temporary: None, file });
        }
        let mut name = path.file_name().ok_or_else(|| failed(path, &io::Error::other("it names no file")))?.to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(|error| failed(path, &error))?;
        Ok(Self::File { path: path.to_owned(), temporary: Some(temporary), file: io::BufWriter::new(file) })
    }

    /// Writes a text as it is.
    pub fn write(&mut self, text: &str) -> Result<(), Refusal> {
        let result = match self {
            Self::Stdout(stdout) => stdout.write_all(text.as_bytes()),
            Self::File { file, .. } => file.write_all(text.as_bytes()),
        };
        result.map_err(|error| self.failed(&error))
    }

    /// Writes a document and a line end.
    pub fn write_document(&mut self, document: &Json) -> Result<(), Refusal> {
        self.write(&format!("{document}\n"))
    }

    /// Hands over what was written: flushed, and under its name if it is a file.
    pub fn finish(mut self) -> Result<(), Refusal> {
        let result = match &mut self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File { file, .. } => file.flush().and_then(|()| file.get_ref().sync_all()),
        };
        result.map_err(|error| self.failed(&error))?;
        if let Self::File { path, temporary, file } = &self {
            let named = if let Some(temporary) = temporary {
                rename_new(temporary, path)
            } else {
                linkat(CWD, by_descriptor(file.get_ref()), CWD, path, AtFlags::SYMLINK_FOLLOW)
            };
            named.map_err(|error| match error {
                Errno::EXIST => exists(path),
                error => failed(path, &error.into()),
            })?;
            // The name itself is durable only when its folder is.
            let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Refusal {
        match self {
            Self::Stdout(_) => failed(Path::new("standard output"), error),
            Self::File { path, .. } => failed(path, error),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After a rename there is nothing of this name any more; otherwise nothing half-written stays behind.
        if let Self::File { temporary: Some(temporary), .. } = self {
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Where an open file is found without a name of its own.
fn by_descriptor(file: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// The folder that a file is to stand in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Renames, and never over a file. Some file systems of USB sticks can not promise that in one step.
fn rename_new(from: &Path, to: &Path) -> Result<(), Errno> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if fs::symlink_metadata(to).is_ok() => Err(Errno::EXIST),
        Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::rename(from, to),
        result => result,
    }
}

fn exists(path: &Path) -> Refusal {
    Refusal::new(
        Code::IO_EXISTS,
        "",
        format!("{} is there already", printable(&path.to_string_lossy())),
        "choose another name: a signed payload is never overwritten",
    )
}

/// The refusal of a file that can not be written.
pub fn failed(path: &Path, error: &io::Error) -> Refusal {
    Refusal::new(
        Code::IO_WRITE,
        "",
        format!("{} can not be written: {error}", printable(&path.to_string_lossy())),
        "check the folder, its permissions and the free space",
    )
}
