use super::super::samples::{Writer, drain, open, read};
use super::*;
use crate::anomaly::AnomalyKind;

fn orders() -> [Writer; 2] {
    [Writer::new(ByteOrder::Little), Writer::new(ByteOrder::Big)]
}

#[test]
fn every_packet_block_is_read_in_both_byte_orders() {
    for file in orders() {
        let file = file.section().interface(&[]).enhanced(0, 5, 60, b"abcde");
        let file = file.block(3, |body| body.u32(3).bytes(b"xyz"));
        let file = file.block(2, |body| body.u16(0).u16(9).u32(0).u32(7).u32(2).u32(50).bytes(b"pq"));
        let (packets, found) = read(&file.octets);
        // The Simple Packet Block has no time: that of the packet before it.
        let expected = [(1, 5000, 60, b"abcde".to_vec(), 0), (2, 5000, 3, b"xyz".to_vec(), 0), (3, 7000, 50, b"pq".to_vec(), 0)];
        assert_eq!(packets, expected);
        assert_eq!((found.truncated, found.damage, found.wire_bytes), (false, None, 113));
    }
}

#[test]
fn resolution_and_offset_hold_for_their_interface() {
    for (file, offset) in orders().into_iter().zip([(-3600_i64).to_le_bytes(), (-3600_i64).to_be_bytes()]) {
        let file = file.section().interface(&[(9, &[9])]).interface(&[(9, &[0x8a]), (14, &offset)]);
        let file = file.enhanced(0, 1, 1, b"a").enhanced(1, 3_687_424, 1, b"b");
        // 3 687 424 / 1024 = 3601 s, less 3600.
        assert_eq!(read(&file.octets).0, [(1, 1, 1, b"a".to_vec(), 0), (2, 1_000_000_000, 1, b"b".to_vec(), 1)]);
    }
}

#[test]
fn interfaces_are_of_their_section_and_numbered_over_the_capture() {
    let [little, big] = orders();
    let first = little.section().interface(&[]).enhanced(0, 1, 1, b"a");
    let second = big.section().interface(&[(9, &[9])]).interface(&[]).enhanced(1, 2, 1, b"b").enhanced(0, 3, 1, b"c");
    let packets = read(&[first.octets, second.octets].concat()).0;
    assert_eq!(packets, [(1, 1000, 1, b"a".to_vec(), 0), (2, 2000, 1, b"b".to_vec(), 2), (3, 3, 1, b"c".to_vec(), 1)]);
}

#[test]
fn frame_check_sequence_is_taken_off() {
    for len in [4, 32] {
        let file = Writer::new(ByteOrder::Little).section().interface(&[(13, &[len])]).enhanced(0, 0, 64, &[1; 64]);
        assert_eq!(read(&file.octets).0, [(1, 0, 60, vec![1; 60], 0)]);
    }
}

#[test]
fn simple_packet_is_cut_by_the_snap_length() {
    let file = Writer::new(ByteOrder::Big).section().block(1, |body| body.u16(1).u16(0).u32(3));
    let file = file.block(3, |body| body.u32(60).bytes(b"xyz"));
    assert_eq!(read(&file.octets).0, [(1, 0, 60, b"xyz".to_vec(), 0)]);
}

#[test]
fn blocks_that_say_nothing_of_packets_are_skipped() {
    let file = [4, 5, 9, 10, 0xbad, 0x4000_0bad, 0x7777]
        .into_iter()
        .fold(Writer::new(ByteOrder::Little).section().interface(&[]), |file, block_type| {
            file.block(block_type, |body| body.bytes(&[0xff; 40]))
        });
    let (packets, found) = read(&file.enhanced(0, 1, 1, b"a").octets);
    assert_eq!((packets.len(), found.damage, found.anomalies.iter().count()), (1, None, 0));
}

#[test]
fn comments_of_a_section_are_kept() {
    let file = Writer::new(ByteOrder::Big)
        .block(0x0a0d_0d0a, |body| body.u32(0x1a2b_3c4d).u16(1).u16(0).i64(-1).option(1, b"hello").option(0, b"").option(1, b"not one"));
    assert_eq!(read(&file.octets).1.comments, ["hello"]);
}

#[test]
fn malformed_block_is_skipped_and_counted() {
    let begin = || Writer::new(ByteOrder::Little).section().interface(&[]);
    let bad = [
        begin().enhanced(7, 1, 1, b"a"),
        begin().block(6, |body| body.u32(0).u32(0).u32(0).u32(400).u32(400).bytes(b"abc")),
        begin().block(6, |body| body.u32(0)),
        begin().block(3, |body| body.u32(400).bytes(b"abc")),
        begin().block(2, |body| body.u32(0)),
        begin().block(1, |body| body),
        begin().u32(6).u32(16).u32(0).u32(20),
    ];
    for file in bad {
        let (packets, found) = read(&file.enhanced(0, 2, 1, b"b").octets);
        assert_eq!(packets, [(1, 2000, 1, b"b".to_vec(), 0)]);
        assert_eq!((found.anomalies.count(AnomalyKind::MalformedBlock), found.truncated), (1, false));
        assert!(found.damage.is_some());
    }
}

#[test]
fn malformed_option_is_not_used_and_counted() {
    let begin = || Writer::new(ByteOrder::Little).section();
    let interface = |options: &dyn Fn(Writer) -> Writer| begin().block(1, |body| options(body.u16(1).u16(0).u32(0)));
    // The interface is described at offset 28: 12 octets around the block, 8 before the options.
    let cases = [
        (begin().interface(&[(9, &[9, 0])]), "its option if_tsresol has 2, not 1"),
        (begin().interface(&[(9, &[])]), "its option if_tsresol has 0, not 1"),
        (begin().interface(&[(14, &[1; 7])]), "its option if_tsoffset has 7, not 8"),
        (begin().interface(&[(13, &[4; 4])]), "its option if_fcslen has 4, not 1"),
        (begin().interface(&[(2, b"eth0"), (0, &[1])]), "its end of options has 1, not 0"),
        (interface(&|body| body.u16(2).u16(9).bytes(b"eth0")), "its option 2 has 9, 4 left for it"),
    ];
    for (file, why) in cases {
        let (packets, found) = read(&file.enhanced(0, 2, 1, b"b").octets);
        // Microseconds, no offset, no frame check sequence: as if the option were not there.
        assert_eq!(packets, [(1, 2000, 1, b"b".to_vec(), 0)], "{why}");
        assert_eq!(found.anomalies.iter().collect::<Vec<_>>(), [(AnomalyKind::MalformedOption, 1, 1)], "{why}");
        let damage = found.damage.expect("said");
        assert!(damage.starts_with("interface description at offset 28: ") && damage.ends_with(why), "{damage}");
        assert!(!found.truncated);
    }
}

#[test]
fn options_that_are_in_order_are_no_anomaly() {
    let end: (u16, &[u8]) = (0, &[]);
    let known: [(u16, &[u8]); 3] = [(9, &[6]), (13, &[0]), (14, &[0; 8])];
    for options in [&[][..], &[end], &known, &[known[0], known[1], known[2], end, (9, b"behind the end")], &[(2, b"eth"), (1, b"")]] {
        let file = Writer::new(ByteOrder::Big).section().interface(options).enhanced(0, 1, 1, b"a");
        let (packets, found) = read(&file.octets);
        assert_eq!((packets.len(), found.damage, found.anomalies.iter().count()), (1, None, 0), "{options:?}");
    }
}

#[test]
fn malformed_interface_keeps_its_number() {
    let file = Writer::new(ByteOrder::Little).section().block(1, |body| body).interface(&[]);
    let (packets, found) = read(&file.enhanced(0, 1, 1, b"a").enhanced(1, 2, 1, b"b").octets);
    assert_eq!(packets, [(1, 2000, 1, b"b".to_vec(), 0)]);
    let damage = "interface description at offset 28: 12 bytes declared, a malformed description";
    assert_eq!(found.damage.as_deref(), Some(damage));
}

#[test]
fn section_of_an_unknown_version_is_skipped() {
    let file = Writer::new(ByteOrder::Little).block(0x0a0d_0d0a, |body| body.u32(0x1a2b_3c4d).u16(2).u16(0).i64(-1));
    let file = file.interface(&[]).enhanced(0, 1, 1, b"a").section().interface(&[]).enhanced(0, 2, 1, b"b");
    let (packets, found) = read(&file.octets);
    assert_eq!(packets, [(1, 2000, 1, b"b".to_vec(), 0)]);
    assert_eq!(found.anomalies.count(AnomalyKind::MalformedBlock), 1);
}

#[test]
fn length_without_the_padding_is_rounded_up() {
    let file = Writer::new(ByteOrder::Little).section().interface(&[]);
    let file = file.u32(6).u32(34).bytes(&[0; 12]).u32(2).u32(60).bytes(b"ab\0\0").u32(34);
    let packets = read(&file.enhanced(0, 1, 1, b"c").octets).0;
    assert_eq!(packets, [(1, 0, 60, b"ab".to_vec(), 0), (2, 1000, 1, b"c".to_vec(), 0)]);
}

#[test]
fn length_that_cannot_be_skipped_ends_the_file() {
    for (len, why) in [(8, "fewer than the 12 of any block"), (0xffff_fff0, "more than the limit of 16777216"), (33, "not a multiple of 4")]
    {
        let file = Writer::new(ByteOrder::Little).section().interface(&[]).enhanced(0, 1, 1, b"a");
        let (packets, found) = read(&file.u32(6).u32(len).bytes(&[0; 60]).octets);
        // 28 + 20 + 36 = 84.
        assert_eq!(
            (packets.len(), found.truncated, found.damage),
            (1, true, Some(format!("block at offset 84: {len} bytes declared, {why}")))
        );
        assert_eq!(found.anomalies.count(AnomalyKind::MalformedBlock), 1);
    }
}

#[test]
fn file_cut_anywhere_gives_every_packet_before_the_cut() {
    for file in orders() {
        let file = file.section().interface(&[(9, &[6])]).enhanced(0, 1, 60, b"abc").block(5, |body| body.u32(0)).enhanced(0, 2, 60, b"d");
        // 28, + 28 = 56, + 36 = 92, + 16 = 108, + 36 = 144.
        let (file, ends) = (file.octets, [28, 56, 92, 108, 144]);
        for cut in 28..=file.len() {
            let (packets, found) = read(&file[..cut]);
            let whole = [92, 144].iter().filter(|end| **end <= cut).count();
            assert_eq!((packets.len(), found.truncated), (whole, !ends.contains(&cut)), "cut at {cut}");
            assert_eq!(found.anomalies.count(AnomalyKind::TruncatedCapture), u64::from(found.truncated));
        }
    }
}

#[test]
fn garbage_behind_the_last_block_ends_the_file() {
    for len in 1..40 {
        let file = Writer::new(ByteOrder::Little).section().interface(&[]).enhanced(0, 1, 1, b"a").bytes(&vec![0x55; len]);
        let (packets, found) = read(&file.octets);
        assert_eq!((packets.len(), found.truncated), (1, true));
    }
}

#[test]
fn any_octet_changed_never_panics_nor_hangs() {
    let file = Writer::new(ByteOrder::Big).section().interface(&[(9, &[9])]).enhanced(0, 1, 60, b"abc").enhanced(0, 2, 60, b"d").octets;
    for at in 0..file.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut file = file.clone();
            file[at] = value;
            if let Ok(mut capture) = open(io::Cursor::new(file)) {
                assert!(drain(&mut capture).len() <= 2);
            }
        }
    }
}
