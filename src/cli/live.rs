//! Captures as they come: a pipe, which an interrupt ends, so that what is known by then is printed.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use wiretare::{Capture, Limits, Result};

use super::interrupts;

/// How long a pipe may go on after an interrupt: Ctrl-C ends what writes to it too, which hands over its last packets first.
const GRACE: Duration = Duration::from_secs(1);

/// How often is looked for an interrupt while nothing comes.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is read of a pipe at a time.
const PIECE: usize = 64 << 10;

/// Pieces that are read ahead.
const AHEAD: usize = 4;

/// The signal that came before the end of the input; 0 for none.
static INTERRUPTED_BY: AtomicUsize = AtomicUsize::new(0);

/// The exit code of a run whose input was ended by an interrupt: 130 of SIGINT, 143 of SIGTERM.
pub(super) fn interrupted() -> Option<u8> {
    match INTERRUPTED_BY.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(interrupts::code(signal)),
    }
}

/// Whether packets of an input may be a while in coming: a pipe or a device, not a file.
pub(super) fn is_live(input: &Path) -> bool {
    let path = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
    path.metadata().map_or(true, |metadata| !metadata.is_file())
}

/// Opens captures. Where the only one is a pipe, which may go on for ever, an interrupt is its end, and a second one that of the
/// program; with files an interrupt always is.
pub(super) fn open(files: &[PathBuf], limits: &Limits) -> Result<Capture> {
    let [file] = files else { return Capture::open(files, limits) };
    let is_stdin = file == Path::new("-");
    // What is not there and directories get their errors where files do.
    let is_pipe = is_live(file) && (is_stdin || file.metadata().is_ok_and(|metadata| !metadata.is_dir()));
    // After an interrupt the next one is the end of the program.
    let may_end = is_pipe && interrupted().is_none();
    let Some(signal) = may_end.then(interrupts::end_of_input).flatten() else { return Capture::open(files, limits) };
    let (name, path) = (file.to_string_lossy(), file.clone());
    match is_stdin {
        true => Capture::from_reader("-", UntilInterrupted::new(|| Ok(io::stdin()), signal), limits),
        false => Capture::from_reader(&name, UntilInterrupted::new(|| fs::File::open(path), signal), limits),
    }
}

/// A reader that is at its end soon after an interrupt, even while nothing comes: another thread waits for what does.
struct UntilInterrupted {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    read: usize,
    /// The signal that interrupted it; 0 for none.
    signal: Arc<AtomicUsize>,
    /// When it ends, once that is known.
    until: Option<Instant>,
}

impl UntilInterrupted {
    /// Of what `open` opens: a named pipe is not open before somebody writes to it.
    fn new<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static, signal: Arc<AtomicUsize>) -> Self {
        let (sender, pieces) = sync_channel(AHEAD);
        thread::spawn(move || {
            let mut inner = match open() {
                Ok(inner) => inner,
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let mut piece = vec![0; PIECE];
                let read = inner.read(&mut piece).map(|len| {
                    piece.truncate(len);
                    piece
                });
                let is_last = matches!(&read, Ok(piece) if piece.is_empty());
                // Nobody waits for it once the input has ended.
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        Self { pieces, piece: Vec::new(), read: 0, signal, until: None }
    }

    /// The next piece; an empty one at the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let is_over = self.signal.load(Ordering::Relaxed) != 0 && {
                let now = now();
                now >= *self.until.get_or_insert(now + GRACE)
            };
            if is_over {
                return Ok(Vec::new());
            }
            match self.pieces.recv_timeout(PATIENCE) {
                Ok(piece) => return piece,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
            }
        }
    }
}

impl Read for UntilInterrupted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            (self.piece, self.read) = (self.next()?, 0);
            if self.piece.is_empty() {
                match self.signal.load(Ordering::Relaxed) {
                    0 => interrupts::input_has_ended(),
                    signal => drop(INTERRUPTED_BY.fetch_max(signal, Ordering::Relaxed)),
                }
            }
        }
        let len = (&self.piece[self.read..]).read(into)?;
        self.read += len;
        Ok(len)
    }
}

#[expect(clippy::disallowed_methods, reason = "it ends the input, and no figure knows of it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says nothing, for ever.
    struct Silence;

    impl Read for Silence {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            loop {
                thread::park();
            }
        }
    }

    #[test]
    fn pipe_is_read_to_its_end() {
        let octets: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
        let expected = octets.clone();
        let mut reader = UntilInterrupted::new(|| Ok(io::Cursor::new(octets)), Arc::default());
        let mut read = Vec::new();
        reader.read_to_end(&mut read).expect("nothing fails");
        assert!(read == expected && reader.read(&mut [0; 4]).expect("nothing fails") == 0);
    }

    #[test]
    fn pipe_goes_on_for_a_while_after_an_interrupt_and_not_for_ever() {
        let signal = Arc::new(AtomicUsize::new(2));
        let mut reader = UntilInterrupted::new(|| Ok(io::repeat(7)), Arc::clone(&signal));
        assert_eq!(reader.read(&mut [0; 4]).expect("nothing fails"), 4);
        reader.until = Some(now());
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).expect("it ends");
        assert!(rest.len() < PIECE, "what had been taken of it, and no more");
    }

    #[test]
    fn interrupt_ends_a_pipe_of_which_nothing_comes() {
        let signal = Arc::new(AtomicUsize::new(2));
        let mut reader = UntilInterrupted::new(|| Ok(Silence), signal);
        reader.until = Some(now());
        assert_eq!(reader.read(&mut [0; 4]).expect("it ends"), 0);
    }
}
