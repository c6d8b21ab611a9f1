//! The fields of an opening handshake, found in one pass: every handshake is judged (RFC 6455 §4.1, §4.2, §11.3).

use crate::message::Head;

/// What either half of an opening handshake says in the fields that it must have or may have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'a> {
    /// Whether `Upgrade` names WebSocket.
    pub(super) upgrades: bool,
    /// Whether `Connection` names `Upgrade`.
    pub(super) names_upgrade: bool,
    pub(super) key: Single<'a>,
    pub(super) version: Single<'a>,
    pub(super) accept: Single<'a>,
    pub(super) protocol: Single<'a>,
    pub(super) extensions: Single<'a>,
}

/// A field that may stand once: its first value, and whether there are more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Single<'a> {
    pub(super) value: Option<&'a [u8]>,
    pub(super) is_repeated: bool,
}

impl<'a> Single<'a> {
    fn add(&mut self, value: &'a [u8]) {
        self.is_repeated = self.value.is_some();
        self.value.get_or_insert(value);
    }
}

impl<'a> Fields<'a> {
    pub(super) fn of(head: &'a Head) -> Self {
        let mut fields = Self::default();
        for (name, value) in head.fields() {
            let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
            // Most names differ in length.
            match name.len() {
                7 if is(b"upgrade") => fields.upgrades |= has_item(value, b"websocket"),
                10 if is(b"connection") => fields.names_upgrade |= has_item(value, b"upgrade"),
                17 if is(b"sec-websocket-key") => fields.key.add(value),
                20 if is(b"sec-websocket-accept") => fields.accept.add(value),
                21 if is(b"sec-websocket-version") => fields.version.add(value),
                22 if is(b"sec-websocket-protocol") => fields.protocol.add(value),
                24 if is(b"sec-websocket-extensions") => fields.extensions.add(value),
                _ => {}
            }
        }
        fields
    }
}

/// Whether a list holds an item, compared without case (RFC 9110 §5.6.1).
fn has_item(list: &[u8], item: &[u8]) -> bool {
    list.eq_ignore_ascii_case(item) || list.split(|&octet| octet == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(item))
}
