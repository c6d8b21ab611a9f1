"""forget.py WHOLE OUT TRUTH: leaves packets out of a good capture, as a capture that could not keep up would.

Of each connection: two data segments of each direction (a whole small message, and the middle of a long one), one bare ACK, one pair of neighbours.
What was left out is written to TRUTH as "missing", with the frame numbers of the whole capture; a message some of whose
bytes are gone says "hole": true, and a compressed one after a hole of its direction "context": "lost".
"""
import json, os, subprocess, sys
whole, out, truth = sys.argv[1:4]
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from truth import write  # noqa: E402
import check  # noqa: E402

f = ["frame.number", "tcp.stream", "tcp.srcport", "tcp.len", "tcp.seq", "tcp.flags.fin", "tcp.flags.syn", "http"]
rows = subprocess.run(["tshark", "-r", whole, "-T", "fields", *sum((["-e", x] for x in f), [])], capture_output=True, text=True, check=True).stdout
sides, acks = {}, {}
for line in rows.splitlines():
    n, st, port, length, seq, fin, syn, http = line.split("\t")
    if syn == "1" or fin == "1" or http:
        continue
    side = "server" if port == "8080" else "client"
    (sides if int(length) else acks).setdefault((st, side), []).append((int(n), int(length), int(seq)))
gone = []
for (st, side), s in sorted(sides.items()):
    small = [x for x in s[3:] if x[1] < 200]
    large = [x for x in s if x[1] >= 500]
    pick = [small[2 if side == "client" else 4]] + large[1:2]
    if side == "server":
        i = s.index(small[-4])
        pick += s[i:i + 2]
    gone += [dict(frame=n, stream=int(st), side=side, length=l, relative_seq=q) for n, l, q in pick]
    if acks.get((st, side)):
        gone.append(dict(frame=acks[st, side][2][0], stream=int(st), side=side, length=0, relative_seq=acks[st, side][2][2]))
gone.sort(key=lambda x: x["frame"])
numbers = [str(x["frame"]) for x in gone]
subprocess.run(["editcap", "-F", "pcapng", whole, out, *numbers], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
doc = json.load(open(truth))
name = os.path.basename(out)
doc["captures"][name] = {"missing": gone, **doc["captures"][name]}
for st, ends in check.streams(whole).items():
    (c, (cb, _)), (_, (sb, _)) = ends.items()
    _, up = check.http(cb, sb)
    pmd = check.params(up[1].get("sec-websocket-extensions", "")) or {}
    conn = next(x for x in doc["captures"][name]["websocket"] if x["client"] == f"{c[0]}:{c[1]}")
    for side, all_bytes, rest, key in (("client", cb, up[2], "client_to_server"), ("server", sb, up[3], "server_to_client")):
        base = 1 + len(all_bytes) - len(rest)
        holes = [(x["relative_seq"] - base, x["relative_seq"] - base + x["length"]) for x in gone if x["stream"] == int(st) and x["side"] == side and x["length"]]
        lost, found = False, check.messages(rest, pmd, side)[0]
        for t, m in zip(conn[key], found):
            assert (t["opcode"], t["length"], t["sha256"]) == m[:3], (t, m)
            hit = any(a < y and x < b for a, b in m[4] for x, y in holes)
            if hit:
                t["hole"] = True
            elif lost and m[5]:
                t["context"] = "lost"
            lost = lost or hit and m[5]
write(truth, doc)
