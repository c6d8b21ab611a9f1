#!/usr/bin/env python3
"""Times wiretare beside `cat FILE >/dev/null` and tshark, in turn in one run, so that all meet the same machine.

    benches/beside.py CAPTURES [--program PROGRAM] [--runs 5] [--scales 1,2,4] [--only NAME ...] [--tshark-runs 3] [--markdown]

CAPTURES is a folder that benches/captures.py filled. Printed are medians: CPU time (user + sys) for each GB and as ratios, packets
and MB a second, peak memory; then how both grow with the capture. tshark is timed at the smallest scale, on a part of the capture
(`--tshark-part`), since it takes minutes; wiretare is timed on that part beside it. `--instructions` counts instructions by callgrind
instead.
"""

import argparse
import json
import os
import shlex
import shutil
import statistics
import struct
import sys
import tempfile
import time

NAMES = ("ws-small", "ws-large", "ws-deflate", "ajax", "mix", "connections")
WEBSOCKET = ("websocket.fin", "websocket.opcode", "websocket.mask", "websocket.payload_length", "websocket.payload_length_ext_16",
             "websocket.payload_length_ext_64")
HTTP = ("http.request.method", "http.request.uri", "http.response.code", "http.content_length", "http.time")
FIRST = ("frame.time_epoch", "tcp.stream", "ip.src")


class Cost:
    """What runs took: seconds of CPU and of the clock, and octets of memory at most."""

    def __init__(self, cpu, wall, peak):
        self.cpu, self.wall, self.peak = cpu, wall, peak


def start(command):
    return os.posix_spawnp(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
    ])


def has_ended(command, status):
    if status:
        sys.exit(f"error: {' '.join(command)}: it ended with {os.waitstatus_to_exitcode(status)}, wanted 0")


def run(command):
    begin = time.monotonic()
    _, status, usage = os.wait4(start(command), 0)
    has_ended(command, status)
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin


def peak(command):
    """Memory at most, in octets. (What wait4 says of it counts this interpreter, from which the process came.)"""
    process, most = start(command), 0
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            has_ended(command, status)
            return most
        try:
            with open(f"/proc/{process}/status") as lines:
                most = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), most)
        except OSError:
            pass
        time.sleep(0.002)


def in_turn(commands, runs, peaks=()):
    """The median cost of each command, run one after the other so many times; of some, in one run more, the memory."""
    costs = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].append(run(command))
    memory = {name: peak(commands[name]) for name in peaks}
    return {name: Cost(*map(statistics.median, zip(*taken)), memory.get(name)) for name, taken in costs.items()}


def tshark(name, path):
    wanted = "websocket" if name.startswith("ws") else "http or websocket" if name == "mix" else "http"
    fields = FIRST + (WEBSOCKET if "websocket" in wanted else ()) + (HTTP if "http" in wanted else ())
    return ["tshark", "-n", "-r", path, "-Y", wanted, "-T", "fields"] + [part for field in fields for part in ("-e", field)]


def part_of(path, folder, size):
    """The first octets of a capture, cut between two packets; and how many packets that are."""
    part = os.path.join(folder, os.path.basename(path))
    packets, at = 0, 24
    with open(path, "rb", 1 << 20) as whole, open(part, "wb", 1 << 20) as out:
        out.write(whole.read(24))
        while at < size and len(head := whole.read(16)) == 16:
            packet = whole.read(struct.unpack("<I", head[8:12])[0])
            out.write(head + packet)
            packets, at = packets + 1, at + 16 + len(packet)
    return part, packets


def facts(path):
    with open(path.removesuffix("pcap") + "json") as truth:
        return json.load(truth)


def table(head, rows, markdown):
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |" if markdown else "  ".join(cells).rstrip())
        if markdown and number == 0:
            print("|" + "|".join("-" * (width + 2) if at == 0 else "-" * (width + 1) + ":" for at, width in enumerate(widths)) + "|")
    print(flush=True)


def messages(program, *more):
    return [program, "messages", "-q", *more]


def variants(program, name):
    """What is measured of a capture: a name and the program's arguments."""
    yield name, messages(program)
    if name == "ws-deflate":
        yield "ws-deflate, wire sizes only", messages(program, "--no-decode")


def beside_tshark(args, folder):
    rows = []
    for name in args.only:
        part, packets = part_of(capture(args, name, args.scales[0]), folder, args.tshark_part * 1_000_000)
        commands = {label: [*command, "--jobs", "1", part] for label, command in variants(args.program, name)}
        costs = in_turn({"tshark": tshark(name, part), **commands}, args.tshark_runs, ("tshark", *commands))
        size = os.path.getsize(part) / 1e9
        for label in commands:
            ours, theirs = costs[label], costs["tshark"]
            rows.append([label, f"{size * 1000:.0f}", f"{theirs.cpu / size:.0f}", f"{ours.cpu / size:.2f}", f"{theirs.cpu / ours.cpu:.0f}",
                         f"{theirs.peak / 1e6:.0f}", f"{ours.peak / 1e6:.0f}"])
        os.remove(part)
    table(["beside tshark", "MB", "tshark, CPU-s/GB", "wiretare", "times less", "tshark, peak MB", "wiretare"], rows, args.markdown)


def beside_cat(args):
    rows, growth = [], []
    for name in args.only:
        paths = {scale: capture(args, name, scale) for scale in args.scales}
        for label, command in variants(args.program, name):
            commands = {}
            for scale, path in paths.items():
                commands["cat", scale] = ["cat", path]
                commands["one", scale] = [*command, "--jobs", "1", path]
                commands["two", scale] = [*command, "--jobs", "2", path]
            if args.beside:
                commands["other", args.scales[-1]] = [part.replace("{}", paths[args.scales[-1]]) for part in shlex.split(args.beside)]
            costs = in_turn(commands, args.runs, [("one", scale) for scale in args.scales])
            last = args.scales[-1]
            size, packets = os.path.getsize(paths[last]) / 1e9, facts(paths[last])["packets"]
            one, two, cat = (costs[which, last] for which in ("one", "two", "cat"))
            rows.append([label, f"{size * 1000:.0f}", f"{one.cpu / size:.2f}", f"{one.cpu / cat.cpu:.1f}", f"{packets / one.cpu / 1e6:.2f}",
                         f"{size * 1000 / one.cpu:.0f}", f"{one.peak / 1e6:.0f}", f"{two.wall / one.wall:.2f}"])
            if args.beside:
                other = costs["other", last]
                rows[-1] += [f"{other.cpu / size:.2f}", f"{other.cpu / cat.cpu:.1f}", f"{one.cpu / other.cpu:.1f}"]
            first = costs["one", args.scales[0]]
            growth.append([label, *(f"{costs['one', scale].cpu / first.cpu:.2f}" for scale in args.scales),
                           *(f"{costs['one', scale].peak / 1e6:.0f}" for scale in args.scales)])
    others = ["the other, CPU-s/GB", "times cat", "times the other"] if args.beside else []
    table(["beside cat", "MB", "CPU-s/GB", "times cat", "M packets/s", "MB/s", "peak MB", "wall, 2 jobs ÷ 1", *others], rows, args.markdown)
    heads = [f"CPU {scale}x" for scale in args.scales] + [f"peak MB {scale}x" for scale in args.scales]
    table(["growth", *heads], growth, args.markdown)


def start_up(args):
    sample = os.path.join(os.path.dirname(__file__), "..", "samples", "browser", "ajax-and-websocket.pcapng")
    costs = in_turn({"true": ["true"], "wiretare": messages(args.program, sample)}, 20)
    print(f"start-up, on a capture of {os.path.getsize(sample) // 1024} KiB: {costs['wiretare'].wall * 1000:.1f} ms, "
          f"`true` {costs['true'].wall * 1000:.1f} ms\n", flush=True)


def instructions(args, folder):
    rows = []
    for name in args.only:
        part, packets = part_of(capture(args, name, args.scales[0]), folder, 20_000_000)
        for label, command in variants(args.program, name):
            counted = os.path.join(folder, "callgrind")
            run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={counted}", *command, "--jobs", "1", part])
            with open(counted) as lines:
                total = next(int(line.split()[1]) for line in lines if line.startswith(("summary:", "totals:")))
            rows.append([label, packets, f"{total / packets:.0f}", f"{total / os.path.getsize(part):.1f}"])
        os.remove(part)
    table(["instructions", "packets", "a packet", "an octet"], rows, args.markdown)


def capture(args, name, scale):
    path = os.path.join(args.captures, f"{name}-{scale}x.pcap")
    if not os.path.exists(path):
        sys.exit(f"error: {path}: no such capture; benches/captures.py {args.captures} --scale {scale} makes it")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures")
    parser.add_argument("--program", default="target/release/wiretare")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scales", default="1", type=lambda text: [int(scale) for scale in text.split(",")])
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--tshark-runs", type=int, default=3)
    parser.add_argument("--tshark-part", type=int, default=20, metavar="MB")
    parser.add_argument("--beside", metavar="COMMAND", help="another program to time on the same captures; {} stands for the capture")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--instructions", action="store_true")
    args = parser.parse_args()
    if not shutil.which(args.program):
        sys.exit(f"error: {args.program}: no such program; cargo build --release makes it")
    with tempfile.TemporaryDirectory() as folder:
        if args.instructions:
            if not shutil.which("valgrind"):
                sys.exit("error: valgrind is needed to count instructions")
            return instructions(args, folder)
        start_up(args)
        beside_cat(args)
        if shutil.which("tshark") and args.tshark_runs:
            beside_tshark(args, folder)
        else:
            print("note: without tshark")


if __name__ == "__main__":
    main()
