# Source this file. Two network namespaces joined by a veth pair (MTU 1500, no offload), so that a capture holds
# wire-sized packets; a capture that starts before and stops after the work; everything removed at exit.
# Needs root, iproute2, ethtool, tcpdump, and editcap (Wireshark).
#   net_up          server 10.77.0.1, fd77::1; client 10.77.0.2, fd77::2
#                   with RELAY='MODE SEED' set: through relay.py, and NR is the namespace of its trunk t1
#   in_server CMD…, in_client CMD…   run inside (bounded by LIMIT seconds, default 60)
#   background CMD…                  start, remember its id, end it at exit
#   cap_start FILE [tcpdump options and filter]; cap_stop      FILE.pcapng is written without host details
#   wait_port PORT  until something listens inside the server's namespace
set -euo pipefail
COMMON=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1
NS=wt$$s NC=wt$$c NR=wt$$r WORK=$(mktemp -d) PIDS=() LIMIT=${LIMIT:-60} CAPPID=
cleanup() {
  local p; trap - EXIT INT TERM
  for p in "${PIDS[@]}" $CAPPID; do kill "$p" 2>/dev/null || true; done
  for p in "${PIDS[@]}" $CAPPID; do timeout 5 tail --pid="$p" -f /dev/null 2>/dev/null || kill -9 "$p" 2>/dev/null || true; done
  ip netns del "$NS" 2>/dev/null || true; ip netns del "$NC" 2>/dev/null || true; ip netns del "$NR" 2>/dev/null || true
  rm -rf "$WORK"
}
trap cleanup EXIT; trap 'exit 130' INT TERM
net_up() {
  local n
  ip netns add "$NS"; ip netns add "$NC"
  if [ -n "${RELAY:-}" ]; then
    ip netns add "$NR"
    ip link add vs netns "$NS" address 02:00:00:00:00:01 type veth peer name rs netns "$NR"
    ip link add vc netns "$NC" address 02:00:00:00:00:02 type veth peer name rc netns "$NR"
    ip link add t1 netns "$NR" type veth peer name t2 netns "$NR"
    for n in rs rc t1 t2; do
      ip netns exec "$NR" sysctl -q -w net.ipv6.conf.$n.disable_ipv6=1; ip -n "$NR" link set $n mtu 1500 promisc on up
      ip netns exec "$NR" ethtool -K $n tso off gso off gro off tx off rx off sg off >/dev/null 2>&1 || true
    done
    case $RELAY in vlan*) ip -n "$NR" link set t1 mtu 1504; ip -n "$NR" link set t2 mtu 1504 ;; esac
    background ip netns exec "$NR" timeout $((LIMIT * 3)) python3 "$COMMON/relay.py" $RELAY
  else
    ip link add vs netns "$NS" address 02:00:00:00:00:01 type veth peer name vc netns "$NC" address 02:00:00:00:00:02
  fi
  for n in "$NS vs 1" "$NC vc 2"; do set -- $n
    ip netns exec $1 sysctl -q -w net.ipv4.tcp_early_retrans=0  # no tail loss probes: on so short a path they only repeat
    ip netns exec $1 sysctl -q -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.$2.accept_dad=0 2>/dev/null || true
    ip -n $1 addr add 10.77.0.$3/24 dev $2; ip -n $1 addr add fd77::$3/64 dev $2 nodad
    ip -n $1 link set lo up; ip -n $1 link set $2 mtu 1500 up
    ip netns exec $1 ethtool -K $2 tso off gso off gro off tx off rx off sg off >/dev/null 2>&1 || true
  done
  sleep 1
  ip netns exec "$NC" ping -c2 -i0.3 -W2 10.77.0.1 >/dev/null 2>&1 || true
  ip netns exec "$NC" ping -c1 -W2 fd77::1 >/dev/null 2>&1 || true
}
in_server() { ip netns exec "$NS" timeout "$LIMIT" "$@"; }
in_client() { ip netns exec "$NC" timeout "$LIMIT" "$@"; }
background() { "$@" & PIDS+=($!); }
server() { background ip netns exec "$NS" timeout $((LIMIT * 3)) "$@"; }
wait_port() {
  local i; for i in $(seq 100); do ip netns exec "${2:-$NS}" ss -Hltn "sport = :$1" | grep -q . && return 0; sleep 0.1; done
  echo "nothing listens on port $1" >&2; return 1
}
cap_start_in() {  # NAMESPACE FILE options…
  local ns=$1 i; CAPFILE=$2; shift 2
  ip netns exec "$ns" tcpdump -Z root -B 4096 -s 0 --immediate-mode -U -w "$WORK/cap" "$@" 2>"$WORK/cap.log" & CAPPID=$!
  for i in $(seq 100); do grep -q 'listening on' "$WORK/cap.log" && break; sleep 0.1; done; sleep 0.3
}
cap_start() { local f=$1; shift; [ $# -gt 0 ] || set -- tcp; cap_start_in "$NC" "$f" -i vc "$@"; }
cap_stop() {
  sleep "${1:-0.7}"; kill -INT "$CAPPID"; wait "$CAPPID" || true; CAPPID=
  if grep -E '^[1-9][0-9]* packets dropped by kernel' "$WORK/cap.log"; then return 1; fi
  case $CAPFILE in *.pcapng) editcap -F pcapng "$WORK/cap" "$CAPFILE" ;; *) cp "$WORK/cap" "$CAPFILE" ;; esac
  rm -f "$WORK/cap"
}
