//! HTTP/1 (RFC 9110, RFC 9112): header sections, content framing, content codings, and which response answers which
//! request.

mod body;
mod coding;
mod connection;
mod detect;
mod framing;
mod head;
mod heads;
mod inflate;
mod layout;
mod pending;
mod plain;
mod reader;
mod zstd;

pub(crate) use coding::{Decoder, is_coded};
pub(crate) use connection::{Captured, Connection, Event, Taken};
pub(crate) use detect::{StartLook, looks_like_request, looks_like_response};
pub(crate) use heads::Heads;
