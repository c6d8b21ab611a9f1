"""Turns the page's console lines (stdin) into lines for truth.py."""
import hashlib, json, re, struct, sys


def rec(opcode, b, **more):
    return {"opcode": opcode, "length": len(b), "sha256": hashlib.sha256(b).hexdigest(), **more}


for line in sys.stdin:
    m = re.search(r'"TRUTH (\{.*\})", source', line)
    if not m:
        continue
    o = json.loads(m[1])
    for k in ("sent", "received"):
        if k in o:
            [(kind, data)] = o[k].items()
            print(json.dumps({"ws": 0, k: rec(kind, bytes.fromhex(data) if kind == "binary" else data.encode())}))
    if "extensions" in o:
        print(json.dumps({"ws": 0, "set": {"extensions": o["extensions"]}}))
    if "close" in o:
        print(json.dumps({"ws": 0, "sent": rec("close", struct.pack("!H", o["close"]) + o["reason"].encode(), code=o["close"], reason=o["reason"])}))
    if "closed" in o:
        assert o["clean"] and o["closed"] == 4100, o
