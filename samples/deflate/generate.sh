#!/bin/bash
# Six captures of the same conversation under different permessage-deflate agreements. See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
cp package.json package-lock.json talk.js ../common/log.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
net_up
rm -f truth.json
for v in takeover no-takeover server-no-takeover client-no-takeover window-bits plain; do
  server node "$WORK/talk.js" server $v "$WORK/server-$v.jsonl"; wait_port 8080
  cap_start "$PWD/$v.pcapng"
  in_client node "$WORK/talk.js" client $v "$WORK/client-$v.jsonl"
  cap_stop
  kill "${PIDS[-1]}"; wait "${PIDS[-1]}" 2>/dev/null || true
  python3 ../common/truth.py truth.json $v.pcapng "$WORK/client-$v.jsonl" "$WORK/server-$v.jsonl"
done
