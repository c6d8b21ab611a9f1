#!/usr/bin/env python3
"""Writes the captures that the benches read: the same octets on every machine.

    benches/captures.py FOLDER [--scale 1|2|4] [--only NAME ...]

ws-small     small text messages both ways on 400 connections, with pings
ws-large     binary messages of 16 to 256 KiB on 24 connections
ws-deflate   JSON with permessage-deflate and context takeover on 200 connections
ajax         requests of a browser on 120 connections that are kept alive: gzip, 304, POST
connections  short HTTP connections, one exchange each, about 1,500 open at once
mix          parts of all five, interleaved, with 0.1 % each lost, reordered, sent again, and late

Scale 4 is 150 to 650 MB for each, 1 a quarter of that. Beside each NAME-SCALEx.pcap stands NAME-SCALEx.json: what is in it.
"""

import argparse
import base64
import hashlib
import heapq
import json
import os
import random
import struct
import zlib

EPOCH_US = 1_700_000_000_000_000
RECORD = struct.Struct("<IIII")
IP_AND_TCP = struct.Struct(">14sHHHHHH4s4sHHIIHHHH")
TIMESTAMPS = struct.Struct(">HHII")
SYN_OPTIONS = bytes.fromhex("020405b40402080a00000001000000000103030a")
MSS = 1448
FIN, SYN, PSH, ACK = 1, 2, 8, 16
ETHERNET = [bytes.fromhex("020000000001" "020000000002" "0800"), bytes.fromhex("020000000002" "020000000001" "0800")]


class Connection:
    """One TCP connection: builds its segments. Direction 0 is the client's."""

    def __init__(self, network, number, port, rng):
        client = struct.pack(">BBBB", 10, network, number >> 8 & 255, number & 255)
        server = struct.pack(">BBBB", 192, 168, network, number % 8 + 1)
        self.address = [client, server]
        self.port = [10_000 + (number >> 16) % 50_000, port]
        self.seq = [rng.getrandbits(32), rng.getrandbits(32)]
        self.ident = [rng.getrandbits(16), rng.getrandbits(16)]
        # What the IP checksum always adds up: version, flags, TTL, protocol and addresses.
        self.sum = 0x4500 + 0x4000 + 0x4006 + sum(struct.unpack(">4H", client + server))
        self.clock = 1

    def segment(self, way, flags, data=b"", options=None):
        """An Ethernet frame. (Its TCP checksum is 0, as captures with offloading have wrong ones anyway.)"""
        peer = 1 - way
        self.clock += 1
        if options is None:
            options = TIMESTAMPS.pack(0x0101, 0x080A, self.clock, self.clock - 1)
        length = 40 + len(options) + len(data)
        self.ident[way] = ident = self.ident[way] % 0xFFFF + 1
        total = self.sum + length + ident
        total = (total & 0xFFFF) + (total >> 16)
        checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        acknowledged = self.seq[peer] if flags & ACK else 0
        offset_and_flags = (20 + len(options)) // 4 << 12 | flags
        head = IP_AND_TCP.pack(
            ETHERNET[way], 0x4500, length, ident, 0x4000, 0x4006, checksum, self.address[way], self.address[peer],
            self.port[way], self.port[peer], self.seq[way], acknowledged, offset_and_flags, 64_240, 0, 0,
        )
        self.seq[way] = (self.seq[way] + len(data) + (1 if flags & (SYN | FIN) else 0)) & 0xFFFFFFFF
        return head + options + data

    def open(self):
        yield self.segment(0, SYN, options=SYN_OPTIONS)
        yield self.segment(1, SYN | ACK, options=SYN_OPTIONS)
        yield self.segment(0, ACK)

    def send(self, way, data):
        """Segments of at most one MSS; the peer acknowledges every second one."""
        if len(data) <= MSS:
            yield self.segment(way, PSH | ACK, data)
            return
        for number, at in enumerate(range(0, len(data), MSS)):
            yield self.segment(way, ACK, data[at : at + MSS])
            if number % 2:
                yield self.segment(1 - way, ACK)

    def close(self):
        yield self.segment(0, FIN | ACK)
        yield self.segment(1, FIN | ACK)
        yield self.segment(0, ACK)


def interleave(conversations, at_once, rng):
    """Takes packets of several conversations in turn by chance, `at_once` of them open."""
    waiting = iter(conversations)
    live = [conversation for _, conversation in zip(range(at_once), waiting)]
    while live:
        at = int(rng.random() * len(live))
        packet = next(live[at], None)
        if packet is not None:
            yield packet
            continue
        following = next(waiting, None)
        if following is None:
            live[at] = live[-1]
            live.pop()
        else:
            live[at] = following


# WebSocket


def handshake(connection, extension, rng):
    key = base64.b64encode(rng.randbytes(16))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    agreed = b"Sec-WebSocket-Extensions: permessage-deflate\r\n" if extension else b""
    request = (
        b"GET /live HTTP/1.1\r\nHost: ws.example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://example.test\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n" % (key, agreed)
    )
    response = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %s\r\n%s\r\n" % (accept, agreed)
    )
    yield from connection.send(0, request)
    yield from connection.send(1, response)


def frame(way, first, payload, rng):
    """A WebSocket frame, masked where the client sends it."""
    length = len(payload)
    masked = 0 if way else 0x80
    if length < 126:
        head = struct.pack(">BB", first, masked | length)
    elif length < 65_536:
        head = struct.pack(">BBH", first, masked | 126, length)
    else:
        head = struct.pack(">BBQ", first, masked | 127, length)
    if way:
        return head + payload
    key = rng.getrandbits(32).to_bytes(4, "big")
    keys = int.from_bytes((key * (length // 4 + 1))[:length], "big")
    return head + key + (int.from_bytes(payload, "big") ^ keys).to_bytes(length, "big")


def websocket(connection, contents, counts, rng, extension=False, ping_every=0):
    """A connection that carries (way, first octet, payload) of `contents`."""
    counts["connections"] += 1
    counts["exchanges"] += 1
    yield from connection.open()
    yield from handshake(connection, extension, rng)
    for number, (way, first, payload) in enumerate(contents):
        counts["messages"] += 1
        yield from connection.send(way, frame(way, first, payload, rng))
        if number % 2:
            yield connection.segment(1 - way, ACK)
        if ping_every and number % ping_every == ping_every - 1:
            counts["messages"] += 2
            yield from connection.send(1, frame(1, 0x89, b"%08d" % number, rng))
            yield from connection.send(0, frame(0, 0x8A, b"%08d" % number, rng))
    counts["messages"] += 2
    for way in (0, 1):
        yield from connection.send(way, frame(way, 0x88, b"\x03\xe8", rng))
    yield from connection.close()


def small(scale, counts, rng):
    text = (b'{"type":"tick","symbol":"ABC","price":101.25,"volume":7,"id":123456789,"side":"buy","venue":"XTST","note":"%s"}' % (b"x" * 120))

    def contents():
        for _ in range(1400 * scale):
            length = 20 + int(rng.random() * 181)
            counts["content_bytes"] += length
            yield (rng.random() < 0.55) + 0, 0x81, text[:length]

    connections = (websocket(Connection(1, n, 8080, rng), contents(), counts, rng, ping_every=400) for n in range(400))
    return interleave(connections, 400, rng)


def large(scale, counts, rng):
    noise = rng.randbytes(256 << 10)

    def contents():
        for _ in range(40 * scale):
            length = 16 * 1024 + int(rng.random() * 240 * 1024)
            counts["content_bytes"] += length
            yield (rng.random() < 0.5) + 0, 0x82, noise[:length]

    connections = (websocket(Connection(2, n, 8081, rng), contents(), counts, rng) for n in range(24))
    return interleave(connections, 24, rng)


def document(rng, items):
    """JSON that compresses about four to one, with names that repeat and numbers that do not."""
    item = '{"id":%d,"name":"customer-%d","price":%.2f,"quantity":%d,"status":"%s","updated":"2023-11-14T22:13:%02d.%03dZ"}'
    states = ("open", "filled", "cancelled", "pending")
    number, choice = rng.getrandbits, rng.random
    made = (
        item % (number(30), number(12), choice() * 1000, number(10), states[number(2)], number(5), number(9))
        for _ in range(items)
    )
    return ('{"type":"snapshot","sequence":%d,"items":[%s]}' % (number(31), ",".join(made))).encode()


def deflate(scale, counts, rng):
    def contents():
        senders = [zlib.compressobj(6, zlib.DEFLATED, -15) for _ in range(2)]
        for _ in range(325 * scale):
            way = (rng.random() < 0.6) + 0
            content = document(rng, 8 + int(rng.random() * 18))
            counts["content_bytes"] += len(content)
            encoded = senders[way].compress(content) + senders[way].flush(zlib.Z_SYNC_FLUSH)
            # RFC 7692, section 7.2.1: without the empty block at the end.
            yield way, 0xC1, encoded[:-4]

    connections = (websocket(Connection(3, n, 8082, rng), contents(), counts, rng, extension=True) for n in range(200))
    return interleave(connections, 200, rng)


# HTTP

BROWSER = (
    b"Host: app.example.test\r\nConnection: keep-alive\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\n"
    b"Accept: */*\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
    b"Referer: http://app.example.test/board\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en-US,en;q=0.9\r\n"
    b"Cookie: session=6e1f2c3b4a5968778695a4b3c2d1e0f0; theme=dark; consent=1\r\n"
)
SERVER = b"Server: nginx/1.22.1\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nConnection: keep-alive\r\n"


def gzip(content):
    encoder = zlib.compressobj(6, zlib.DEFLATED, 31)
    return encoder.compress(content) + encoder.flush()


def exchange(rng, counts):
    """Request and response of a poll, or of a change."""
    counts["exchanges"] += 1
    kind, resource = rng.random(), int(rng.random() * 40)
    requested = b"X-Requested-With: XMLHttpRequest\r\n" if resource % 4 == 0 else b""
    if kind < 0.20:
        content = document(rng, 2)
        head = b"POST /api/orders HTTP/1.1\r\n%s%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        answer = b'{"accepted":true,"id":%d}' % rng.getrandbits(30)
        counts["content_bytes"] += len(content) + len(answer)
        request = head % (BROWSER, requested, len(content)) + content
        return request, b"HTTP/1.1 201 Created\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
            SERVER, len(answer), answer,
        )
    if kind < 0.37:
        request = b'GET /api/board/%d HTTP/1.1\r\n%s%sIf-None-Match: "655400ab-%x"\r\n\r\n' % (resource, BROWSER, requested, resource)
        return request, b'HTTP/1.1 304 Not Modified\r\n%sETag: "655400ab-%x"\r\n\r\n' % (SERVER, resource)
    request = b"GET /api/items/%d?since=%d HTTP/1.1\r\n%s%s\r\n" % (resource, rng.getrandbits(31), BROWSER, requested)
    content = document(rng, 2 + int(rng.random() * 16))
    counts["content_bytes"] += len(content)
    kind_of_content = b"Content-Type: application/json\r\n"
    if kind < 0.69:
        return request, b"HTTP/1.1 200 OK\r\n%s%sContent-Length: %d\r\n\r\n%s" % (SERVER, kind_of_content, len(content), content)
    encoded = gzip(content)
    head = b"HTTP/1.1 200 OK\r\n%s%sTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n\r\n"
    return request, head % (SERVER, kind_of_content) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(encoded), encoded)


def ajax(scale, counts, rng):
    def conversation(connection):
        counts["connections"] += 1
        yield from connection.open()
        for _ in range(333 * scale):
            request, response = exchange(rng, counts)
            yield from connection.send(0, request)
            yield from connection.send(1, response)
            yield connection.segment(0, ACK)
        yield from connection.close()

    return interleave((conversation(Connection(4, n, 80, rng)) for n in range(120)), 120, rng)


def connections(scale, counts, rng):
    def conversation(number):
        counts["connections"] += 1
        counts["exchanges"] += 1
        # Ports are taken in turn, so that none comes again soon.
        connection = Connection(5, number % 251 | number // 251 % 50_000 << 16 | number // 12_550_000 << 8, 80, rng)
        content = b'{"id":%d,"state":"%s","value":%d}' % (number, (b"ok", b"pending")[number % 2], rng.getrandbits(31))
        counts["content_bytes"] += len(content)
        yield from connection.open()
        request = b"GET /api/v1/item/%d HTTP/1.1\r\nHost: api.example.test\r\nUser-Agent: app/2.1\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
        yield from connection.send(0, request % number)
        yield connection.segment(1, ACK)
        head = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        yield from connection.send(1, head % len(content) + content)
        yield from connection.close()

    return interleave((conversation(number) for number in range(125_000 * scale)), 1500, rng)


# Files


def write(path, packets, counts):
    time = EPOCH_US
    with open(path, "wb", 1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for packet in packets:
            time += 5
            length = len(packet)
            out.write(RECORD.pack(time // 1_000_000, time % 1_000_000, length, length))
            out.write(packet)
            counts["packets"] += 1


def read(path, part):
    """The packets of the first part of a capture that was written here."""
    end = int(os.path.getsize(path) * part)
    with open(path, "rb", 1 << 20) as capture:
        at = len(capture.read(24))
        while at < end:
            head = capture.read(RECORD.size)
            packet = capture.read(RECORD.unpack(head)[2])
            at += len(head) + len(packet)
            yield at / end, packet


def sent_again(packet):
    """The same segment in a packet that its sender numbered anew."""
    old = int.from_bytes(packet[18:20], "big")
    new = (old + 0x8000) & 0xFFFF
    # RFC 1624: the checksum changes by the difference.
    total = (~int.from_bytes(packet[24:26], "big") & 0xFFFF) + (~old & 0xFFFF) + new
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return packet[:18] + new.to_bytes(2, "big") + packet[20:24] + checksum.to_bytes(2, "big") + packet[26:]


def mix(paths, counts, rng):
    """Parts of captures in proportion to their sizes, with damage."""
    damage = {"lost": 0, "reordered": 0, "sent_again": 0, "late": 0}
    counts["damage"] = damage
    sources = [read(path, 0.3) for path in paths]
    heap = [(0.0, at) for at in range(len(sources))]
    later, number = [], 0
    while heap:
        _, at = heap[0]
        following = next(sources[at], None)
        if following is None:
            heapq.heappop(heap)
            continue
        position, packet = following
        heapq.heapreplace(heap, (position, at))
        number += 1
        chance = rng.random()
        if chance < 0.001:
            damage["lost"] += 1
        elif chance < 0.002:
            damage["reordered"] += 1
            heapq.heappush(later, (number + rng.randint(1, 6), number, packet))
        elif chance < 0.003:
            damage["sent_again"] += 1
            yield packet
            heapq.heappush(later, (number + rng.randint(5, 200), number, sent_again(packet)))
        elif chance < 0.004:
            damage["late"] += 1
            heapq.heappush(later, (number + rng.randint(20, 400), number, packet))
        else:
            yield packet
        while later and later[0][0] <= number:
            yield heapq.heappop(later)[2]
    while later:
        yield heapq.heappop(later)[2]


MAKERS = {"ws-small": small, "ws-large": large, "ws-deflate": deflate, "ajax": ajax, "connections": connections}


def make(folder, name, scale):
    """Writes one capture, unless it is there; its path."""
    path = os.path.join(folder, f"{name}-{scale}x.pcap")
    truth = path.removesuffix("pcap") + "json"
    if os.path.exists(truth):
        return path
    counts = {"packets": 0, "connections": 0, "exchanges": 0, "messages": 0, "content_bytes": 0}
    rng = random.Random(f"{name} {scale}")
    if name == "mix":
        packets = mix([make(folder, part, scale) for part in MAKERS], counts, rng)
    else:
        packets = MAKERS[name](scale, counts, rng)
    write(path, packets, counts)
    if name == "mix":
        counts = {"packets": counts["packets"], "damage": counts["damage"]}
    with open(truth, "w") as out:
        json.dump(counts, out)
    print(f"{path}: {os.path.getsize(path) / 1e6:.0f} MB, {counts}", flush=True)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--scale", type=int, choices=(1, 2, 4), default=1)
    parser.add_argument("--only", nargs="+", choices=[*MAKERS, "mix"], default=[*MAKERS, "mix"])
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    for name in args.only:
        make(args.folder, name, args.scale)


if __name__ == "__main__":
    main()
