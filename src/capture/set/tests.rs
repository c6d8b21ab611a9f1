use super::super::Capture;
use super::super::samples::{Writer, drain, pcap};
use super::*;
use crate::capture::block::ByteOrder;

/// Files of a test in a directory of its own, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wiretare-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, octets).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn order(capture: &mut Capture) -> Vec<(u64, u8, u32)> {
    drain(capture).into_iter().map(|(number, _, _, data, interface)| (number, data[0], interface)).collect()
}

#[test]
fn files_are_read_in_the_order_of_their_first_packets() {
    let directory = Directory::new("order");
    let late = directory.file("a", &pcap(&[(5, 1, b"c"), (6, 1, b"d")]));
    let early = directory.file("b", &pcap(&[(1, 1, b"a"), (2, 1, b"b")]));
    let empty = directory.file("c", &pcap(&[]));
    let mut capture = Capture::open(&[late, empty, early], &Limits::default()).unwrap();
    assert_eq!(order(&mut capture), [(1, b'a', 0), (2, b'b', 0), (3, b'c', 1), (4, b'd', 1)]);
    let files: Vec<_> = capture.files().into_iter().map(|file| (file.file, file.packets, file.first_time)).collect();
    let time = |seconds: i64| Some(Timestamp(seconds * 1_000_000_000));
    assert_eq!(files, [("a".into(), 2, time(5)), ("c".into(), 0, None), ("b".into(), 2, time(1))]);
    // 2 × (24 + 17 + 17) + 24 = 140 octets.
    assert_eq!((capture.size(), capture.bytes_read()), (Some(140), 140));
}

#[test]
fn overlapping_files_are_merged_by_time_and_then_as_given() {
    let directory = Directory::new("overlap");
    let first = directory.file("a", &pcap(&[(1, 1, b"a"), (3, 1, b"c"), (5, 1, b"f")]));
    let second = directory.file("b", &pcap(&[(1, 1, b"b"), (3, 1, b"d"), (4, 1, b"e")]));
    let mut capture = Capture::open(&[first.clone(), second.clone()], &Limits::default()).unwrap();
    assert_eq!(order(&mut capture).iter().map(|(_, data, _)| *data).collect::<Vec<_>>(), b"abcdef");
    let mut capture = Capture::open(&[second, first], &Limits::default()).unwrap();
    assert_eq!(order(&mut capture).iter().map(|(_, data, _)| *data).collect::<Vec<_>>(), b"badcef");
}

#[test]
fn a_cut_file_does_not_end_the_set() {
    let directory = Directory::new("cut");
    let whole = pcap(&[(1, 1, b"a"), (2, 1, b"b")]);
    let cut = directory.file("a", &whole[..whole.len() - 1]);
    let next = directory.file("b", &pcap(&[(3, 1, b"c")]));
    let mut capture = Capture::open(&[cut, next], &Limits::default()).unwrap();
    assert_eq!(order(&mut capture), [(1, b'a', 0), (2, b'c', 1)]);
    assert_eq!(capture.files().iter().map(|file| file.truncated).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn clock_that_steps_back_is_counted_at_its_frame() {
    let file = Writer::new(ByteOrder::Little).bytes(&pcap(&[(2, 1, b"a"), (1, 1, b"b"), (3, 1, b"c")])).octets;
    let mut capture = Capture::from_reader("-", io::Cursor::new(file), &Limits::default()).unwrap();
    assert_eq!(order(&mut capture).len(), 3);
    let file = capture.files().remove(0);
    assert_eq!(file.anomalies.iter().collect::<Vec<_>>(), [(AnomalyKind::ClockStepBack, 1, 2)]);
    assert_eq!((file.first_time, file.last_time), (Some(Timestamp(1_000_000_000)), Some(Timestamp(3_000_000_000))));
}

#[test]
fn what_needs_a_second_look_is_among_packets_that_come_together() {
    let data = &b"abc"[..];
    let file = pcap(&[(1, 3, data), (4, 3, data), (2, 3, data), (3, 2, data), (3, 3, data)]);
    let mut capture = Capture::from_reader("-", io::Cursor::new(file), &Limits::default()).unwrap();
    let seconds: Vec<_> = capture.next_packets().unwrap().unwrap().map(|packet| packet.frame.time.0 / 1_000_000_000).collect();
    assert_eq!(seconds, [1, 4, 2, 3, 3]);
    let file = capture.files().remove(0);
    let expected = [(AnomalyKind::CapturedBeyondLength, 1, 4), (AnomalyKind::ClockStepBack, 1, 3)];
    assert_eq!(file.anomalies.iter().collect::<Vec<_>>(), expected);
    assert_eq!((file.packets, file.wire_bytes, file.captured_bytes), (5, 14, 15));
    assert_eq!((file.first_time, file.last_time), (Some(Timestamp(1_000_000_000)), Some(Timestamp(4_000_000_000))));
}

#[test]
fn what_cannot_be_opened_is_an_error_that_says_why() {
    let directory = Directory::new("open");
    let open = |path: &Path| Capture::open(&[path.to_owned()], &Limits::default()).err().unwrap().to_string();
    assert_eq!(open(&directory.0), format!("{0}: this is a directory; name files in it, such as {0}/*.pcap", directory.0.display()));
    let missing = directory.0.join("missing");
    assert!(open(&missing).starts_with(&format!("{}: No such file", missing.display())));
}

/// Gives what it was fed and then fails, as a pipe would block.
struct Pipe(Vec<Vec<u8>>);

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        assert!(!self.0.is_empty(), "read although a whole packet was there");
        let octets = self.0.remove(0);
        into[..octets.len()].copy_from_slice(&octets);
        Ok(octets.len())
    }
}

#[test]
fn live_pipe_gives_each_packet_as_soon_as_it_is_there() {
    let file = pcap(&[(1, 1, b"a"), (2, 1, b"b"), (3, 1, b"c")]);
    // The header and a packet; a packet and a half.
    let (first, rest) = file.split_at(41);
    let pipe = Pipe(vec![first.to_vec(), rest[..25].to_vec()]);
    let mut capture = Capture::from_reader("-", pipe, &Limits::default()).unwrap();
    assert_eq!(capture.next().unwrap().map(|packet| packet.data[0]), Some(b'a'));
    assert_eq!(capture.next().unwrap().map(|packet| packet.data[0]), Some(b'b'));
}

/// The packets of each burst, by their first octet.
fn bursts(capture: &mut Capture) -> Vec<Vec<(u64, u8)>> {
    let next = || capture.next_packets().unwrap().map(|packets| packets.map(|packet| (packet.frame.number, packet.data[0])).collect());
    std::iter::from_fn(next).collect()
}

#[test]
fn packets_come_together_that_need_not_be_waited_for() {
    let records = [(1, 1, &b"a"[..]), (2, 1, b"b"), (3, 1, b"c")];
    let blocks = Writer::new(ByteOrder::Big).section().interface(&[]).enhanced(0, 5, 1, b"a").enhanced(0, 6, 1, b"b");
    // Behind a block that is no packet's a new burst begins.
    let blocks = blocks.interface(&[]).enhanced(1, 7, 1, b"c").octets;
    let expected = [vec![vec![(1, b'a'), (2, b'b'), (3, b'c')]], vec![vec![(1, b'a'), (2, b'b')], vec![(3, b'c')]]];
    for (file, expected) in [pcap(&records), blocks].into_iter().zip(expected) {
        let mut capture = Capture::from_reader("-", io::Cursor::new(file), &Limits::default()).unwrap();
        assert_eq!(bursts(&mut capture), expected);
    }
}

#[test]
fn packets_come_together_up_to_the_next_file() {
    let directory = Directory::new("together");
    let first = directory.file("a", &pcap(&[(1, 1, b"a"), (2, 1, b"b"), (4, 1, b"d"), (5, 1, b"e")]));
    let second = directory.file("b", &pcap(&[(3, 1, b"c")]));
    let last = directory.file("c", &pcap(&[(6, 1, b"f"), (7, 1, b"g")]));
    let mut capture = Capture::open(&[first, second, last], &Limits::default()).unwrap();
    let bursts: Vec<Vec<u8>> = bursts(&mut capture).into_iter().map(|burst| burst.into_iter().map(|(_, octet)| octet).collect()).collect();
    // While both are read, each packet may be the other's.
    assert_eq!(bursts, [&b"ab"[..], b"c", b"de", b"fg"]);
}

#[test]
fn live_pipe_gives_the_packets_that_are_there() {
    let file = pcap(&[(1, 1, b"a"), (2, 1, b"b"), (3, 1, b"c")]);
    // The header, a packet and half of the next; the rest of it and half of the last.
    let (first, rest) = file.split_at(50);
    let (second, _) = rest.split_at(17);
    let mut capture = Capture::from_reader("-", Pipe(vec![first.to_vec(), second.to_vec()]), &Limits::default()).unwrap();
    for expected in [(1, b'a'), (2, b'b')] {
        let packets: Vec<_> = capture.next_packets().unwrap().unwrap().map(|packet| (packet.frame.number, packet.data[0])).collect();
        assert_eq!(packets, [expected]);
    }
}

#[test]
fn damage_behind_packets_that_came_together_is_at_its_frame() {
    let file = Writer::new(ByteOrder::Little).section().interface(&[]).enhanced(0, 5, 1, b"a").enhanced(0, 6, 1, b"b");
    // Of an interface that is not described.
    let file = file.enhanced(9, 7, 1, b"x").enhanced(0, 8, 1, b"c").octets;
    let mut capture = Capture::from_reader("-", io::Cursor::new(file), &Limits::default()).unwrap();
    assert_eq!(bursts(&mut capture).concat(), [(1, b'a'), (2, b'b'), (3, b'c')]);
    assert_eq!(capture.files()[0].anomalies.iter().collect::<Vec<_>>(), [(AnomalyKind::MalformedBlock, 1, 3)]);
}

#[test]
fn blocks_that_wireshark_shows_as_frames_have_numbers() {
    let file = Writer::new(ByteOrder::Little).section().interface(&[]).block(9, |body| body.bytes(b"MESSAGE=x\n\n"));
    let file = file.enhanced(0, 5, 1, b"a").enhanced(0, 6, 1, b"b");
    let file = file.block(0x0bad, |body| body.u32(32473)).block(0x4000_0bad, |body| body.u32(32473));
    // Statistics are none.
    let file = file.block(5, |body| body.u32(0).u32(0).u32(0)).enhanced(0, 7, 1, b"c").enhanced(0, 8, 1, b"d").octets;
    let mut capture = Capture::from_reader("-", io::Cursor::new(file), &Limits::default()).unwrap();
    assert_eq!(bursts(&mut capture), [[(2, b'a'), (3, b'b')], [(6, b'c'), (7, b'd')]]);
    assert_eq!(capture.files()[0].packets, 4);
}
