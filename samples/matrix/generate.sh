#!/bin/bash
# CLIENT-SERVER-MODE.pcapng: libraries of WebSocket against each other under every agreement of permessage-deflate. See ../README.md.
#   generate.sh [CLIENT-SERVER[-MODE] …]      all, or those that are named (by a pattern of the shell)
# PYTHON=program and MODULES=folder take installed packages instead of fetching them; RATCHET=folder and TEXTALK=folder, checkouts of the tags in
# composer.json, instead of what Composer fetches; CHROMIUM=program another browser.
cd "$(dirname "$0")"; . ../common/net.sh
here=$PWD; CHROMIUM=${CHROMIUM:-chromium}; export HOME=$WORK
cp ./*.js ./*.json ./*.py ./*.php page.html ../common/log.js "$WORK"
if [ -n "${MODULES:-}" ]; then ln -s "$MODULES" "$WORK/node_modules"; else (cd "$WORK" && npm ci --silent >/dev/null 2>&1); fi
if [ -z "${PYTHON:-}" ]; then python3 -m venv "$WORK/venv"; PYTHON=$WORK/venv/bin/python; "$PYTHON" -m pip -q --disable-pip-version-check install -r requirements.txt; fi
if [ -z "${RATCHET:-}" ]; then (cd "$WORK" && COMPOSER_ALLOW_SUPERUSER=1 composer install -q --no-interaction); fi
MODES='plain takeover no-takeover server-no-takeover client-no-takeover window-bits'
# Clients that only take what a server imposes meet servers that impose; servers that only answer, clients that ask.
PAIRS='chromium-node tornado-node aiohttp-websockets node-tornado websockets-aiohttp ratchet-websockets node-ratchet textalk-node websockets-node node-websockets'
# What cannot be had; the reasons are in tests/integration/matrix.rs.
without() { case $1 in
  websockets-aiohttp-no-takeover | websockets-aiohttp-client-no-takeover) ;;
  tornado-node-no-takeover | tornado-node-client-no-takeover | node-tornado-*no-takeover) ;;
  node-ratchet-server-no-takeover) ;;
  textalk-node-plain) false ;; textalk-node-*) ;;
  # These only fill the gaps that the others leave.
  websockets-node-no-takeover | websockets-node-client-no-takeover | node-websockets-server-no-takeover) false ;;
  websockets-node-* | node-websockets-*) ;;
  *) false ;; esac; }

start_server() { case $1 in  # LIBRARY MODE TRUTH
  node) server node node.js server "$2" "$3" ;;
  ratchet) server php ratchet.php server "$2" "$3" ;;
  *) server "$PYTHON" peer.py "$1" server "$2" "$3" ;; esac; }

run_client() { case $1 in  # LIBRARY MODE TRUTH
  node) in_client node node.js client "$2" "$3" ;;
  ratchet) in_client php ratchet.php client "$2" "$3" ;;
  textalk) in_client php textalk.php "$3" ;;
  chromium) browse "$2" "$3" ;;
  *) in_client "$PYTHON" peer.py "$1" client "$2" "$3" ;; esac; }

browse() {
  python3 -c 'import json; t = json.dumps(json.load(open("talk.json"))["client"]); print(open("page.html").read().replace("/*TALK*/[]", t))' >site.html
  background ip netns exec "$NC" timeout "$LIMIT" "$CHROMIUM" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --disable-dev-shm-usage --user-data-dir="$WORK/profile" --host-resolver-rules='MAP matrix.example 10.77.0.1' \
    --enable-logging=stderr --log-level=0 --lang=en-US "http://matrix.example:8000/site.html" >console 2>&1
  local i; for i in $(seq 300); do grep -q 'CONSOLE.*"DONE"' console && break; sleep 0.1; done
  kill "${PIDS[-1]}"; wait "${PIDS[-1]}" 2>/dev/null || true; unset 'PIDS[-1]'
  grep -q 'CONSOLE.*"DONE"' console || { tail -20 console >&2; return 1; }
  python3 truth_lines.py <console >"$2"
}

net_up; cd "$WORK"
server python3 -m http.server --bind 10.77.0.1 --directory "$WORK" 8000 >/dev/null 2>&1; wait_port 8000   # the browser's page, outside the captures
[ $# -gt 0 ] || rm -f "$here/truth.json"
for pair in $PAIRS; do for mode in $MODES; do
  name=$pair-$mode
  if without "$name"; then continue; fi
  if [ $# -gt 0 ]; then wanted=; for p in "$@"; do case $name in $p | $p-*) wanted=1 ;; esac; done; [ -n "$wanted" ] || continue; fi
  start_server "${pair#*-}" "$mode" "server-$name.jsonl"; wait_port 8080
  cap_start "$here/$name.pcapng" 'tcp port 8080'
  run_client "${pair%-*}" "$mode" "client-$name.jsonl" || { echo "$name: the client failed" >&2; touch bad; }
  cap_stop 0.5
  kill "${PIDS[-1]}" 2>/dev/null || true; wait "${PIDS[-1]}" 2>/dev/null || true; unset 'PIDS[-1]'
  python3 "$here/../common/truth.py" "$here/truth.json" "$name.pcapng" "client-$name.jsonl" "server-$name.jsonl" || touch bad
done; done
[ ! -e bad ]
