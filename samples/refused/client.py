"""client.py TRUTH FOLDER: asks for WebSockets that it will not get: curl, and the client of Python's websockets.

Notes what the program was answered, and in `said` the words in which the server refused (ws and websockets put them into the content).
"""
import asyncio, hashlib, json, os, subprocess, sys
import websockets

out, folder = open(sys.argv[1], "a"), sys.argv[2]
ASKS = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def note(target, status, content, **more):
    http = {"method": "GET", "target": target, "status": status, "length": None, "sha256": None}
    if status is not None:
        http.update(length=len(content), sha256=hashlib.sha256(content).hexdigest(), said=content.decode().strip())
    out.write(json.dumps({"http": {**http, **more}}) + "\n")
    out.flush()


def curl(port, target, **changed):
    fields = {**ASKS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    path = os.path.join(folder, "answer")
    open(path, "wb").close()
    args = [arg for name, value in fields.items() for arg in ("-H", f"{name}: {value}" if value else f"{name}:")]
    run = subprocess.run(["curl", "-s", "--http1.1", "-o", path, "-w", "%{http_code}", *args, f"http://10.77.0.1:{port}{target}"], capture_output=True, text=True)
    status = int(run.stdout)
    # 52: "Empty reply from server".
    assert (status == 0) == (run.returncode == 52), run
    note(target, status or None, open(path, "rb").read(), program="curl")


async def origin():
    try:
        async with websockets.connect("ws://10.77.0.1:8765/origin", origin="http://bad.example", compression=None):
            sys.exit("the server let a foreign origin in")
    except websockets.exceptions.InvalidStatus as refused:
        note("/origin", refused.response.status_code, refused.response.body, program="websockets")

curl(8080, "/members")
curl(8080, "/staff")
curl(8080, "/version", Sec_WebSocket_Version="9")
curl(8080, "/key", Sec_WebSocket_Key="")
curl(8081, "/plain")
curl(8000, "/moved")
curl(8000, "/silent")
curl(8765, "/connection", Connection="keep-alive")
asyncio.run(origin())
