#!/usr/bin/env python3
"""Fits `assets/style-concepts.bin`: which runs of code tokens people sort together.

    aivj bake embed --library LIBRARY --out BAKED
    tests/tools/fit_concepts.py BAKED assets/style-concepts.bin [--dimensions 16] [--ridge 3]

LIBRARY is one whose presets a curator has sorted into CATEGORY/SUBFOLDER. The code part of the embeddings (latent
directions of TF-IDF weighted token runs) is regressed on the folders (ridge, folders weighted by the root of their
rarity); what is predicted best is kept as a few directions and mapped back onto the token runs, so that the file needs
nothing of the library it was fitted on. Before it writes, the script fits on seven tenths of the authors and says how
well the ten nearest neighbours of the others tell their folder, without the concepts and with them.

The file, little endian: `AIVJCON1`, words and dimensions (u32), the words' hashes (u64), their weights (f32), one scale
(f32), words x dimensions (i16). Needs numpy."""

import argparse
import collections
import hashlib
import json
import pathlib
import struct

import numpy as np

NUMBERS = 113  # Values by rank come before the code in a row.
LENGTH = 1.0  # Length of the concepts beside the code's 1, as in src/bake/embed/concepts.rs.


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def one_hot(labels):
    names, places = np.unique(labels, return_inverse=True)
    return np.eye(len(names), dtype=np.float32)[places]


def targets(parts, rows):
    """Category and half of the subfolder, each folder by the root of its rarity."""
    told = []
    for labels, weight, floor in (([p[0] for p in parts], 1.0, 0.0), (["/".join(p[:2]) for p in parts], 0.5, 2e-3)):
        hot = one_hot(labels)
        share = hot[rows].mean(0)
        told.append(weight * (hot - share) / np.sqrt(share + floor + 1e-9))
    return np.concatenate(told, 1)


def fit(code, goal, ridge, dimensions):
    gram = code.T @ code + ridge * np.eye(code.shape[1], dtype=np.float32)
    weights = np.linalg.solve(gram, code.T @ goal)
    told = code @ weights
    _, vectors = np.linalg.eigh(told.T @ told)
    return weights @ vectors[:, ::-1][:, :dimensions]


def nearest_ten(rows, labels, asked):
    hits = 0
    for start in range(0, len(asked), 512):
        some = asked[start : start + 512]
        likeness = rows[some] @ rows.T
        likeness[np.arange(len(some)), some] = -9
        near = np.argpartition(-likeness, 10, 1)[:, :10]
        for own, others in zip(some, near):
            hits += collections.Counter(labels[j] for j in others).most_common(1)[0][0] == labels[own]
    return hits / max(len(asked), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("baked", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--dimensions", type=int, default=16)
    parser.add_argument("--ridge", type=float, default=3.0)
    arguments = parser.parse_args()
    rows = np.load(arguments.baked / "embeddings.npy").astype(np.float32)
    ids = (arguments.baked / "ids.txt").read_text(encoding="utf-8").splitlines()
    model = json.loads((arguments.baked / "text-model.json").read_text())["model"]
    directions = np.load(arguments.baked / "text-model.npy").astype(np.float32)
    sorted_in = [at for at, name in enumerate(ids) if name.count("/") >= 2 and "! Transition" not in name]
    rows, parts = rows[sorted_in], [ids[at].split("/")[-3:] for at in sorted_in]
    code = unit(rows[:, NUMBERS : NUMBERS + directions.shape[1]])

    authors = [part[2].split(" - ")[0].lower() for part in parts]
    held = np.array([int(hashlib.md5(author.encode()).hexdigest(), 16) % 10 < 3 for author in authors])
    weights = fit(code[~held], targets(parts, ~held)[~held], arguments.ridge, arguments.dimensions)
    text = rows[:, : NUMBERS + directions.shape[1]]
    joined = np.concatenate([text, LENGTH * unit(code @ weights)], 1)
    for name, labels in (("category", [p[0] for p in parts]), ("subfolder", ["/".join(p[:2]) for p in parts])):
        asked = np.where(held)[0]
        before, after = nearest_ten(unit(text), labels, asked), nearest_ten(unit(joined), labels, asked)
        print(f"{len(asked)} presets of authors left out, {name}: {before:.3f} without, {after:.3f} with")

    everyone = np.ones(len(parts), dtype=bool)
    weights = fit(code, targets(parts, everyone), arguments.ridge, arguments.dimensions)
    matrix = directions @ weights
    scale = float(np.abs(matrix).max()) / 32767
    hashes = np.array([word for word, _ in model["vocabulary"]], dtype="<u8")
    idf = np.array([weight for _, weight in model["vocabulary"]], dtype="<f4")
    with open(arguments.out, "wb") as out:
        out.write(b"AIVJCON1" + struct.pack("<II", *matrix.shape))
        out.write(hashes.tobytes() + idf.tobytes() + struct.pack("<f", scale))
        out.write(np.round(matrix / scale).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
