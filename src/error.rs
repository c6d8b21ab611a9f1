//! What stops a run: each error says what, where, wanted and had.

use std::io;

/// What stops a run. Oddities in the captured data are anomalies instead (see [`AnomalyKind`](crate::AnomalyKind)).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input could not be opened.
    #[error("{}: {source}", named(file, "standard input"))]
    Open {
        /// Path as given, or `-` for standard input.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The input does not begin like a capture in any known format.
    #[error(
        "{}: not a capture: {found}; wanted pcap or pcapng, plain or compressed with gzip, zstd, lz4 or xz",
        named(file, "standard input")
    )]
    NotACapture {
        /// Path as given, or `-` for standard input.
        file: String,
        /// What stands at its beginning instead.
        found: String,
    },
    /// Reading failed in the middle.
    #[error("{}: read failed at offset {offset}: {source}", named(file, "standard input"))]
    Read {
        /// Path as given, or `-` for standard input.
        file: String,
        /// Octets of the (decompressed) capture before the failure.
        offset: u64,
        /// What the operating system or the decompressor said.
        source: io::Error,
    },
    /// Writing the output failed.
    #[error("{}: write failed: {source}", named(file, "standard output"))]
    Write {
        /// Path as given, or `-` for standard output.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// What was accounted is not what was captured: a defect of this program, whatever the capture.
    #[error(
        "the books do not balance: {difference} bytes of the capture are in no row and no bucket, or in two; \
         a defect of wiretare: please report it with the capture"
    )]
    Books {
        /// Octets captured less octets accounted.
        difference: i64,
    },
    /// An option's value cannot be used.
    #[error("{0}")]
    Usage(String),
}

/// A path as messages show it: `-` by what it stands for.
fn named<'a>(file: &'a str, standard: &'a str) -> &'a str {
    if file == "-" { standard } else { file }
}

/// Short for a result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
