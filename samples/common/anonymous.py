"""anonymous.py IN OUT: copies a pcapng file without the options of its section header (hardware, operating system, program)."""
import struct, sys

data = open(sys.argv[1], "rb").read()
kind, length, magic = struct.unpack("<III", data[:12])
assert kind == 0x0A0D0D0A and magic == 0x1A2B3C4D, "little-endian pcapng expected"
open(sys.argv[2], "wb").write(struct.pack("<III", kind, 28, magic) + data[12:24] + struct.pack("<I", 28) + data[length:])
