//! What media types (RFC 9110 §8.3.1) and file extensions tell.

use super::{ends_with, starts_with};

/// A media type's part in the verdict.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Media {
    Json,
    Xml,
    Form,
    EventStream,
    Html,
    Static,
    Other,
}

pub(super) fn media(value: &[u8]) -> Media {
    match value {
        // What is asked for and answered most often.
        b"" | b"*/*" => return Media::Other,
        b"application/json" => return Media::Json,
        _ => {}
    }
    let value = essence(value);
    if value.is_empty() {
        return Media::Other;
    }
    let is = |expected: &str| value.eq_ignore_ascii_case(expected.as_bytes());
    if is("text/event-stream") {
        Media::EventStream
    } else if is_static(value) {
        // Before JSON and XML: manifests and drawings are written in them.
        Media::Static
    } else if is("application/json") || is("text/json") || ends_with(value, b"+json") || is("application/x-ndjson") {
        Media::Json
    } else if is("text/html") || is("application/xhtml+xml") {
        Media::Html
    } else if is("application/x-www-form-urlencoded") || is("multipart/form-data") {
        Media::Form
    } else if is("text/xml") || is("application/xml") || ends_with(value, b"+xml") {
        Media::Xml
    } else {
        Media::Other
    }
}

pub(super) fn is_event_stream(value: &[u8]) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    starts_with(value, EVENT_STREAM) && essence(value).len() == EVENT_STREAM.len()
}

/// The first media type of a Content-Type or Accept value (RFC 9110 §8.3.1), without parameters.
fn essence(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|&b| matches!(b, b';' | b',' | b' ')).unwrap_or(value.len());
    &value[..end]
}

fn is_static(media_type: &[u8]) -> bool {
    [&b"image/"[..], b"font/", b"audio/", b"video/", b"text/css", b"application/font", b"application/wasm", b"application/manifest"]
        .iter()
        .any(|start| starts_with(media_type, start))
        || ends_with(media_type, b"javascript")
        || ends_with(media_type, b"ecmascript")
}

const STATIC_EXTENSIONS: [&[u8]; 25] = [
    b"js",
    b"mjs",
    b"css",
    b"map",
    b"png",
    b"jpg",
    b"jpeg",
    b"gif",
    b"svg",
    b"ico",
    b"webp",
    b"avif",
    b"bmp",
    b"woff",
    b"woff2",
    b"ttf",
    b"otf",
    b"eot",
    b"mp3",
    b"mp4",
    b"webm",
    b"ogg",
    b"wasm",
    b"pdf",
    b"webmanifest",
];

pub(super) fn has_static_extension(path: &[u8]) -> bool {
    // The longest extension has 11 letters.
    let tail = &path[path.len().saturating_sub(12)..];
    let Some(dot) = memchr::memrchr(b'.', tail) else { return false };
    STATIC_EXTENSIONS.iter().any(|extension| tail[dot + 1..].eq_ignore_ascii_case(extension))
}
