//! Closed lists of names, each once in a schema's `$defs`; the lists are those of the types that have the names.
//!
//! They are read as any text, so that a name of a later version can be read too.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::analysis::ajax;
use crate::message::{Direction, EnvelopeProtocol, Opcode, PollingKind, Side};

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident = $list:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let (names, description): (Vec<&str>, _) = ($list, concat!($($doc),+).trim());
                schemars::json_schema!({"type": "string", "enum": names, "description": description})
            }
        }
    )+};
}

names! {
    /// Why an exchange counts as Ajax, or does not; docs/formats.md says what each was seen by.
    AjaxReason = ajax::reasons().collect();
    /// What was odd.
    AnomalyKind = crate::AnomalyKind::ALL.iter().map(|kind| kind.name()).collect();
    /// A direction of a connection.
    DirectionName = Direction::BOTH.map(Direction::name).into();
    /// The protocol of an envelope.
    EnvelopeProtocolName = EnvelopeProtocol::ALL.map(EnvelopeProtocol::name).into();
    /// The opcode of a WebSocket message.
    OpcodeName = (0..16).map(|bits| Opcode::of_bits(bits).name()).collect();
    /// How an endpoint is polled.
    PollingKindName = PollingKind::ALL.map(PollingKind::name).into();
    /// A part of the comparison.
    SideName = Side::ALL.map(Side::name).into();
}
