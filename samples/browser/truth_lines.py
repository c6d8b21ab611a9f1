"""Turns the page's console lines (stdin) into lines for truth.py; the static files speak for themselves."""
import hashlib, json, re, struct, sys

def c(b):
    return {"length": len(b), "sha256": hashlib.sha256(b).hexdigest()}

for target, file, api in (("/", "index.html", "document"), ("/ticker.css", "ticker.css", "style"), ("/ticker.js", "ticker.js", "script"), ("/logo.png", "logo.png", "image")):
    print(json.dumps({"http": {"api": api, "method": "GET", "target": target, "status": 200, **c(open(f"site/{file}", "rb").read())}}))
for line in sys.stdin:
    m = re.search(r'"TRUTH (\{.*\})", source', line)
    if not m:
        continue
    o = json.loads(m[1])
    if "api" in o:
        q = c(o["sent"].encode())
        print(json.dumps({"http": {"api": o["api"], "method": o["method"], "target": o["target"], "status": o["status"], "request_length": q["length"], "request_sha256": q["sha256"], **c(o["text"].encode())}}))
    elif "close" in o:
        print(json.dumps({"ws": 0, "sent": {"opcode": "close", **c(struct.pack("!H", o["close"]) + o["reason"].encode()), "code": o["close"], "reason": o["reason"]}}))
    elif "closed" in o:
        assert o["clean"] and o["closed"] == 1000, o
    else:
        k = "sent" if "sent" in o else "received"
        print(json.dumps({"ws": 0, k: {"opcode": "text", **c(o[k].encode())}}))
