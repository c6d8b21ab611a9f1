"""Merge what programs know into truth.json.

A program writes one JSON object on each line:
  {"http": {...}}                          one exchange
  {"ws": KEY, "set": {...}}                facts of one WebSocket connection (client, server, target, extensions …)
  {"ws": KEY, "sent": {...}}               a message or control frame as this side's application sent it
  {"ws": KEY, "received": {...}}           the same as this side's application received it
Usage: truth.py truth.json CAPTURE CLIENT.jsonl [SERVER.jsonl]
The client's `sent` and the server's `sent` become the two directions; `received` lists must agree with them where both exist.
"""
import json, os, sys


def load(path):
    http, ws = [], {}
    for line in open(path):
        if not line.strip():
            continue
        r = json.loads(line)
        if "http" in r:
            http.append(r["http"])
            continue
        c = ws.setdefault(str(r["ws"]), {"set": {}, "sent": [], "received": []})
        if "set" in r:
            c["set"].update(r["set"])
        for k in ("sent", "received"):
            if k in r:
                c[k].append(r[k])
    return http, ws


def bare(m):
    return {k: v for k, v in m.items() if k in ("opcode", "length", "sha256")}


def data(ms):
    return [bare(m) for m in ms if m["opcode"] in ("text", "binary")]


def main():
    out, capture, client = sys.argv[1:4]
    http, ws = load(client)
    _, sws = load(sys.argv[4]) if len(sys.argv) > 4 else ([], {})
    conns = []
    for key, c in ws.items():
        s = sws.get(key, {"set": {}, "sent": [], "received": []})
        up, down = c["sent"] or s["received"], s["sent"] or c["received"]
        if s["received"] and data(up) != data(s["received"]):
            sys.exit(f"{capture}: connection {key}: the server did not receive what the client sent")
        if c["received"] and data(down) != data(c["received"]):
            sys.exit(f"{capture}: connection {key}: the client did not receive what the server sent")
        conns.append({**s["set"], **c["set"], "client_to_server": up, "server_to_client": down})
    doc = json.load(open(out)) if os.path.exists(out) else {"captures": {}}
    entry = doc["captures"].setdefault(capture, {})
    entry.update(json.loads(os.environ.get("FACTS", "{}")))
    entry["http"], entry["websocket"] = http, conns
    write(out, doc)


def write(out, doc):
    """One record a line, so that the file stays readable and diffs stay small."""
    with open(out, "w") as f:
        f.write('{"captures": {')
        for i, (name, e) in enumerate(doc["captures"].items()):
            f.write(("," if i else "") + f"\n {json.dumps(name)}: {{")
            rest = [(k, v) for k, v in e.items() if k not in ("http", "websocket")]
            for k, v in rest:
                f.write(f"\n  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)},")
            f.write('\n  "http": [' + ",".join("\n   " + json.dumps(x, ensure_ascii=False) for x in e["http"]) + "],")
            f.write('\n  "websocket": [')
            for j, c in enumerate(e["websocket"]):
                f.write(("," if j else "") + "\n   {")
                f.write("".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}, " for k, v in c.items() if not isinstance(v, list) or k not in ("client_to_server", "server_to_client")))
                for k in ("client_to_server", "server_to_client"):
                    f.write(f'\n    "{k}": [' + ",".join("\n     " + json.dumps(m, ensure_ascii=False) for m in c[k]) + "]" + ("," if k[0] == "c" else ""))
                f.write("}")
            f.write("]}")
        f.write("}}\n")


if __name__ == "__main__":
    main()
