#!/usr/bin/env python3
"""Builds deck.pcap and truth.json: the two frames of a talk of 2016, with their exact numbers, inside consistent conversations.

Python 3 standard library only; the same bytes on every run. Usage: generate.py [DIRECTORY]

  frame 25   Ajax request, jQuery's XMLHttpRequest          192.168.1.102:56700 -> 69.164.217.35:80
  frame 29   its response, 0.093530 s later, 429 bytes      14 + 20 + 20 + 188 (status line, fields, empty line) + 187 (gzip of 262)
  frame 136  a WebSocket text frame, 89 bytes               14 + 20 + 32 (TCP timestamps) + 6 + 17 (permessage-deflate, masked)

This is a reconstruction, not a recording: what the talk showed is asserted below, the rest is filled in plausibly.
"""
import base64, hashlib, json, os, random, struct, sys, zlib

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from truth import write  # noqa: E402

rng = random.Random(2016)
T0 = 1469654012.0  # Wed, 27 Jul 2016 21:13:32 GMT
frames = []        # (microseconds since T0, order, bytes, name)


def us(t):
    return round(t * 1e6)


# ---- link, network, transport -------------------------------------------------------------------------------------
LAPTOP = ("192.168.1.102", bytes.fromhex("9cb70d41a7e2"))   # LiteonTe
BOX = ("192.168.1.254", bytes.fromhex("4c17ebb39bcc"))      # Sagemcom_b3:9b:cc
PHONE = ("192.168.1.60", bytes.fromhex("28cfe91c5b3a"))     # Apple
WEB = ("69.164.217.35", BOX[1])
ident = {}


def addr(a):
    return bytes(map(int, a.split(".")))


def csum(b):
    if len(b) % 2:
        b += b"\0"
    s = sum(struct.unpack(f"!{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def ipv4(src, dst, proto, payload, ttl, df=True):
    ident[src] = (ident.get(src, rng.randrange(0x1000, 0xE000)) + 1) & 0xFFFF
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident[src], 0x4000 if df else 0, ttl, proto, 0, addr(src), addr(dst))
    return h[:10] + struct.pack("!H", csum(h)) + h[12:] + payload


def pseudo(src, dst, proto, n):
    return addr(src) + addr(dst) + struct.pack("!BBH", 0, proto, n)


def put(t, data, name=""):
    frames.append((us(t), len(frames), data, name))


def udp(t, src, dst, sport, dport, data, ttl=64, mac=None):
    u = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    c = csum(pseudo(src[0], dst[0], 17, len(u)) + u) or 0xFFFF
    put(t, (mac or dst[1]) + src[1] + b"\x08\0" + ipv4(src[0], dst[0], 17, u[:6] + struct.pack("!H", c) + u[8:], ttl, False))


def arp(t, op, src, dst_ip, dst_mac):
    b = struct.pack("!HHBBH", 1, 0x800, 6, 4, op) + src[1] + addr(src[0]) + (b"\0" * 6 if op == 1 else dst_mac) + addr(dst_ip)
    put(t, (b"\xff" * 6 if op == 1 else dst_mac) + src[1] + b"\x08\x06" + b)


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Tcp:
    """One connection; `client` opens it. Every segment carries what its sender has seen when the segment is made."""

    def __init__(self, client, cport, server, sport, options, scale, ttl, timestamps=False):
        self.end = [dict(host=client, port=cport), dict(host=server, port=sport)]
        for e, o, s, l in zip(self.end, options, scale, ttl):
            e.update(seq=rng.randrange(1 << 32), syn=o, scale=s, ttl=l, win=65535, ack=0, tsbase=rng.randrange(1 << 28), tsrecent=0)
        self.timestamps = timestamps

    def tsval(self, i, t):
        return (self.end[i]["tsbase"] + int(t * 1000)) & 0xFFFFFFFF

    def seg(self, t, i, flags, data=b"", name=""):
        a, b = self.end[i], self.end[1 - i]
        o = b""
        if flags & SYN:
            o = a["syn"](self.tsval(i, t), a["tsrecent"])
            win = a["win"]
        else:
            win = a["win"] >> a["scale"]
            if self.timestamps:
                o = b"\1\1" + struct.pack("!BBII", 8, 10, self.tsval(i, t), a["tsrecent"])
        if self.timestamps:
            b["tsrecent"] = self.tsval(i, t)
        ack = a["ack"] if flags & ACK else 0
        h = struct.pack("!HHIIBBHHH", a["port"], b["port"], a["seq"], ack, (20 + len(o)) // 4 << 4, flags, win, 0, 0) + o
        c = csum(pseudo(a["host"][0], b["host"][0], 6, len(h) + len(data)) + h + data)
        h = h[:16] + struct.pack("!H", c) + h[18:]
        put(t, b["host"][1] + a["host"][1] + b"\x08\0" + ipv4(a["host"][0], b["host"][0], 6, h + data, a["ttl"]), name)
        a["seq"] = (a["seq"] + len(data) + bool(flags & SYN) + bool(flags & FIN)) & 0xFFFFFFFF
        b["ack"] = a["seq"]

    def open(self, t, there, back):
        self.seg(t, 0, SYN)
        self.seg(t + there, 1, SYN | ACK)
        self.seg(t + there + back, 0, ACK)


def windows_syn(tsval, tsrecent):
    return bytes.fromhex("020405b40103030801010402")


def linux_syn(tsval, tsrecent):
    return bytes.fromhex("020405b40101040201030307")


def apple_syn(tsval, tsrecent):
    return bytes.fromhex("020405b4010303050101") + struct.pack("!BBII", 8, 10, tsval, tsrecent) + bytes.fromhex("04020000")


def windows_ts_syn(tsval, tsrecent):  # Windows answers with timestamps when it is asked with them
    return bytes.fromhex("020405b4010303080402") + struct.pack("!BBII", 8, 10, tsval, tsrecent)


# ---- HTTP ---------------------------------------------------------------------------------------------------------
HOST = "demo-ajax.example"
UA = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/51.0.2704.103 Safari/537.36"
COOKIE = "PHPSESSID=7k2f0q1m8v4t6j3s9d5a2h1l04; demo_lang=fr"
DAYS = "Wed, 27 Jul 2016 21:13:%02d GMT"


def gz(text, level=6):
    """As nginx writes it: no name, no time, OS 3 (Unix)."""
    c = zlib.compressobj(level, zlib.DEFLATED, -15, 8)
    d = c.compress(text) + c.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + d + struct.pack("<II", zlib.crc32(text), len(text))


def request(target, accept, extra=()):
    return ("\r\n".join([f"GET {target} HTTP/1.1", f"Host: {HOST}", "Connection: keep-alive", *(["Upgrade-Insecure-Requests: 1"] if target == "/" else []),
            f"Accept: {accept}", *extra, f"User-Agent: {UA}", *([] if target == "/" else [f"Referer: http://{HOST}/"]),
            "Accept-Encoding: gzip, deflate, sdch", "Accept-Language: fr-FR,fr;q=0.8,en-US;q=0.6,en;q=0.4", f"Cookie: {COOKIE}", "", ""])).encode()


def response(t, ctype, content, connection="keep-alive", gzip=True):
    body = gz(content) if gzip else content
    f = ["HTTP/1.1 200 OK", "Server: nginx", "Date: " + DAYS % int(32 + t), f"Content-Type: {ctype}", f"Content-Length: {len(body)}", f"Connection: {connection}"]
    f += ["Vary: Accept-Encoding", "Content-Encoding: gzip"] if gzip else []
    return ("\r\n".join(f + ["", ""])).encode(), body


POLL = 1469654013877
JQ = ("X-Requested-With: XMLHttpRequest",)
LOREM = ("Lorem ipsum dolor sit amet, consectetur adipiscing elit. Etiam faucibus quam vel justo hendrerit, ac pulvinar magna "
         "volutpat. Sed tincidunt, quam id porta luctus, felis tortor egestas lorem, non placerat erat purus vel justo. "
         "Etiam gravida @.")
FILL = [w for w in ("a ac ad at et eu id in mi non sed sit vel nec dui est leo nisi odio orci quis urna amet ante arcu cras diam eget elit enim erat "
                    "eros nibh nulla proin purus quam sapien semper tellus tempor tempus turpis varius velit").split()]


def lorem():
    """The first text of this shape that has 262 bytes and, as nginx compresses it, 187."""
    best = []
    for a in FILL:
        for b in FILL:
            for c in FILL:
                for d in ("", " lorem", " ipsum", " dolor sit amet"):
                    t = LOREM.replace("@", f"{a} {b} {c}{d}").encode()
                    if len(t) == 262:
                        n = len(gz(t))
                        if n == 187:
                            return t
                        best.append(n)
    sys.exit(f"no text found: {min(best)}-{max(best)} bytes")


LOREM_262 = lorem()
NEWS = [LOREM_262, b"Aliquam erat volutpat. Nulla facilisi. Cras non velit nec nisi vulputate nonummy. Maecenas tincidunt lacus at velit.",
        b"Vivamus vel nulla eget eros elementum pellentesque. Quisque porta volutpat erat. Quisque erat eros, viverra eget, congue eget, semper rutrum, nulla."]

truth_http, truth_ws = [], {}


class Http(Tcp):
    def __init__(self, port):
        super().__init__(LAPTOP, port, WEB, 80, (windows_syn, linux_syn), (8, 7), (128, 51))
        self.n, self.port = 0, port
        self.end[0]["win"], self.end[1]["win"] = 65536, 29312

    def seg(self, t, i, flags, data=b"", name=""):
        if flags & SYN:
            self.end[i]["win"], keep = (8192, 29200)[i], self.end[i]["win"]
            super().seg(t, i, flags, data, name)
            self.end[i]["win"] = keep
        else:
            super().seg(t, i, flags, data, name)

    def exchange(self, t, req, ctype, content, api, took=0.0931, connection="keep-alive", gzip=True, ack=True, names=("", "")):
        self.n += 1
        head, body = response(t + took, ctype, content, connection, gzip)
        self.seg(t, 0, PSH | ACK, req, names[0] or f"q{self.port}.{self.n}")
        self.seg(t + took / 2, 1, ACK)
        self.seg(t + took, 1, PSH | ACK, head + body, names[1] or f"a{self.port}.{self.n}")
        if connection == "close":
            self.seg(t + took + 0.00004, 1, FIN | ACK)
            self.seg(t + took + 0.00021, 0, ACK)
            self.seg(t + took + 0.00094, 0, FIN | ACK)
            self.seg(t + took + 0.0457, 1, ACK)
        elif ack:
            self.seg(t + took + 0.0412, 0, ACK)
        line = req.split(b"\r\n")[0].decode().split(" ")
        truth_http.append(dict(connection=f"192.168.1.102:{self.port} 69.164.217.35:80", nth=self.n, api=api, method=line[0], target=line[1], status=200,
                               request_section=len(req), response_section=len(head), encoded=len(body), length=len(content),
                               sha256=hashlib.sha256(content).hexdigest(), names=(names[0] or f"q{self.port}.{self.n}", names[1] or f"a{self.port}.{self.n}")))
        return head, body

    def poll(self, t, **k):
        global POLL
        POLL += 1
        return self.exchange(t, request(f"/ajax.php?_={POLL}", "text/html, */*; q=0.01", JQ), "text/html", k.pop("content"), "xhr", **k)


# ---- WebSocket ----------------------------------------------------------------------------------------------------
KEY, ACCEPT = "zigDl7tK3w+TZ4Tbo1PsrA==", "Gt6vEo8L5pzXgPWBvuIRh5wv5hM="
assert base64.b64encode(hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode() == ACCEPT
UPGRADE = ("GET wss://websocket.org HTTP/1.1\r\nHost: websocket.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: https://www.websocket.org\r\n"
           f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n").encode()
# The talk's slide has no extension field in the response; frame 136 (RSV1 set) needs the agreement, so one line is added.
SWITCH = (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n"
          "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n").encode()
OPS = {1: "text", 8: "close", 9: "ping", 10: "pong"}


class Ws(Tcp):
    def __init__(self):
        super().__init__(PHONE, 51774, LAPTOP, 8080, (apple_syn, windows_ts_syn), (5, 8), (64, 128), True)
        self.z = [zlib.compressobj(6, zlib.DEFLATED, -15, 8) for _ in "cs"]
        self.said = ([], [])
        self.end[0]["win"], self.end[1]["win"] = 131744, 66560

    def seg(self, t, i, flags, data=b"", name=""):
        if flags & SYN:
            self.end[i]["win"], keep = (65535, 8192)[i], self.end[i]["win"]
            super().seg(t, i, flags, data, name)
            self.end[i]["win"] = keep
        else:
            super().seg(t, i, flags, data, name)

    def deflate(self, i, text, keep=True):
        z = self.z[i] if keep else self.z[i].copy()
        d = z.compress(text) + z.flush(zlib.Z_SYNC_FLUSH)
        assert d[-4:] == b"\0\0\xff\xff"
        return d[:-4]

    def frame(self, t, i, op, content, key=None, name=""):
        payload = self.deflate(i, content) if op < 8 else content
        h = bytes([0x80 | (0x40 if op < 8 else 0) | op])
        assert len(payload) < 126
        if i == 0:
            key = key or rng.randbytes(4)
            wire = h + bytes([0x80 | len(payload)]) + key + bytes(b ^ key[n % 4] for n, b in enumerate(payload))
        else:
            wire = h + bytes([len(payload)]) + payload
        name = name or f"w{i}.{len(self.said[i])}"
        self.seg(t, i, PSH | ACK, wire, name)
        m = dict(opcode=OPS[op], length=len(content), sha256=hashlib.sha256(content).hexdigest(), wire_payload=len(payload), name=name)
        if op == 1:
            m["text"] = content.decode()
        if op == 8:
            m.update(code=struct.unpack("!H", content[:2])[0], reason=content[2:].decode())
        self.said[i].append(m)

    def says(self, t, message, **k):
        """The phone says something; the server repeats it to everyone."""
        self.frame(t, 0, 1, chat(message), **k)
        self.frame(t + 0.0023, 1, 1, json.dumps(dict(type="usermsg", name="Alice", message=message, color="007AFF"), separators=(",", ":")).encode())
        self.seg(t + 0.0061, 0, ACK)

    def hears(self, t, name, message, color="F26522"):
        self.frame(t, 1, 1, json.dumps(dict(type="usermsg", name=name, message=message, color=color), separators=(",", ":")).encode())
        self.seg(t + 0.0038, 0, ACK)

    def ping(self, t, data):
        self.frame(t, 1, 9, data)
        self.frame(t + 0.0042, 0, 10, data)
        self.seg(t + 0.0443, 1, ACK)


def chat(message):
    return json.dumps(dict(name="Alice", message=message, color="007AFF"), separators=(",", ":")).encode()


# ---- the hour ------------------------------------------------------------------------------------------------------
arp(0.000000, 1, LAPTOP, BOX[0], None)
arp(0.002914, 2, BOX, LAPTOP[0], LAPTOP[1])
q = b"\x5a\x1c\x01\0\0\1\0\0\0\0\0\0" + b"\x09demo-ajax\x07example\0" + b"\0\1\0\1"
udp(0.003102, LAPTOP, BOX, 58112, 53, q, 128)
udp(0.031377, BOX, LAPTOP, 53, 58112, q[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + q[12:] + b"\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4" + addr(WEB[0]))
a, b = Http(56700), Http(56701)
a.open(0.033100, 0.0461, 0.0002)
b.open(0.033500, 0.0463, 0.0002)
PAGE = b"""<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>Ajax et WebSocket</title><link rel="stylesheet" href="/demo.css"></head>
<body><img src="/point.gif" alt=""><div id="news"></div><ul id="chat"></ul>
<script>/* jQuery is cached */ setInterval(function () { $("#news").load("/ajax.php"); }, 2000);</script></body></html>
"""
a.exchange(0.080900, request("/", "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"), "text/html", PAGE, "document", ack=True)
b.exchange(0.220000, request("/demo.css", "text/css,*/*;q=0.1"), "text/css", b"body{font:16px/1.5 sans-serif;margin:2em}#chat{list-style:none;padding:0}#news{border:1px solid #ccc;padding:1em}\n", "style")
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
b.exchange(0.370000, request("/point.gif", "image/webp,image/*,*/*;q=0.8"), "image/gif", GIF, "image", gzip=False)
mdns = b"\0\0\0\0\0\1\0\0\0\0\0\0" + b"\x05_http\x04_tcp\x05local\0" + b"\0\x0c\0\1"
udp(1.502211, PHONE, ("224.0.0.251", None), 5353, 5353, mdns, 255, bytes.fromhex("01005e0000fb"))
w = Ws()
w.open(2.412000, 0.000200, 0.0040)
# frames 25-29: 0.093530 s from request to response
head, body = a.poll(2.412140, content=LOREM_262, took=0.093530, names=("frame 25", "frame 29"))
assert len(head) == 188 and len(body) == 187 and zlib.decompress(body, 31) == LOREM_262 and len(LOREM_262) == 262
w.seg(2.560000, 0, PSH | ACK, UPGRADE, "upgrade")
w.seg(2.561900, 1, PSH | ACK, SWITCH, "switch")
w.seg(2.566100, 0, ACK)
w.frame(2.570000, 1, 1, b'{"type":"system","message":"192.168.1.60 connected"}')
w.seg(2.574400, 0, ACK)
plan = []


def at(t, do, *args, **kw):
    plan.append((t, len(plan), do, args, kw))


SAY = ["Bonjour", "Bonjour tout le monde", "Est-ce que tout le monde me voit ?", "Le serveur tourne sur le portable", "Je tape sur le telephone",
       "Regardez la capture dans Wireshark", "Une trame par message", "Deux octets d'en-tete", "Quatre de plus pour le masque", "Et la compression", "Ajax redemande sans cesse",
       "WebSocket attend", "Le serveur parle quand il veut", "Moins d'octets sur le reseau", "Et plus vite"]
ANSWER = [("Bob", "Salut Alice"), ("Bob", "Oui, on te voit"), ("Chloe", "Moi aussi"), ("Bob", "Et le masque ?"), ("Chloe", "Il est dans la trame"), ("Bob", "Combien d'octets ?"), ("Chloe", "Compte-les")]
t = 3.1
for i, s in enumerate(SAY):
    at(t + i * 0.61, w.says, s)
for i, (n, m) in enumerate(ANSWER):
    at(t + 0.27 + i * 1.22, w.hears, n, m, "F26522" if n == "Bob" else "39B54A")
at(7.31, w.ping, b"hb1")
at(4.412300, a.poll, content=LOREM_262, connection="close")
at(6.412300, b.poll, content=LOREM_262, connection="close")
c = Http(56702)
at(8.412300, c.open, 0.0462, 0.0002)
at(8.459000, c.poll, content=LOREM_262)
at(10.412300, c.poll, content=NEWS[1])
at(9.111, udp, PHONE, ("224.0.0.251", None), 5353, 5353, mdns, 255, bytes.fromhex("01005e0000fb"))
at(11.900, arp, 1, PHONE, LAPTOP[0], None)
at(11.90004, arp, 2, LAPTOP, PHONE[0], PHONE[1])
at(11.95, w.says, "Un message court")
at(12.412300, c.poll, content=NEWS[1], connection="close")
# frame 136
T136 = 12.9
REST = ["Dix-sept octets !", "Voila", "Voyez", "C'est court", "Trame 136", "Fini", "Merci", "Bravo", "Question", "Questions ?", "Encore un", "Court !", "Petit", "89 octets", "Trame courte",
        "Minuscule", "Ok", "Oui", "Vu", "Super", "89 octets !", "Seulement 89", "Dix-sept", "Dix-sept octets", "Dix-sept octets !", "Voici la trame 136", "Voici ma trame", "Je pense que oui", "Une petite trame"]


def frame136(t):
    global message
    message = next(m for m in REST if len(w.deflate(0, chat(m), keep=False)) == 17)
    w.says(t, message, key=bytes.fromhex("adb51072"), name="frame 136")


at(T136, frame136)
d = Http(56703)
at(14.412300, d.open, 0.0462, 0.0002)
at(14.459000, d.poll, content=NEWS[2])
at(15.0, w.says, "Merci a tous")
at(15.6, w.hears, "Chloe", "Merci Alice", "39B54A")
at(16.0, w.ping, b"hb2")
at(16.412300, d.poll, content=NEWS[2])
at(17.2, w.frame, 0, 8, struct.pack("!H", 1000) + b"fin")
at(17.2011, w.frame, 1, 8, struct.pack("!H", 1000) + b"fin")
at(17.2012, w.seg, 1, FIN | ACK)
at(17.2053, w.seg, 0, ACK)
at(17.2060, w.seg, 0, FIN | ACK)
at(17.2061, w.seg, 1, ACK)
at(18.412300, d.poll, content=NEWS[2], connection="close")

for t, _, do, args, kw in sorted(plan, key=lambda p: p[:2]):
    do(t, *args, **kw)
frames.sort(key=lambda f: (f[0], f[1]))
number = {f[3]: i for i, f in enumerate(frames, 1) if f[3]}
assert len(number) == sum(1 for f in frames if f[3])
for want in (25, 29, 136):
    if number[f"frame {want}"] != want:
        sys.exit(f"frame {want} came out as {number[f'frame {want}']}")
assert frames[28][0] - frames[24][0] == 93530 and len(frames[28][2]) == 429 and len(frames[135][2]) == 89

with open(os.path.join(OUT, "deck.pcap"), "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    for t, _, data, _ in frames:
        t += us(T0)
        f.write(struct.pack("<IIII", t // 1000000, t % 1000000, len(data), len(data)) + data)
for x in truth_http:
    q, r = x.pop("names")
    x.update(request_frame=number[q], response_frame=number[r])
truth_http.sort(key=lambda x: x["request_frame"])
for said in w.said:
    for m in said:
        m["frame"] = number[m.pop("name")]
write(os.path.join(OUT, "truth.json"), {"captures": {"deck.pcap": {
    "packets": len(frames),
    "frame_29": dict(wire=429, link=14, ip=20, tcp=20, framing=188, encoded=187, content=262, overhead=242, seconds_after_frame_25="0.093530", text=LOREM_262.decode()),
    "frame_136": dict(wire=89, link=14, ip=20, tcp=32, framing=6, encoded=17, content=len(chat(message)), overhead=72, masking_key="adb51072", text=chat(message).decode()),
    "http": truth_http,
    "websocket": [dict(client="192.168.1.60:51774", server="192.168.1.102:8080", target="wss://websocket.org", extensions="permessage-deflate",
                       upgrade_frame=number["upgrade"], switch_frame=number["switch"], client_to_server=w.said[0], server_to_client=w.said[1])]}}})
print(len(frames), "frames; frame 136 says", chat(message).decode())
