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


def load(path):
    """Reads the weights that `save` wrote."""
    network = Network()
    weights = torch.frombuffer(bytearray(open(path, "rb").read()), dtype=torch.float32)
    with torch.no_grad():
        for layer in network.layers():
            outputs, inputs, taps = layer.weight.shape
            count = layer.weight.numel()
            layer.weight.copy_(weights[:count].reshape(taps, inputs, outputs).permute(2, 1, 0))
            layer.bias.copy_(weights[count:count + outputs])
            weights = weights[count + outputs:]
    return network


def check(network, frames=(1, 50, 300)):
    """Returns the logits after these numbers of frames of sines, for the test of the forward pass in Rust."""
    frame, place = torch.arange(1, max(frames) + 1).double(), torch.arange(1, 2 * BANDS + 1).double()
    x = torch.sin(.1 * place[:, None] * frame).float()[None]
    with torch.no_grad():
        logits = network(x)[0]
    return [(count, logits[:, count - 1].tolist()) for count in frames]
