//! The command as a shell sees it: exit codes, streams, files.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SAMPLE: &str = "samples/browser/ajax-and-websocket.pcapng";

fn wiretare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wiretare"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    wiretare(arguments).output().expect("the command starts")
}

fn run_with_stdin(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child =
        wiretare(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let mut pipe = child.stdin.take().expect("piped");
    std::thread::scope(|scope| {
        // It may stop reading early.
        scope.spawn(move || pipe.write_all(stdin));
        child.wait_with_output().expect("the command ends")
    })
}

fn text(octets: &[u8]) -> &str {
    str::from_utf8(octets).expect("UTF-8")
}

fn sample() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE)).expect("the sample")
}

/// A folder of its own that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wiretare-command-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a writable temporary folder");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn data_goes_to_stdout_and_nothing_else_does() {
    let output = run(&["messages", SAMPLE]);
    assert_eq!(output.status.code(), Some(0));
    for line in text(&output.stdout).lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).expect("JSON").is_object());
    }
    let report = run(&["report", "-f", "json", SAMPLE]);
    assert_eq!(report.status.code(), Some(0));
    serde_json::from_slice::<serde_json::Value>(&report.stdout).expect("JSON");
}

#[test]
fn command_may_be_left_out_and_files_come_by_name_or_pipe() {
    let report = run(&["report", SAMPLE]);
    assert_eq!(run(&[SAMPLE]).stdout, report.stdout);
    let (named, piped) = (run_with_stdin(&["messages", "-"], &sample()), run_with_stdin(&["messages"], &sample()));
    assert_eq!(text(&named.stdout), text(&run(&["messages", SAMPLE]).stdout));
    assert_eq!(named.stdout, piped.stdout);
}

#[test]
fn rows_of_a_live_capture_appear_before_it_ends() {
    let mut child = wiretare(&["messages", "-q", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(&sample()).expect("taken");
    // The pipe is still open: whatever is read now came while the capture was live.
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let first = lines.next().expect("a line").expect("UTF-8");
    assert!(first.starts_with(r#"{"type":"exchange","connection":1,"number":1,"#), "{first}");
    drop(stdin);
    assert_eq!(1 + lines.count(), text(&run(&["messages", SAMPLE]).stdout).lines().count());
    assert!(child.wait().expect("the command ends").success());
}

#[test]
fn files_in_any_order_are_the_same_capture() {
    let scratch = Scratch::new("order");
    let copy = scratch.path("copy.pcapng");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE), &copy).expect("copied");
    let empty = scratch.path("empty.pcap");
    let header = [&0xa1b2_c3d4_u32.to_le_bytes()[..], &[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]].concat();
    std::fs::write(&empty, header).expect("written");
    // Two overlap, of one nothing is known.
    let files = [SAMPLE, &copy, "samples/deck/deck.pcap", &empty];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]].map(|order| order.map(|at| files[at]));
    for command in [&["report", "-f", "json"][..], &["report"], &["messages"]] {
        let [first, second, third] = orders.each_ref().map(|order| run(&[command, order].concat()).stdout);
        assert!(!first.is_empty() && first == second && first == third, "{command:?}");
    }
    let report: serde_json::Value =
        serde_json::from_slice(&run(&[&["report", "-f", "json"], &orders[1][..]].concat()).stdout).expect("JSON");
    let captures = report["captures"].as_array().expect("a list").iter().map(|capture| capture["file"].as_str().expect("a name"));
    assert_eq!(captures.collect::<Vec<_>>(), ["deck.pcap", "ajax-and-websocket.pcapng", "copy.pcapng", "empty.pcap"]);
}

#[test]
fn filters_choose_rows_by_handshake_host_path_and_connection() {
    let types = |arguments: &[&str]| -> Vec<String> {
        let output = run(&[&["messages", SAMPLE][..], arguments].concat());
        let value = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
        text(&output.stdout).lines().map(|line| format!("{} {}", value(line)["type"], value(line)["connection"])).collect()
    };
    let of_connection = types(&["--connection", "4"]);
    // 1 opening handshake, messages and control frames, 1 end of the connection.
    assert!(of_connection.len() > 50 && of_connection.iter().all(|row| row.ends_with(" 4")), "{of_connection:?}");
    let path = of_path(&run(&["messages", "--connection", "4", SAMPLE]).stdout);
    assert_eq!(types(&["--path", &path]), of_connection);
    assert_eq!(types(&["--host", "no.such.host"]), Vec::<String>::new());
    assert_eq!(
        types(&["--host", "*"]).len(),
        text(&run(&["messages", SAMPLE]).stdout).lines().count() - 1,
        "connection 0 carried no request"
    );
}

#[test]
fn columns_are_named_once_whatever_is_chosen() {
    let lines = |arguments: &[&str]| {
        let printed = run(&[&["messages", "-f", "csv", SAMPLE][..], arguments].concat()).stdout;
        let lines: Vec<String> = text(&printed).lines().map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect();
        lines
    };
    assert_eq!(lines(&["--host", "no.such.host"]), ["type"]);
    let of_opcode = lines(&["--opcode", "text", "--direction", "server"]);
    assert!(of_opcode.len() > 20 && of_opcode[0] == "type", "{of_opcode:?}");
    assert!(of_opcode[1..].iter().all(|kind| kind == "message" || kind == "bucket"), "{of_opcode:?}");
}

/// The path of the first exchange.
fn of_path(rows: &[u8]) -> String {
    let row: serde_json::Value = serde_json::from_str(text(rows).lines().next().expect("a row")).expect("JSON");
    row["request"]["target"].as_str().expect("a target").split('?').next().expect("a path").to_owned()
}

#[test]
fn what_cannot_be_read_is_one_clear_error() {
    let cases: [(&[&str], &str); 12] = [
        (&["report", "-o", "no/such/folder/report.json", SAMPLE], "no/such/folder/report.json: there is no directory no/such/folder"),
        (&["report", "-o", "src", SAMPLE], "error: src: this is a directory; name a file in it"),
        (&["messages", "--connection", "five", SAMPLE], "'five' for '--connection <N>': wanted a whole number, such as 0 or 12"),
        (&["messages", "--connection", "-1", SAMPLE], "wanted a whole number"),
        (&["follow", "--connection", "", SAMPLE], "wanted a whole number"),
        (&["report", "--width", "0", SAMPLE], "wanted a number of columns from 1 to 65535"),
        (&["report", "--limit", "block=99999999999999999999", SAMPLE], "limit block: wanted at most 4,294,967,295 B, had"),
        (&["no/such.pcap"], "error: no/such.pcap: No such file"),
        (&["messages", "Cargo.toml"], "error: Cargo.toml: not a capture"),
        (&["src"], "error: src: this is a directory; name files in it, such as src/*.pcap\n"),
        (&["check", "src", "--max", "ajax.setup=1"], "error: src: this is a directory; name files in it, such as src/*.pcap\n"),
        (&["mesages", SAMPLE], "hint: did you mean `wiretare messages`? commands are"),
    ];
    for (arguments, expected) in cases {
        let output = run(arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn standard_input_is_read_once() {
    for arguments in [&["report", "-", "-"][..], &["compare", "-", "-"], &["check", "-", "--baseline", "-", "--max", "ajax.setup=1"]] {
        let output = run_with_stdin(arguments, &sample());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stderr), "error: standard input (`-`) is given twice; it can be read once\n", "{arguments:?}");
    }
}

#[test]
fn no_command_is_proposed_behind_one_or_a_file() {
    for arguments in [&["compare", SAMPLE, "nope"][..], &[SAMPLE, "nope"]] {
        let output = run(arguments);
        let said = text(&output.stderr);
        assert!(said.contains("error: nope: No such file") && !said.contains("commands are"), "{said}");
    }
}

#[test]
fn a_report_says_which_choice_left_no_ajax() {
    for arguments in [&["report", "--ajax-path", "/nope"][..], &["report", "--ajax", "all", "--ajax-path", "/nope"]] {
        let output = run(&[arguments, &["samples/polling/polling.pcapng"]].concat());
        let page = text(&output.stdout);
        assert!(page.contains("35 HTTP exchanges that do not count as Ajax"), "{page}");
        assert!(page.contains("hint: no exchange was chosen as Ajax by `--ajax-path /nope`") && !page.contains("`--ajax all`"), "{page}");
    }
}

#[test]
fn the_table_of_sides_adds_up_to_the_capture() {
    let page = run(&["report", SAMPLE]).stdout;
    let rows = text(&page).lines().skip_while(|line| !line.contains("bytes, all in")).skip(2).take_while(|line| !line.is_empty());
    let bytes = rows.map(|row| {
        let number = row.split_whitespace().rev().nth(2).expect("bytes before a share");
        number.replace(',', "").parse::<u64>().expect("a number")
    });
    assert_eq!(bytes.sum::<u64>(), 81_215);
}

#[test]
fn what_is_no_capture_gets_a_hint_where_one_helps() {
    let cases: [(&[u8], &str); 6] = [
        (b"snoop\0\0\0\0\0\0\x02", "hint: Wireshark's `editcap"),
        (b"PK\x03\x04rest", "hint: decompress it first"),
        (b"{\"log\": {}}", "hint: wiretare reads packets"),
        (b"", "hint: was the capture stopped"),
        (b"a capture of mine", ""),
        (b"\x89PNG\r\n\x1a\n", ""),
    ];
    for (input, hint) in cases {
        let output = run_with_stdin(&["-"], input);
        assert_eq!(output.status.code(), Some(2));
        let mut lines = text(&output.stderr).lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("error: standard input: not a capture: ")));
        assert!(lines.next().unwrap_or_default().starts_with(hint), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), if hint.is_empty() { 1 } else { 2 });
    }
}

#[cfg(unix)]
fn signal(child: &std::process::Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
}

/// Waits until interrupts are caught (proc_pid_status(5)).
#[cfg(target_os = "linux")]
fn await_listening(child: &std::process::Child) {
    let status = format!("/proc/{}/status", child.id());
    let caught = || {
        let status = std::fs::read_to_string(&status).expect("it runs");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask").trim().to_owned();
        u64::from_str_radix(&mask, 16).expect("hexadecimal")
    };
    // SIGINT is 2, SIGTERM 15.
    while caught() & (1 << 1 | 1 << 14) != 1 << 1 | 1 << 14 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn interrupt_ends_a_pipe_of_which_nothing_has_come() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        for beginning in [&b""[..], b"\xd4\xc3\xb2\xa1\x02\0"] {
            let mut command = wiretare(&["report", "-"]);
            let mut child =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
            child.stdin.as_mut().expect("piped").write_all(beginning).expect("taken");
            await_listening(&child);
            signal(&child, name);
            // It stays open until the command has ended.
            let pipe = child.stdin.take();
            let output = child.wait_with_output().expect("the command ends");
            drop(pipe);
            assert_eq!(output.status.code(), Some(code), "{name}: {}", text(&output.stderr));
            assert_eq!(text(&output.stderr), "note: interrupted; nothing had come that could be shown\n");
        }
    }
}

#[test]
#[cfg(unix)]
fn interrupt_ends_a_pipe_and_what_came_until_then_is_shown() {
    let whole = text(&wiretare(&["messages", "-q", SAMPLE]).output().expect("the command runs").stdout).to_owned();
    let scratch = Scratch::new("named-pipe");
    let named = scratch.path("capture");
    assert!(Command::new("mkfifo").arg(&named).status().expect("mkfifo").success());
    // As tcpdump ends, which the same Ctrl-C reaches; and a pipe that stays open, and of which nothing more comes.
    for (input, stays_open, name, code) in [
        ("-", false, "-INT", 130),
        ("-", true, "-INT", 130),
        (&named, false, "-INT", 130),
        (&named, true, "-INT", 130),
        ("-", true, "-TERM", 143),
    ] {
        let mut child = wiretare(&["messages", input])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut pipe: Box<dyn Write> = match input {
            "-" => Box::new(child.stdin.take().expect("piped")),
            named => Box::new(std::fs::OpenOptions::new().write(true).open(named).expect("it opens the other end")),
        };
        pipe.write_all(&sample()).expect("it reads all");
        // Its first row says that it listens.
        let mut first = [0];
        let mut rows = child.stdout.take().expect("piped");
        rows.read_exact(&mut first).expect("a row");
        signal(&child, name);
        let pipe = stays_open.then_some(pipe);
        let mut rest = String::new();
        rows.read_to_string(&mut rest).expect("UTF-8");
        let output = child.wait_with_output().expect("the command ends");
        drop(pipe);
        assert_eq!(output.status.code(), Some(code), "{input} {stays_open}");
        assert_eq!(text(&output.stderr), "note: interrupted; shown is what came until then\n");
        assert_eq!(format!("{}{rest}", char::from(first[0])), whole);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn interrupt_leaves_no_partial_file_behind() {
    let scratch = Scratch::new("interrupted");
    let (named, report) = (scratch.path("capture"), scratch.path("report.json"));
    assert!(Command::new("mkfifo").arg(&named).status().expect("mkfifo").success());
    // Of several files, one of which nobody writes to; of a pipe, at the second interrupt.
    let cases: [(&[&str], &[&str], &[i32]); 3] = [
        (&[SAMPLE, &named], &["-INT"], &[130]),
        (&[SAMPLE, &named], &["-TERM"], &[143]),
        // The first may come before the pipe is open.
        (&["-"], &["-INT", "-TERM"], &[130, 143]),
    ];
    for (inputs, signals, codes) in cases {
        let mut command = wiretare(&[&["report", "-f", "json", "-o", &report], inputs].concat());
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
        await_listening(&child);
        signals.iter().for_each(|name| signal(&child, name));
        let pipe = child.stdin.take();
        let output = child.wait_with_output().expect("the command ends");
        drop(pipe);
        assert!(output.status.code().is_some_and(|code| codes.contains(&code)), "{inputs:?} {signals:?}: {:?}", output.status);
        assert_eq!(text(&output.stderr), "", "{inputs:?} {signals:?}");
        let left: Vec<_> = std::fs::read_dir(&scratch.0).expect("the folder").map(|entry| entry.expect("an entry").file_name()).collect();
        assert_eq!(left, ["capture"], "{inputs:?} {signals:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn interrupt_that_the_shell_ignores_for_it_ends_nothing() {
    for (ignored, sent) in [("INT", &["-INT"][..]), ("TERM", &["-TERM"]), ("INT TERM", &["-INT", "-TERM"])] {
        ignored_interrupts_end_nothing(ignored, sent);
    }
}

#[cfg(target_os = "linux")]
fn ignored_interrupts_end_nothing(ignored: &str, sent: &[&str]) {
    let whole = text(&wiretare(&["messages", "-q", SAMPLE]).output().expect("the command runs").stdout).to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' {ignored}; exec \"$0\" messages -q -"), env!("CARGO_BIN_EXE_wiretare")]);
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command starts");
    let mut pipe = child.stdin.take().expect("piped");
    let sample = sample();
    let (half, rest) = sample.split_at(sample.len() / 2);
    pipe.write_all(half).expect("it reads all");
    let mut first = [0];
    let mut rows = child.stdout.take().expect("piped");
    rows.read_exact(&mut first).expect("a row");
    sent.iter().for_each(|name| signal(&child, name));
    pipe.write_all(rest).expect("it still reads");
    drop(pipe);
    let mut others = String::new();
    rows.read_to_string(&mut others).expect("UTF-8");
    assert!(child.wait().expect("the command ends").success());
    assert_eq!(format!("{}{others}", char::from(first[0])), whole);
}

#[test]
fn shells_and_manual_pages_know_every_command() {
    let commands = ["report", "messages", "dissect", "follow", "compare", "check", "schema", "completions", "man"];
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completions", shell]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{shell}");
        assert!(commands.iter().all(|command| text(&output.stdout).contains(command)), "{shell}");
    }
    let page = run(&["man"]);
    assert!(text(&page.stdout).contains(".TH wiretare 1") && commands.iter().all(|command| text(&page.stdout).contains(command)));
    for command in commands {
        let page = run(&["man", command]);
        assert!(text(&page.stdout).contains(&format!(".TH wiretare-{command} 1")), "{command}: {}", text(&page.stdout));
    }
    for (command, begins) in [(&["man"][..], "  wiretare capture"), (&["man", "check"], "  wiretare check")] {
        let page = run(command);
        let (_, behind) = text(&page.stdout).split_once(".SH \"EXIT STATUS\"\n").expect("a section");
        let (codes, examples) = behind.split_once(".SH EXAMPLES\n.nf\n").expect("examples");
        assert!(codes.contains("One of these, the first that fits: 2 ") && codes.contains("; 0 "), "{codes}");
        assert!(examples.starts_with(begins) && !examples.contains("first that fits"), "{examples}");
        assert!(!text(&page.stdout).contains(".SH EXTRA"));
    }
    let output = run(&["man", "mesages"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).starts_with("error: man: `mesages` is no command; there are report, messages, "),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn cut_capture_is_shown_up_to_the_cut() {
    let whole = sample();
    let cut = &whole[..whole.len() - 10];
    for (arguments, code) in [(&["messages", "-"][..], 0), (&["messages", "--strict", "-"], 3), (&["report", "--strict", "-"], 3)] {
        let output = run_with_stdin(arguments, cut);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(text(&output.stderr).contains("warning: standard input: "), "{}", text(&output.stderr));
        assert!(!output.stdout.is_empty());
    }
    assert_eq!(text(&run_with_stdin(&["messages", "-q", "--content", "none", "-"], cut).stderr), "");
}

#[test]
#[cfg(unix)]
fn name_that_is_no_utf_8_is_one_clear_error() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = wiretare(&[]);
    let output = command.arg(std::ffi::OsStr::from_bytes(b"mesages\xff")).output().expect("the command starts");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    let lines: Vec<_> = text(&output.stderr).lines().collect();
    assert!(
        lines[0].starts_with("error: mesages\u{fffd}: ") && lines[1].starts_with("hint: did you mean `wiretare messages`? "),
        "{lines:?}"
    );
}

#[test]
fn strict_exits_with_3_for_each_kind_of_damage_and_for_nothing_to_measure() {
    let whole = sample();
    let mut gzip = Vec::new();
    flate2::read::GzEncoder::new(&whole[..], flate2::Compression::fast()).read_to_end(&mut gzip).expect("reading from a slice");
    let (half, last) = (gzip.len() / 2, whole.len() - 4);
    let mut changed = whole.clone();
    // The trailing length of the last block is one of its two.
    changed[last] ^= 4;
    let header = [&0xa1b2_c3d4_u32.to_le_bytes()[..], &[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]].concat();
    let arp = [&[0; 8][..], &[14, 0, 0, 0, 14, 0, 0, 0], &[0; 12], &[8, 6]].concat();
    let garbage = [&whole[..], &[0x55; 40]].concat();
    let damaged: [(&str, Vec<u8>, u8); 7] = [
        ("sound", whole.clone(), 0),
        ("cut within a block", whole[..whole.len() - 10].to_vec(), 3),
        ("a block whose two lengths differ", changed, 3),
        ("no block behind the last one", garbage, 3),
        ("cut within compressed octets", gzip[..half].to_vec(), 3),
        ("no packet", header.clone(), 3),
        ("no TCP", [header, arp].concat(), 3),
    ];
    for (what, file, code) in damaged {
        for arguments in [&["report", "-f", "json", "-"][..], &["messages", "-"]] {
            let output = run_with_stdin(arguments, &file);
            assert_eq!(output.status.code(), Some(0), "{what}: {arguments:?}");
            let strict = run_with_stdin(&[arguments, &["--strict"]].concat(), &file);
            assert_eq!(strict.status.code(), Some(i32::from(code)), "{what}: {arguments:?} --strict");
            assert_eq!(strict.stdout, output.stdout, "{what}: what was found is printed nonetheless");
            assert_eq!(text(&strict.stderr).contains("error: strict: "), code == 3, "{what}: {}", text(&strict.stderr));
        }
    }
    assert_eq!(run(&["messages", "--strict", "--host", "no.such.host", SAMPLE]).status.code(), Some(3));
}

#[test]
fn closed_pipe_is_the_end_and_a_full_disk_is_an_error() {
    let mut child =
        wiretare(&["messages", "-q", SAMPLE]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    if let Ok(full) = std::fs::File::options().write(true).open("/dev/full") {
        let output = wiretare(&["messages", "-q", SAMPLE]).stdout(full).output().expect("the command starts");
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("write failed"), "{}", text(&output.stderr));
    }
}

#[test]
fn output_file_is_whole_or_not_there() {
    let scratch = Scratch::new("output");
    let target = scratch.path("report.json");
    let output = run(&["report", "-f", "json", "-o", &target, SAMPLE]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
    assert_eq!(std::fs::read(&target).expect("the report"), run(&["-f", "json", SAMPLE]).stdout);
    let stopped = run(&["report", "-o", &scratch.path("other"), "Cargo.toml"]);
    assert_eq!(stopped.status.code(), Some(2));
    assert_eq!(std::fs::read_dir(&scratch.0).expect("the folder").count(), 1);
}

#[test]
fn capture_is_never_overwritten() {
    let scratch = Scratch::new("overwrite");
    let capture = scratch.path("a.pcapng");
    std::fs::write(&capture, sample()).expect("copied");
    let output = run(&["report", "-o", &capture, &capture]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(&capture).expect("still there"), sample());
}

#[test]
fn host_is_chosen_with_and_without_its_port() {
    let rows = |host: &str| text(&run(&["messages", "--host", host, SAMPLE]).stdout).lines().count();
    let all = rows("*");
    assert!(all > 100);
    // The browser sends `Host: ticker.example`: port 80, which is also the server's.
    assert_eq!([rows("ticker.example"), rows("ticker.example:80"), rows("ticker.example:8080")], [all, all, 0]);
}

#[test]
fn filter_that_nothing_passes_says_what_there_is() {
    let cases: [(&[&str], &str); 5] = [
        (&["--host", "example.org"], "hint: hosts there are: ticker.example\n"),
        (&["--connection", "9"], "hint: connections are numbered 0 to 4\n"),
        (&["--opcode", "binary"], "hint: there are 55 exchanges and WebSocket messages (50 text, 2 close, 1 ping, 1 pong)\n"),
        (&["--connection", "3", "--grep", "no such text"], "hint: there is 1 exchange\n"),
        (&["--min-bytes", "1GiB"], "hint: there are "),
    ];
    for (filter, expected) in cases {
        let output = run(&[&["messages", SAMPLE][..], filter].concat());
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""), "{filter:?}");
        let said = text(&output.stderr);
        assert!(
            said.starts_with("note: nothing in 212 packets passed the filters\nhint: ") && said.contains(expected),
            "{filter:?}: {said}"
        );
        assert_eq!(text(&run(&[&["messages", "-q", SAMPLE][..], filter].concat()).stderr), "");
    }
}

#[test]
fn capture_given_twice_is_counted_once_and_told() {
    let output = run(&["report", "-f", "json", SAMPLE, SAMPLE]);
    assert_eq!(text(&output.stderr), format!("warning: {SAMPLE}: given more than once; its packets are taken for copies\n"));
    let mut twice: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut once: serde_json::Value = serde_json::from_slice(&run(&["-f", "json", SAMPLE]).stdout).expect("JSON");
    // The capture is twice as long, and the side's part of it half as large; nothing else differs.
    let [half, whole] = [&mut twice, &mut once].map(|report| report["ajax"]["share_of_capture"].take().as_f64().expect("a number"));
    assert!((half * 2.0 - whole).abs() < 1e-5, "{half} {whole}");
    assert_eq!(twice["ajax"], once["ajax"]);
    assert_eq!(twice["conservation"]["duplicates"], once["conservation"]["wire_bytes"]);
    let page = run(&["report", SAMPLE, SAMPLE]);
    assert!(text(&page.stdout).contains("bytes understood 50.0 %, captured twice 50.0 %\n"), "{}", text(&page.stdout));
}

#[test]
fn hints_name_the_limit_that_was_met_and_are_not_for_the_quiet() {
    const LOSS: &str = "samples/loss/reordered-and-duplicated.pcapng";
    let hints = |arguments: &[&str]| -> Vec<String> {
        let output = run(&[&["report", LOSS][..], arguments].concat());
        text(&output.stdout).lines().filter(|line| line.starts_with("hint: ")).map(str::to_owned).collect()
    };
    assert_eq!(hints(&[]), Vec::<String>::new());
    let met = hints(&["--limit", "out_of_order_bytes=1"]);
    assert!(met.iter().any(|hint| hint.contains("a limit was met") && hint.contains("`--limit out_of_order_bytes=…`")), "{met:?}");
    // What a limit gave up was captured: a larger buffer would not help.
    assert!(!met.iter().any(|hint| hint.contains("tcpdump -B")), "{met:?}");
    assert_eq!(hints(&["--limit", "out_of_order_bytes=1", "-q"]), Vec::<String>::new());
    let lost = run(&["report", "samples/loss/missing-from-capture.pcapng"]);
    assert!(text(&lost.stdout).contains("hint: 1,707 bytes were sent but not captured"), "{}", text(&lost.stdout));
}

#[test]
fn pages_keep_words_whole_and_fit_the_terminal() {
    for width in ["80", "100", "120", "200"] {
        let report = run(&["report", "--width", width, SAMPLE]);
        let most: usize = width.parse().expect("a number");
        for line in text(&report.stdout).lines().chain(text(&run(&["messages", "-f", "table", "--width", width, SAMPLE]).stdout).lines()) {
            assert!(line.chars().count() <= most, "{width}: {line}");
        }
        // What names an endpoint stands in one piece, at the most with its middle left out.
        let endpoints = text(&report.stdout).split("Endpoints that cost the most").nth(1).expect("endpoints");
        assert!(
            endpoints.contains(" ticker.example ") && endpoints.contains(" /api/tick") && endpoints.contains(" WebSocket "),
            "{width}: {endpoints}"
        );
    }
}

#[test]
fn pages_narrower_than_60_columns_are_as_wide() {
    let tables: [&[&str]; 4] = [
        &["report", SAMPLE],
        &["messages", "-f", "table", SAMPLE],
        &["compare", "samples/deck/deck.pcap", SAMPLE],
        &["check", SAMPLE, "--max", "comparison.counterfactual.ajax_as_websocket.observed_wire_bytes=9MB"],
    ];
    for table in tables {
        let of_width = |width: &str| run(&[table, &["--width", width]].concat());
        assert!(!of_width("60").stdout.is_empty() && of_width("60").stdout != of_width("200").stdout, "{table:?}");
        for width in ["1", "20", "59"] {
            assert_eq!(text(&of_width(width).stdout), text(&of_width("60").stdout), "{table:?} {width}");
        }
    }
    assert!(text(&run(&["report", "--help"]).stdout).contains("60 at least"));
}

/// Lines of the shell in a page that begin with the program, with their arguments.
fn examples(page: &str) -> Vec<Vec<String>> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("wiretare "));
    // Those that need a shell are not for this test.
    lines.filter(|line| !line.contains(['|', '>'])).map(words).collect()
}

/// Words of a shell's line, of which quotes and globs are understood.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("one").push(c),
        }
    }
    words
}

#[test]
fn examples_of_the_guide_and_the_readme_do_their_work() {
    let mut done = 0;
    let scratch = Scratch::new("examples");
    // The report of the main branch is made there.
    assert!(run(&["report", "-f", "json", "-o", &scratch.path("main.json"), SAMPLE]).status.success());
    for page in ["docs/guide.md", "README.md"] {
        let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the page");
        for mut arguments in examples(&page) {
            for argument in &mut arguments {
                let is_capture = argument.contains(".pcap") && !argument.starts_with("samples/");
                if is_capture {
                    *argument = SAMPLE.into();
                } else if argument == "wiretare.toml" {
                    *argument = "docs/ci/wiretare.toml".into();
                } else if argument.ends_with(".json") || argument.ends_with(".csv") {
                    *argument = scratch.path(argument);
                }
            }
            let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
            done += 1;
        }
    }
    assert!(done >= 18, "{done}");
}

#[test]
fn recipes_sort_numbers_as_jq_prints_them() {
    for page in ["docs/guide.md", "docs/formats.md", "README.md"] {
        let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the page");
        let by_number: Vec<_> = page.lines().filter(|line| line.contains("sort -")).collect();
        // jq prints 0.00009 as 9e-05, which `sort -n` takes for 9.
        assert!(by_number.iter().all(|line| line.contains("sort -rg")), "{by_number:?}");
    }
}

#[test]
fn pictures_in_the_readme_are_what_is_printed() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let mut pictures = 0;
    for picture in readme.split("```text\n$ wiretare ").skip(1) {
        let (command, rest) = picture.split_once('\n').expect("a command");
        let shown = rest.split("```").next().expect("what it prints");
        let output = run(&command.split(' ').collect::<Vec<_>>());
        assert!(text(&output.stdout).contains(shown), "`{command}` prints\n{}", text(&output.stdout));
        pictures += 1;
    }
    assert_eq!(pictures, 2);
}

#[test]
fn basis_chooses_what_verdict_and_table_count() {
    // Frame 29 is one of nine responses of the deck: link 14, IP 20, TCP 20 in each; framing 186 bytes on average, content as sent 147.
    for (basis, response, layers) in [
        ("wire", "a response cost 387 bytes by Ajax", vec!["link", "IP", "TCP", "framing"]),
        ("ip", "a response cost 373 bytes from the IP header up by Ajax", vec!["IP", "TCP", "framing"]),
        ("application", "a response cost 186 bytes of framing alone by Ajax", vec!["framing"]),
    ] {
        let page = run(&["report", "--basis", basis, "samples/deck/deck.pcap"]);
        let page = text(&page.stdout);
        assert!(page.contains(response), "{page}");
        let by_layer = page.split("by layer").nth(1).expect("the table").split("on the wire").next().unwrap_or_default();
        let names = by_layer.lines().filter_map(|line| line.split_whitespace().next());
        let found: Vec<_> = names.filter(|name| ["link", "IP", "TCP", "framing"].contains(name)).take(layers.len()).collect();
        assert_eq!(found, layers, "{basis}");
        let json = run(&["report", "-f", "json", "--basis", basis, "samples/deck/deck.pcap"]);
        let json: serde_json::Value = serde_json::from_str(text(&json.stdout)).expect("JSON");
        assert_eq!(json["settings"]["basis"], basis);
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let output = run(&["report", "-o", "no/such/folder/report.json", SAMPLE]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no directory no/such/folder"), "{}", text(&output.stderr));
}

#[test]
fn quiet_leaves_hints_out() {
    let hints =
        |arguments: &[&str]| text(&run(&[&["report", "samples/link/snaplen-100.pcap"][..], arguments].concat()).stdout).contains("hint: ");
    assert!(hints(&[]) && !hints(&["-q"]));
}

#[test]
fn ajax_can_be_narrowed_to_hosts_and_paths() {
    let exchanges = |arguments: &[&str]| {
        let output = run(&[&["report", "-f", "json", SAMPLE][..], arguments].concat());
        let report: serde_json::Value = serde_json::from_str(text(&output.stdout)).expect("JSON");
        (report["ajax"]["exchanges"].clone(), report["settings"]["filters"].clone())
    };
    assert_eq!(exchanges(&["--ajax-path", "/api/*"]), (50.into(), serde_json::json!(["ajax_path=/api/*"])));
    assert_eq!(exchanges(&["--ajax-path", "/other/*"]).0, 0);
    // The page, its style sheet, script and image beside the 50.
    assert_eq!(exchanges(&["--ajax", "all", "--ajax-host", "ticker.example:80"]).0, 54);
}
