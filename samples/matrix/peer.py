"""peer.py websockets|aiohttp|tornado client|server MODE TRUTH: three libraries of Python. Reads talk.json; see ../README.md."""
import asyncio, hashlib, json, os, struct, sys

LIBRARY, ROLE, MODE, FILE = sys.argv[1:5]
HOST, PORT, TARGET = "10.77.0.1", 8080, "/talk"
CODE, REASON = 4100, "fini: à bientôt"
NO = {"no-takeover": ("server", "client"), "server-no-takeover": ("server",), "client-no-takeover": ("client",)}.get(MODE, ())
BITS = {"server": 10, "client": 9} if MODE == "window-bits" else {}
out = open(FILE, "a")


def note(**o):
    out.write(json.dumps({"ws": 0, **o}) + "\n")
    out.flush()


def rec(opcode, data, **more):
    b = data.encode() if isinstance(data, str) else bytes(data)
    return {"opcode": opcode, "length": len(b), "sha256": hashlib.sha256(b).hexdigest(), **more}


def closing(code, reason):
    return rec("close", struct.pack("!H", code) + reason.encode(), code=code, reason=reason)


def kind(data):
    return "text" if isinstance(data, str) else "binary"


def heard(data):
    note(received=rec(kind(data), data))


class Sayer:
    """Sends up to and including the next data message; false when there is none left."""

    def __init__(self, send, ping, fragments=None):
        self.items, self.send, self.ping, self.fragments = iter(json.load(open(os.path.join(os.path.dirname(__file__), "talk.json")))[ROLE]), send, ping, fragments

    async def say(self):
        for m in self.items:
            if "ping" in m:
                note(sent=rec("ping", m["ping"]))
                await self.ping(m["ping"].encode())
            elif "fragments" in m and self.fragments:
                note(sent=rec("text", "".join(m["fragments"]), fragments=len(m["fragments"]) + 1))   # websockets ends with an empty one
                await self.fragments(m["fragments"])
                return True
            else:
                data = "".join(m["fragments"]) if "fragments" in m else bytes.fromhex(m["binary"]) if "binary" in m else m["text"]
                note(sent=rec(kind(data), data))
                await self.send(data)
                return True
        return False


async def websockets_client():
    from websockets.asyncio.client import connect
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Deflate
    ext = [] if MODE == "plain" else [Deflate("server" in NO, "client" in NO, BITS.get("server"), BITS.get("client", True))]
    async with connect(f"ws://{HOST}:{PORT}{TARGET}", compression=None, extensions=ext, ping_interval=None) as ws:
        h, p = ws.local_address[:2]
        note(set={"client": f"{h}:{p}", "offered": ws.request.headers.get("Sec-WebSocket-Extensions", ""), "extensions": ws.response.headers.get("Sec-WebSocket-Extensions", "")})
        s = Sayer(ws.send, ws.ping, lambda parts: ws.send(iter(parts)))
        while await s.say():
            heard(await ws.recv())
        note(sent=closing(CODE, REASON))
        await ws.close(CODE, REASON)


async def websockets_server():
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory as Deflate
    ext = [] if MODE == "plain" else [Deflate("server" in NO, "client" in NO, BITS.get("server"), BITS.get("client"), require_client_max_window_bits=bool(BITS))]

    async def handler(ws):
        note(set={"target": ws.request.path, "offered": ws.request.headers.get("Sec-WebSocket-Extensions", ""), "extensions": ws.response.headers.get("Sec-WebSocket-Extensions", "")})
        s = Sayer(ws.send, ws.ping, lambda parts: ws.send(iter(parts)))
        try:
            async for m in ws:
                heard(m)
                await s.say()
        except ConnectionClosed as e:      # any code but 1000 and 1001
            note(sent=closing(e.sent.code, e.sent.reason))
        done.set()

    done = asyncio.Event()
    async with serve(handler, HOST, PORT, compression=None, extensions=ext, ping_interval=None):
        await done.wait()


async def aiohttp_client():
    import aiohttp
    offers = []
    trace = aiohttp.TraceConfig()

    async def on_headers(session, context, params):
        offers.append(params.headers.get("Sec-WebSocket-Extensions", ""))
    trace.on_request_headers_sent.append(on_headers)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        # It can offer no takeover parameter: what the server imposes holds.
        async with session.ws_connect(f"http://{HOST}:{PORT}{TARGET}", compress=0 if MODE == "plain" else 15, autoping=True) as ws:
            h, p = ws.get_extra_info("sockname")[:2]
            note(set={"client": f"{h}:{p}", "offered": offers[0], "extensions": ws._response.headers.get("Sec-WebSocket-Extensions", "")})
            s = Sayer(lambda d: ws.send_str(d) if isinstance(d, str) else ws.send_bytes(d), ws.ping)
            while await s.say():
                heard((await ws.receive()).data)
            note(sent=closing(CODE, REASON))
            await ws.close(code=CODE, message=REASON.encode())


async def aiohttp_server():
    from aiohttp import web, WSMsgType

    async def handler(request):
        ws = web.WebSocketResponse(compress=MODE != "plain")
        await ws.prepare(request)
        note(set={"target": request.path, "offered": request.headers.get("Sec-WebSocket-Extensions", ""), "extensions": ws.headers.get("Sec-WebSocket-Extensions", "")})
        s = Sayer(lambda d: ws.send_str(d) if isinstance(d, str) else ws.send_bytes(d), ws.ping)
        async for m in ws:
            heard(m.data)
            await s.say()
        note(sent=closing(1000, ""))            # how it answers any Close
        return ws

    app = web.Application()
    app.router.add_get(TARGET, handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, PORT).start()
    await asyncio.Event().wait()


async def tornado_client():
    import tornado.websocket
    ws = await tornado.websocket.websocket_connect(f"ws://{HOST}:{PORT}{TARGET}", compression_options=None if MODE == "plain" else {})
    h, p = ws.protocol.stream.socket.getsockname()[:2]
    note(set={"client": f"{h}:{p}", "extensions": ws.headers.get("Sec-WebSocket-Extensions", "")})

    async def ping(data):
        ws.ping(data)
    stream = ws.protocol.stream
    s = Sayer(lambda d: ws.write_message(d, isinstance(d, bytes)), ping)
    while await s.say():
        heard(await ws.read_message())
    note(sent=closing(CODE, REASON))
    ws.close(CODE, REASON)
    while not stream.closed():      # until the server has answered
        await asyncio.sleep(0.01)


async def tornado_server():
    import tornado.web, tornado.websocket

    class Handler(tornado.websocket.WebSocketHandler):
        def get_compression_options(self):
            return None if MODE == "plain" else {}

        def open(self):
            self.set_nodelay(True)
            note(set={"target": self.request.path, "offered": self.request.headers.get("Sec-WebSocket-Extensions", ""), "extensions": self._headers.get("Sec-WebSocket-Extensions", "")})

            async def ping(data):
                self.ping(data)
            self.sayer = Sayer(lambda d: self.write_message(d, isinstance(d, bytes)), ping)

        async def on_message(self, m):
            heard(m)
            await self.sayer.say()

        def on_close(self):
            note(sent=closing(self.close_code, ""))     # it answers with the code and no reason

    tornado.web.Application([(TARGET, Handler)]).listen(PORT, HOST)
    await asyncio.Event().wait()

asyncio.run(globals()[f"{LIBRARY}_{ROLE}"]())
