#!/bin/bash
# The same tiny exchange on several link types. See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
cp package.json package-lock.json talk.js tun.py ../common/log.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
rm -f truth.json
exchange() {  # NAME HOST [NAMESPACE of the client]
  server node "$WORK/talk.js" server "$2" "$WORK/$1-s.jsonl"; wait_port 8080
  ip netns exec "${3:-$NC}" timeout "$LIMIT" node "$WORK/talk.js" client "$2" "$WORK/$1-c.jsonl"
  sleep 0.3; kill "${PIDS[-1]}"; wait "${PIDS[-1]}" 2>/dev/null || true
}
truth() { python3 ../common/truth.py truth.json "$1" "$WORK/${1%%.*}-c.jsonl" "$WORK/${1%%.*}-s.jsonl"; }
down() { local p; for p in "${PIDS[@]}"; do kill "$p" 2>/dev/null || true; done; PIDS=(); sleep 0.3; ip netns del "$NS"; ip netns del "$NC"; ip netns del "$NR" 2>/dev/null || true; sleep 0.3; }

net_up
cap_start_in "$NC" "$PWD/any-sll2.pcapng" -i any tcp;                                            exchange any-sll2 10.77.0.1; cap_stop; truth any-sll2.pcapng
cap_start_in "$NC" "$PWD/any-sll-nano.pcap" -i any -y LINUX_SLL --time-stamp-precision=nano tcp; exchange any-sll-nano 10.77.0.1; cap_stop; truth any-sll-nano.pcap
cap_start_in "$NS" "$PWD/loopback.pcapng" -i lo tcp;                                             exchange loopback 127.0.0.1 "$NS"; cap_stop; truth loopback.pcapng
cap_start "$PWD/ipv6.pcapng" tcp;                                                                exchange ipv6 fd77::1; cap_stop; truth ipv6.pcapng
cap_start "$PWD/snaplen-100.pcap" -s 100 tcp;                                                          exchange snaplen-100 10.77.0.1; cap_stop; FACTS='{"cut": 100}' truth snaplen-100.pcap
# raw IP: tun devices
for n in "$NS s c 1" "$NC c s 2"; do set -- $n
  background ip netns exec $1 timeout "$LIMIT" python3 "$WORK/tun.py" tun0 "$WORK/$2.sock" "$WORK/$3.sock"
  for i in $(seq 50); do ip -n $1 link show tun0 >/dev/null 2>&1 && break; sleep 0.1; done
  ip netns exec $1 sysctl -q -w net.ipv6.conf.tun0.disable_ipv6=1
  ip -n $1 addr add 10.88.0.$4/30 dev tun0; ip -n $1 link set tun0 mtu 1500 up
done
cap_start_in "$NC" "$PWD/raw-ip.pcapng" -i tun0 tcp; exchange raw-ip 10.88.0.1; cap_stop; truth raw-ip.pcapng
down
# 802.1Q: a trunk between two ports of relay.py
RELAY='vlan:42 1'; net_up
cap_start_in "$NR" "$PWD/vlan.pcapng" -i t1 vlan and tcp; exchange vlan 10.77.0.1; cap_stop; truth vlan.pcapng
down
# the same packets on two interfaces of a box on the way
RELAY='plain 1'; net_up
ip netns exec "$NR" tcpdump -Z root --immediate-mode -U -i rs -w "$WORK/rs" tcp 2>/dev/null & PIDS+=($!); other=$!
cap_start_in "$NR" "$WORK/rc.pcapng" -i rc tcp; exchange two-interfaces 10.77.0.1
sleep 0.5; kill -INT "$other"; wait "$other" || true; cap_stop
(cd "$WORK" && mergecap -F pcapng -I none -w two rc.pcapng rs)
python3 ../common/anonymous.py "$WORK/two" two-interfaces.pcapng; truth two-interfaces.pcapng
