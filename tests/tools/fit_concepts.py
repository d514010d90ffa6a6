#!/usr/bin/env python3
"""Fits `assets/style-concepts.bin`: what numbers and code of a preset say of the folder people would sort it into.

    aivj bake embed --library LIBRARY --out BAKED
    tests/tools/fit_concepts.py BAKED assets/style-concepts.bin [--check]

LIBRARY is one whose presets a curator has sorted into CATEGORY/SUBFOLDER. Two small nets, of different seeds, learn from
the text part of the embeddings (numbers by rank; latent directions of TF-IDF weighted token runs) to point where presets
of one folder lie: softmax of cosines to a direction for every category and every subfolder, with dropout, Adam and a
learning rate that falls like half a cosine. The directions are thrown away; the file needs nothing of the library it
was fitted on but its yardstick. With `--check` the script instead leaves out three parts of the authors in turn and says how
well the ten nearest neighbours of their presets tell the folder, without the concepts and with them, among all presets
and among those of the left-out authors alone; strict: without neighbours whose names share half of their words.

The file, little endian: `AIVJCON2`; words, directions, numbers, hidden cells and width (u32); for every number its knots
(u32) and their values and ranks (f32 pairs); the words' hashes (u64) and weights (f32); the directions' scales (f32), then
words x directions (i8); the net's first matrix (numbers and directions x hidden cells), bias and second matrix (hidden
cells x width), f32. Needs numpy."""

import argparse
import collections
import hashlib
import json
import pathlib
import re
import struct

import numpy as np

LENGTH = 2.0  # Length of the concepts beside the code's 1, as in src/bake/embed/concepts.rs.
HIDDEN, WIDTH, NETS = 256, 32, 2
PASSES, BATCH, RATE = 60, 256, 2e-3
SHARPNESS = 12.0  # Factor of the cosines.
LOSE_INPUT, LOSE_CELLS = 0.1, 0.5
INPUT_GAIN = 4.0  # Inputs of about unit spread suit the rate.


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def towards(point, goals, labels):
    """The loss's slopes: at the points, and at the directions they should point to."""
    length = np.linalg.norm(goals, axis=1, keepdims=True) + 1e-6
    ways = goals / length
    likely = SHARPNESS * point @ ways.T
    likely = np.exp(likely - likely.max(1, keepdims=True))
    likely /= likely.sum(1, keepdims=True)
    likely[np.arange(len(point)), labels] -= 1
    likely *= SHARPNESS / len(point)
    slope = likely.T @ point
    return likely @ ways, (slope - ways * np.sum(slope * ways, 1, keepdims=True)) / length


def train(rows, folders, seed):
    """One net: first matrix, bias, second matrix."""
    random = np.random.default_rng(seed)
    normal = lambda *shape: random.standard_normal(shape).astype(np.float32)
    first = normal(rows.shape[1], HIDDEN) * np.float32(1 / np.sqrt(np.mean(np.sum(rows * rows, 1))))
    state = [first, np.zeros(HIDDEN, np.float32), normal(HIDDEN, WIDTH) / np.float32(np.sqrt(HIDDEN))]
    state += [normal(labels.max() + 1, WIDTH) for labels in folders]
    mean, square = ([np.zeros_like(part) for part in state] for _ in range(2))
    steps = PASSES * (len(rows) // BATCH)
    order = np.arange(len(rows))
    step = 0
    for _ in range(PASSES):
        random.shuffle(order)
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            seen = rows[chosen] * (random.random((BATCH, rows.shape[1])) > LOSE_INPUT) / (1 - LOSE_INPUT)
            seen = seen.astype(np.float32)
            cells = seen @ state[0] + state[1]
            kept = ((random.random(cells.shape) > LOSE_CELLS) / (1 - LOSE_CELLS)).astype(np.float32) * (cells > 0)
            fired = cells * kept
            point = fired @ state[2]
            length = np.linalg.norm(point, axis=1, keepdims=True) + 1e-6
            point /= length
            pulls, goals = zip(*(towards(point, goal, labels[chosen]) for goal, labels in zip(state[3:], folders)))
            pull = sum(pulls)
            pull = (pull - point * np.sum(pull * point, 1, keepdims=True)) / length
            back = pull @ state[2].T * kept
            step += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * (step - 1) / steps))
            for at, slope in enumerate([seen.T @ back, back.sum(0), fired.T @ pull, *goals]):
                mean[at] = 0.9 * mean[at] + 0.1 * slope
                square[at] = 0.999 * square[at] + 0.001 * slope * slope
                way = mean[at] / (1 - 0.9**step) / (np.sqrt(square[at] / (1 - 0.999**step)) + 1e-8)
                state[at] -= np.float32(rate) * way.astype(np.float32)
    return state[:3]


def fit(rows, folders):
    """The nets side by side as one."""
    nets = [train(INPUT_GAIN * rows, folders, seed) for seed in range(NETS)]
    second = np.zeros((NETS * HIDDEN, NETS * WIDTH), np.float32)
    for at, net in enumerate(nets):
        second[at * HIDDEN : (at + 1) * HIDDEN, at * WIDTH : (at + 1) * WIDTH] = net[2]
    return INPUT_GAIN * np.concatenate([net[0] for net in nets], 1), np.concatenate([net[1] for net in nets]), second


def concepts(rows, net):
    first, bias, second = net
    return unit(np.maximum(rows @ first + bias, 0) @ second)


def nearest_ten(rows, folders, names, asked, among):
    """How many of the asked presets' neighbours tell their category and subfolder, plain and strict."""
    hits, pool = np.zeros(4), rows[among]
    most = lambda labels, near: collections.Counter(labels[among[j]] for j in near).most_common(1)[0][0]
    for own in asked:
        likeness = pool @ rows[own]
        likeness[among == own] = -9
        near = np.argpartition(-likeness, 60)[:60]
        near = near[np.argsort(-likeness[near])]
        strange = lambda j: len(names[own] & names[among[j]]) < 0.5 * max(1, min(len(names[own]), len(names[among[j]])))
        for at, chosen in ((0, near[:10]), (2, [j for j in near if strange(j)][:10])):
            for more, labels in enumerate(folders):
                hits[at + more] += len(chosen) > 0 and most(labels, chosen) == labels[own]
    return hits


def check(text, folders, parts):
    authors = [part[2].split(" - ")[0].lower() for part in parts]
    tenth = np.array([int(hashlib.md5(author.encode()).hexdigest(), 16) % 10 for author in authors])
    names = [set(re.findall(r"[a-z]{3,}", part[2].lower())) for part in parts]
    everyone, found = np.arange(len(parts)), {}
    for held in (tenth < 3, (tenth >= 3) & (tenth < 6), tenth >= 6):
        net = fit(text[~held], [labels[~held] for labels in folders])
        asked = np.where(held)[0]
        joined = np.concatenate([text, LENGTH * concepts(text, net)], 1)
        for kind, rows in (("without", text), ("with", joined)):
            for name, among in (("all presets", everyone), ("each other", asked)):
                hits = nearest_ten(unit(rows), folders, names, asked, among)
                found[name, kind] = found.get((name, kind), 0) + hits / len(parts)
    print(f"{len(parts)} presets of authors left out: category, subfolder, strict category, strict subfolder")
    for (name, kind), shares in found.items():
        print(f"among {name}, {kind}: " + " ".join(f"{share:.3f}" for share in shares))


def write(out, ranks, vocabulary, directions, net):
    first, bias, second = net
    scales = np.maximum(np.abs(directions).max(0), 1e-9) / 127
    with open(out, "wb") as file:
        sizes = (len(vocabulary), directions.shape[1], len(ranks), *second.shape)
        file.write(b"AIVJCON2" + struct.pack("<5I", *sizes))
        for knots in ranks:
            file.write(struct.pack("<I", len(knots)) + np.array(knots, "<f4").tobytes())
        file.write(np.array([word for word, _ in vocabulary], "<u8").tobytes())
        file.write(np.array([weight for _, weight in vocabulary], "<f4").tobytes())
        file.write(scales.astype("<f4").tobytes() + np.round(directions / scales).astype("i1").tobytes())
        for part in net:
            file.write(part.astype("<f4").tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("baked", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    rows = np.load(arguments.baked / "embeddings.npy").astype(np.float32)
    ids = (arguments.baked / "ids.txt").read_text(encoding="utf-8").splitlines()
    model = json.loads((arguments.baked / "text-model.json").read_text())["model"]
    directions = np.load(arguments.baked / "text-model.npy").astype(np.float32)
    ranks = model["ranks"]["knots"]
    sorted_in = [at for at, name in enumerate(ids) if name.count("/") >= 2 and "! Transition" not in name]
    parts = [ids[at].split("/")[-3:] for at in sorted_in]
    text = rows[sorted_in, : len(ranks) + directions.shape[1]]
    folders = [np.unique(labels, return_inverse=True)[1] for labels in ([p[0] for p in parts], ["/".join(p[:2]) for p in parts])]
    if arguments.check:
        check(text, folders, parts)
    else:
        write(arguments.out, ranks, model["vocabulary"], directions, fit(text, folders))


if __name__ == "__main__":
    main()
