#!/usr/bin/env bash
# Instructions a packet that each stage takes on a capture, counted by callgrind: benches/stages.rs taken through one stage more each
# time, and the difference.
#
#   benches/stages.sh CAPTURE       one of some MB: callgrind is 50 times slower than the machine
set -euo pipefail
capture=$(realpath "${1:?usage: benches/stages.sh CAPTURE}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
stages=$(cargo bench --locked --bench stages --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))/\1/p')
[ -x "$stages" ] || { echo "error: benches/stages.rs does not build" >&2; exit 1; }

# A level, and the one before it that it goes on from.
before() { case $1 in walk) echo nothing ;; slice) echo walk ;; assemble) echo slice ;; parse) echo assemble ;; inflate) echo parse ;; *) echo inflate ;; esac; }

printf '%-10s %12s %12s\n' stage 'up to here' 'itself'
declare -A counted=([nothing]=0)
for level in walk slice assemble parse inflate write account; do
  packets=$(valgrind --tool=callgrind --callgrind-out-file="$scratch/$level" "$stages" "$capture" "$level" 2>"$scratch/said" | cut -f1)
  instructions=$(awk '/^(summary|totals):/ { print $2; exit }' "$scratch/$level")
  counted[$level]=$((instructions / packets))
  printf '%-10s %12d %12d\n' "$level" "${counted[$level]}" $((counted[$level] - counted[$(before "$level")]))
done
