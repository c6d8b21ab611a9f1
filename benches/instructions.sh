#!/usr/bin/env bash
# Instructions per packet of `wiretare messages` on fixed samples, counted by callgrind: the same on every run and nearly the same
# on every machine, unlike times. Compares with benches/instructions.tsv and fails where more than 10 % are added; `--write`
# writes that file instead.
#
#   benches/instructions.sh [--write] [WIRETARE]      WIRETARE: a release build, target/release/wiretare by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

write=
if [ "${1:-}" = --write ]; then write=1; shift; fi
wiretare=${1:-${CARGO_TARGET_DIR:-target}/release/wiretare}
known=benches/instructions.tsv
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What each capture stresses: name and samples, read as one capture.
count() { # NAME SAMPLE...
  local name=$1; shift
  local packets instructions
  packets=$("$wiretare" report -q -f csv "$@" | awk -F, '$1 ~ /^captures\.[0-9]+\.packets$/ { sum += $2 } END { print sum }')
  valgrind --tool=callgrind --callgrind-out-file="$scratch/$name" "$wiretare" messages -q --jobs 1 "$@" >"$scratch/rows" 2>"$scratch/said"
  instructions=$(awk '/^(summary|totals):/ { print $2; exit }' "$scratch/$name")
  printf '%s\t%d\n' "$name" $((instructions / packets))
}

{
  count websocket samples/matrix/*.pcap*
  count http samples/polling/*.pcap* samples/browser/*.pcap*
  count envelopes samples/envelopes/*.pcap*
  count loss samples/loss/*.pcap*
} >"$scratch/now"

if [ -n "$write" ]; then
  { printf 'capture\tinstructions_per_packet\n'; cat "$scratch/now"; } >"$known"
  cat "$known"
  exit
fi
status=0
while IFS=$'\t' read -r name now; do
  before=$(awk -F'\t' -v name="$name" '$1 == name { print $2 }' "$known")
  [ -n "$before" ] || { echo "error: $known has no $name; benches/instructions.sh --write makes it" >&2; exit 1; }
  printf '%s: %d instructions per packet, %d before (%+d %%)\n' "$name" "$now" "$before" $(((now - before) * 100 / before))
  if [ $((now * 10)) -gt $((before * 11)) ]; then
    echo "error: $name takes more than 10 % more instructions per packet" >&2
    status=1
  fi
done <"$scratch/now"
exit $status
