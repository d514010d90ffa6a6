"""The inputs of the network, as in `src/analysis`: band powers relative to the reference level, every 20 ms."""
import numpy as np
from scipy.signal import lfilter

RATE, HOP, SIZE = 44_100, 441, 2048
FRAME_HOPS = 2
FLOOR = 1e-5
MEAN_SECS = 1.5


def edges():
    """Returns the first bin of each band (`filterbank.rs`)."""
    hz = RATE / SIZE
    last = min(int(16_000 / hz), SIZE // 2)
    bins = [max(int(21 / hz), 1)]
    while bins[-1] < last and len(bins) <= 48:
        bins.append(min(max(int(np.floor(bins[-1] * 1.189207 + .5)), bins[-1] + 1), last))
    return np.array(bins)


EDGES = edges()
BANDS = len(EDGES) - 1


def powers(sound):
    """Returns the band powers of every frame relative to the reference level (`stft.rs`, `gain.rs`), as logarithms."""
    cut = 2 * np.pi * 12 / RATE
    sound = sound - lfilter([cut], [1, cut - 1], sound)
    hops = len(sound) // HOP
    padded = np.concatenate([np.zeros(SIZE - HOP), sound]).astype(np.float32)
    window = (.5 - .5 * np.cos(2 * np.pi * (np.arange(SIZE) + .5) / SIZE)).astype(np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP][:hops]
    out = np.empty((hops, BANDS))
    for start in range(0, hops, 512):
        spectrum = np.abs(np.fft.rfft(blocks[start:start + 512] * window, axis=1)) ** 2 * (2 / (SIZE * SIZE * .375))
        out[start:start + 512] = np.add.reduceat(spectrum, EDGES, axis=1)[:, :BANDS]
    level = np.mean(sound[: hops * HOP].reshape(-1, HOP) ** 2, axis=1)
    smooth = reference = 0.
    lowest = 10 ** -5.8
    for hop, power in enumerate(level):
        smooth += (power - smooth) * (.5 if power > smooth else .01 / .07)
        gate = min(1., max(0., (10 * np.log10(smooth + 1e-12) + 65) / 7))
        if gate > 0:
            reference = reference or smooth
            ratio = min(1e4, max(1e-3, max(smooth, 1e-12) / reference))
            reference *= ratio ** (.01 / (.6 if smooth > reference else 12))
        out[hop] *= gate / max(reference, lowest)
    frames = hops // FRAME_HOPS
    return np.log(out[: frames * FRAME_HOPS].reshape(frames, FRAME_HOPS, BANDS).mean(1) + 1e-8)


def inputs(log_powers):
    """Returns the network's inputs from the (…, frames, bands) log powers: level, and level over its running mean."""
    level = np.logaddexp(log_powers, np.float32(np.log(FLOOR)))
    share, mean = 1 - np.exp(-.02 / MEAN_SECS), np.zeros_like(level[..., 0, :])
    above = np.empty_like(level)
    for frame in range(level.shape[-2]):
        now = level[..., frame, :]
        mean = mean + (now - mean) * max(share, 1 / (frame + 1))
        above[..., frame, :] = now - mean
    return np.concatenate([(level + 6) / 4, above / 2], axis=-1).astype(np.float32)
