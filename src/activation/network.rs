//! Forward pass, one frame at a time, of a causal network of dilated convolutions with residual connections (Bai,
//! Kolter and Koltun, "An empirical evaluation of generic convolutional and recurrent networks for sequence modeling",
//! 2018).

/// Channels of every hidden layer.
const CHANNELS: usize = 32;
/// Taps of the first layer and of each dilated layer.
const FIRST_TAPS: usize = 3;
const TAPS: usize = 5;
/// Frames between the taps of each dilated layer.
const DILATIONS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Outputs: beat, downbeat, and whether there is a beat at all.
pub(super) const OUTPUTS: usize = 3;

/// Returns the number of weights of a network with `inputs` inputs.
pub(super) const fn weight_count(inputs: usize) -> usize {
    (FIRST_TAPS * inputs + 1) * CHANNELS
        + DILATIONS.len() * ((TAPS * CHANNELS + 1) + (CHANNELS + 1)) * CHANNELS
        + (CHANNELS + 1) * OUTPUTS
}

type Hidden = [f32; CHANNELS];

/// A causal convolution with its past inputs.
struct Convolution<const IN: usize, const OUT: usize> {
    /// One weight per tap (oldest first), input and output.
    weights: Vec<[[f32; OUT]; IN]>,
    bias: [f32; OUT],
    /// Frames between taps.
    dilation: usize,
    /// Ring of the latest inputs; the next one is written at `at`.
    past: Vec<[f32; IN]>,
    at: usize,
}

impl<const IN: usize, const OUT: usize> Convolution<IN, OUT> {
    /// Builds a layer from the next weights of `from`; missing weights are 0.
    fn take(from: &mut impl Iterator<Item = f32>, taps: usize, dilation: usize) -> Self {
        let mut next = || from.next().unwrap_or_default();
        let mut row = || std::array::from_fn(|_| next());
        let weights = (0..taps).map(|_| std::array::from_fn(|_| row())).collect();
        Self { weights, bias: row(), dilation, past: vec![[0.0; IN]; (taps - 1) * dilation + 1], at: 0 }
    }

    /// Returns the output for the latest input.
    fn step(&mut self, input: &[f32; IN]) -> [f32; OUT] {
        let length = self.past.len();
        self.past[self.at] = *input;
        // The oldest input directly follows the newest one in the ring.
        let oldest = (self.at + 1) % length;
        let mut out = self.bias;
        for (tap, weights) in self.weights.iter().enumerate() {
            let input = &self.past[(oldest + tap * self.dilation) % length];
            for (value, row) in input.iter().zip(weights) {
                for (out, weight) in out.iter_mut().zip(row) {
                    *out += value * weight;
                }
            }
        }
        self.at = oldest;
        out
    }
}

/// The network with the state of its layers; allocates nothing after construction.
pub(super) struct Network<const IN: usize> {
    first: Convolution<IN, CHANNELS>,
    blocks: Vec<(Convolution<CHANNELS, CHANNELS>, Convolution<CHANNELS, CHANNELS>)>,
    last: Convolution<CHANNELS, OUTPUTS>,
}

impl<const IN: usize> Network<IN> {
    /// Builds the network from little-endian weights, layer by layer.
    pub fn new(weights: &[u8]) -> Self {
        let mut weights = weights.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
        let from = &mut weights;
        Self {
            first: Convolution::take(from, FIRST_TAPS, 1),
            blocks: DILATIONS
                .iter()
                .map(|&dilation| (Convolution::take(from, TAPS, dilation), Convolution::take(from, 1, 1)))
                .collect(),
            last: Convolution::take(from, 1, 1),
        }
    }

    /// Returns the logits for the next frame.
    pub fn step(&mut self, input: &[f32; IN]) -> [f32; OUTPUTS] {
        let rectified = |layer: Hidden| layer.map(|value| value.max(0.0));
        let mut hidden = rectified(self.first.step(input));
        for (wide, mix) in &mut self.blocks {
            let added = mix.step(&rectified(wide.step(&hidden)));
            hidden.iter_mut().zip(added).for_each(|(hidden, added)| *hidden += added);
        }
        self.last.step(&rectified(hidden))
    }
}
