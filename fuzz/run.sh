#!/usr/bin/env bash
# Runs fuzz targets, so many seconds each: fuzz/run.sh SECONDS [TARGET...]. Needs a nightly toolchain; installs cargo-fuzz.
# What it finds lies in fuzz/artifacts/TARGET; `cargo fuzz tmin TARGET FILE` makes it small, and what is fixed goes to
# fuzz/regressions/TARGET, where the tests read it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:?"usage: fuzz/run.sh SECONDS [TARGET...]"}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(whole_file capture packet tcp_segments http websocket)
cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked
cargo test --test integration -- --ignored fuzzed::write_seeds
# Nothing here is `unsafe`, so no address sanitizer: three times as many executions in the same time.
for target in "${targets[@]}"; do
  echo "== $target"
  mkdir -p "fuzz/corpus/$target"
  cargo +nightly fuzz run --sanitizer none "$target" "fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -max_len=16384 -print_final_stats=1
done
