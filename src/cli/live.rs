//! Captures as they come: a pipe, which Ctrl-C ends, so that what is known by then is printed.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGINT;
use signal_hook::flag;
use wiretare::{Capture, Limits, Result};

/// The exit code of a run that was interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// How long a pipe may go on after an interrupt: Ctrl-C ends what writes to it too, which hands over its last packets first.
const GRACE: Duration = Duration::from_secs(1);

/// How often is looked for an interrupt while nothing comes.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is read of a pipe at a time.
const PIECE: usize = 64 << 10;

/// Pieces that are read ahead.
const AHEAD: usize = 4;

/// Whether an interrupt came before the end of the input.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether the input was ended by an interrupt.
pub(super) fn is_interrupted() -> bool {
    IS_INTERRUPTED.load(Ordering::Relaxed)
}

/// Whether packets of an input may be a while in coming: a pipe or a device, not a file.
pub(super) fn is_live(input: &Path) -> bool {
    let path = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
    path.metadata().map_or(true, |metadata| !metadata.is_file())
}

/// Opens captures. Where standard input (`-`) is one that may go on for ever, an interrupt is its end, and a second one that of the
/// program; with files an interrupt always is.
pub(super) fn open(files: &[PathBuf], limits: &Limits) -> Result<Capture> {
    match files {
        [file] if file == Path::new("-") && is_live(file) => match listen() {
            Some(flag) => Capture::from_reader("-", UntilInterrupted::new(io::stdin(), flag), limits),
            None => Capture::open(files, limits),
        },
        _ => Capture::open(files, limits),
    }
}

/// Takes interrupts for the end of the input; `None` where the system does not let it.
fn listen() -> Option<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    // In this order: the first interrupt finds the flag not set.
    flag::register_conditional_shutdown(SIGINT, INTERRUPTED.into(), Arc::clone(&flag)).ok()?;
    flag::register(SIGINT, Arc::clone(&flag)).ok()?;
    Some(flag)
}

/// A reader that is at its end soon after an interrupt, even while nothing comes: another thread waits for what does.
struct UntilInterrupted {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    read: usize,
    flag: Arc<AtomicBool>,
    /// When it ends, once that is known.
    until: Option<Instant>,
}

impl UntilInterrupted {
    fn new(mut inner: impl Read + Send + 'static, flag: Arc<AtomicBool>) -> Self {
        let (sender, pieces) = sync_channel(AHEAD);
        thread::spawn(move || {
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
        Self { pieces, piece: Vec::new(), read: 0, flag, until: None }
    }

    /// The next piece; an empty one at the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let is_over = self.flag.load(Ordering::Relaxed) && {
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
            if self.piece.is_empty() && self.flag.load(Ordering::Relaxed) {
                IS_INTERRUPTED.store(true, Ordering::Relaxed);
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
        let mut reader = UntilInterrupted::new(io::Cursor::new(octets.clone()), Arc::default());
        let mut read = Vec::new();
        reader.read_to_end(&mut read).expect("nothing fails");
        assert!(read == octets && reader.read(&mut [0; 4]).expect("nothing fails") == 0);
    }

    #[test]
    fn pipe_goes_on_for_a_while_after_an_interrupt_and_not_for_ever() {
        let flag = Arc::new(AtomicBool::new(true));
        let mut reader = UntilInterrupted::new(io::repeat(7), Arc::clone(&flag));
        assert_eq!(reader.read(&mut [0; 4]).expect("nothing fails"), 4);
        reader.until = Some(now());
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).expect("it ends");
        assert!(rest.len() < PIECE, "what had been taken of it, and no more");
    }

    #[test]
    fn interrupt_ends_a_pipe_of_which_nothing_comes() {
        let flag = Arc::new(AtomicBool::new(true));
        let mut reader = UntilInterrupted::new(Silence, flag);
        reader.until = Some(now());
        assert_eq!(reader.read(&mut [0; 4]).expect("it ends"), 0);
    }
}
