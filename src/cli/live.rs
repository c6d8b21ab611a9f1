//! Captures as they come: a pipe, which Ctrl-C ends, so that what is known by then is printed.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use wiretare::{Capture, Limits, Result};

/// The exit code of a run that was interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// How long a pipe may go on after an interrupt: Ctrl-C ends what writes to it too, which hands over its last packets first.
const GRACE: Duration = Duration::from_secs(1);

static IS_INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Whether the input was ended by an interrupt.
pub(super) fn is_interrupted() -> bool {
    IS_INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Whether packets of an input may be a while in coming: a pipe or a device, not a file.
pub(super) fn is_live(input: &Path) -> bool {
    let path = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
    path.metadata().map_or(true, |metadata| !metadata.is_file())
}

/// Opens captures. Where standard input is one that may go on for ever, an interrupt is its end, and a second one that of the
/// program; with files an interrupt always is.
pub(super) fn open(files: &[PathBuf], limits: &Limits) -> Result<Capture> {
    match files {
        [file] if file == Path::new("-") && is_live(file) => match listen() {
            Some(flag) => Capture::from_reader("-", UntilInterrupted { inner: io::stdin(), flag, until: None }, limits),
            None => Capture::open(files, limits),
        },
        _ => Capture::open(files, limits),
    }
}

/// Takes interrupts for the end of the input; `None` where the system does not let it.
fn listen() -> Option<Arc<AtomicBool>> {
    let is_interrupted = Arc::clone(IS_INTERRUPTED.get_or_init(Arc::default));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first interrupt finds the flag not set.
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&is_interrupted)).ok()?;
        flag::register(signal, Arc::clone(&is_interrupted)).ok()?;
    }
    Some(is_interrupted)
}

/// A reader that is at its end soon after an interrupt.
struct UntilInterrupted<R> {
    inner: R,
    flag: Arc<AtomicBool>,
    /// When it ends, once that is known.
    until: Option<Instant>,
}

impl<R: Read> Read for UntilInterrupted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.flag.load(Ordering::Relaxed) {
            let now = now();
            if now >= *self.until.get_or_insert(now + GRACE) {
                return Ok(0);
            }
        }
        self.inner.read(into)
    }
}

#[expect(clippy::disallowed_methods, reason = "it ends the input, and no figure knows of it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipe_goes_on_for_a_while_after_an_interrupt_and_not_for_ever() {
        let flag = Arc::new(AtomicBool::new(false));
        let mut reader = UntilInterrupted { inner: io::repeat(7), flag: Arc::clone(&flag), until: None };
        let read = |reader: &mut UntilInterrupted<_>| reader.read(&mut [0; 4]).expect("nothing fails");
        assert_eq!(read(&mut reader), 4);
        flag.store(true, Ordering::Relaxed);
        assert_eq!(read(&mut reader), 4);
        reader.until = Some(now());
        assert_eq!(read(&mut reader), 0);
    }
}
