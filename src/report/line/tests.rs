use super::*;
use crate::report::encode;
use proptest::prelude::*;

fn written(value: u64) -> String {
    put(|line, _| line.number(value))
}

#[test]
fn numbers_at_the_edges() {
    for power in 0..=19 {
        let edge = 10u64.pow(power);
        assert_eq!([edge - 1, edge, edge + 1].map(written), [edge - 1, edge, edge + 1].map(|value| value.to_string()));
    }
    assert_eq!(written(u64::MAX), u64::MAX.to_string());
}

fn put(write: impl FnOnce(&mut Line<'_>, &mut Vec<u8>)) -> String {
    let (mut room, mut out) = (Room::default(), Vec::new());
    let mut line = room.line(&mut out);
    write(&mut line, &mut out);
    let end = line.at();
    room.end(end);
    room.append_to(&mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[test]
fn addresses_are_written_as_they_display() {
    for text in ["10.0.0.1:80", "255.255.255.255:65535", "[::1]:443", "[fe80::1%2]:1", "[::ffff:10.0.0.1]:8080"] {
        let parsed: SocketAddr = text.parse().expect("an address");
        assert_eq!(put(|line, _| line.address(parsed)), format!("\"{parsed}\""));
    }
}

/// As the encoder of all other values writes it.
fn encoded(value: Option<f64>) -> String {
    let mut out = Vec::new();
    match value {
        Some(value) => encode::decimal(&mut out, value),
        None => encode::null(&mut out),
    }
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[test]
fn decimals_at_the_edges() {
    let values = [0.0, -0.0, 1.5, 0.0935, 1e-9, 4e-10, -4e-10, -0.25, 0.999_999_999_9, 1e8, 1e9, -1e12, 1e300, f64::NAN, f64::INFINITY];
    for value in values.map(Some).into_iter().chain([None]) {
        assert_eq!(put(|line, _| line.optional_decimal(value)), encoded(value), "{value:?}");
    }
}

fn encoded_text(octets: &[u8]) -> String {
    let mut out = Vec::new();
    encode::text(&mut out, octets);
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[test]
fn texts_of_any_length_with_any_octet_anywhere() {
    for len in (0..=70).chain([TEXT - 1, TEXT, TEXT + 1, LEN]) {
        let plain = vec![b'a'; len];
        assert_eq!(put(|line, out| line.text(&plain, out)), encoded_text(&plain), "{len}");
        for octet in 0..=u8::MAX {
            for place in [0, 1, len / 2, len.saturating_sub(2), len.saturating_sub(1)].into_iter().filter(|&place| place < len.min(70)) {
                let mut octets = plain.clone();
                octets[place] = octet;
                assert_eq!(put(|line, out| line.text(&octets, out)), encoded_text(&octets), "{len} {octet} {place}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_nanoseconds(ns: u64, shift in 0u32..64) {
        let ns = ns >> shift;
        prop_assert_eq!(put(|line, _| line.nanoseconds(ns)), encoded(Some(ns as f64 / 1e9)));
    }

    #[test]
    fn any_decimal(value in -1e7f64..1e7, scale in 0i32..10) {
        let value = Some(value / 10f64.powi(scale));
        prop_assert_eq!(put(|line, _| line.optional_decimal(value)), encoded(value));
    }

    #[test]
    fn any_number(value: u64, shift in 0u32..64) {
        prop_assert_eq!(written(value >> shift), (value >> shift).to_string());
    }
}
