//! Writes WAV files of 16-bit stereo (hound). Reading goes through `decode` like every other file.

use std::path::Path;

use super::{AudioError, Pcm};

const CHANNELS: u16 = 2;
const BITS: u16 = 16;
/// Most frames in a file: RIFF counts bytes in 32 bits (6.7 hours at 44.1 kHz), and hound does not check.
const MAX_FRAMES: u64 = (u32::MAX as u64 - 64) / (CHANNELS * BITS / 8) as u64;

/// Writes `pcm` to `path`, clipped at full scale.
pub fn write(path: &Path, pcm: &Pcm) -> Result<(), AudioError> {
    write_all(path, pcm).map_err(|e| AudioError::Write { path: path.to_owned(), reason: e.to_string() })
}

fn write_all(path: &Path, pcm: &Pcm) -> hound::Result<()> {
    if pcm.frames.len() as u64 > MAX_FRAMES {
        return Err(std::io::Error::other("too long for a WAV file").into());
    }
    let spec = hound::WavSpec {
        channels: CHANNELS,
        sample_rate: pcm.rate_hz,
        bits_per_sample: BITS,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    for sample in pcm.frames.iter().flatten() {
        file.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16)?;
    }
    file.finalize()
}
