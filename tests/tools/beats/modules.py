"""Renders tracker modules with libopenmpt, with exact times of their rows."""
import ctypes
import functools

import numpy as np

RATE = 44_100
CHUNK = 220  # Samples; the time of a row is exact to these.


@functools.cache
def library():
    lib = ctypes.CDLL("libopenmpt.so.0")
    lib.openmpt_module_create_from_memory2.restype = ctypes.c_void_p
    lib.openmpt_module_get_duration_seconds.restype = ctypes.c_double
    lib.openmpt_module_set_position_seconds.restype = ctypes.c_double
    lib.openmpt_module_read_float_mono.restype = ctypes.c_size_t
    return lib


class Module:
    """A tracker module that is open."""

    def __init__(self, path):
        data = open(path, "rb").read()
        self.lib, none = library(), ctypes.c_void_p()
        self.handle = ctypes.c_void_p(self.lib.openmpt_module_create_from_memory2(
            data, ctypes.c_size_t(len(data)), none, none, none, none, none, none, none))
        if not self.handle:
            raise ValueError(f"{path} cannot be read")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lib.openmpt_module_destroy(self.handle)

    def number(self, what, *arguments):
        return getattr(self.lib, f"openmpt_module_get_{what}")(self.handle, *arguments)

    def render(self, start, seconds):
        """Returns the sound and the rows as (time, row, rows of the pattern, seconds of a row)."""
        self.lib.openmpt_module_set_position_seconds(self.handle, ctypes.c_double(start))
        buffer = (ctypes.c_float * CHUNK)()
        sound, rows, last = [], [], None
        for at in range(int(seconds * RATE / CHUNK)):
            if self.lib.openmpt_module_read_float_mono(self.handle, RATE, ctypes.c_size_t(CHUNK), buffer) < CHUNK:
                break
            sound.append(np.frombuffer(buffer, np.float32).copy())
            place = self.number("current_order"), self.number("current_row")
            if place != last:
                count = self.number("pattern_num_rows", self.number("current_pattern"))
                ticks, tempo = self.number("current_speed"), self.number("current_tempo")
                rows.append((at * CHUNK / RATE, place[1], count, 2.5 * ticks / max(1, tempo)))
                last = place
        return np.concatenate(sound) if sound else np.zeros(0, np.float32), rows[1:]


def beats(rows):
    """Returns beats and downbeats in seconds; none if the rows have no plain grid."""
    if len(rows) < 32:
        return None
    length = np.median([row[3] for row in rows])
    per_beat = next((count for count in (4, 8, 16, 2) if 68 <= 60 / (length * count) <= 186), None)
    whole = all(count % (4 * per_beat) == 0 for _, _, count, _ in rows) if per_beat else False
    if not whole:
        return None
    times = np.array([time for time, row, _, _ in rows if row % per_beat == 0])
    gaps = np.diff(times)
    if len(gaps) < 8 or np.abs(gaps / np.median(gaps) - 1).max() > .12:
        return None
    return times, np.array([time for time, row, _, _ in rows if row % (4 * per_beat) == 0])


def excerpt(path, rng, seconds):
    """Returns the sound, beats and downbeats of a random part of a module, or fails if it has no plain grid."""
    with Module(path) as module:
        length = module.number("duration_seconds")
        sound, rows = module.render(rng.uniform(0, max(0., min(length, 600.) - seconds)), seconds)
    found = beats(rows)
    if found is None or len(sound) < seconds * RATE * .7:
        raise ValueError(f"{path} has no plain grid here")
    speed = rng.uniform(.88, 1.14)
    count = int(len(sound) / speed)
    sound = np.interp(np.arange(count) * speed, np.arange(len(sound)), sound).astype(np.float32)
    return np.pad(sound, (0, max(0, int(seconds * RATE) - count)))[: int(seconds * RATE)], found[0] / speed, found[1] / speed
