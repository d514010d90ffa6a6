"""Makes songs from the drum, bass and chord patterns of MMA (Musical MIDI Accompaniment)."""
import functools
import glob
import os
import re
import subprocess
import tempfile

import mido
import numpy as np

from . import songs

PATTERNS = "/usr/share/mma/lib/stdlib"
TICKS = 192  # per beat of MMA
# Tempi in beats per minute of patterns whose names say how fast they are.
TEMPI = [("slow|ballad|lullaby|hymn", 58, 100), ("fast|quick|bebop|boggie|polka|ragtime", 130, 210), ("trance", 120, 150)]


@functools.cache
def grooves():
    """Returns the patterns as (name, beats of MMA per bar, beats of MMA that count as one beat)."""
    found = []
    for path in sorted(glob.glob(f"{PATTERNS}/*.mma")):
        name, text = os.path.basename(path), open(path, errors="replace").read()
        times = re.findall(r"^\s*Time\s+(\d+)", text, re.M)
        eighths = re.search(r"^\s*TimeSig\s+(6|9|12)\s+8", text, re.M | re.I)
        if name.startswith(("metronome", "none", "arpeggio")) or len(set(times)) != 1:
            continue
        in_bar = int(times[0])
        counted = 3 if eighths and in_bar % 3 == 0 and in_bar > 3 else 1
        found += [(groove, in_bar, counted) for groove in re.findall(r"^\s*DefGroove\s+(\S+)", text, re.M)
                  if not re.search("intro|end|fill|metro", groove, re.I)]
    return found


def tempo(groove, rng):
    for words, low, high in TEMPI:
        if re.search(words, groove, re.I):
            return rng.uniform(low, high)
    return float(np.exp(rng.uniform(np.log(72), np.log(182))))


def song(rng, seconds):
    """Returns an accompaniment of about `seconds`, and the name of its pattern."""
    groove, in_bar, counted = grooves()[rng.integers(len(grooves()))]
    bpm = tempo(groove, rng)
    bars = int(seconds * bpm * counted / 60 / in_bar) + 2
    roots, kinds = "C Db D Eb E F Gb G Ab A Bb B".split(), ["", "m", "7", "m7", "maj7", "sus4"]
    chords = [roots[rng.integers(12)] + kinds[rng.integers(6)] for _ in range(int(rng.choice([2, 4, 8])))]
    lines = [f"RndSeed {int(rng.integers(1, 10_000))}", f"Tempo {bpm * counted:.3f}", f"Groove {groove}"]
    lines += [f"{bar + 1} {chords[bar % len(chords)]}" for bar in range(bars)]
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/song.mma", "w") as file:
            file.write("\n".join(lines) + "\n")
        subprocess.run(["mma", "song.mma", "-f", "song.mid"], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        file = mido.MidiFile(f"{folder}/song.mid")
    beat = 60 / bpm
    lead = rng.uniform(0, 1)
    notes, programs, levels = songs.read_notes(file, lambda tick: lead + tick / file.ticks_per_beat * beat / counted)
    silent = {channel for channel in range(16) if rng.random() < .15}
    kept = [note for note in notes if note[4] not in silent]
    count = bars * in_bar // counted
    beats = lead + np.arange(count) * beat
    return songs.Song(sorted(kept or notes), beats, beats[:: in_bar // counted], programs, levels), groove
