"""Renders songs, and degrades sound as rooms, crowds and muffled systems do."""
import os
import subprocess
import tempfile

import mido
import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from .songs import DRUMS

RATE = 44_100


def with_soundfont(song, seconds, font, rng):
    """Renders with FluidSynth."""
    events = []
    for channel in {note[4] for note in song.notes}:
        events.append((0, 0, mido.Message("program_change", channel=channel, program=song.programs.get(channel, 0))))
        level = int(100 * song.levels.get(channel, 1.))
        events.append((0, 0, mido.Message("control_change", channel=channel, control=7, value=min(127, max(5, level)))))
    for start, length, pitch, velocity, channel in song.notes:
        events.append((start, 2, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((start + length, 1, mido.Message("note_off", channel=channel, note=pitch)))
    events.sort(key=lambda event: event[:2])
    file = mido.MidiFile(ticks_per_beat=1000)
    track = mido.MidiTrack(); file.tracks.append(track)
    now = 0
    for time, _, message in events:
        tick = round(time * 2000)
        track.append(message.copy(time=tick - now)); now = tick
    with tempfile.TemporaryDirectory() as folder:
        midi, raw = f"{folder}/song.mid", f"{folder}/song.raw"
        file.save(midi)
        effects = "1" if rng.random() < .5 else "0"
        subprocess.run(["fluidsynth", "-ni", "-q", "-o", "synth.dynamic-sample-loading=1", "-R", effects, "-C", effects, "-g", ".4",
                        "-r", str(RATE), "-T", "raw", "-O", "s16", "-F", raw, font, midi], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sound = np.fromfile(raw, np.int16).reshape(-1, 2).mean(1) / 32768
    return fitted(sound, seconds)


def fitted(sound, seconds):
    count = int(seconds * RATE)
    return np.pad(sound, (0, max(0, count - len(sound))))[:count].astype(np.float32)


def with_synth(song, seconds, rng):
    """Renders with simple synthesis: swept sines, noise, saws, pulses and frequency modulation."""
    out, kicks = np.zeros(int((seconds + 4) * RATE), np.float32), np.zeros(int((seconds + 4) * RATE), np.float32)
    voices = {}
    kick = dict(low=rng.uniform(38, 65), high=rng.uniform(80, 400), fall=rng.uniform(.01, .05), tail=rng.uniform(.06, .3))
    snare_tail, hat_tail = rng.uniform(.04, .2), rng.uniform(.015, .08)
    for channel in range(16):
        voices[channel] = dict(kind=rng.choice(["saw", "pulse", "triangle", "fm", "super"]), width=rng.uniform(.1, .5), cut=rng.uniform(300, 9000),
                               attack=rng.choice([.002, .005, .02, .1], p=[.4, .3, .2, .1]), tail=rng.uniform(.05, 1.), ratio=rng.choice([1, 2, 3, 1.41, .5]), index=rng.uniform(.5, 5))
    cache = {}

    def drum(pitch):
        n = int(.5 * RATE); t = np.arange(n) / RATE
        if pitch in (35, 36):
            phase = kick["low"] * t - kick["high"] * kick["fall"] * np.exp(-t / kick["fall"])
            return np.sin(2 * np.pi * phase) * np.exp(-t / kick["tail"])
        if pitch in (37, 38, 39, 40):
            return (.6 * rng.standard_normal(n) + .5 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t / snare_tail)
        if pitch in (41, 43, 45, 47, 48, 50):
            return np.sin(2 * np.pi * ((60 + 4 * (pitch - 40)) * t - 2 * np.exp(-t / .04))) * np.exp(-t / .15)
        noise = np.diff(rng.standard_normal(n + 1))
        return .35 * noise * np.exp(-t / (hat_tail * (5 if pitch in (46, 49, 51, 57) else 1)))

    def tone(pitch, length, channel):
        v = voices[channel]; n = int((min(length, 6) + .1) * RATE); t = np.arange(n) / RATE
        hz = 440 * 2 ** ((pitch - 69) / 12); phase = hz * t
        if v["kind"] == "saw":
            y = 2 * (phase % 1) - 1
        elif v["kind"] == "pulse":
            y = np.where(phase % 1 < v["width"], 1., -1.)
        elif v["kind"] == "triangle":
            y = 4 * np.abs(phase % 1 - .5) - 1
        elif v["kind"] == "fm":
            y = np.sin(2 * np.pi * phase + v["index"] * np.exp(-t / v["tail"]) * np.sin(2 * np.pi * v["ratio"] * phase))
        else:
            y = sum(2 * ((hz * d * t + d) % 1) - 1 for d in (.994, 1, 1.007)) / 2
        share = 1 - np.exp(-2 * np.pi * v["cut"] / RATE)
        y = lfilter([share], [1, share - 1], y)
        env = np.minimum(1, t / v["attack"]) * np.exp(-t / (4 * v["tail"])) * np.clip((n / RATE - t) / .1, 0, 1)
        return .35 * y * env

    for start, length, pitch, velocity, channel in song.notes:
        key = (pitch, channel, 0 if channel == DRUMS else round(length, 2))
        if key not in cache:
            cache[key] = (drum(pitch) if channel == DRUMS else tone(pitch, length, channel)).astype(np.float32)
        y = cache[key]; a = int(start * RATE)
        y = y[: max(0, len(out) - a)] * np.float32(velocity / 127 * song.levels.get(channel, 1.))
        (kicks if channel == DRUMS else out)[a:a + len(y)] += y
    if rng.random() < .35:  # The kick ducks everything but the drums.
        duck = np.ones_like(out); shape = (1 - .8 * np.exp(-np.arange(int(.3 * RATE)) / RATE / .09)).astype(np.float32)
        for start, _, pitch, _, channel in song.notes:
            if channel == DRUMS and pitch in (35, 36):
                a = int(start * RATE); n = min(len(shape), len(duck) - a)
                if n > 0:
                    duck[a:a + n] = np.minimum(duck[a:a + n], shape[:n])
        out *= duck
    return fitted(out + kicks, seconds)


def filtered(sound, kind, hz, order=2):
    return sosfilt(butter(order, np.asarray(hz) / (RATE / 2), kind, output="sos"), sound)


def room(sound, rng):
    """Convolves with a decaying, low-passed noise tail of random length."""
    seconds, direct_db = rng.uniform(.25, 3.2), rng.uniform(-11, 6)
    n = int(seconds * 1.1 * RATE)
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / RATE / seconds)
    tail = filtered(tail, "low", rng.uniform(2500, 9000), 1); tail[: int(rng.uniform(.002, .02) * RATE)] = 0
    tail *= np.sqrt(10 ** (-direct_db / 10) / np.sum(tail ** 2)); tail[0] += 1
    return fftconvolve(sound, tail)[: len(sound)]


def crowd(count, rng):
    """Returns voice-like noise with many independent syllables."""
    out = np.zeros(count)
    for _ in range(int(rng.integers(1, 10))):
        pace = rng.uniform(2.5, 8)
        knots = np.arange(0, count + RATE, RATE / pace)
        syllables = np.interp(np.arange(count), knots, rng.random(len(knots)) ** rng.uniform(1, 4))
        low = rng.uniform(120, 2500)
        out += syllables * filtered(rng.standard_normal(count), "band", [low, low * rng.uniform(1.3, 3)], 1)
    return out


def weather(count, rng):
    """Returns coloured noise that swells slowly, with occasional drops or cracks."""
    y = filtered(rng.standard_normal(count), rng.choice(["low", "high"]), rng.uniform(200, 6000), 1)
    knots = np.arange(0, count + RATE, RATE / rng.uniform(.2, 3))
    y *= 10 ** (np.interp(np.arange(count), knots, rng.normal(0, rng.uniform(1, 8), len(knots))) / 20)
    y /= np.std(y)
    for at in rng.integers(0, count, rng.poisson(count / RATE * rng.choice([0, .3, 2, 10]))):
        n = min(int(rng.uniform(.01, .4) * RATE), count - at)
        y[at:at + n] += rng.uniform(1, 12) * filtered(rng.standard_normal(n), "low", rng.uniform(300, 9000), 1) * np.exp(-np.arange(n) / (n / 4))
    return y


def drone(count, rng):
    """Returns partials that swell slowly and independently."""
    t, y = np.arange(count) / RATE, np.zeros(count)
    root = rng.uniform(40, 220)
    for k in range(1, int(rng.integers(3, 12))):
        swell = 1 + rng.uniform(0, 1) * np.sin(2 * np.pi * rng.uniform(.03, .6) * t + rng.uniform(0, 6))
        y += swell / k ** rng.uniform(.5, 1.5) * np.sin(2 * np.pi * root * k * (1 + rng.normal(0, .003)) * t)
    return y


def noise(count, rng):
    return (crowd, weather)[rng.integers(2)](count, rng)


def mixed(sound, other, db):
    power = max(1e-9, np.mean(sound ** 2))
    return sound + other * np.sqrt(power / max(1e-12, np.mean(other ** 2)) * 10 ** (-db / 10))


def coded(sound, rng):
    """Encodes and decodes at a low bit rate."""
    codec, suffix = (("libmp3lame", "mp3"), ("libopus", "ogg"))[rng.integers(2)]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a." + suffix)
        base = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1"]
        subprocess.run([*base, "-i", "-", "-c:a", codec, "-b:a", f"{int(rng.integers(24, 96))}k", path], check=True, input=sound.astype(np.float32).tobytes())
        raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-"], check=True, stdout=subprocess.PIPE).stdout
    return fitted(np.frombuffer(raw, np.float32), len(sound) / RATE)


def vary(sound, rng, plain):
    """Returns the sound as heard: at random saturated, in a room, with background noise, filtered, or coded; room,
    noise and filters are less likely if `plain`."""
    chance = .25 if plain else .65
    if rng.random() < .3:
        drive = rng.uniform(1, 8)
        sound = np.tanh(drive * sound / max(1e-6, np.abs(sound).max())) / drive
    if rng.random() < chance:
        sound = room(sound, rng)
    if rng.random() < .7 * chance:
        sound = mixed(sound, noise(len(sound), rng), rng.uniform(2, 26))
    if rng.random() < .7 * chance:
        sound = filtered(sound, "low", 300 * 2 ** rng.uniform(0, 4.7), int(rng.integers(1, 5)))
    if rng.random() < .4 * chance:
        sound = filtered(sound, "high", 30 * 2 ** rng.uniform(0, 3), 1)
    sound = sound / max(1e-6, np.abs(sound).max()) * 10 ** (-rng.uniform(0, 30) / 20)
    if rng.random() < .03:
        sound = coded(sound, rng)
    return sound + 10 ** (-rng.uniform(70, 95) / 20) * rng.standard_normal(len(sound))
