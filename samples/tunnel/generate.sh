#!/bin/bash
# Tunnels and IP fragments, by Linux itself where it can. See ../README.md.
cd "$(dirname "$0")"; . ../common/net.sh
cp ../link/package.json ../link/package-lock.json ../link/talk.js ../common/log.js "$WORK"
(cd "$WORK" && npm ci --silent >/dev/null 2>&1)
rm -f truth.json
exchange() {  # NAME HOST [octets of text]
  server node "$WORK/talk.js" server "$2" "$WORK/$1-s.jsonl"; wait_port 8080
  TEXT=${3:-} in_client node "$WORK/talk.js" client "$2" "$WORK/$1-c.jsonl"
  sleep 0.3; kill "${PIDS[-1]}"; wait "${PIDS[-1]}" 2>/dev/null || true
}
truth() { python3 ../common/truth.py truth.json "$1" "$WORK/${1%%.*}-c.jsonl" "$WORK/${1%%.*}-s.jsonl"; }

net_up
for n in "$NS vs 1 2" "$NC vc 2 1"; do set -- $n
  # Fragments: no path MTU discovery, and the tunnel's MTU is that of the path without it.
  ip netns exec $1 sysctl -q -w net.ipv4.ip_no_pmtu_disc=1
  ip -n $1 link add vx type vxlan id 42 dstport 4789 local 10.77.0.$3 remote 10.77.0.$4
  ip netns exec $1 sysctl -q -w net.ipv6.conf.vx.disable_ipv6=1
  ip -n $1 addr add 10.99.0.$3/24 dev vx; ip -n $1 link set vx mtu 1450 up
  ip netns exec $1 ethtool -K vx tso off gso off gro off tx off rx off sg off >/dev/null 2>&1 || true
done
cap_start "$PWD/vxlan.pcapng" udp port 4789;  exchange vxlan 10.99.0.1; cap_stop; truth vxlan.pcapng
for n in $NS $NC; do ip -n $n link set vx mtu 1500; done
cap_start "$PWD/vxlan-fragments.pcapng" udp port 4789 or 'ip[6:2] & 0x1fff != 0'; exchange vxlan-fragments 10.99.0.1 4000; cap_stop; truth vxlan-fragments.pcapng
# NR between two networks, a router that knows of a smaller MTU on the way to the client.
ip netns add "$NR"
ip link add ws netns "$NS" type veth peer name rs netns "$NR"; ip link add wc netns "$NC" type veth peer name rc netns "$NR"
for n in "$NS ws 1 10.66.2" "$NR rs 254 10.66.2" "$NC wc 1 10.66.1" "$NR rc 254 10.66.1"; do set -- $n
  ip netns exec $1 sysctl -q -w net.ipv6.conf.$2.disable_ipv6=1 net.ipv4.ip_forward=1
  ip -n $1 addr add $4.$3/24 dev $2; ip -n $1 link set $2 up
  ip netns exec $1 ethtool -K $2 tso off gso off gro off tx off rx off sg off >/dev/null 2>&1 || true
done
ip -n "$NS" route add 10.66.1.0/24 via 10.66.2.254; ip -n "$NC" route add 10.66.2.0/24 via 10.66.1.254
ip -n "$NR" route change 10.66.1.0/24 dev rc src 10.66.1.254 mtu lock 576
cap_start_in "$NC" "$PWD/fragments.pcapng" -i wc 'tcp or ip[6:2] & 0x1fff != 0'; exchange fragments 10.66.2.1 4000; cap_stop; truth fragments.pcapng
# What this kernel cannot make: each packet of a recorded connection in another tunnel.
python3 wrap.py ../link/raw-ip.pcapng wrapped.pcap
python3 - ../link/truth.json truth.json <<'PYTHON'
import json, sys
known, truth = (json.load(open(name)) for name in sys.argv[1:])
truth["captures"]["wrapped.pcap"] = known["captures"]["raw-ip.pcapng"]
json.dump(truth, open(sys.argv[2], "w"), indent=1, ensure_ascii=False)
PYTHON
