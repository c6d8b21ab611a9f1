#!/usr/bin/env python3
"""Compares every capture with its truth.json, by a decoder of its own (tshark only takes the packets apart).

Usage: check.py [TOPIC …]     Python 3 standard library; `zstandard` and `brotli` are used when present.
A capture whose truth says "missing" (packets left out of the capture) is checked for subsequence, not for equality.
"""
import collections, hashlib, json, os, subprocess, sys, zlib

ROOT = os.path.dirname(os.path.abspath(__file__))
try:
    import zstandard
except ImportError:
    zstandard = None
try:
    import brotli
except ImportError:
    brotli = None
OPS = {1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


def tshark(path, *args):
    r = subprocess.run(["tshark", "-r", path, "-o", "tcp.check_checksum:FALSE", *args], capture_output=True, text=True, errors="replace")
    return r.stdout


def streams(path):
    """{stream: {(ip, port): bytes}} with holes as None; the client's end first."""
    seg, ends = collections.defaultdict(lambda: collections.defaultdict(list)), {}
    f = ["ip.src", "ipv6.src", "tcp.srcport", "tcp.stream", "tcp.seq_raw", "tcp.flags.syn", "tcp.flags.ack", "tcp.payload", "ip.dst", "ipv6.dst", "tcp.dstport"]
    for line in tshark(path, "-Y", "tcp", "-T", "fields", *sum((["-e", x] for x in f), [])).splitlines():
        a4, a6, port, st, seq, syn, ack, pay, b4, b6, bport = (x.split(",")[-1] for x in line.split("\t"))  # of tunnels, the innermost
        me, peer = (a4 or a6, int(port)), (b4 or b6, int(bport))
        ends.setdefault(st, (me, peer) if not (syn == "1" and ack == "1") else (peer, me))
        seg[st][me].append((int(seq) + (syn == "1"), bytes.fromhex(pay), syn == "1"))
    out = {}
    for st, sides in seg.items():
        out[st] = {}
        for me in ends[st]:
            s = sides.get(me, [])
            base = next((q for q, _, syn in s if syn), min((q for q, d, _ in s), default=0))
            data, end, holes = {}, 0, False
            for q, d, _ in s:
                if d:
                    data.setdefault((q - base) & 0xFFFFFFFF, d)
            buf = bytearray()
            for q in sorted(data):
                if q > len(buf):
                    holes = True
                    break
                buf += data[q][len(buf) - q:] if q < len(buf) else data[q]
            out[st][me] = (bytes(buf), holes)
    return out


def head(b, i):
    e = b.find(b"\r\n\r\n", i)
    if e < 0:
        return None
    lines = b[i:e].decode("latin-1").split("\r\n")
    h = collections.defaultdict(list)
    for l in lines[1:]:
        k, _, v = l.partition(":")
        h[k.strip().lower()].append(v.strip())
    return lines[0], {k: ", ".join(v) for k, v in h.items()}, e + 4


def body(b, i, h, default):
    if "chunked" in h.get("transfer-encoding", "").lower():
        out = b""
        while True:
            e = b.index(b"\r\n", i)
            n = int(b[i:e].split(b";")[0], 16)
            i = e + 2
            if n == 0:
                while b[i:i + 2] != b"\r\n":
                    i = b.index(b"\r\n", i) + 2
                return out, i + 2
            out, i = out + b[i:i + n], i + n + 2
    n = int(h["content-length"]) if "content-length" in h else (len(b) - i if default == "close" else 0)
    return b[i:i + n], i + n


def decode(data, coding):
    for c in reversed([c.strip() for c in coding.split(",") if c.strip()]):
        if c == "gzip":
            data = zlib.decompress(data, 31)
        elif c == "deflate":
            data = zlib.decompress(data) if data[:1] == b"\x78" else zlib.decompress(data, -15)
        elif c == "zstd" and zstandard:
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        elif c == "br" and brotli:
            data = brotli.decompress(data)
        else:
            return None
    return data


def http(cb, sb):
    """Exchanges of one connection; on 101 also the rests of both sides."""
    i = j = 0
    out = []
    while True:
        r = head(cb, i)
        if not r:
            return out, None
        line, h, i = r
        method, target = line.split(" ")[:2]
        content, i = body(cb, i, h, "none")
        while True:
            a = head(sb, j)
            if not a:
                return out + [(method, target, None, None, None)], None
            sline, sh, j = a
            status = int(sline.split(" ")[1])
            if status == 101:
                return out, (h, sh, cb[i:], sb[j:], target)
            if status >= 200:
                break
        if method == "HEAD" or status in (204, 304):
            raw = b""
        else:
            raw, j = body(sb, j, sh, "close")
        d = decode(raw, sh.get("content-encoding", "")) if raw else b""
        out.append((method, target, status, None if d is None else len(d), None if d is None else hashlib.sha256(d).hexdigest()))


def params(text):
    for ext in text.split(","):
        p = [x.strip() for x in ext.split(";")]
        if p[0].lower() == "permessage-deflate":
            return {k.strip(): v.strip(' "') for k, _, v in (x.partition("=") for x in p[1:])}
    return None


def messages(b, pmd, who):
    """[(opcode, length, sha256, fragments, where its frames lie, compressed)], bytes left over, mask bits seen."""
    i, out, parts, op, comp, z, masks = 0, [], [], 0, False, None, set()
    spans = []
    while i + 2 <= len(b):
        start = i
        b0, n = b[i], b[i + 1] & 127
        mask, k = b[i + 1] >> 7, i + 2
        if n > 125:
            w = 2 if n == 126 else 8
            n, k = int.from_bytes(b[k:k + w], "big"), k + w
        key = b[k:k + 4] if mask else b""
        k += 4 * mask
        if k + n > len(b):
            break
        d = b[k:k + n]
        if mask and n:
            d = (int.from_bytes(d, "big") ^ int.from_bytes((key * (n // 4 + 1))[:n], "big")).to_bytes(n, "big")
        masks.add(mask)
        i = k + n
        o = b0 & 15
        if o >= 8:
            out.append((OPS[o], len(d), hashlib.sha256(d).hexdigest(), 1, [(start, i)], False))
            continue
        if o:
            op, comp, parts, spans = o, bool(b0 & 0x40), [], []
        parts.append(d)
        spans.append((start, i))
        if b0 & 0x80:
            d = b"".join(parts)
            if comp:
                if z is None or f"{who}_no_context_takeover" in pmd:
                    z = zlib.decompressobj(-max(9, int(pmd.get(f"{who}_max_window_bits") or 15)))
                d = z.decompress(d + b"\0\0\xff\xff")
            out.append((OPS[op], len(d), hashlib.sha256(d).hexdigest(), len(parts), spans, comp))
    return out, len(b) - i, masks


def subsequence(small, big):
    it = iter(big)
    return all(x in it for x in small)


def main():
    bad = 0
    topics = sys.argv[1:] or sorted(d for d in os.listdir(ROOT) if os.path.exists(os.path.join(ROOT, d, "truth.json")))
    for topic in topics:
        doc = json.load(open(os.path.join(ROOT, topic, "truth.json")))
        known = {f for f in os.listdir(os.path.join(ROOT, topic)) if f.endswith((".pcap", ".pcapng"))}
        if known != set(doc["captures"]):
            print(f"{topic}: captures and truth differ: {known ^ set(doc['captures'])}")
            bad += 1
        for name, want in doc["captures"].items():
            path, errs = os.path.join(ROOT, topic, name), []
            n = tshark(path, "-T", "fields", "-e", "frame.number").count("\n")
            mal = tshark(path, "-2", "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "_ws.malformed", "-T", "fields", "-e", "frame.number").split()
            if mal and not want.get("missing"):
                errs.append(f"tshark finds malformed: {mal[:5]}")
            got_http, got_ws = [], []
            for st, ends in sorted(streams(path).items(), key=lambda x: int(x[0])):
                (c, (cb, ch)), (s, (sb, sh)) = ends.items()
                try:
                    ex, up = http(cb, sb)
                except Exception as e:
                    if not want.get("missing"):
                        errs.append(f"stream {st}: {type(e).__name__} {e}")
                    continue
                got_http += ex
                if up:
                    pmd = params(up[1].get("sec-websocket-extensions", ""))
                    res = []
                    for who, b in (("client", up[2]), ("server", up[3])):
                        res.append(messages(b, pmd or {}, who))
                    got_ws.append((f"{c[0]}:{c[1]}", res, ch or sh))
            w = collections.Counter((x["method"], x["target"], x["status"], x["length"], x["sha256"]) for x in want["http"])
            g = collections.Counter(got_http)
            for x in list(g):  # codings this machine cannot undo
                if x[3] is None:
                    m = next((y for y in w if y[:3] == x[:3] and w[y] > g.get(y, 0)), None)
                    if m:
                        g[m] += g.pop(x)
            if w != g and not want.get("missing"):
                errs.append(f"http: only in truth {list((w - g).elements())[:4]}, only in capture {list((g - w).elements())[:4]}")
            if want.get("cut"):
                print(f"{topic}/{name}: {n} packets, {os.path.getsize(path)} bytes, cut to {want['cut']} bytes each")
                continue
            if len(want["websocket"]) != len(got_ws):
                errs.append(f"websocket: {len(want['websocket'])} in truth, {len(got_ws)} found")
            total = 0
            for k, x in enumerate(want["websocket"]):
                m = [y for y in got_ws if y[0] == x.get("client")] or ([got_ws[k]] if k < len(got_ws) else [])
                for y in m[:1]:
                    for d, (got, rest, masks) in zip(("client_to_server", "server_to_client"), y[1]):
                        a = [(z["opcode"], z["length"], z["sha256"]) for z in x[d]]
                        b = [z[:3] for z in got]
                        auto = {"ping", "pong", "close"} - {z[0] for z in a}  # what a library sends by itself and the program did not note
                        b = [z for z in b if z[0] not in auto]
                        if want.get("missing"):
                            if not subsequence(b, a):
                                errs.append(f"{x.get('client')} {d}: {len(b)} before the hole are no subsequence")
                        elif a != b or rest:
                            i = next((i for i, (p, q) in enumerate(zip(a, b)) if p != q), min(len(a), len(b)))
                            errs.append(f"{x.get('client')} {d}: {len(a)} in truth, {len(b)} found, {rest} bytes left; first difference at {i}: {a[i:i+1]} {b[i:i+1]}")
                        if masks - {d[0] == "c" or x.get("server_masks", False)}:
                            errs.append(f"{x.get('client')} {d}: masks {masks}")
                        fr = [(z["fragments"], q[3]) for z, q in zip(x[d], [g for g in got if g[0] not in auto]) if "fragments" in z]
                        if any(p != q for p, q in fr):
                            errs.append(f"{x.get('client')} {d}: fragments {fr}")
                        total += len(b)
            print(f"{topic}/{name}: {n} packets, {os.path.getsize(path)} bytes, {len(got_http)} exchanges, {len(got_ws)} WebSocket connections, {total} messages and control frames: " + ("; ".join(errs) or "as in truth"))
            bad += bool(errs)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
