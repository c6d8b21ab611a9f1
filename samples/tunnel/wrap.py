"""wrap.py RAW-IP.pcapng OUT.pcap: the packets of a raw IP capture on Ethernet, each in the next of several tunnels."""
import os, struct, subprocess, sys, tempfile


def ethernet(kind, payload):
    return bytes.fromhex("020000000001020000000002") + struct.pack("!H", kind) + payload


def ip(protocol, payload):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + bytes([192, 0, 2, 1, 192, 0, 2, 2])
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", 0xffff - (total + (total >> 16) & 0xffff)) + head[12:] + payload


def udp(port, payload):
    return ip(17, struct.pack("!HHHH", 50000, port, 8 + len(payload), 0) + payload)


TUNNELS = [
    lambda p: ethernet(0x0800, ip(4, p)),                                                              # IP in IP
    lambda p: ethernet(0x0800, ip(47, struct.pack("!HHI", 0x2000, 0x0800, 7) + p)),                    # GRE with a key
    lambda p: ethernet(0x0800, ip(47, struct.pack("!HH", 0, 0x6558) + ethernet(0x0800, p))),           # Ethernet in GRE
    lambda p: ethernet(0x0800, ip(47, struct.pack("!HHIII", 0x1000, 0x88be, 1, 0x10000006, 0) + ethernet(0x0800, p))),  # ERSPAN II
    lambda p: ethernet(0x0800, udp(6081, struct.pack("!BBHI", 0, 0, 0x6558, 42 << 8) + ethernet(0x0800, p))),           # Geneve
    lambda p: ethernet(0x0800, udp(2152, struct.pack("!BBHI", 0x30, 0xff, len(p), 9) + p)),            # GTP-U
    lambda p: ethernet(0x8847, struct.pack("!II", 0x00010040, 0x00020140) + p),                        # MPLS, two labels
    lambda p: ethernet(0x8864, struct.pack("!BBHHH", 0x11, 0, 1, len(p) + 2, 0x21) + p),               # PPPoE
    lambda p: ethernet(0x88a8, struct.pack("!HHHH", 9, 0x8100, 5, 0x0800) + p),                        # two VLAN tags
]

source, target = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    plain = os.path.join(folder, "plain")
    subprocess.run(["editcap", "-F", "pcap", source, plain], check=True, stderr=subprocess.DEVNULL)
    data = open(plain, "rb").read()
with open(target, "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
    at, number = 24, 0
    while at < len(data):
        seconds, micros, length, _ = struct.unpack("<IIII", data[at:at + 16])
        packet = TUNNELS[number % len(TUNNELS)](data[at + 16:at + 16 + length])
        out.write(struct.pack("<IIII", seconds, micros, len(packet), len(packet)) + packet)
        at, number = at + 16 + length, number + 1
