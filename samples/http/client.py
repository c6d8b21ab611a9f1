"""client.py TRUTH FOLDER: sockets, http.client and curl against nginx (80), Node (3000) and Python (8000)."""
import hashlib, http.client, io, json, os, socket, subprocess, sys, zlib

out, folder = open(sys.argv[1], "a"), sys.argv[2]
HOST = "10.77.0.1"


def note(method, target, status, content, **more):
    out.write(json.dumps({"http": {"method": method, "target": target, "status": status, "length": len(content), "sha256": hashlib.sha256(content).hexdigest(), **more}}) + "\n")
    out.flush()


def undo(data, coding):
    for c in reversed([c.strip() for c in (coding or "").split(",") if c.strip()]):
        if c == "gzip":
            data = zlib.decompress(data, 31)
        elif c == "deflate":
            try:
                data = zlib.decompress(data)
            except zlib.error:
                data = zlib.decompress(data, -15)
    return data


class Shared:
    """One reader for several answers on one socket."""

    def __init__(self, s):
        self.f = s.makefile("rb")

    def makefile(self, *a):
        f = self.f

        class Keep(io.BufferedIOBase):
            def __getattribute__(self, k):
                return (lambda: None) if k == "close" else object.__getattribute__(self, k) if k.startswith("_") else getattr(f, k)
        return Keep()


def answer(shared, method, target, **more):
    r = http.client.HTTPResponse(shared, method=method)
    r.begin()
    data = r.read()
    note(method, target, r.status, undo(data, r.headers.get("Content-Encoding")), **more)
    return r


def pipelined(port, requests, program="socket, pipelined"):
    s = socket.create_connection((HOST, port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sendall(b"".join(f"{m} {t} HTTP/1.1\r\nHost: www.example\r\n{h}\r\n".encode() for m, t, h in requests))
    shared = Shared(s)
    rs = [answer(shared, m, t, program=program) for m, t, h in requests]
    s.close()
    return rs


def curl(target, *args, method="GET", port=3000):
    path = os.path.join(folder, "answer")
    open(path, "wb").close()
    status = subprocess.run(["curl", "-sS", "-o", path, "-w", "%{http_code}", *args, f"http://{HOST}:{port}{target}"], capture_output=True, text=True, check=True).stdout
    note(method, target, int(status), b"" if method == "HEAD" else open(path, "rb").read(), program="curl")


# nginx: keep-alive, one at a time
c = http.client.HTTPConnection(HOST, 80)
etag = None
for method, target, headers in [("GET", "/a.json", {}), ("GET", "/a.json", {"Accept-Encoding": "gzip"}), ("HEAD", "/a.json", {}), ("GET", "/a.json", {"If-None-Match": "*"}),
                                ("GET", "/style.css", {"Accept-Encoding": "gzip"}), ("GET", "/a.json", {"Range": "bytes=100-299"}), ("GET", "/missing", {}), ("GET", "/old", {}), ("GET", "/empty.txt", {})]:
    if headers.get("If-None-Match"):
        headers["If-None-Match"] = etag
    c.request(method, target, headers={"Accept-Encoding": "identity", **headers})
    r = c.getresponse()
    data = r.read()
    etag = r.headers.get("ETag") or etag
    note(method, target, r.status, undo(data, r.headers.get("Content-Encoding")), program="http.client, keep-alive")
c.close()
# nginx: pipelined
pipelined(80, [("GET", "/a.json", ""), ("HEAD", "/style.css", ""), ("GET", "/missing", ""), ("GET", "/a.json", f"If-None-Match: {etag}\r\n"), ("GET", "/style.css", "Accept-Encoding: gzip\r\n"),
               ("GET", "/empty.txt", "Connection: close\r\n")])
# Node: codings, pipelined where Python can undo them
pipelined(3000, [("GET", f"/enc/{e}", "Accept-Encoding: gzip, deflate\r\n") for e in ("identity", "gzip", "deflate", "deflate-raw", "twice")])
for e in ("br", "zstd", "gzip"):
    curl(f"/enc/{e}", "--compressed")
# Node: chunked with trailers, early hints, expectations, chunked request, no content
curl("/trailers", "-H", "TE: trailers")
curl("/hints")
big = os.path.join(folder, "big")
open(big, "w").write(json.dumps([{"i": i, "text": "upload"} for i in range(120)]))
curl("/upload", "-H", "Expect: 100-continue", "-H", "Content-Type: application/json", "--data-binary", "@" + big, method="POST")
curl("/upload", "-H", "Transfer-Encoding: chunked", "-H", "Content-Type: application/json", "--data-binary", "@" + big, method="POST")
curl("/thing/7", "-X", "PUT", "-d", "colour=blue&size=4", method="PUT")
curl("/thing/7", "-X", "DELETE", method="DELETE")
curl("/nothing", "-I", method="HEAD")
curl("/events", "-N", "-H", "Accept: text/event-stream")
curl("/wait?cursor=17", "-H", "Accept: application/json", "-H", "X-Requested-With: XMLHttpRequest")
# Python: HTTP/1.0, content ends with the connection
curl("/old-style", port=8000)
s = socket.create_connection((HOST, 8000))
s.sendall(b"GET /older-style HTTP/1.0\r\n\r\n")
answer(Shared(s), "GET", "/older-style", program="socket, HTTP/1.0")
s.close()
