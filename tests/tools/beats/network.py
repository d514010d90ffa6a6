"""The network: causal dilated convolutions with residuals (Bai, Kolter and Koltun, arXiv 1803.01271)."""
import struct

import torch
from torch import nn
from torch.nn.functional import pad, relu

from .features import BANDS

CHANNELS, FIRST, WIDTH, DILATIONS = 32, 3, 5, (1, 2, 4, 8, 16, 32, 64)
OUTPUTS = 3  # beat, downbeat, presence of a beat


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(2 * BANDS, CHANNELS, FIRST)
        self.wide = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, WIDTH, dilation=d) for d in DILATIONS)
        self.mix = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, 1) for _ in DILATIONS)
        self.last = nn.Conv1d(CHANNELS, OUTPUTS, 1)
        with torch.no_grad():
            for mix in self.mix:
                mix.weight *= .5

    def forward(self, x):
        """Returns (batch, outputs, frames) logits of (batch, 2 BANDS, frames) inputs."""
        x = relu(self.first(pad(x, (FIRST - 1, 0))))
        for wide, mix, dilation in zip(self.wide, self.mix, DILATIONS):
            x = x + mix(relu(wide(pad(x, ((WIDTH - 1) * dilation, 0)))))
        return self.last(relu(x))

    def layers(self):
        return [self.first, *(layer for pair in zip(self.wide, self.mix) for layer in pair), self.last]


def save(network, path):
    """Writes the weights in the order of the layers: (taps, inputs, outputs), then the biases; little-endian f32."""
    with open(path, "wb") as file:
        for layer in network.layers():
            weights = layer.weight.detach().permute(2, 1, 0).contiguous().flatten().tolist()
            weights += layer.bias.detach().tolist()
            file.write(struct.pack(f"<{len(weights)}f", *weights))
