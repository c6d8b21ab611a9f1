#!/bin/bash
# websockets.pcapng: Python's websockets on both ends. See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
python3 -m venv "$WORK/venv" && "$WORK/venv/bin/pip" -q --disable-pip-version-check install -r requirements.txt
net_up
server "$WORK/venv/bin/python" talk.py server "$WORK/server.jsonl"; wait_port 8765
cap_start "$PWD/websockets.pcapng"
in_client "$WORK/venv/bin/python" talk.py client "$WORK/client.jsonl"
cap_stop
rm -f truth.json; python3 ../common/truth.py truth.json websockets.pcapng "$WORK/client.jsonl" "$WORK/server.jsonl"
