"""relay.py MODE SEED: a bad network (or a switch with a trunk) in user space, for kernels without netem or 802.1Q.

   rc <-> t1 ===== t2 <-> rs      rc leads to the client, rs to the server; captures are taken on the trunk (t1)

MODE  reorder   both ways, before the trunk: TCP segments with data are held back behind one or two later frames, or sent twice; none is lost
      loss      client to server after the trunk, server to client before it: some segments with data are dropped, so that they are sent again
      vlan:N    frames carry an 802.1Q tag N on the trunk
"""
import heapq, random, select, socket, struct, sys, time

mode, seed = sys.argv[1], int(sys.argv[2])
rng = random.Random(seed)
ports = {}
for name in ("rc", "t1", "t2", "rs"):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((name, 0))
    ports[s] = name
by_name = {n: s for s, n in ports.items()}
peer = {"rc": "t1", "t1": "rc", "t2": "rs", "rs": "t2"}
timers, order = [], 0
held = {}            # way out -> [frame, how many later frames still go first]
count = {}


def payload(f):
    """TCP payload length of an IPv4 frame, else 0."""
    if f[12:14] != b"\x08\0" or f[23] != 6:
        return 0
    ihl = (f[14] & 15) * 4
    return struct.unpack("!H", f[16:18])[0] - ihl - (f[14 + ihl + 12] >> 4) * 4


def out(name, f):
    by_name[name].send(f)


def later(seconds, what, *args):
    global order
    order += 1
    heapq.heappush(timers, (time.monotonic() + seconds, order, what, args))


def release(name, f):
    if name in held and held[name][0] is f:
        del held[name]
        out(name, f)


def forward(frm, to, f):
    data = payload(f)
    if mode.startswith("vlan:"):
        if frm in ("rc", "rs"):
            f = f[:12] + struct.pack("!HH", 0x8100, int(mode[5:])) + f[12:]
        elif f[12:14] == b"\x81\0":
            f = f[:12] + f[16:]
    elif mode == "reorder" and to in ("t1", "t2") and data > 0:
        n = count[to] = count.get(to, 0) + 1
        if n > 2 and to not in held and rng.random() < 0.2:
            held[to] = [f, rng.choice((1, 1, 2))]
            later(0.03, release, to, f)
            return
        if rng.random() < 0.12:
            later(rng.choice((0.0001, 0.002)), out, to, f)
    elif mode == "loss" and frm in ("t2", "rs") and to != "rc" and data > 0:
        n = count[frm] = count.get(frm, 0) + 1
        if n > 2 and rng.random() < 0.12:
            return
    out(to, f)
    if to in held and data > 0:
        held[to][1] -= 1
        if held[to][1] <= 0:
            release(to, held[to][0])


end = time.monotonic() + 120
while time.monotonic() < end:
    wait = max(0.0, timers[0][0] - time.monotonic()) if timers else 1.0
    for s in select.select(list(ports), [], [], wait)[0]:
        f, a = s.recvfrom(65536)
        if a[2] != socket.PACKET_OUTGOING:
            forward(ports[s], peer[ports[s]], f)
    while timers and timers[0][0] <= time.monotonic():
        _, _, what, args = heapq.heappop(timers)
        what(*args)
