#!/usr/bin/env python3
"""Records what TShark says of WebSocket frames and HTTP messages, for tests/integration/dissect.rs:

    tests/dissected.py samples deck/deck.pcap … > tests/integration/dissected.ndjson

One line for each frame that has such fields. Long values are cut; the test then compares their beginnings.
"""
import json
import subprocess
import sys

LONGEST = 60
WANTED = ("http.", "websocket.")


def flatten(value, found):
    """Field names and values, whatever they are nested in."""
    for name, inside in value.items():
        if name.startswith("_ws"):
            continue
        for one in inside if isinstance(inside, list) else [inside]:
            if isinstance(one, dict):
                flatten(one, found)
            elif name.startswith(WANTED):
                found.setdefault(name, []).append(one[:LONGEST])
    return found


def main():
    folder, *captures = sys.argv[1:]
    for capture in captures:
        command = ["tshark", "-r", f"{folder}/{capture}", "-T", "json", "--no-duplicate-keys"]
        for frame in json.loads(subprocess.run(command, capture_output=True, check=False).stdout or "[]"):
            layers = frame["_source"]["layers"]
            fields = flatten(layers, {})
            if fields:
                row = {"capture": capture, "frame": int(layers["frame"]["frame.number"]), "fields": fields}
                print(json.dumps(row, separators=(",", ":"), ensure_ascii=False))


main()
