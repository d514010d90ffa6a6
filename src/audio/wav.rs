//! Writes a WAV file of 16-bit stereo. Reading goes through `decode` like every other file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::{AudioError, Pcm};

/// Bytes a stereo frame takes in the file.
const FRAME_BYTES: u32 = 4;

/// Writes `pcm` to `path`; what lies beyond full scale is clipped.
pub fn write(path: &Path, pcm: &Pcm) -> Result<(), AudioError> {
    write_all(path, pcm).map_err(|e| AudioError::Write { path: path.to_owned(), reason: e.to_string() })
}

fn write_all(path: &Path, pcm: &Pcm) -> std::io::Result<()> {
    // RIFF counts bytes in 32 bits: 6.7 hours at 44.1 kHz.
    let bytes = u32::try_from(pcm.frames.len())
        .ok()
        .and_then(|frames| frames.checked_mul(FRAME_BYTES))
        .filter(|bytes| *bytes < u32::MAX - 44)
        .ok_or_else(|| std::io::Error::other("too long for a WAV file"))?;
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"RIFF")?;
    file.write_all(&(36 + bytes).to_le_bytes())?;
    file.write_all(b"WAVEfmt ")?;
    file.write_all(&16u32.to_le_bytes())?;
    file.write_all(&1u16.to_le_bytes())?; // PCM
    file.write_all(&2u16.to_le_bytes())?;
    file.write_all(&pcm.rate_hz.to_le_bytes())?;
    file.write_all(&pcm.rate_hz.saturating_mul(FRAME_BYTES).to_le_bytes())?;
    file.write_all(&(FRAME_BYTES as u16).to_le_bytes())?;
    file.write_all(&16u16.to_le_bytes())?;
    file.write_all(b"data")?;
    file.write_all(&bytes.to_le_bytes())?;
    for sample in pcm.frames.iter().flatten() {
        let rounded = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
        file.write_all(&rounded.to_le_bytes())?;
    }
    file.flush()
}
