#!/usr/bin/env python3
"""Fits `assets/style-concepts.bin`: concepts that predict a preset's folder from its numbers and code.

    aivj bake embed --library LIBRARY --out BAKED
    tests/tools/fit_concepts.py LIBRARY BAKED assets/style-concepts.bin [--check]

LIBRARY contains presets sorted by a curator into CATEGORY/SUBFOLDER. Small networks with different seeds learn, from the
text part of the embeddings (numbers by rank; latent directions of TF-IDF weighted token runs) and from additional text
models built here (one per kind of code, and one of single tokens), to point towards presets of the same folder: softmax
of cosines to a direction per category and per subfolder, with dropout, Adam and a half-cosine learning rate. The
directions are discarded; of the library, only the text models are stored.

With `--check`, the script instead holds out three parts of the authors in turn and reports for how many of their
presets the folder is the most common one among the ten nearest neighbours, with and without the concepts, among all
presets and among those of the held-out authors only; strict: without neighbours that have half of the words of the
shorter name in common. `--split NAME` splits the authors differently: use it for tuning, so that the default split
stays unbiased.

File format, little endian: `AIVJCON3`; number count (u32), per number its knot count (u32) and its values and ranks (f32
pairs); text model count (u32), per model its word and direction counts (u32), word hashes (u64) and weights (f32),
direction scales (f32), then words x directions (i8); hidden units and width (u32); the first matrix (numbers and
directions of all models x hidden units), bias and second matrix (hidden units x width), f32. Needs numpy and scipy."""

import argparse
import collections
import hashlib
import json
import pathlib
import re
import struct

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

SECTIONS = ("per_frame_init", "per_frame", "per_pixel", "warp", "comp")
WAVES = ("wave_init", "wave_per_frame", "wave_per_point")
SHAPES = ("shape_init", "shape_per_frame")
SECTIONS += WAVES + SHAPES
LENGTH = 2.0  # Length of the concepts relative to the code's 1, as in src/embed/concepts.rs.
HIDDEN, WIDTH, NETS = 256, 32, 3
PASSES, BATCH, RATE = 60, 256, 2e-3
SHARPNESS = 12.0  # Factor on the cosines.
LOSE_INPUT, LOSE_CELLS = 0.1, 0.5
# Additional text models: sections; longest token run; minimum presets with a word, maximum share of presets, maximum
# number of words; directions; gain relative to 1 for the text.
TEXT_MODELS = [
    (sections, 3, 6, 0.9, 6000, 64, 0.5)
    for sections in (("per_frame_init", "per_frame"), ("per_pixel",), ("warp",), ("comp",), WAVES, SHAPES)
] + [(SECTIONS, 1, 15, 0.98, 3000, 256, 1.0)]
INPUT_LENGTH = 5.0  # Input length that suits the learning rate.

TOKEN = re.compile(r"[a-z_]\w*|[0-9.]+|[<>=!&|][=&|]|[-+*/%^<>=!?]")
COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.S)
TOKENS_SOURCE = pathlib.Path(__file__).parents[2] / "src/embed/tokens.rs"
KNOWN = set(re.search(r'KNOWN: &str = "(.*?)";', TOKENS_SOURCE.read_text(), re.S)[1].replace("\\\n", " ").split())
FNV = 0x100_0000_01B3


def code_of(preset):
    """Returns a preset's code by section, as read by src/embed/split_source.rs."""
    lines = [line.split("=", 1) for line in preset.decode("utf-8", "replace").lower().split("\n") if "=" in line]
    enabled = set()
    for key, value in lines:
        kind = re.fullmatch(r"(wave|shape)code_(\d+)_enabled", key.strip())
        if kind:
            enabled.discard(kind.groups())
            if re.fullmatch(r"[+]?\d*\.?\d*", value.strip()) and float(value.strip() or 0) >= 1:
                enabled.add(kind.groups())
    code = {section: "" for section in SECTIONS}
    for key, value in lines:
        place = re.fullmatch(r"(?:(wave|shape)_(\d+)_)?(.*?)_?\d+", key.strip())
        if not place:
            continue
        kind, slot, section = place.groups()
        if kind and (kind, slot) not in enabled:
            continue
        section = f"{kind}_{section}" if kind else section
        if section in code and (kind or section in SECTIONS[:5]):
            code[section] += value.removeprefix("`").rstrip("\r") + "\n"
    return {section: COMMENT.sub("", lines) for section, lines in code.items()}


def fnv(text):
    value = 0xCBF2_9CE4_8422_2325
    for byte in text.encode():
        value = (value ^ byte) * FNV % 2**64
    return value


def token_hash(token, known={}):
    """Returns the hash of a token under its canonical name, as in src/embed/tokens.rs."""
    if token not in known:
        common = token
        if token[0].isdigit() or token[0] == ".":
            common = "#"
        elif re.fullmatch(r"q\d+", token):
            common = "q"
        elif re.match(r"[a-z_]", token) and token not in KNOWN and not re.fullmatch(r"t\d+", token):
            common = "$"
        known[token] = fnv(common)
    return known[token]


def hashes(preset):
    """Returns the hashes of a preset's tokens by section."""
    code = code_of(preset)
    return {section: np.array([token_hash(t) for t in TOKEN.findall(code[section])], np.uint64) for section in SECTIONS}


def words(tokens, sections, longest):
    """Returns hashes and counts of the token runs of the given sections."""
    runs = []
    for section in sections:
        for length in range(1, longest + 1):
            word = np.full(max(0, len(tokens[section]) - length + 1), fnv(section), np.uint64)
            for at in range(length):
                turned = word << np.uint64(5) | word >> np.uint64(59)
                word = (turned ^ tokens[section][at : at + len(word)]) * np.uint64(FNV)
            runs.append(word)
    return np.unique(np.concatenate(runs), return_counts=True)


def text_model(presets, sections, longest, fewest, share, most, directions, _):
    """Returns the words with weights, the matrix of words x directions, and the coordinates of the presets."""
    counted = [words(preset, sections, longest) for preset in presets]
    row = np.repeat(np.arange(len(counted)), [len(found) for found, _ in counted])
    found, column, presets_with = np.unique(
        np.concatenate([found for found, _ in counted]), return_inverse=True, return_counts=True
    )
    kept = np.where((presets_with >= fewest) & (presets_with <= share * len(counted)))[0]
    kept = np.sort(kept[np.argsort(-presets_with[kept], kind="stable")][:most])
    weights = (np.log((1 + len(counted)) / (1 + presets_with[kept])) + 1).astype(np.float32)
    matrix = scipy.sparse.csr_matrix(
        (1 + np.log(np.concatenate([count for _, count in counted])), (row, column)), (len(counted), len(found))
    )[:, kept]
    matrix = matrix @ scipy.sparse.diags(weights)
    lengths = scipy.sparse.linalg.norm(matrix, axis=1)
    matrix = (scipy.sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix).astype(np.float32)
    start = np.random.default_rng(0).standard_normal(min(matrix.shape))
    ways = scipy.sparse.linalg.svds(matrix, directions, v0=start)[2].T
    return list(zip(found[kept].tolist(), weights)), ways, unit(matrix @ ways)


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def towards(point, goals, labels):
    """Returns the gradients of the loss with respect to the points and to the directions they should point in."""
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
    """Trains one network; returns the first matrix, bias and second matrix."""
    random = np.random.default_rng(seed)
    normal = lambda *shape: random.standard_normal(shape).astype(np.float32)
    kept_of = lambda shape, lost: (random.random(shape, np.float32) > lost) * np.float32(1 / (1 - lost))
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
            seen = rows[chosen] * kept_of((BATCH, rows.shape[1]), LOSE_INPUT)
            cells = seen @ state[0] + state[1]
            kept = kept_of(cells.shape, LOSE_CELLS) * (cells > 0)
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


def fit(rows, gains, folders):
    """Returns all networks combined into one, for rows without gains applied."""
    gains = gains * np.float32(INPUT_LENGTH / np.sqrt(np.mean(np.sum((rows * gains) ** 2, 1))))
    nets = [train(gains * rows, folders, seed) for seed in range(NETS)]
    second = np.zeros((NETS * HIDDEN, NETS * WIDTH), np.float32)
    for at, net in enumerate(nets):
        second[at * HIDDEN : (at + 1) * HIDDEN, at * WIDTH : (at + 1) * WIDTH] = net[2]
    return gains[:, None] * np.concatenate([net[0] for net in nets], 1), np.concatenate([net[1] for net in nets]), second


def concepts(rows, net):
    first, bias, second = net
    return unit(np.maximum(rows @ first + bias, 0) @ second)


def nearest_ten(rows, folders, names, asked, among):
    """Returns four counts of presets whose category or subfolder is the most common among their neighbours.

    The last two counts leave out neighbours with similar names.
    """
    hits, pool = np.zeros(4), rows[among]
    most = lambda labels, near: collections.Counter(labels[among[j]] for j in near).most_common(1)[0][0]
    for own in asked:
        similarity = pool @ rows[own]
        similarity[among == own] = -9
        near = np.argpartition(-similarity, 60)[:60]
        near = near[np.argsort(-similarity[near])]
        strange = lambda j: len(names[own] & names[among[j]]) < 0.5 * max(1, min(len(names[own]), len(names[among[j]])))
        for at, chosen in ((0, near[:10]), (2, [j for j in near if strange(j)][:10])):
            for more, labels in enumerate(folders):
                hits[at + more] += len(chosen) > 0 and most(labels, chosen) == labels[own]
    return hits


def check(text, features, gains, folders, parts, split):
    authors = [split + part[2].split(" - ")[0].lower() for part in parts]
    tenth = np.array([int(hashlib.md5(author.encode()).hexdigest(), 16) % 10 for author in authors])
    names = [set(re.findall(r"[a-z]{3,}", part[2].lower())) for part in parts]
    everyone, found = np.arange(len(parts)), {}
    for held in (tenth < 3, (tenth >= 3) & (tenth < 6), tenth >= 6):
        net = fit(features[~held], gains, [labels[~held] for labels in folders])
        asked = np.where(held)[0]
        joined = np.concatenate([text, LENGTH * concepts(features, net)], 1)
        for kind, rows in (("without", text), ("with", joined)):
            for name, among in (("all presets", everyone), ("each other", asked)):
                hits = nearest_ten(unit(rows), folders, names, asked, among)
                found[name, kind] = found.get((name, kind), 0) + hits / len(parts)
    print(f"{len(parts)} presets of held-out authors: category, subfolder, strict category, strict subfolder")
    for (name, kind), shares in found.items():
        print(f"among {name}, {kind}: " + " ".join(f"{share:.3f}" for share in shares))


def write(out, ranks, models, net):
    with open(out, "wb") as file:
        file.write(b"AIVJCON3" + struct.pack("<I", len(ranks)))
        for knots in ranks:
            file.write(struct.pack("<I", len(knots)) + np.array(knots, "<f4").tobytes())
        file.write(struct.pack("<I", len(models)))
        for vocabulary, directions in models:
            scales = np.maximum(np.abs(directions).max(0), 1e-9) / 127
            file.write(struct.pack("<2I", *directions.shape))
            file.write(np.array([word for word, _ in vocabulary], "<u8").tobytes())
            file.write(np.array([weight for _, weight in vocabulary], "<f4").tobytes())
            file.write(scales.astype("<f4").tobytes() + np.round(directions / scales).astype("i1").tobytes())
        file.write(struct.pack("<2I", *net[2].shape))
        for part in net:
            file.write(part.astype("<f4").tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("baked", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--split", default="")
    arguments = parser.parse_args()
    rows = np.load(arguments.baked / "embeddings.npy").astype(np.float32)
    ids = (arguments.baked / "ids.txt").read_text(encoding="utf-8").splitlines()
    model = json.loads((arguments.baked / "text-model.json").read_text())["model"]
    directions = np.load(arguments.baked / "text-model.npy").astype(np.float32)
    ranks = model["ranks"]["knots"]
    sorted_in = [at for at, name in enumerate(ids) if name.count("/") >= 2 and "! Transition" not in name]
    parts = [ids[at].split("/")[-3:] for at in sorted_in]
    text = rows[sorted_in, : len(ranks) + directions.shape[1]]
    presets = [hashes((arguments.library / ids[at]).read_bytes()) for at in sorted_in]
    more = [text_model(presets, *kind) for kind in TEXT_MODELS]
    features = np.concatenate([text, *(rows for _, _, rows in more)], 1).astype(np.float32)
    widths = [text.shape[1], *(rows.shape[1] for _, _, rows in more)]
    gains = np.repeat(np.array([1, *(kind[-1] for kind in TEXT_MODELS)], np.float32), widths)
    folders = [np.unique(labels, return_inverse=True)[1] for labels in ([p[0] for p in parts], ["/".join(p[:2]) for p in parts])]
    if arguments.check:
        check(text, features, gains, folders, parts, arguments.split)
    else:
        models = [(model["vocabulary"], directions), *((vocabulary, ways) for vocabulary, ways, _ in more)]
        write(arguments.out, ranks, models, fit(features, gains, folders))


if __name__ == "__main__":
    main()
