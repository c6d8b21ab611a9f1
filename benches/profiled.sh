#!/usr/bin/env bash
# Builds wiretare by a profile of itself: about a tenth less CPU time, the same output.
#
#     benches/profiled.sh OUT
#
# Builds it with counters, runs that over samples/ and the captures of captures.py, builds it again by what was counted, and
# puts the program into OUT. Needs llvm-profdata, of LLVM_PROFDATA or `rustup component add llvm-tools`, that reads the compiler's
# profiles, about 600 MB in TMPDIR, and some minutes.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: benches/profiled.sh OUT" >&2; exit 2; }
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
profdata=${LLVM_PROFDATA:-$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata}
command -v "$profdata" >/dev/null || { echo "llvm-profdata not found; hint: rustup component add llvm-tools, or set LLVM_PROFDATA" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
target=${CARGO_TARGET_DIR:-target}/profiled
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

benches/captures.py "$work/captures" --scale 1
RUSTFLAGS="-Cprofile-generate=$work/counts" cargo build --release --locked --target-dir "$target/counting"
find samples "$work/captures" \( -name '*.pcap' -o -name '*.pcapng' \) -print0 | while IFS= read -r -d '' capture; do
  for run in "messages --format ndjson" "report --format json"; do
    # shellcheck disable=SC2086 # a command and its options
    "$target/counting/release/wiretare" $run --jobs 1 "$capture" >/dev/null 2>"$work/errors" || { cat "$work/errors" >&2; exit 1; }
  done
done
"$profdata" merge -o "$work/profile" "$work/counts"
RUSTFLAGS="-Cprofile-use=$work/profile" cargo build --release --locked --target-dir "$target/release"
install "$target/release/release/wiretare" "$out/wiretare"
