"""Composes random songs as notes with exact beats, and converts MIDI files to the same form."""
from dataclasses import dataclass, field

import mido
import numpy as np

DRUMS = 9
KICK, SNARE, HAT, OPEN, RIDE, CRASH, CLAP = 36, 38, 42, 46, 51, 49, 39
TOMS = (41, 45, 48)


@dataclass
class Song:
    """Notes are rows of start and length in seconds, pitch, velocity and channel."""
    notes: list
    beats: np.ndarray
    downbeats: np.ndarray
    programs: dict = field(default_factory=dict)
    levels: dict = field(default_factory=dict)


def rhythm(rng, beats, parts, kinds):
    """Returns the steps of a bar that carry a note."""
    steps = beats * parts
    kind = rng.choice(kinds)
    on = [s for s in range(steps) if s % parts == 0]
    half = max(1, parts // 2)
    if kind == "beats":
        return on
    if kind == "eighths":
        return [s for s in range(steps) if s % half == 0] if parts != 3 else [s for s in range(steps) if s % 3 != 1]
    if kind == "offbeat":
        return [s + (half if parts != 3 else 2) for s in on]
    if kind == "all":
        return list(range(steps))
    if kind == "gallop":
        return [s for s in range(steps) if s % parts in ((0, 2, 3) if parts == 4 else (0, 2))]
    if kind == "tresillo":
        return [s for s in range(steps) if s % (2 * parts) % 3 == 0]
    if kind == "long":
        return [0]
    if kind == "half":
        return [s for s in on if s // parts % 2 == 0]
    strength = rng.uniform(0, 1)
    density = rng.uniform(.15, .6)
    def chance(s):
        level = 1 if s == 0 else .75 if s % parts == 0 else .5 if s % half == 0 else .25
        return density * (1 - strength + 2 * strength * level)
    return [s for s in range(steps) if rng.random() < chance(s)] or [0]


def drum_bar(rng, beats, parts, style):
    """Returns one bar of drums as (step, pitch, velocity)."""
    steps, bar = beats * parts, []
    on = range(0, steps, parts)
    half = max(1, parts // 2)
    back = [b * parts for b in range(1, beats, 2)] if beats != 3 else [parts, 2 * parts][: rng.integers(1, 3)]
    kick, snare = [0], back
    if style == "four":
        kick = list(on); snare = back if rng.random() < .7 else []
    elif style == "rock":
        kick = [0] + [s for s in range(half, steps, half) if s not in back and rng.random() < .35]
    elif style == "half":
        kick = [0] + [s for s in range(half, steps, half) if rng.random() < .25]; snare = [beats // 2 * parts]
    elif style == "break":
        kick = [0] + [s for s in range(1, steps) if s not in back and rng.random() < .2]
        snare = back + [s for s in range(steps) if s not in back and rng.random() < .08]
    elif style == "punk":
        kick = list(on); snare = [s + half for s in on]
    elif style == "metal":
        kick = rhythm(rng, beats, parts, ["all", "eighths", "gallop"])
        snare = back if rng.random() < .6 else list(on)
    elif style == "march":
        snare = rhythm(rng, beats, parts, ["eighths", "gallop", "random", "beats"]); kick = [s for s in on if s % (2 * parts) == 0]
    elif style == "latin":
        kick = rhythm(rng, beats, parts, ["tresillo", "random"]); snare = rhythm(rng, beats, parts, ["random", "offbeat"])
    elif style == "toms":
        kick, snare = [], []
        bar += [(s, int(rng.choice(TOMS)), .8) for s in rhythm(rng, beats, parts, ["random", "eighths", "tresillo"])]
    elif style == "random":
        kick = rhythm(rng, beats, parts, ["random"]); snare = rhythm(rng, beats, parts, ["random"])
    elif style == "cymbals":
        kick, snare = [], []
    snare_pitch = int(rng.choice([SNARE, SNARE, 40, CLAP, 37]))
    bar += [(s, KICK, 1.) for s in kick] + [(s, snare_pitch, .95) for s in snare]
    hats = rng.choice(["eighths", "all", "beats", "offbeat", "random", "none"],
                      p=[.15, .15, .08, .42, .1, .1] if style == "four" else [.35, .2, .12, .13, .1, .1])
    if hats != "none":
        pitch = int(rng.choice([HAT, HAT, HAT, RIDE, OPEN, 70, 54]))
        accent = rng.uniform(0, .5)
        bar += [(s, pitch, .6 + accent * (s % parts == 0)) for s in rhythm(rng, beats, parts, [hats])]
    return [(s % steps, p, v) for s, p, v in bar]


STYLES = ["four", "rock", "half", "break", "punk", "metal", "march", "latin", "toms", "random", "cymbals", "none"]
STYLE_SHARES = [.28, .22, .05, .09, .04, .09, .03, .05, .02, .03, .03, .07]
SCALES = [(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 9, 10), (0, 1, 3, 5, 7, 8, 10)]


def tempo(rng):
    kind = rng.random()
    if kind < .3:
        return rng.normal(127, 9)
    return rng.uniform(82, 182) if kind < .85 else rng.uniform(56, 82) if kind < .93 else rng.uniform(182, 212)


def compose(rng, seconds):
    """Composes a song of about `seconds`."""
    beats = int(rng.choice([4, 3, 6, 5, 7], p=[.82, .12, .02, .02, .02]))
    parts = int(rng.choice([4, 3], p=[.88, .12]))
    bpm = float(np.clip(tempo(rng), 55, 215))
    bars = int(np.ceil(seconds * bpm / 60 / beats)) + 2
    swing = rng.uniform(.08, .33) if parts == 4 and rng.random() < .15 else 0
    swing_unit = rng.choice([1, 2])
    jitter = rng.choice([0, .004, .01, .016], p=[.4, .25, .25, .1])
    drift = np.zeros(bars * beats + 1)
    if rng.random() < .25:
        drift = np.cumsum(rng.normal(0, rng.uniform(.001, .006), len(drift)))
    lengths = 60 / (bpm * np.exp(np.clip(drift, -.08, .08)))
    times = np.concatenate([[0], np.cumsum(lengths)]) + rng.uniform(0, 1.)

    def at(bar, step):
        if swing and step % (2 * swing_unit) == swing_unit:
            step = step + swing * swing_unit
        place = bar * beats + step / parts
        whole = min(int(place), len(lengths) - 1)
        return times[whole] + (place - whole) * lengths[whole]

    scale, key = SCALES[rng.integers(len(SCALES))], int(rng.integers(12))
    pitch = lambda degree: key + 12 * (degree // len(scale)) + scale[degree % len(scale)]
    span = int(rng.choice([2, 4, 4, 8]))
    chords = rng.integers(0, len(scale), span)
    change = int(rng.choice([1, 1, 2]))
    notes = []

    def add(bar, step, length, midi, velocity, channel):
        start = at(bar, step) + (rng.normal(0, jitter) if jitter else 0)
        notes.append((max(0, start), length * lengths[0] / parts, int(np.clip(midi, 20, 108)),
                      int(np.clip(velocity * 127 * rng.uniform(.85, 1.05), 8, 127)), channel))

    sections = [(start, min(bars, start + 4 * int(rng.choice([1, 2, 2]))))
                for start in range(0, bars, 4)]
    style = rng.choice(STYLES, p=STYLE_SHARES)
    patterns = [[drum_bar(rng, beats, parts, style) for _ in range(2)] for _ in range(2)] if style != "none" else None
    accent = rng.uniform(0, .35)
    lines = []  # Channel, rhythm of each bar, scale degree of each step, length of the notes relative to their gaps.
    chosen = rng.random(5) < [.85, .75, .5, .7, .3]
    soft = rng.random() < .07  # Nothing but pads that swell on the beat.
    if soft:
        patterns, chosen = None, np.array([rng.random() < .3, True, False, rng.random() < .3, False])
    if not chosen.any() and style == "none":
        chosen[1] = True
    for channel, kinds in ((0, ["beats", "eighths", "offbeat", "all", "gallop", "tresillo", "random", "random", "half"]),
                           (1, ["beats", "beats", "half"] if soft else ["long", "long", "beats", "offbeat", "eighths", "tresillo", "random", "half"]),
                           (2, ["all", "eighths", "all", "random"]), (3, ["random", "random", "random", "eighths"]),
                           (4, ["random", "long", "offbeat"])):
        if chosen[channel]:
            count = int(rng.choice([1, 2, 4]))
            lines.append((channel, [rhythm(rng, beats, parts, kinds) for _ in range(count)],
                          rng.integers(-3, 8, (count, beats * parts)), rng.uniform(.3, 1.1)))
    done = 0
    for start, end in sections:
        if start < done:
            continue
        done = end
        silent = {channel for channel in range(5) if rng.random() < .2}
        drums = patterns is not None and rng.random() < .88
        pattern = patterns[int(rng.random() < .3)] if patterns else None
        if len(silent) >= len(lines) and not drums:
            silent = set()
        for bar in range(start, min(end, bars)):
            chord = int(chords[bar // change % span])
            if drums:
                fill = bar == end - 1 and rng.random() < .5
                steps = beats * parts
                cut = steps - parts * int(rng.integers(1, 3)) if fill else steps
                for step, drum, velocity in pattern[bar % 2]:
                    if step < cut:
                        add(bar, step, 1, drum, velocity * (1 - accent * (step % parts != 0)), DRUMS)
                if fill:
                    for step in range(cut, steps):
                        if rng.random() < .75:
                            add(bar, step, 1, int(rng.choice([SNARE, *TOMS])), rng.uniform(.6, 1), DRUMS)
                if bar == start and rng.random() < .5:
                    add(bar, 0, 4, CRASH, .9, DRUMS)
            for channel, rhythms, degrees, long in lines:
                if channel in silent:
                    continue
                which = bar % len(rhythms)
                line = rhythms[which]
                for place, step in enumerate(line):
                    gap = (line[place + 1] if place + 1 < len(line) else beats * parts) - step
                    velocity = .75 + accent * (step % parts == 0) * .5 + accent * (step == 0) * .3 - .1
                    if channel == 0:
                        low = 24 + pitch(chord) + (12 if degrees[which, step % 4] > 6 else 0)
                        add(bar, step, gap * long, low, velocity, 0)
                    elif channel == 1:
                        for third in (0, 2, 4):
                            add(bar, step, gap * long, 48 + pitch(chord + third), velocity * .8, 1)
                    elif channel == 2:
                        add(bar, step, gap * long, 60 + pitch(chord + (0, 2, 4, 7, 4, 2)[place % 6]), velocity * .8, 2)
                    else:
                        add(bar, step, gap * long, 60 + pitch(chord + int(degrees[which, step])), velocity, channel)
    counted = times[: bars * beats]
    # Six fast beats count as two slow ones.
    keep = counted[::3] if beats == 6 and bpm > 150 else counted
    first = counted[::beats]
    programs = {0: int(rng.integers(32, 40)), 1: int(rng.choice([48, 49, 50, 51, 52, 88, 89, 90, 91, 94, 95]) if soft else rng.choice([*range(0, 31), *range(48, 56), *range(80, 96)])),
                2: int(rng.integers(0, 104)), 3: int(rng.integers(0, 104)), 4: int(rng.integers(0, 112)),
                DRUMS: int(rng.choice([0, 0, 8, 16, 24, 25, 32, 40, 48]))}
    levels = {channel: float(10 ** (-rng.uniform(0, 14) / 20)) for channel in range(5)}
    levels[DRUMS] = float(10 ** (-rng.uniform(0, 16) ** 1.0 / 20))
    return Song(sorted(notes), keep, first, programs, levels)


def drift_off(rng, seconds):
    """Returns slow tones and free notes without any beat."""
    notes, scale, key = [], SCALES[rng.integers(len(SCALES))], int(rng.integers(12))
    for channel in range(int(rng.integers(1, 4))):
        t, slow = 0., rng.uniform(.3, 6)
        while t < seconds:
            degree = int(rng.integers(-7, 12))
            length = slow * rng.gamma(2, .5)
            for extra in range(int(rng.integers(1, 4))):
                d = degree + 2 * extra
                notes.append((t, length * rng.uniform(.5, 3), int(np.clip(60 + key + 12 * (d // len(scale)) + scale[d % len(scale)], 24, 100)),
                              int(rng.uniform(30, 110)), channel))
            t += max(.08, length)
    programs = {c: int(rng.choice([*range(48, 56), *range(88, 104), *range(0, 16), 75, 77, 46, 122])) for c in range(4)}
    return Song(sorted(notes), np.zeros(0), np.zeros(0), programs, {})


def midi_song(path, rng, seconds):
    """Reads a random part of a MIDI file at a random tempo, transposed."""
    file = mido.MidiFile(path)
    per_beat, events = file.ticks_per_beat, []
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            events.append((now, message))
    events.sort(key=lambda event: event[0])
    last = max(now for now, message in events if message.type == "note_on")
    tempi = [(now, message.tempo) for now, message in events if message.type == "set_tempo"] or [(0, 500_000)]
    ticks, secs = [0], [0.]
    for place, (now, usecs) in enumerate(tempi):
        until = tempi[place + 1][0] if place + 1 < len(tempi) else last + per_beat * 8
        begin = 0 if place == 0 else now
        ticks.append(until); secs.append(secs[-1] + (until - begin) * usecs / 1e6 / per_beat)
    speed = rng.uniform(.85, 1.18)
    at = lambda tick: np.interp(tick, ticks, secs) / speed
    metres = [(now, message.numerator, message.denominator) for now, message in events if message.type == "time_signature"] or [(0, 4, 4)]
    beats, downbeats, tick, count = [], [], 0., 0
    while tick < last:
        numerator, denominator = [m for m in metres if m[0] <= tick + 1][-1][1:] if metres[0][0] <= tick + 1 else (4, 4)
        compound = denominator == 8 and numerator % 3 == 0
        step = per_beat * (1.5 if compound else 4 / denominator if denominator != 8 else 1)
        in_bar = max(1, round(numerator * 4 / denominator * per_beat / step))
        if count % in_bar == 0:
            downbeats.append(at(tick))
        beats.append(at(tick)); tick += step; count += 1
    offset = rng.uniform(0, max(0., at(last) - seconds))
    shift = int(rng.integers(-4, 5))
    mute_drums = rng.random() < .3
    notes, held, programs, levels = [], {}, {}, {}
    for now, message in events:
        if message.type == "program_change":
            programs[message.channel] = message.program
        if message.type == "control_change" and message.control == 7:
            levels[message.channel] = message.value / 127
        if message.type in ("note_on", "note_off"):
            key = (message.channel, message.note)
            if key in held:
                start, velocity = held.pop(key)
                notes.append((start, max(.03, at(now) - start), message.note + (shift if message.channel != DRUMS else 0), velocity, message.channel))
            if message.type == "note_on" and message.velocity:
                held[key] = (at(now), message.velocity)
    notes = [(s - offset, d, int(np.clip(p, 0, 127)), v, c) for s, d, p, v, c in notes
             if 0 <= s - offset < seconds and not (mute_drums and c == DRUMS)]
    beats, downbeats = np.array(beats) - offset, np.array(downbeats) - offset
    gap = np.median(np.diff(beats))
    if gap < .29:  # Faster than anyone would count.
        beats = beats[::2]
    if rng.random() < .4:
        programs = {c: int(np.clip(p + rng.integers(-3, 4), 0, 111)) for c, p in programs.items() if c != DRUMS}
    return Song(sorted(notes), beats[beats >= 0], downbeats[downbeats >= 0], programs, levels)
