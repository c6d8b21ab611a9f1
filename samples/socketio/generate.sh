#!/bin/bash
# polling-then-websocket.pcapng: socket.io's long polling, probe, upgrade, events, acknowledgements, binary attachment. See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
cp package.json package-lock.json server.js client.js ../common/log.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
net_up
server node "$WORK/server.js" "$WORK/server.jsonl"; wait_port 3000
cap_start "$PWD/polling-then-websocket.pcapng"
in_client node "$WORK/client.js" "$WORK/client.jsonl"
cap_stop 1
rm -f truth.json
# Exchanges and handshake are known to the server, messages to both.
grep '"http"' "$WORK/server.jsonl" >>"$WORK/client.jsonl"
# socket.io writes broadcasts below ws' send(), so what the server sent is taken from what the client received.
grep -v '"sent"' "$WORK/server.jsonl" >"$WORK/server2.jsonl"
python3 ../common/truth.py truth.json polling-then-websocket.pcapng "$WORK/client.jsonl" "$WORK/server2.jsonl"
