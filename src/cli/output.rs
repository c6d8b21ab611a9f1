//! Where the data goes: standard output, or a file that appears when it is whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wiretare::{Error, Result};

use super::interrupts::Partial;

/// Octets gathered before they are written: as many as a pipe takes at once. More would not stay in the nearer caches.
pub(super) const BUFFER: usize = 64 << 10;

/// Gathers output and writes it in large pieces.
#[derive(Debug)]
pub(super) struct Output {
    target: Target,
    /// As given, for messages.
    name: String,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Target {
    Stdout,
    /// A device or pipe, which cannot be replaced.
    Stream(File),
    File {
        partial: Partial,
        target: PathBuf,
        file: File,
    },
}

impl Output {
    /// Opens the output, so that a place that cannot be written to is known before the work.
    ///
    /// Refuses a file that is also an input: replacing it would destroy it.
    pub(super) fn open(output: Option<&Path>, inputs: &[PathBuf]) -> Result<Self> {
        let path = match output {
            None => return Ok(Self::new(Target::Stdout, "-".into())),
            Some(path) if path == Path::new("-") => return Ok(Self::new(Target::Stdout, "-".into())),
            Some(path) => path,
        };
        let name = path.display().to_string();
        if path.canonicalize().is_ok_and(|path| inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == path))) {
            return Err(Error::Usage(format!("{name}: this is a file that is being read; write the output elsewhere")));
        }
        if path.is_dir() {
            return Err(Error::Usage(format!("{name}: this is a directory; name a file in it")));
        }
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
            return Err(Error::Usage(format!("{name}: there is no directory {}\nhint: `mkdir -p` makes it", directory.display())));
        }
        let target = Target::open(path).map_err(|source| Error::Write { file: name.clone(), source })?;
        Ok(Self::new(target, name))
    }

    fn new(target: Target, name: String) -> Self {
        Self { target, name, buffer: Vec::with_capacity(BUFFER + (16 << 10)) }
    }

    /// Where to append; follow it with [`flush_when_full`](Self::flush_when_full).
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes what was gathered when it is worth it.
    #[inline]
    pub(super) fn flush_when_full(&mut self) -> Result<()> {
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.target.write(&self.buffer);
        self.buffer.clear();
        written.map_err(|source| self.error(source))
    }

    /// Writes what was gathered elsewhere, after a [`flush`](Self::flush).
    pub(super) fn write(&mut self, octets: &[u8]) -> Result<()> {
        if octets.is_empty() {
            return Ok(());
        }
        self.target.write(octets).map_err(|source| self.error(source))
    }

    /// Writes the rest and puts the file in its place.
    pub(super) fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.target.finish().map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Write { file: self.name.clone(), source }
    }
}

impl Target {
    fn open(path: &Path) -> io::Result<Self> {
        // Through a symbolic link to the file it names: the link is to stay.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let existing = target.metadata().ok();
        if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
            return Ok(Self::Stream(File::options().write(true).open(&target)?));
        }
        let name = target.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let mut temporary_name = std::ffi::OsString::from(".");
        temporary_name.push(name);
        temporary_name.push(format!(".{}.partial", std::process::id()));
        let partial = Partial::new(target.with_file_name(temporary_name));
        let file = File::create(partial.path())?;
        if let Some(existing) = existing {
            // Best effort: what is readable to others is to stay so.
            let _ = file.set_permissions(existing.permissions());
        }
        Ok(Self::File { partial, target, file })
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(octets)?;
                stdout.flush()
            }
            Self::Stream(file) | Self::File { file, .. } => file.write_all(octets),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::File { partial, target, .. } => std::fs::rename(partial.path(), target),
            Self::Stdout | Self::Stream(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own that goes with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("wiretare-output-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a writable temporary directory");
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = std::fs::read_dir(&self.0).expect("the directory");
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("ASCII")).collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn file_is_replaced_only_when_whole() {
        let scratch = Scratch::new("whole");
        let path = scratch.0.join("report.json");
        std::fs::write(&path, "old").expect("written");
        let mut output = Output::open(Some(&path), &[]).expect("opened");
        output.buffer().extend_from_slice(b"new");
        output.flush().expect("flushed");
        assert_eq!(std::fs::read(&path).expect("there"), b"old");
        output.finish().expect("finished");
        assert_eq!(std::fs::read(&path).expect("there"), b"new");
        assert_eq!(scratch.names(), ["report.json"]);
    }

    #[test]
    fn run_that_stops_leaves_nothing_behind() {
        let scratch = Scratch::new("stopped");
        let mut output = Output::open(Some(&scratch.0.join("report.json")), &[]).expect("opened");
        output.buffer().extend_from_slice(b"half");
        output.flush().expect("flushed");
        drop(output);
        assert!(scratch.names().is_empty());
    }

    #[test]
    fn capture_that_is_read_is_not_written() {
        let scratch = Scratch::new("input");
        let path = scratch.0.join("a.pcap");
        std::fs::write(&path, "capture").expect("written");
        let error = Output::open(Some(&path), std::slice::from_ref(&path)).expect_err("refused");
        assert!(error.to_string().contains("being read"), "{error}");
        assert_eq!(scratch.names(), ["a.pcap"]);
    }

    #[test]
    fn place_that_cannot_be_written_is_known_at_once() {
        let scratch = Scratch::new("nowhere");
        let refused = |path: &Path| Output::open(Some(path), &[]).expect_err("refused").to_string();
        assert!(refused(&scratch.0.join("no/such/report.json")).contains("such/report.json: there is no directory "));
        assert!(refused(&scratch.0).ends_with("this is a directory; name a file in it"));
    }
}
