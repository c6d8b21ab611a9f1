#!/bin/bash
# ajax-and-websocket.pcapng: Chromium does the same job by fetch, XMLHttpRequest and WebSocket through nginx. See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
CHROMIUM=${CHROMIUM:-chromium}
cp -r package.json package-lock.json nginx.conf server.js site truth_lines.py ../common/log.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
net_up
here=$PWD; cd "$WORK"
server node server.js "$WORK/server.jsonl"; server nginx -p "$WORK" -c nginx.conf 2>/dev/null
wait_port 3000; wait_port 80
cap_start "$here/ajax-and-websocket.pcapng" 'tcp port 80'
# The page is plain HTTP on a private address; the flag makes the browser treat it as it treats https (Sec-Fetch-*, br and zstd offered).
export HOME="$WORK"
background ip netns exec "$NC" timeout "$LIMIT" "$CHROMIUM" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update \
  --disable-sync --disable-dev-shm-usage --user-data-dir="$WORK/profile" --host-resolver-rules='MAP ticker.example 10.77.0.1' \
  --unsafely-treat-insecure-origin-as-secure=http://ticker.example --enable-logging=stderr --log-level=0 --lang=en-US http://ticker.example/ >"$WORK/console" 2>&1
for i in $(seq 300); do grep -q 'CONSOLE.*"DONE"' "$WORK/console" && break; sleep 0.1; done
sleep 0.5; kill "${PIDS[-1]}"
grep -q 'CONSOLE.*"DONE"' "$WORK/console" || { tail -20 "$WORK/console" >&2; exit 1; }
cap_stop 2
python3 truth_lines.py <"$WORK/console" >"$WORK/client.jsonl"
rm -f "$here/truth.json"; python3 "$here/../common/truth.py" "$here/truth.json" ajax-and-websocket.pcapng "$WORK/client.jsonl" "$WORK/server.jsonl"
