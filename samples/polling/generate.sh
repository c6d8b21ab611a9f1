#!/bin/bash
# polling.pcapng: short, conditional and long polling, and engine.io that stays with polls. sockjs.pcapng: SockJS without WebSocket.
# See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
cp package.json package-lock.json server.js client.js sockjs.js ../common/log.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
net_up
server node "$WORK/server.js" "$WORK/server.jsonl" "$WORK/polls.json"; wait_port 3000
cap_start "$PWD/polling.pcapng"
in_client node "$WORK/client.js"
cap_stop 1
rm -f truth.json
FACTS=$(cat "$WORK/polls.json") python3 ../common/truth.py truth.json polling.pcapng "$WORK/server.jsonl"
server node "$WORK/sockjs.js" "$WORK/sockjs.jsonl" "$WORK/sockjs.json"; wait_port 3001
cap_start "$PWD/sockjs.pcapng"
in_client node "$WORK/sockjs.js" client
cap_stop 1
FACTS=$(cat "$WORK/sockjs.json") python3 ../common/truth.py truth.json sockjs.pcapng "$WORK/sockjs.jsonl"
