#!/bin/bash
# Damaged captures of ../deflate/talk.js (one connection without deflate, one with and with context takeover). See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
cp package.json package-lock.json ../deflate/talk.js ../common/log.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
export ROWS=120
conversations() {  # NAME
  local v
  for v in plain takeover; do
    server node "$WORK/talk.js" server $v "$WORK/$1-server-$v.jsonl"; wait_port 8080
    in_client node "$WORK/talk.js" client $v "$WORK/$1-client-$v.jsonl"
    sleep 0.3; kill "${PIDS[-1]}"; wait "${PIDS[-1]}" 2>/dev/null || true
  done
  # two connections: keys 0 and 1
  for v in client server; do
    cat "$WORK/$1-$v-plain.jsonl" >"$WORK/$1-$v.jsonl"; sed 's/"ws":0/"ws":1/' "$WORK/$1-$v-takeover.jsonl" >>"$WORK/$1-$v.jsonl"
  done
}
rm -f truth.json
for m in reorder loss; do
  case $m in reorder) name=reordered-and-duplicated RELAY='reorder 5' ;; loss) name=lost-and-sent-again RELAY='loss 11' ;; esac
  net_up
  cap_start_in "$NR" "$PWD/$name.pcapng" -i t1 tcp
  conversations $m
  cap_stop
  python3 ../common/truth.py truth.json $name.pcapng "$WORK/$m-client.jsonl" "$WORK/$m-server.jsonl"
  kill "${PIDS[0]}" 2>/dev/null || true; PIDS=(); sleep 0.3
  ip netns del "$NS"; ip netns del "$NC"; ip netns del "$NR"; sleep 0.3
done
RELAY=
net_up
cap_start "$PWD/whole.pcapng"
conversations whole
cap_stop
mv whole.pcapng "$WORK"
python3 ../common/truth.py truth.json missing-from-capture.pcapng "$WORK/whole-client.jsonl" "$WORK/whole-server.jsonl"
python3 forget.py "$WORK/whole.pcapng" missing-from-capture.pcapng truth.json
