//! Decodes audio files with symphonia, either the whole file into memory or packet by packet.
//!
//! Files are untrusted: a panic in the decoder is caught, and either ends the audio early or makes the file unplayable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;

use super::stereo::stereo;
use super::{AudioError, Frame, Pcm, wav_source};
use crate::disk::{Input, limit};

/// Longest audio held in memory, in minutes at 48 kHz (about 23 MB per minute); shorter at higher rates,
/// longer at lower ones.
pub const LONGEST_MINUTES: u32 = 120;
const MAX_FRAMES: usize = LONGEST_MINUTES as usize * 60 * 48_000;
/// Plausible sample rates, in Hz.
const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// Number of consecutive corrupt or empty packets after which the rest of the file is ignored.
const MAX_BAD_PACKETS: u32 = 256;

/// Decodes a whole file to stereo at the sample rate of the file. Fails if it cannot be opened or decoded, or
/// is too long.
pub fn decode(path: &Path) -> Result<Pcm, AudioError> {
    let pcm = decode_start(path, f64::INFINITY)?;
    match pcm.frames.len() {
        ..=MAX_FRAMES => Ok(pcm),
        _ => Err(AudioError::TooLong { path: path.to_owned(), limit_minutes: LONGEST_MINUTES }),
    }
}

/// Decodes the first `seconds` of a file, or a little more, to stereo at the sample rate of the file. Fails
/// if it cannot be opened or decoded.
pub fn decode_start(path: &Path, seconds: f64) -> Result<Pcm, AudioError> {
    let mut file = AudioFile::open(path)?;
    let rate_hz = file.rate_hz();
    let wanted = (seconds * f64::from(rate_hz)).min(MAX_FRAMES as f64) as usize;
    let mut frames = Vec::new();
    while frames.len() <= wanted && file.next(&mut frames) {}
    if frames.is_empty() {
        return Err(unplayable(path, "it contains no audio"));
    }
    Ok(Pcm { rate_hz, frames })
}

/// An open file that is decoded packet by packet.
pub(crate) struct AudioFile {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate_hz: u32,
    samples: Vec<f32>,
    /// The first packet, decoded on opening to verify the file.
    first: Vec<Frame>,
}

impl AudioFile {
    pub(crate) fn open(path: &Path) -> Result<Self, AudioError> {
        let failed = |e: std::io::Error| AudioError::Open { path: path.to_owned(), reason: e.to_string() };
        let file = Input::open(path, limit::STREAM).map_err(failed)?;
        catch_unwind(AssertUnwindSafe(|| Self::probe(path, file)))
            .unwrap_or_else(|_| Err(unplayable(path, "the decoder crashed")))
    }

    fn probe(path: &Path, file: Input) -> Result<Self, AudioError> {
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        let source = wav_source::open(file).map_err(|error| unplayable(path, &error.to_string()))?;
        let stream = MediaSourceStream::new(source, Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, Default::default(), Default::default())
            .map_err(|_| unplayable(path, "unknown format"))?;
        let track =
            format.default_track(TrackType::Audio).ok_or_else(|| unplayable(path, "no audio track"))?;
        let parameters = track
            .codec_params
            .as_ref()
            .and_then(|codec| codec.audio())
            .ok_or_else(|| unplayable(path, "no audio codec"))?;
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &Default::default())
            .map_err(|e| unplayable(path, &e.to_string()))?;
        let (track, rate_hz) = (track.id, parameters.sample_rate.unwrap_or(0));
        let (samples, first) = (Vec::new(), Vec::new());
        let mut file = Self { path: path.to_owned(), format, decoder, track, rate_hz, samples, first };
        let mut first = Vec::new();
        if !file.decode_packet(&mut first) {
            return Err(unplayable(path, "no packet can be decoded"));
        }
        if !RATES_HZ.contains(&file.rate_hz) {
            return Err(unplayable(path, &format!("unsupported sample rate of {} Hz", file.rate_hz)));
        }
        file.first = first;
        Ok(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Appends the next packet to `out`; returns false at the end of the decodable audio.
    pub(crate) fn next(&mut self, out: &mut Vec<Frame>) -> bool {
        if !self.first.is_empty() {
            out.append(&mut self.first);
            return true;
        }
        let before = out.len();
        let decoded = catch_unwind(AssertUnwindSafe(|| self.decode_packet(out)));
        decoded.unwrap_or_else(|_| {
            out.truncate(before);
            false
        })
    }

    fn decode_packet(&mut self, out: &mut Vec<Frame>) -> bool {
        let mut bad = 0;
        while bad < MAX_BAD_PACKETS {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Err(Error::ResetRequired) if self.next_stream() => continue,
                Ok(None) | Err(_) => return false, // the file ends or is truncated
            };
            if packet.track_id != self.track {
                continue;
            }
            let buffer = match self.decoder.decode(&packet) {
                Ok(buffer) if buffer.frames() > 0 => buffer,
                Ok(_) | Err(Error::DecodeError(_)) => {
                    bad += 1; // skip a corrupt or empty packet
                    continue;
                }
                Err(_) => return false,
            };
            let channels = buffer.spec().channels().count().max(1);
            self.rate_hz =
                if self.first.is_empty() && self.rate_hz == 0 { buffer.spec().rate() } else { self.rate_hz };
            self.samples.resize(buffer.samples_interleaved(), 0.0);
            buffer.copy_to_slice_interleaved(&mut self.samples);
            out.extend(self.samples.chunks_exact(channels).map(stereo));
            return true;
        }
        false
    }
}

impl AudioFile {
    /// Switches to the next stream of a chained file (such as chained Ogg). Returns false if there is none,
    /// its sample rate differs, or it cannot be decoded.
    fn next_stream(&mut self) -> bool {
        let Some(track) = self.format.default_track(TrackType::Audio) else { return false };
        let Some(parameters) = track.codec_params.as_ref().and_then(|codec| codec.audio()) else {
            return false;
        };
        let decoder = symphonia::default::get_codecs().make_audio_decoder(parameters, &Default::default());
        match decoder {
            Ok(decoder) if parameters.sample_rate.is_none_or(|rate| rate == self.rate_hz) => {
                (self.track, self.decoder) = (track.id, decoder);
                true
            }
            _ => false,
        }
    }
}

fn unplayable(path: &Path, reason: &str) -> AudioError {
    AudioError::Unplayable { path: path.to_owned(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::wav;

    #[test]
    fn a_wav_file_round_trips_within_two_steps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let frames = (0..4_410).map(|n| [(n as f32 * 0.05).sin() * 0.8, (n as f32 * 0.03).cos() * 0.3]);
        let pcm = Pcm { rate_hz: 32_000, frames: frames.collect() };
        wav::write(&path, &pcm).unwrap();
        let back = decode(&path).unwrap();
        assert_eq!((back.rate_hz, back.frames.len()), (32_000, pcm.frames.len()));
        let pairs = back.frames.iter().flatten().zip(pcm.frames.iter().flatten());
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 2.0 / 32_768.0, "worst sample is off by {worst}");
    }

    #[test]
    fn invalid_files_give_one_line_errors() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes.mp3");
        std::fs::write(&text, "this is a shopping list, not music\n".repeat(50)).unwrap();
        let empty = folder.path().join("empty.wav");
        std::fs::write(&empty, "").unwrap();
        for (path, part) in [
            (text.as_path(), "cannot be played"),
            (empty.as_path(), "cannot be played"),
            (folder.path(), "folder"),
            (Path::new("/no/such/file.ogg"), "could not open"),
        ] {
            let line = decode(path).expect_err("this must not decode").to_string();
            assert!(line.contains(part) && !line.contains('\n'), "{}: {line}", path.display());
        }
    }

    #[test]
    fn a_truncated_file_plays_up_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.wav");
        wav::write(&path, &Pcm { rate_hz: 44_100, frames: vec![[0.5, -0.5]; 20_000] }).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let decoded = decode(&path).unwrap().frames.len();
        assert!((8_000..=10_000).contains(&decoded), "{decoded} of 20000 frames decoded");
    }
}
