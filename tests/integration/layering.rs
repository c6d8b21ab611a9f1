//! Keeps the rooms of src/ in their order: each uses only what stands before it (docs/architecture.md).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms from the ground up; those of one line do not use each other unless [`NEIGHBOURS`] says so.
const ORDER: &[&[&str]] = &[
    &["error", "anomaly", "options"],
    &["stream"],
    &["capture"],
    &["packet"],
    &["message"],
    &["tcp"],
    &["tls"],
    &["http", "websocket", "envelope"],
    &["content"],
    &["account"],
    &["analysis"],
    &["flow", "report", "budget"],
    &["parallel"],
    &["analyzer"],
    &["dissect"],
    &["lib", "cli", "main"],
];

/// Rooms of one line that may use each other: (who, whom).
const NEIGHBOURS: &[(&str, &str)] = &[("main", "cli"), ("options", "error")];

fn rank(room: &str) -> Option<usize> {
    ORDER.iter().position(|line| line.contains(&room))
}

/// Whether a room may use another.
fn may_use(user: &str, used: &str) -> bool {
    user == used || NEIGHBOURS.contains(&(user, used)) || rank(used) < rank(user)
}

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file without comments and without its tests, which stand at the bottom.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    product.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// First names that follow `crate::`: one, or those of a group `crate::{a::X, b}`.
fn used_names(code: &str) -> Vec<String> {
    let first_name = |path: &str| path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let mut names = Vec::new();
    for path in code.split("crate::").skip(1) {
        match path.strip_prefix('{') {
            None => names.push(first_name(path)),
            Some(group) => {
                let mut depth = 0;
                let members = group.split_inclusive(['{', '}', ',']).scan(true, |open, part| {
                    let outermost = depth == 0;
                    depth += part.matches('{').count() as i32 - part.matches('}').count() as i32;
                    std::mem::replace(open, depth >= 0).then_some((outermost, part))
                });
                names.extend(
                    members.filter(|&(outermost, part)| outermost && !first_name(part).is_empty()).map(|(_, part)| first_name(part)),
                );
            }
        }
    }
    names
}

/// Which room each name at the crate's root comes from, by the `pub use` lines of lib.rs; "*" for what a glob brings.
fn reexports(lib: &str) -> BTreeMap<String, String> {
    let mut rooms = BTreeMap::new();
    for statement in code(lib).split(';').filter_map(|statement| statement.trim().strip_prefix("pub use ")) {
        let (room, names) = statement.split_once("::").expect("a path");
        for name in names.trim_matches(['{', '}']).split(',') {
            rooms.insert(name.trim().to_owned(), room.to_owned());
        }
    }
    rooms
}

#[test]
fn rooms_use_only_what_stands_before_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).expect("lib.rs");
    let reexports = reexports(&lib);
    let mut files = Vec::new();
    source_files(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let shown = file.strip_prefix(&src).expect("below src").display().to_string();
        let user = shown.split(['/', '\\', '.']).next().expect("a first part");
        if rank(user).is_none() {
            wrong.push(format!("src/{shown}: the room `{user}` has no place in the order; give it one here and in docs/architecture.md"));
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("readable");
        for name in used_names(&code(&text)) {
            let used = match rank(&name) {
                Some(_) => name.as_str(),
                None => reexports.get(&name).or(reexports.get("*")).map_or("lib", String::as_str),
            };
            if !may_use(user, used) {
                wrong.push(format!("src/{shown}: `{user}` must not use `{used}` (crate::{name})"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn protocols_do_not_know_each_other() {
    assert!(!may_use("http", "websocket") && !may_use("websocket", "http"));
    assert!(!may_use("http", "flow") && may_use("flow", "http"));
    assert!(may_use("tcp", "stream") && !may_use("stream", "tcp"));
}

#[test]
fn names_behind_crate_are_found_in_groups_and_paths() {
    let text = "use crate::anomaly::AnomalySet;\nuse crate::{error::{Error, Result}, stream::Frame};\nlet x: crate::Timestamp = y; // crate::no\n\
                #[cfg(test)]\nmod tests { use crate::flow; }";
    assert_eq!(used_names(&code(text)), ["anomaly", "error", "stream", "Timestamp"]);
}
