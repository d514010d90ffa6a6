#!/usr/bin/env python3
"""Generates a large library of mash-ups from the presets of one folder: every file takes its values, equations, waves,
shapes and shaders from different presets. For benchmarks of scans, audits and searches; the pictures are arbitrary.

    tests/tools/synthetic_library.py FOLDER OUT --count 136109 --seed 1

The same folder, count and seed give the same files."""

import argparse
import os
import random
import re
import sys

PARTS = [
    ("frame", re.compile(rb"^per_frame_")),
    ("pixel", re.compile(rb"^per_pixel_")),
    ("waves", re.compile(rb"^wave(code)?_\d")),
    ("shapes", re.compile(rb"^shape(code)?_\d")),
    ("warp", re.compile(rb"^warp_\d")),
    ("comp", re.compile(rb"^comp_\d")),
]


def parts_of(path):
    """Returns the lines of a preset by part; `values` is everything else."""
    found = {"values": []}
    with open(path, "rb") as file:
        for line in file.read(1 << 20).splitlines():
            key = line.split(b"=")[0]
            name = next((name for name, pattern in PARTS if pattern.match(key)), "values")
            found.setdefault(name, []).append(line)
    return {name: b"\n".join(lines) for name, lines in found.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder")
    arguments.add_argument("out")
    arguments.add_argument("--count", type=int, default=136109)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--folders", type=int, default=400)
    args = arguments.parse_args()
    sources = []
    for root, folders, files in os.walk(args.folder):
        folders.sort()
        sources += [os.path.join(root, name) for name in sorted(files) if name.lower().endswith(".milk")]
    if not sources:
        sys.exit(f"{args.folder} contains no .milk files")
    rng = random.Random(args.seed)
    pieces = [parts_of(path) for path in sources]
    words = [re.findall(r"[A-Za-z]{3,}", os.path.basename(path)[:-5]) or ["preset"] for path in sources]
    for number in range(args.count):
        chosen = {name: rng.randrange(len(pieces)) for name in ["values"] + [name for name, _ in PARTS]}
        text = [pieces[at].get(name, b"") for name, at in chosen.items()]
        name = " ".join(rng.choice(words[at]) for at in list(chosen.values())[:4])
        folder = os.path.join(args.out, f"{number % args.folders:03d}")
        if number < args.folders:
            os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{number:06d} - {name}.milk"), "wb") as file:
            file.write(b"\n".join(part for part in text if part) + b"\n// %d\n" % number)


main()
