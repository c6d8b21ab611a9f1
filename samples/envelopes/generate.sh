#!/bin/bash
# One capture for each envelope protocol, by its usual programs; envelopes.json says what the applications knew. See ../README.md.
# generate.sh [WHICH …]     MODULES=folder, PYTHON=program and MOSQUITTO=program take installed npm packages and programs from there.
cd "$(dirname "$0")"; . ../common/net.sh
cp package.json package-lock.json *.js *.py "$WORK"
if [ -n "${MODULES:-}" ]; then ln -s "$MODULES" "$WORK/node_modules"; else (cd "$WORK" && npm ci --silent >/dev/null 2>&1); fi
if [ -z "${PYTHON:-}" ]; then python3 -m venv "$WORK/python"; PYTHON=$WORK/python/bin/python; "$PYTHON" -m pip install -q -r requirements.txt; fi
net_up
record() {  # CAPTURE SERVER CLIENT
  local id
  if [ "$2" = mosquitto ]; then
    printf '%s\n' 'listener 1883 127.0.0.1' 'allow_anonymous true' 'user root' >"$WORK/mosquitto.conf"
    server "${MOSQUITTO:-mosquitto}" -c "$WORK/mosquitto.conf"; wait_port 1883
  fi
  case $2 in *.py) server "$PYTHON" "$WORK/$2" ;; *) server node "$WORK/server.js" "$2" ;; esac
  id=${PIDS[-1]}; wait_port 3000
  cap_start "$PWD/$1.pcapng"
  in_client node "$WORK/client.js" "$3" "$WORK/$1.jsonl"
  cap_stop 0.5
  python3 truth.py envelopes.json "$1.pcapng" "$WORK/$1.jsonl"
  ip netns pids "$NS" | xargs -r kill; wait "$id" || true
}
all() { cat <<END
sockjs sockjs sockjs
signalr-json signalr.py signalr
signalr-messagepack signalr.py signalr-messagepack
stomp stomp stomp
mqtt-3.1.1 mqtt mqtt
mqtt-5 mosquitto mqtt5
wamp wamp wamp
graphql-transport-ws graphql graphql
graphql-ws subscriptions subscriptions
json-rpc jsonrpc jsonrpc
socketio-2 socketio2 socketio2
END
}
[ $# -gt 0 ] || set -- $(all | cut -d' ' -f1)
for which; do all | grep "^$which " | { read -r capture server_name client_name; record "$capture" "$server_name" "$client_name"; } || echo "$which: not made" >&2; done
