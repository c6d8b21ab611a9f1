//! What a team does in CI, for real: a server runs, tcpdump captures a test run on loopback, the budget holds; then the server's
//! header sections grow, the run is captured again, and the check fails.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::support::skipped;

/// The request that ends the server.
const LAST: &[u8] = b"GET /stop HTTP/1.1\r\n\r\n";

/// Requests of a test run.
const REQUESTS: usize = 20;

/// A server that answers every request with a little JSON, and how many octets of header field it adds.
fn serve(listener: TcpListener, padding: usize) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { return };
        let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
        loop {
            let mut lines = Vec::new();
            while lines.last().is_none_or(|line: &String| line != "\r\n") {
                let mut line = String::new();
                if reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    lines.push(line);
                } else {
                    break;
                }
            }
            match lines.first() {
                None => break,
                Some(line) if line.starts_with("GET /stop ") => return,
                Some(_) => {}
            }
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Trace: {}\r\nContent-Length: 16\r\n\r\n{{\"price\":101.25}}",
                "a".repeat(padding)
            );
            stream.write_all(answer.as_bytes()).expect("sent");
        }
    }
}

/// The test run: a page's polls on one connection.
fn talk(port: u16) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    for number in 0..REQUESTS {
        let request = format!("GET /api/price?n={number} HTTP/1.1\r\nHost: shop.example\r\nX-Requested-With: XMLHttpRequest\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let mut part = [0; 4096];
            let read = stream.read(&mut part).expect("an answer");
            assert!(read > 0, "the server closed the connection");
            answer.extend_from_slice(&part[..read]);
        }
    }
}

/// A capture under way; it is stopped whatever happens.
struct Tcpdump(Child);

impl Tcpdump {
    /// `Err` says why capturing is not possible here.
    fn start(port: u16, file: &Path) -> Result<Self, String> {
        let filter = ["-i", "lo", "-B", "16384", "-U", "-s", "0", "-Z", "root", "-w", file.to_str().expect("UTF-8"), "tcp", "port"];
        let mut command = Command::new("tcpdump");
        let spawned = command.args(filter).arg(port.to_string()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = spawned.map_err(|error| format!("tcpdump: {error}"))?;
        let mut said = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        // It says so as soon as it listens, or why it does not.
        while said.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.contains("listening on") {
                std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
                return Ok(Self(child));
            }
        }
        drop(child.wait());
        Err(format!("tcpdump: {}", line.trim()))
    }

    /// Waits until what was said last is in the file, and ends the capture.
    fn stop(mut self, file: &Path, port: u16) {
        let is_there = || std::fs::read(file).is_ok_and(|octets| octets.windows(LAST.len()).any(|part| part == LAST));
        // At most a minute, on a machine that has much to do.
        for _ in 0..300 {
            if is_there() {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
            // Nobody listens any more: two packets that make tcpdump write what came before them.
            drop(TcpStream::connect(("127.0.0.1", port)));
        }
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Captures a test run against a server that adds so much to its header sections.
fn capture(folder: &Path, padding: usize) -> Result<PathBuf, String> {
    let file = folder.join(format!("run-{padding}.pcap"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let tcpdump = Tcpdump::start(port, &file)?;
    let server = std::thread::spawn(move || serve(listener, padding));
    talk(port);
    TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| stream.write_all(LAST)).expect("told to stop");
    server.join().expect("the server ends");
    tcpdump.stop(&file, port);
    Ok(file)
}

fn wiretare(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wiretare")).args(arguments).output().expect("the command starts")
}

#[test]
fn check_passes_until_the_servers_header_sections_grow() {
    let folder = std::env::temp_dir().join(format!("wiretare-end-to-end-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let captured = capture(&folder, 8).and_then(|before| Ok([before, capture(&folder, 8)?, capture(&folder, 80)?]));
    let [before, again, after] = match captured {
        Ok(captures) => captures,
        Err(why) => {
            assert!(std::env::var_os("WIRETARE_REQUIRE_TOOLS").is_none(), "{why}");
            return skipped(format_args!("capturing on loopback is not possible: {why}"));
        }
    };
    let [before, again, after] = [&before, &again, &after].map(|path| path.to_str().expect("UTF-8"));
    let baseline = folder.join("baseline.json");
    let baseline = baseline.to_str().expect("UTF-8");
    assert!(wiretare(&["report", "-f", "json", "-o", baseline, before]).status.success());
    let budget = folder.join("wiretare.toml");
    let rules = "[[budget]]\nmetric = \"ajax.by_direction.server_to_client.per_message.overhead_bytes.p95\"\nmax = \"400 B\"\nmax_increase = \"5%\"\n\n\
        [[budget]]\nmetric = \"ajax.exchanges\"\nmin = 20\n";
    std::fs::write(&budget, rules).expect("written");
    let budget = budget.to_str().expect("UTF-8");

    let check = |capture: &str| wiretare(&["check", capture, "--budget", budget, "--baseline", baseline]);
    let output = check(again);
    assert_eq!(output.status.code(), Some(0), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let output = check(after);
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{page}{}", String::from_utf8_lossy(&output.stderr));
    assert!(page.contains("wanted at most 5 % more than the baseline's"), "{page}");
    // 72 octets of field value more in each response.
    let output = wiretare(&["compare", baseline, after, "--max-increase", "5%"]);
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{page}");
    assert!(page.lines().any(|line| line.contains("overhead of a response") && line.contains("+72 B") && line.contains("yes")), "{page}");
    std::fs::remove_dir_all(&folder).expect("removed");
}
