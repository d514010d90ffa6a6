"""Draws batches from the excerpts and fits the network."""
import glob
import time
import zlib

import numpy as np
import torch
from scipy.signal import lfilter
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from . import features, spectra
from .network import Network

FRAMES, BATCH = 1000, 8
# Pieces rendered as band powers: how many are kept, how many are new at every step, their share of a batch, and their
# length in seconds.
POOL, FRESH, POOL_SHARE, POOL_SECS = 300, 1, .5, 24
FRAME_SECS = .02
# The target of a beat lies this long after it, at the end of a frame: the window must have passed over the attack.
DELAY_SECS = .05
HELD_OUT = 12


class Excerpts:
    """The excerpts of a folder; one seed or source in `HELD_OUT` is kept for validation."""

    def __init__(self, folder):
        self.folder, self.seen, self.train, self.held_out = folder, set(), [], []

    def scan(self):
        """Reads the files that have appeared since the last call."""
        for path in sorted(set(glob.glob(f"{self.folder}/[0-9]*[0-9].npz")) - self.seen):
            self.seen.add(path)
            with np.load(path) as file:
                item = file["levels"], file["beats"], file["downbeats"]
                source = str(file["source"])
            name = source if source.endswith(".mid") else path
            held_out = zlib.crc32(name.encode()) % HELD_OUT == 0
            (self.held_out if held_out else self.train).append(item)


def targets(beats, downbeats):
    """Returns beat, downbeat and presence, (3, FRAMES), from times in frames."""
    out = np.zeros((3, FRAMES), np.float32)
    for row, times in enumerate((beats, downbeats)):
        for place in times - 1 + DELAY_SECS / FRAME_SECS:
            for frame in range(int(place) - 1, int(place) + 3):
                if 0 <= frame < FRAMES:
                    out[row, frame] = max(out[row, frame], 1 - abs(frame - place) / 1.8)
    if len(beats) > 4 and beats[-1] > 0:
        out[2, max(0, int(beats[0])):int(beats[-1]) + 50] = 1
    return out


def varied(levels, rng):
    """Returns the log powers with pitch, room, equalisation and noise changed at random."""
    place, bands = np.linspace(0, 4, features.BANDS), features.BANDS
    if rng.random() < .35:
        levels = levels[:, np.clip(np.arange(bands) + rng.integers(-2, 3), 0, bands - 1)]
    if rng.random() < .25:
        # A decaying tail whose power fluctuates.
        power, fall = np.exp(levels), 10 ** (-6 * FRAME_SECS / rng.uniform(.3, 3))
        tail = lfilter([0, 1 - fall], [1, -fall], power, axis=0) * rng.gamma(3, 1 / 3, levels.shape)
        tail = tail.astype(np.float32)
        levels = np.log(power + 10 ** rng.uniform(-.5, 1.1) * tail)
    if rng.random() < .6:
        levels = levels + np.interp(place, np.arange(5), rng.normal(0, rng.uniform(.3, 2.2), 5)).astype(np.float32)
    if rng.random() < .3:
        floor = np.interp(place, np.arange(5), rng.normal(-6, 2, 5)).astype(np.float32) + spectra.noise(len(levels), rng)
        levels = np.logaddexp(levels, floor + np.log(np.exp(levels).sum(-1).mean()))
    # The reference level follows the sum of the bands.
    return levels + np.float32(rng.normal(-.3, .4) - np.log(np.exp(levels).sum(-1).mean()))


def part(items, rng, frames):
    """Returns log powers and targets of a random part of an excerpt, faster or slower."""
    levels, beats, downbeats = items[rng.integers(len(items))]
    levels = levels[rng.integers(len(levels))]
    speed = np.exp(rng.uniform(-.2, .2)) if rng.random() < .6 else 1.
    last = len(levels) - 2
    start = 0 if rng.random() < .2 else int(rng.integers(0, max(1, last - frames * speed)))
    places = np.minimum(start + np.arange(frames) * speed, last)
    whole = places.astype(int)
    between = (places - whole)[:, None].astype(np.float32)
    before, after = levels[whole].astype(np.float32), levels[whole + 1].astype(np.float32)
    levels = before + between * (after - before)
    return varied(levels, rng), targets(*((times / FRAME_SECS - start) / speed for times in (beats, downbeats)))[:, :frames]


def draw(items, rng):
    """Returns log powers and targets of `FRAMES`, sometimes with a change to another excerpt."""
    levels, wanted = part(items, rng, FRAMES)
    if rng.random() < .12:
        cut = int(rng.integers(200, 800))
        other, also = part(items, rng, FRAMES - cut)
        levels, wanted = np.concatenate([levels[:cut], other]), np.concatenate([wanted[:, :cut], also], axis=1)
    return levels, wanted


def batch(kinds, rng, size):
    """Returns inputs and targets of rendered excerpts and of pieces from the pool."""
    levels, wanted = zip(*(draw(kinds[int(rng.random() < POOL_SHARE)], rng) for _ in range(size)))
    x = features.inputs(np.stack(levels)).transpose(0, 2, 1)
    return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(np.stack(wanted))


def loss(logits, wanted):
    """Returns the loss, excluding the first second; frames near a beat weigh up to five times as much as others."""
    logits, wanted = logits[..., 50:], wanted[..., 50:]
    weight = 1 + 4 * wanted[:, :2]
    beat = cross_entropy(logits[:, :2], wanted[:, :2], weight=weight, reduction="none").mean((0, 2))
    return beat[0] + .4 * beat[1] + .4 * cross_entropy(logits[:, 2], wanted[:, 2])


def fit(folder, until, seed, note=print, network=None):
    """Trains until `until(step)` returns a share of at least 1; the learning rate falls with the share."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng, excerpts, pool = np.random.default_rng(seed), Excerpts(folder), []
    network = network or Network()
    best = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-3)
    step, mean, began = 0, None, time.time()
    while (share := until(step)) < 1:
        if step % 100 == 0:
            excerpts.scan()
        for _ in range(FRESH if pool else 20):
            levels, *times = spectra.piece(POOL_SECS, rng)
            pool.append((levels[None], *times))
        del pool[:-POOL]
        for group in best.param_groups:
            group["lr"] = 3e-3 * min(1, (step + 1) / 100) * (.5 + .5 * np.cos(np.pi * share)) + 1e-5
        x, wanted = batch((excerpts.train, pool), rng, BATCH)
        best.zero_grad()
        now = loss(network(x), wanted)
        now.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.)
        best.step()
        mean = now.item() if mean is None else mean + (now.item() - mean) * .02
        step += 1
        if step % 100 == 0:
            with torch.no_grad():
                x, wanted = batch((excerpts.held_out,) * 2, np.random.default_rng(1), 32)
                held = loss(network(x), wanted).item()
            note(f"step {step} share {share:.2f} pieces {len(excerpts.train)} loss {mean:.4f} held out {held:.4f} {time.time() - began:.0f} s", network)
    return network
