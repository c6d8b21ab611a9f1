#!/bin/bash
# textalk-client.pcapng (against Node's ws) and textalk-both.pcapng (against Textalk's server). See ../README.md.
# The library comes by `composer install`, or, where Packagist is out of reach, from TEXTALK=folder with a checkout of its tag 1.5.8.
cd "$(dirname "$0")"; . ../common/net.sh
cp composer.json package.json package-lock.json common.php client.php server.php server.js ../common/log.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
if [ -z "${TEXTALK:-}" ]; then (cd "$WORK" && COMPOSER_ALLOW_SUPERUSER=1 composer install -q --no-interaction); fi
net_up; rm -f truth.json; here=$PWD; cd "$WORK"
for v in client both; do
  if [ $v = client ]; then server node server.js 8080 server-$v.jsonl; else server php server.php 8080 server-$v.jsonl; fi
  wait_port 8080
  cap_start "$here/textalk-$v.pcapng"
  in_client php client.php ws://10.77.0.1:8080/chat.php?room=1 client-$v.jsonl
  cap_stop 1
  kill "${PIDS[-1]}" 2>/dev/null || true
  python3 "$here/../common/truth.py" "$here/truth.json" textalk-$v.pcapng client-$v.jsonl server-$v.jsonl
done
