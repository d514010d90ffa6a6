"""Makes training excerpts: songs and beatless sound as heard in rooms, one file each."""
import glob
import os

import numpy as np

from . import features, songs, sounds

FONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
MIDI_FOLDERS = ["/usr/share/games/openttd/baseset/openmsx", "/usr/share/games/simutrans/music"]
SECONDS = 40
VARIANTS = 3


def midi_files():
    return sorted(path for folder in MIDI_FOLDERS for path in glob.glob(f"{folder}/*.mid"))


def beatless(rng):
    """Returns sound without any beat."""
    count = SECONDS * sounds.RATE
    kind = rng.random()
    if kind < .4:
        sound = sounds.with_soundfont(songs.drift_off(rng, SECONDS), SECONDS, FONT, rng)
    elif kind < .6:
        sound = sounds.drone(count, rng)
    elif kind < .8:
        return sounds.crowd(count, rng)
    else:
        return sounds.weather(count, rng)
    return sounds.mixed(sound, sounds.noise(count, rng), rng.uniform(0, 30)) if rng.random() < .4 else sound


def make(seed, folder):
    """Writes the excerpt of `seed`."""
    path = f"{folder}/{seed:06}.npz"
    if os.path.exists(path):
        return
    rng = np.random.default_rng(seed)
    kind, source, files = rng.random(), "composed", midi_files()
    beats = downbeats = np.zeros(0)
    if kind < .2:
        sound, source = beatless(rng), "beatless"
    else:
        if kind < .4 and files:
            name = files[rng.integers(len(files))]
            source, song = os.path.basename(name), songs.midi_song(name, rng, SECONDS)
        else:
            song = songs.compose(rng, SECONDS)
        sound = sounds.with_synth(song, SECONDS, rng) if rng.random() < .3 else sounds.with_soundfont(song, SECONDS, FONT, rng)
        beats, downbeats = song.beats, song.downbeats
    if np.abs(sound).max() < 1e-3:
        return
    levels = [features.powers(sounds.vary(sound, rng, variant == 0)).astype(np.float16) for variant in range(VARIANTS)]
    np.savez(path + ".part.npz", levels=np.stack(levels), beats=beats[beats < SECONDS], downbeats=downbeats[downbeats < SECONDS], source=source)
    os.replace(path + ".part.npz", path)
