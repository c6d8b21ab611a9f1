#!/bin/bash
# http.pcapng: HTTP/1.1 (and 1.0) in its variety. See ../README.md. Needs nginx, node, python3, curl (with br and zstd), zstd.
cd "$(dirname "$0")"; . ../common/net.sh
mkdir "$WORK/www"; cp nginx.conf "$WORK"
python3 - "$WORK" <<'P'
import json, sys
w = sys.argv[1]
rows = [{"id": i, "name": f"item {i}", "tags": ["red", "blue", "green"][i % 3:], "price": (i * 137) % 1000 / 10} for i in range(30)]
json.dump(rows, open(w + "/www/a.json", "w"))
json.dump({"rows": rows[:20], "note": "the same content in every coding"}, open(w + "/text", "w"))
open(w + "/www/style.css", "w").write("".join(f".c{i} {{ margin: {i}px; color: #{i * 1111:06x}; }}\n" for i in range(1, 12)))
open(w + "/www/empty.txt", "w")
P
touch -d 2024-05-06T07:08:09Z "$WORK"/www/*
zstd -q "$WORK/text" -o "$WORK/text.zst"
net_up
server node server.js 3000 "$WORK/text.zst"; server python3 old.py 8000; server nginx -p "$WORK" -c nginx.conf 2>/dev/null
wait_port 80; wait_port 3000; wait_port 8000
cap_start "$PWD/http.pcapng"
in_client python3 client.py "$WORK/client.jsonl" "$WORK"
cap_stop
rm -f truth.json; python3 ../common/truth.py truth.json http.pcapng "$WORK/client.jsonl"
