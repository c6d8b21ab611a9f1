#!/bin/sh
# Prints what tshark's TCP analysis marks in the captures below a folder, by connection: the kinds that the corpus's own
# *.tcp.tsv files do not have. Run as
#   tests/tcp_analysis.sh CORPUS/public > tests/integration/tcp_analysis.tsv
set -eu
kinds="keep_alive keep_alive_ack zero_window zero_window_probe zero_window_probe_ack window_full window_update reused_ports"
fields=""
for kind in $kinds; do fields="$fields -e tcp.analysis.$kind"; done
echo "# Segments that $(tshark --version 2>/dev/null | head -n 1 | cut -d' ' -f1-3) marks: capture, tcp.stream, kind=count."
cd "$1"
find expected -name '*.tcp.tsv' | LC_ALL=C sort | while read -r expected; do
    capture=${expected#expected/}
    capture=${capture%.tcp.tsv}
    # shellcheck disable=SC2086
    tshark -n -r "$capture" -Y tcp -T fields -e tcp.stream $fields 2>/dev/null | awk -F '\t' -v kinds="$kinds" -v capture="$capture" '
        BEGIN { count = split(kinds, kind, " ") }
        $1 ~ /^[0-9]+$/ { for (i = 1; i <= count; i++) if ($(i + 1) != "") marks[$1, i]++; streams[$1] }
        END {
            for (stream in streams) {
                line = ""
                for (i = 1; i <= count; i++) if ((stream, i) in marks) line = line " " kind[i] "=" marks[stream, i]
                if (line != "") printf "%s\t%s\t%s\n", capture, stream, substr(line, 2)
            }
        }' | LC_ALL=C sort -t "$(printf '\t')" -k 2n
done
