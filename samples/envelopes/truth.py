"""truth.py envelopes.json CAPTURE LOG: adds what the application knew of its messages, one record a line."""
import json, os, sys

out, capture, log = sys.argv[1:]
captures = json.load(open(out))["captures"] if os.path.exists(out) else {}
captures[capture] = [json.loads(line) for line in open(log)]
with open(out, "w") as f:
    f.write('{"captures": {')
    for i, (name, messages) in enumerate(sorted(captures.items())):
        f.write(("," if i else "") + f"\n {json.dumps(name)}: [")
        f.write(",".join("\n  " + json.dumps(m, ensure_ascii=False) for m in messages) + "]")
    f.write("}}\n")
