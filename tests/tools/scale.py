#!/usr/bin/env python3
"""Measures how the cost of a library grows with its size, and predicts how many presets a night can bake. Needs numpy, a
release build of aivj, and up to 5 GB in WORK for a million presets.

    tests/tools/scale.py WORK --presets FOLDER --embeddings FILE

Makes libraries of several sizes: copies of the presets in FOLDER with changed constants, and embeddings with the
statistics of FILE (an embeddings.npy; without it, those of the built-in embedder are imitated). Measures opening,
searching, sorting, filtering, decisions, near-duplicates and k-means for each size, fits time = a * n^b, and writes
WORK/scale.json, WORK/scale.md and WORK/scale.svg. Figures of a size that was not measured are predicted by the fit and
marked "modelled". An interrupted run resumes; delete WORK to start again."""

import argparse
import json
import math
import os
import random
import re
import subprocess
import sys
import time

import numpy as np

SIZES = [1000, 10000, 136109, 1000000]
# Values of a preset that are lists of options or counts rather than constants.
KEPT = re.compile(rb"(mode|enabled|wrap|darken|brighten|solarize|invert|sides|samples|version|_i\d|b[A-Z])", re.IGNORECASE)
CONSTANT = re.compile(rb"^([A-Za-z_0-9]+)=(-?\d+\.\d+)\s*$")
PER_FAMILY = 40
BLOCK = 20000
FIGURES = [
    "scan of a new library",
    "open",
    "pool for the director",
    "search index",
    "empty query",
    "search by a word",
    "search by one letter",
    "filter by style and energy",
    "one per family",
    "first sort by name",
    "sort by name",
    "description of a look",
    "sketch of the embeddings",
    "more like this, all embeddings",
    "more like this",
    "decision",
    "near-duplicates",
    "k-means, mini-batches",
    "k-means, all rows",
]


def varied(text, rng):
    """Returns a preset with each decimal constant changed by up to a tenth."""
    lines = []
    for line in text.splitlines():
        found = CONSTANT.match(line)
        if found and not KEPT.search(found.group(1)):
            line = found.group(1) + b"=%.6f" % (float(found.group(2)) * rng.uniform(0.9, 1.1))
        lines.append(line)
    return b"\n".join(lines)


def make_library(sources, folder, count, seed):
    """Writes `count` presets to `folder`, unless they are there already."""
    done = os.path.join(folder, "complete")
    if os.path.exists(done):
        return
    rng = random.Random(seed)
    for number in range(count):
        name, text = sources[number % len(sources)]
        below = os.path.join(folder, f"{number % 400:03d}")
        if number < 400:
            os.makedirs(below, exist_ok=True)
        with open(os.path.join(below, f"{number:07d} {name}"), "wb") as file:
            file.write(varied(text, rng) + b"\n// %d\n" % number)
    open(done, "w").close()


def read_presets(folder):
    found = []
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(".milk"):
                with open(os.path.join(root, name), "rb") as file:
                    found.append((name, file.read(1 << 20)))
    return found


def make_embeddings(real, path, count, seed):
    """Writes `count` rows with the statistics of `real`: each is a real row, moved along the difference of two others. If
    `real` is None, writes families of close variants with the spectrum of the built-in embedder."""
    if os.path.exists(path):
        return
    rng = np.random.default_rng(seed)
    width = 512 if real is None else real.shape[1]
    weights = np.arange(1, width + 1) ** -0.55
    rows = np.lib.format.open_memmap(path + ".part", mode="w+", dtype="<f4", shape=(count, width))
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        if real is None:
            families = rng.standard_normal((-(-size // PER_FAMILY), width)) * weights
            families[:, 0] += 0.7
            block = np.repeat(families, PER_FAMILY, axis=0)[:size]
            block = block + 0.4 * weights * rng.standard_normal((size, width))
        else:
            base, one, other = (real[rng.integers(0, len(real), size)] for _ in range(3))
            block = base + rng.uniform(0.1, 0.5, (size, 1)) * (one - other)
        rows[start : start + size] = block
    rows.flush()
    os.replace(path + ".part", path)


def timed(command, **more):
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return (time.monotonic() - started) * 1000, done.stdout


def measure(args, sources, real, count):
    """Returns the figures of a library of `count` presets, in milliseconds unless the name says otherwise."""
    figures = {}
    bake = os.path.join(args.work, f"bake-{count}")
    os.makedirs(bake, exist_ok=True)
    make_embeddings(real, os.path.join(bake, "embeddings.npy"), count, count)
    if count <= args.files:
        library = os.path.join(args.work, f"library-{count}")
        make_library(sources, library, count, count)
        data = os.path.join(args.work, f"data-{count}-{os.getpid()}")
        env = dict(os.environ, AIVJ_DATA=data)
        figures["scan of a new library"] = timed([args.aivj, "library", "scan", library], env=env)[0]
        figures["open"] = min(timed([args.aivj, "library", "scan", library], env=env)[0] for _ in range(3))
    env = dict(os.environ, AIVJ_SCALE_PRESETS=str(count), AIVJ_SCALE_BAKE=bake)
    test = ["cargo", "test", "--release", "--test", "large_library", "--", "--ignored", "--nocapture", "of_any_size"]
    for line in timed(test, env=env)[1].splitlines():
        # The first figure follows the name of the test.
        found = re.search(r'\{"value":.*\}$', line)
        if found:
            figure = json.loads(found.group())
            figures[figure["what"]] = figure["value"]
    decisions = json.loads(timed([args.aivj, "simulate", "--decisions", str(count)])[1])
    figures["decision"] = decisions["median_ms"]
    figures["decision, worst"] = decisions["max_ms"]
    inertia = {}
    for name, method in [("k-means, mini-batches", "mini-batch"), ("k-means, all rows", "lloyd")]:
        command = [args.aivj, "bake", "cluster", "--out", bake, "--k", "64", "--passes", "10", "--method", method]
        printed = timed(command)[1]
        found = re.search(r"inertia ([\d.]+), in ([\d.]+) s", printed)
        if not found:
            sys.exit(f"no time in the output of bake cluster:\n{printed}")
        inertia[method], figures[name] = float(found.group(1)), float(found.group(2)) * 1000
    figures["loss of k-means with mini-batches"] = inertia["mini-batch"] / inertia["lloyd"] - 1
    return figures


def fit(points):
    """Returns a and b of time = a * n^b, by least squares of the logarithms."""
    points = [(math.log(n), math.log(ms)) for n, ms in points if ms > 0]
    if len(points) < 2:
        return None
    mean_x, mean_y = (sum(point[axis] for point in points) / len(points) for axis in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        return None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return math.exp(mean_y - slope * mean_x), slope


def text_of(ms):
    if ms >= 1000:
        return f"{ms / 1000:.3g} s"
    return f"{ms:.3g} ms" if ms >= 0.01 else f"{ms * 1000:.2g} µs"


def table(measured, fits):
    head = ["What"] + [f"{size:,}" for size in SIZES] + ["Exponent"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name in FIGURES:
        cells = []
        for size in SIZES:
            if name in measured.get(size, {}):
                cells.append(text_of(measured[size][name]))
            elif fits.get(name):
                a, b = fits[name]
                cells.append(f"{text_of(a * size**b)} (modelled)")
            else:
                cells.append("–")
        cells.append(f"{fits[name][1]:.2f}" if fits.get(name) else "–")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    others = sorted({name for figures in measured.values() for name in figures} - set(FIGURES))
    for name in others:
        cells = [f"{measured[size][name]:.4g}" if name in measured.get(size, {}) else "–" for size in SIZES]
        lines.append(f"| {name} | " + " | ".join(cells) + " | – |")
    return lines


def nights(args):
    """Returns lines that predict how many presets a night of eight hours bakes."""
    if not args.seconds:
        return ["No prediction of a night: give --seconds, the CPU seconds per preset of a measured night."]
    machines = [("two cores", 2, 1), ("eight cores", 8, 1), ("ten machines of eight cores", 8, 10)]
    lines = ["| Computer | Presets in 8 hours | Hours for 136,109 | Hours for 1,000,000 | |", "|---|---|---|---|---|"]
    for name, cores, count in machines:
        # The last steps run on one computer: measured k-means and publishing are under a hundredth of the rest.
        rate = 3600 * cores * count * args.efficiency / args.seconds
        source = "measured" if (cores, count) == (args.cores, 1) else "modelled"
        hours = [f"{presets / rate:,.1f}" for presets in (136109, 1000000)]
        lines.append(f"| {name} | {8 * rate:,.0f} | {' | '.join(hours)} | {source} |")
    lines.append("")
    lines.append(
        f"{args.seconds} CPU seconds per preset, measured on {args.cores} cores; modelled rows assume that "
        f"{args.efficiency:.0%} of the cores' time is used, and no graphics card."
    )
    return lines


def drawing(measured, fits):
    """Returns an SVG with a line per figure, both axes logarithmic."""
    width, height, left, bottom = 900, 560, 70, 40
    low, high = math.log10(SIZES[0]), math.log10(SIZES[-1])
    names = [name for name in FIGURES if fits.get(name)]
    values = [measured[size][name] for name in names for size in measured if measured[size].get(name, 0) > 0]
    if not values:
        return ""
    floor, top = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    plot = 600

    def x(size):
        return left + (math.log10(size) - low) / (high - low) * (plot - left)

    def y(ms):
        return 10 + (top - math.log10(ms)) / max(1, top - floor) * (height - bottom - 10)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="11"><rect width="{width}" height="{height}" fill="white"/>'
    ]
    for power in range(floor, top + 1):
        at = y(10.0**power)
        parts.append(f'<path d="M{left} {at:.1f}H{plot}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{text_of(10.0**power)}</text>')
    for size in SIZES:
        parts.append(f'<path d="M{x(size):.1f} 10V{height - bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x(size):.1f}" y="{height - bottom + 16}" text-anchor="middle">{size:,}</text>')
    for number, name in enumerate(names):
        color = f"hsl({number * 360 // len(names)},70%,40%)"
        a, b = fits[name]
        known = [(size, measured[size][name]) for size in SIZES if measured.get(size, {}).get(name, 0) > 0]
        line = "L".join(f"{x(size):.1f} {y(ms):.1f}" for size, ms in known)
        parts.append(f'<path d="M{line}" fill="none" stroke="{color}"/>')
        last, largest = known[-1][0], SIZES[-1]
        if last < largest:
            ends = f"M{x(last):.1f} {y(known[-1][1]):.1f}L{x(largest):.1f} {y(a * largest**b):.1f}"
            parts.append(f'<path d="{ends}" stroke="{color}" stroke-dasharray="4 3"/>')
        parts += [f'<circle cx="{x(size):.1f}" cy="{y(ms):.1f}" r="2.5" fill="{color}"/>' for size, ms in known]
        parts.append(f'<text x="{plot + 16}" y="{24 + 18 * number}" fill="{color}">{name} (n^{b:.2f})</text>')
    parts.append("</svg>\n")
    return "\n".join(parts)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("work")
    arguments.add_argument("--presets", required=True, help="folder of real presets")
    arguments.add_argument("--embeddings", help="embeddings.npy of real presets")
    arguments.add_argument("--aivj", default="target/release/aivj")
    arguments.add_argument("--largest", type=int, default=SIZES[-1], help="largest library to measure")
    arguments.add_argument("--files", type=int, default=136109, help="largest library written to the disk")
    arguments.add_argument("--seconds", type=float, help="CPU seconds per preset of a measured night")
    arguments.add_argument("--cores", type=int, default=os.cpu_count(), help="cores on which they were measured")
    arguments.add_argument("--efficiency", type=float, default=0.95, help="share of the cores' time that a night uses")
    args = arguments.parse_args()
    os.makedirs(args.work, exist_ok=True)
    sources = read_presets(args.presets)
    if not sources:
        sys.exit(f"{args.presets} contains no .milk files")
    real = np.load(args.embeddings).astype(np.float32) if args.embeddings else None
    saved = os.path.join(args.work, "scale.json")
    measured = {}
    if os.path.exists(saved):
        with open(saved) as file:
            measured = {int(size): figures for size, figures in json.load(file).items()}
    for size in SIZES:
        if size <= args.largest and size not in measured:
            print(f"measuring {size:,} presets", flush=True)
            measured[size] = measure(args, sources, real, size)
            with open(saved + ".part", "w") as file:
                json.dump(measured, file, indent=1)
            os.replace(saved + ".part", saved)
    points = {name: [(n, measured[n][name]) for n in sorted(measured) if name in measured[n]] for name in FIGURES}
    # Constant costs dominate below ten thousand presets.
    fits = {name: fit([point for point in found if point[0] >= 10000] or found) for name, found in points.items()}
    lines = table(measured, fits) + [""] + nights(args)
    print("\n".join(lines))
    with open(os.path.join(args.work, "scale.md"), "w") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.path.join(args.work, "scale.svg"), "w") as file:
        file.write(drawing(measured, fits))


main()
