"""Renders songs directly as band powers: without audio, but thousands of times faster, for unlimited variety.

Every instrument is a random spectrum with a random envelope; the window of the transform smooths both, and the powers
fluctuate as those of noise and of beating partials do."""
import functools

import numpy as np
from scipy.signal import lfilter

from . import features
from .songs import DRUMS, compose, drift_off

STEP_SECS = .005
BEATLESS = .25
CENTRES = np.sqrt(features.EDGES[:-1] * np.maximum(features.EDGES[1:] - 1., features.EDGES[:-1])) * features.RATE / features.SIZE
# Share of each step of the last 46 ms in the power of a frame: the squared window of the transform.
WINDOW = np.hanning(11)[1:-1] ** 2 / np.sum(np.hanning(11)[1:-1] ** 2)


NOISES, NOISE_SECS = 8, 30


@functools.cache
def noises():
    """Returns log powers of white noise, with a mean power of 1 in each band."""
    rng = np.random.default_rng(9)
    levels = (features.powers(.1 * rng.standard_normal(NOISE_SECS * features.RATE))[10:] for _ in range(NOISES))
    return [(level - np.log(np.exp(level).mean(0))).astype(np.float32) for level in levels]


def noise(frames, rng):
    """Returns log powers of a random part of that noise."""
    return np.roll(noises()[rng.integers(NOISES)], rng.integers(1000), axis=0)[:frames]


def band(hz):
    return np.clip(np.searchsorted(features.EDGES, hz / (features.RATE / features.SIZE), "right") - 1, 0, features.BANDS - 1)


def drum_spectrum(pitch, rng):
    """Returns the spectrum of a drum and its decay in seconds."""
    octaves = np.log2(CENTRES)
    bump = lambda hz, width: np.exp(-.5 * ((octaves - np.log2(hz)) / width) ** 2)
    if pitch in (35, 36):
        return bump(rng.uniform(40, 90), rng.uniform(.3, .8)) + 10 ** rng.uniform(-4, -.8) * bump(rng.uniform(1000, 5000), 1.2), rng.uniform(.04, .25)
    if pitch in (37, 38, 39, 40):
        return rng.uniform(.05, 1) * bump(rng.uniform(150, 300), .5) + rng.uniform(.1, 1) * bump(rng.uniform(800, 5000), rng.uniform(.7, 1.8)), rng.uniform(.03, .2)
    if pitch in (41, 43, 45, 47, 48, 50):
        return bump(60 + 10 * (pitch - 40), .4) + .03 * bump(2000, 1.5), rng.uniform(.08, .3)
    return bump(rng.uniform(4000, 12000), rng.uniform(.5, 1.3)), rng.uniform(.02, .08) * (6 if pitch in (46, 49, 51, 57) else 1)


def tone_spectrum(pitch, slope, cut):
    """Returns the spectrum of a note with partials that fall by `slope` and end at `cut`."""
    hz = 440 * 2 ** ((pitch - 69) / 12)
    partials = np.arange(1, 25)
    power = partials ** -slope / (1 + (hz * partials / cut) ** 4)
    out = np.zeros(features.BANDS)
    np.add.at(out, band(hz * partials), power)
    return out


def render(song, seconds, rng):
    """Returns the log powers of a song."""
    steps = int(seconds / STEP_SECS)
    voices = {}
    for channel in range(16):
        voices[channel] = dict(slope=rng.uniform(.5, 4), cut=rng.uniform(300, 9000), decay=rng.choice([.1, .3, 1., 5.]) * rng.uniform(.6, 1.6),
                               attack=rng.choice([0, 0, 0, 0, .02, .08, .2]), click=rng.choice([0, 0, .02, .1]))
    pulses, spectra = {}, {}
    for start, length, pitch, velocity, channel in song.notes:
        at = int(start / STEP_SECS)
        if at >= steps:
            continue
        key = (channel, pitch)
        if key not in spectra:
            voice = voices[channel]
            if channel == DRUMS:
                spectra[key] = (*drum_spectrum(pitch, rng), 0)
            else:
                spectra[key] = tone_spectrum(pitch, voice["slope"], voice["cut"]), voice["decay"], voice["attack"]
            pulses[key] = np.zeros(steps)
        power = (velocity / 127 * song.levels.get(channel, 1.)) ** 2 * (1. if channel == DRUMS else .15)
        pulses[key][at] += power
        end = int((start + length) / STEP_SECS)
        if channel != DRUMS and end < steps:
            pulses[key][end] -= power * np.exp(-(end - at) * STEP_SECS / spectra[key][1])
    out = np.full((steps, features.BANDS), 1e-9)
    for key, pulse in pulses.items():
        spectrum, decay, attack = spectra[key]
        level = np.maximum(0, lfilter([1], [1, -np.exp(-STEP_SECS / decay)], pulse))
        if attack:
            share = STEP_SECS / attack
            level = lfilter([min(1, share)], [1, min(1, share) - 1], level)
        out += level[:, None] * spectrum
    if rng.random() < .25:  # The kick ducks everything else.
        for key in pulses:
            if key[0] == DRUMS and key[1] in (35, 36):
                duck = np.clip(lfilter([1], [1, -np.exp(-STEP_SECS / .1)], (pulses[key] > 0).astype(float)), 0, 1)
                kick = np.maximum(0, lfilter([1], [1, -np.exp(-STEP_SECS / spectra[key][1])], pulses[key]))[:, None] * spectra[key][0]
                out = kick + (out - kick) * (1 - rng.uniform(.5, .95) * duck)[:, None]
    out = np.maximum(out, 1e-9)
    degrees = rng.uniform(2, 20) * np.diff(features.EDGES) ** rng.uniform(0, 1)
    frames = framed(out, rng)
    frames *= rng.gamma(degrees, 1 / degrees, frames.shape)
    return np.log(np.maximum(frames, 1e-9)).astype(np.float32)


def framed(out, rng):
    """Returns the powers of frames, computed from those of steps."""
    leak = rng.uniform(.001, .08)
    out = out + leak * (np.roll(out, 1, 1) + np.roll(out, -1, 1))
    out = lfilter(WINDOW, [1], out, axis=0)
    per_frame = round(features.FRAME_HOPS * .01 / STEP_SECS)
    frames = len(out) // per_frame
    # Two hops per frame: at its middle and at its end.
    return out[: frames * per_frame].reshape(frames, per_frame, -1)[:, [per_frame // 2 - 1, per_frame - 1]].mean(1)


def beatless(seconds, rng):
    """Returns the log powers of free notes, voices or noise."""
    kind, steps = rng.random(), int(seconds / STEP_SECS)
    if kind < .5:
        levels = render(drift_off(rng, seconds), seconds, rng)
        if rng.random() < .5:
            levels = np.logaddexp(levels, np.log(np.exp(levels).sum(1).mean()) - rng.uniform(3, 9) + noise(len(levels), rng))
        return levels
    # Steady noise of any colour, under swells and drops.
    colour = np.interp(np.arange(features.BANDS), np.linspace(0, features.BANDS, 5), rng.normal(0, 2, 5) + rng.choice([-8, -4, 0, 2]))
    out = np.full((steps, features.BANDS), 1.) * np.exp(colour)
    for _ in range(int(rng.integers(1, 12))):
        knots = np.arange(0, steps + 400, 1 / STEP_SECS / (rng.uniform(2, 9) if kind < .8 else rng.uniform(.1, 2)))
        level = np.interp(np.arange(steps), knots, rng.random(len(knots)) ** rng.uniform(1, 8))
        centre = rng.uniform(0, features.BANDS)
        out += level[:, None] * np.exp(-.5 * ((np.arange(features.BANDS) - centre) / rng.uniform(1, 8)) ** 2)
    for at in rng.integers(0, steps, rng.poisson(seconds * rng.choice([0, .2, 1, 4]))):
        tail = np.exp(-np.arange(min(80, steps - at)) / rng.uniform(2, 30))
        out[at:at + len(tail)] += rng.uniform(.5, 20) * tail[:, None] * np.exp(-.5 * ((np.arange(features.BANDS) - rng.uniform(0, 33)) / rng.uniform(2, 15)) ** 2)
    frames = framed(out, rng)
    return (np.log(np.maximum(frames, 1e-9)) + noise(len(frames), rng)).astype(np.float32)


def piece(seconds, rng):
    """Returns log powers, beats and downbeats of a new piece."""
    if rng.random() < BEATLESS:
        return beatless(seconds, rng), np.zeros(0), np.zeros(0)
    song = compose(rng, seconds)
    return render(song, seconds, rng), song.beats, song.downbeats
