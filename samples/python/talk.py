"""talk.py server|client TRUTH: Python's `websockets` on both ends, its default permessage-deflate."""
import asyncio, hashlib, json, random, struct, sys
import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

ROLE, FILE = sys.argv[1:3]
out = open(FILE, "a")
rng = random.Random(ROLE)


def note(**o):
    out.write(json.dumps({"ws": 0, **o}) + "\n")
    out.flush()


def rec(opcode, data, **more):
    b = data.encode() if isinstance(data, str) else data
    return {"opcode": opcode, "length": len(b), "sha256": hashlib.sha256(b).hexdigest(), **more}


def kind(data):
    return "text" if isinstance(data, str) else "binary"


async def send(ws, data):
    if isinstance(data, list):
        note(sent=rec(kind(data[0]), type(data[0])().join(data)))   # the library ends with an empty last fragment
    else:
        note(sent=rec(kind(data), data))
    await ws.send(data if not isinstance(data, list) else (d for d in data))


async def ping(ws, data):
    note(sent=rec("ping", data))
    return await ws.ping(data)


async def listen(ws):
    try:
        async for m in ws:
            note(received=rec(kind(m), m))
    except websockets.ConnectionClosedError as e:   # any code but 1000 and 1001
        assert e.rcvd.code == e.sent.code == 4001, e


async def talk(ws):
    for i in range(5):
        await send(ws, json.dumps({"from": ROLE, "seq": i, "value": rng.randrange(1000), "text": "Bonjour à tous, message nº %d" % i}, ensure_ascii=False))
        await asyncio.sleep(0.01)
    await send(ws, ["one ", "message ", "in ", "fragments, ", "compressed ", "as one"])
    await (await ping(ws, b"still there?"))
    if ROLE == "client":
        # noise: the length needs 64 bits after compression too
        await send(ws, bytes(rng.randrange(256) for _ in range(70000)))
    else:
        await send(ws, json.dumps([{"id": i, "name": "row %d" % i, "score": rng.randrange(10**6)} for i in range(400)]))
    await send(ws, b"\0\1\2 small binary")
    await send(ws, [b"\xff" * 100, b"\x00" * 100, bytes(range(100))])
    await send(ws, "")
    await asyncio.sleep(0.2)


async def server():
    done = asyncio.Event()

    async def handler(ws):
        note(set={"target": ws.request.path})
        t = asyncio.create_task(listen(ws))
        await talk(ws)
        await t
        done.set()

    async with serve(handler, "10.77.0.1", 8765, ping_interval=None):
        await done.wait()


async def client():
    async with connect("ws://10.77.0.1:8765/chat?room=7", ping_interval=None, subprotocols=None) as ws:
        h, p = ws.local_address[:2]
        note(set={"client": f"{h}:{p}", "offered": ws.request.headers["Sec-WebSocket-Extensions"], "extensions": ws.response.headers["Sec-WebSocket-Extensions"]})
        t = asyncio.create_task(listen(ws))
        await talk(ws)
        reason = "fini: à bientôt"
        note(sent=rec("close", struct.pack("!H", 4001) + reason.encode(), code=4001, reason=reason))
        await ws.close(4001, reason)
        await t

asyncio.run(server() if ROLE == "server" else client())
