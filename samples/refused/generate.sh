#!/bin/bash
# refused.pcapng: requests to open a WebSocket that are refused. See ../README.md. Needs node, python3, curl.
cd "$(dirname "$0")"; . ../common/net.sh
cp package.json package-lock.json server.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
python3 -m venv "$WORK/venv" && "$WORK/venv/bin/pip" -q --disable-pip-version-check install -r requirements.txt
net_up
server node "$WORK/server.js"; server "$WORK/venv/bin/python" server.py
for port in 8080 8081 8000 8765; do wait_port $port; done
cap_start "$PWD/refused.pcapng"
in_client "$WORK/venv/bin/python" client.py "$WORK/client.jsonl" "$WORK"
cap_stop
rm -f truth.json; python3 ../common/truth.py truth.json refused.pcapng "$WORK/client.jsonl"
