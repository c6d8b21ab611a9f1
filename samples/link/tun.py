"""tun.py DEVICE MINE THEIRS: joins two tun devices of two namespaces by a pair of Unix sockets."""
import fcntl, os, select, socket, struct, sys, time

dev, mine, theirs = sys.argv[1:4]
t = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(t, 0x400454CA, struct.pack("16sH22x", dev.encode(), 0x1001))   # TUNSETIFF: IFF_TUN | IFF_NO_PI
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(mine)
end = time.monotonic() + 60
while time.monotonic() < end:
    for r in select.select([t, s], [], [], 1)[0]:
        if r is s:
            os.write(t, s.recv(65536))
        else:
            try:
                s.sendto(os.read(t, 65536), theirs)
            except OSError:
                pass   # the other side is not there yet
