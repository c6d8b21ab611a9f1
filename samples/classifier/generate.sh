#!/bin/bash
# with-metadata.pcapng, without-metadata.pcapng: what Chromium asks for, each request with what made it. See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
CHROMIUM=${CHROMIUM:-chromium}
cp server.js ../common/log.js "$WORK"
net_up
here=$PWD; cd "$WORK"
export HOME="$WORK"
rm -f "$here/truth.json"
# A browser sends Sec-Fetch-* only to origins that it trusts: to the second host, plain HTTP, it sends none, as older ones do.
port=80
for host in with-metadata without-metadata; do
  server node server.js "$WORK/$host.jsonl" $port; wait_port $port
  cap_start "$here/$host.pcapng" "tcp port $port"
  background ip netns exec "$NC" timeout "$LIMIT" "$CHROMIUM" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --disable-dev-shm-usage --user-data-dir="$WORK/profile-$host" --host-resolver-rules="MAP *.example 10.77.0.1" \
    --unsafely-treat-insecure-origin-as-secure=http://with-metadata.example --enable-logging=stderr --log-level=0 --lang=en-US \
    "http://$host.example:$port/" >"$WORK/console" 2>&1
  for i in $(seq 200); do grep -q 'CONSOLE.*"DONE"' "$WORK/console" && break; sleep 0.1; done
  grep -q 'CONSOLE.*"DONE"' "$WORK/console" || { tail -20 "$WORK/console" >&2; exit 1; }
  sleep 0.5; kill "${PIDS[-1]}"
  cap_stop 1
  port=$((port + 1))
  python3 "$here/../common/truth.py" "$here/truth.json" "$host.pcapng" "$WORK/$host.jsonl"
done
