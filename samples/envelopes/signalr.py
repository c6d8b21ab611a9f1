"""signalr.py: a SignalR hub on port 3000 (aiosignalr; no .NET), JSON and MessagePack."""
import asyncio

from aiosignalr.server import Hub, SignalRServer
from aiosignalr.protocol import messagepack_protocol
from aiosignalr.server import aiohttp_server

# aiosignalr sends JSON in binary messages, which Microsoft's client refuses; ASP.NET Core sends it as text.
binary = aiohttp_server._AiohttpSocket.send_bytes


async def as_aspnet_core(self, data):
    if data.endswith(b"\x1e") and data.startswith(b"{"):
        await self._ws.send_str(data.decode())
    else:
        await binary(self, data)


aiohttp_server._AiohttpSocket.send_bytes = as_aspnet_core
# It sends empty headers as the number 0x80, where the specification has an empty map (whose octet is 0x80).
messagepack_protocol._EMPTY_HEADERS = {}


class Shop(Hub):
    async def sum(self, a: int, b: int) -> int:
        return a + b

    async def upper(self, text: str) -> str:
        return text.upper()

    async def say(self, name, text):
        await self.clients.all.send("said", name, text)

    async def count(self, to):
        for n in range(1, to + 1):
            yield n
            await asyncio.sleep(0.02)


async def main():
    await SignalRServer(Shop).serve("10.77.0.1", 3000)
    await asyncio.Event().wait()


asyncio.run(main())
