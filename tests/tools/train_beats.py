#!/usr/bin/env python3
"""Trains the beat network (`src/activation`) and writes its weights to `assets/beats.bin`.

    tests/tools/train_beats.py [--pieces N] [--steps N] [--workers N] [--data FOLDER] [--out FILE] [--check]

Composes songs with random metres, tempi, swing, drum patterns, lines and instruments, and reads the MIDI music of the
Debian packages openttd-openmsx and simutrans-data at random tempi; renders each with FluidSynth or simple synthesis; adds
drones, free notes, voices and weather without any beat; and puts all of it into random rooms, crowds, filters and codecs.
Each piece is determined by its seed. The network learns to mark beats and downbeats 50 ms after they sound, and to
detect whether there is a beat at all. About half of its input is rendered directly as band powers, with a new piece at
every step (`beats/spectra.py`). One source or seed in twelve is held out of the training; its loss is reported as
`held out`.

The weights in the repository come from about 5,000 steps on 120 pieces, resumed several times while this script grew: a
single run gives equivalent weights, not identical ones. No clip on which the beat accuracy is measured was used.

The weights are f32, little-endian, in the order of the layers (see `beats/network.py`). `--check` prints the logits of
the weights in FILE for the test of the forward pass instead.

Needs numpy, scipy, torch and mido; fluidsynth and ffmpeg; fluid-soundfont-gm, openttd-openmsx and simutrans-data.
"""
import argparse
import multiprocessing
import os

from beats import excerpts, network, training


def make(job):
    excerpts.make(*job)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pieces", type=int, default=120)
    p.add_argument("--steps", type=int, default=5000)
    p.add_argument("--workers", type=int, default=os.cpu_count())
    p.add_argument("--data", default="/tmp/aivj-beats")
    p.add_argument("--out", default="assets/beats.bin")
    p.add_argument("--check", action="store_true")
    a = p.parse_args()
    if a.check:
        for frames, logits in network.check(network.load(a.out)):
            print(f"({frames}, {[round(logit, 5) for logit in logits]}),")
        return
    os.makedirs(a.data, exist_ok=True)
    with multiprocessing.Pool(a.workers) as pool:
        for _ in pool.imap_unordered(make, [(seed, a.data) for seed in range(a.pieces)]):
            pass

    def note(text, fitted):
        print(text, flush=True)
        network.save(fitted, a.out)

    training.fit(a.data, lambda step: step / a.steps, 1, note)


if __name__ == "__main__":
    main()
