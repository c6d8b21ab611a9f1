"""server.py: on 8000 an HTTP server that redirects or says nothing, on 8765 a WebSocket server for one origin."""
import asyncio, http.server, threading
import websockets


class Old(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        self.close_connection = True

    def log_message(self, *args):
        pass


async def main():
    old = http.server.ThreadingHTTPServer(("10.77.0.1", 8000), Old)
    threading.Thread(target=old.serve_forever, daemon=True).start()
    async with websockets.serve(lambda ws: ws.close(), "10.77.0.1", 8765, origins=["http://good.example"]):
        await asyncio.Future()

asyncio.run(main())
