//! Interrupts, SIGINT and SIGTERM: the end of a pipe, and else that of the program, which leaves no partial file behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// What the next interrupt does.
struct Handling {
    is_listening: bool,
    /// Whether it ends the input, not the program.
    ends_input: bool,
    /// The output that is not whole yet: removed when the program ends.
    partial: Option<PathBuf>,
}

static HANDLING: Mutex<Handling> = Mutex::new(Handling { is_listening: false, ends_input: false, partial: None });

fn handling() -> MutexGuard<'static, Handling> {
    HANDLING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the next interrupt for the end of an input, and one after it for that of the program. Returns where the number of its signal
/// will stand, 0 until then: set by the handler itself, so that an end of the input that the signal brought about is not seen before
/// it. `None` where the system does not let it, and where both signals are ignored.
pub(super) fn end_of_input() -> Option<Arc<AtomicUsize>> {
    let signal = Arc::new(AtomicUsize::new(0));
    let register = |number: i32| flag::register_usize(number, Arc::clone(&signal), usize::try_from(number).ok()?).ok();
    // Before anybody listens: the first interrupt finds its place.
    let is_registered = signals().filter_map(register).count() > 0;
    let mut handling = handling();
    handling.ends_input = is_registered;
    handling.listen();
    is_registered.then_some(signal)
}

/// From now on the next interrupt is the end of the program.
pub(super) fn input_has_ended() {
    handling().ends_input = false;
}

/// The exit code of a run that a signal ended.
pub(super) fn code(signal: usize) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// A file that is being written, and does not stay: what is whole is moved away before.
#[derive(Debug)]
pub(super) struct Partial(PathBuf);

impl Partial {
    /// Before the file is made, so that no interrupt comes between.
    pub(super) fn new(path: PathBuf) -> Self {
        let mut handling = handling();
        // Where nobody listens, an interrupt ends the program as it would any, and the file stays.
        handling.listen();
        handling.partial = Some(path.clone());
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Best effort: nobody waits for it any more.
        let _ = fs::remove_file(&self.0);
        handling().partial.take_if(|partial| *partial == self.0);
    }
}

impl Handling {
    /// Listens from now on, unless it does.
    fn listen(&mut self) {
        self.is_listening = self.is_listening || listen();
    }

    fn interrupt(&mut self, signal: i32) {
        if std::mem::take(&mut self.ends_input) {
            return;
        }
        // Best effort: the program ends in any case.
        let _ = self.partial.take().map(fs::remove_file);
        process::exit(128 + signal)
    }
}

/// Those that are listened to. One that is ignored, as those of a shell's background are, is for another.
fn signals() -> impl Iterator<Item = i32> {
    [SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal))
}

/// Hands interrupts to a thread of their own; whether the system lets it.
#[cfg(unix)]
fn listen() -> bool {
    if signals().next().is_none() {
        return false;
    }
    let Ok(mut signals) = signal_hook::iterator::Signals::new(signals()) else { return false };
    thread::spawn(move || signals.forever().for_each(|signal| handling().interrupt(signal)));
    true
}

#[cfg(not(unix))]
fn listen() -> bool {
    false
}

/// Whether the program was started with a signal ignored, where the system tells (proc_pid_status(5)).
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status).is_some_and(|signals| signals >> (signal - 1) & 1 == 1)
}

/// The signals that a process ignores, the first one in the lowest bit.
fn ignored(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_those_of_the_mask() {
        let of = |status: &str| ignored(status).map(|signals| signals >> (SIGINT - 1) & 1 == 1);
        assert_eq!(of("Name:\twiretare\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001000\n"), Some(false));
        assert_eq!(of("SigIgn:\t0000000000000006\nSigCgt:\t0000000000000000\n"), Some(true));
        assert_eq!(of("Name:\twiretare\n"), None);
    }
}
