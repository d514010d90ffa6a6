//! WAV files with wrong headers, as left by crashed recorders and incomplete copies: lengths of 0, lengths beyond the
//! end of the file, and damaged chunks before the audio.
//!
//! The decoder never sees the file's header, only one that is rebuilt from the format and the audio found in
//! the file.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia::core::io::MediaSource;

use crate::disk::Input;

/// Number of bytes at the start of a file within which the format and the audio must begin.
const SEARCHED: u64 = 4 << 20;
/// Valid lengths of a format chunk in bytes: 16 for plain PCM, 40 for the extensible format, more for some
/// compressed ones.
const FORMAT_LENGTHS: Range<u32> = 16..2_048;
/// Length in the header of a chunk whose end was not yet known when the header was written.
const UNKNOWN: u32 = u32::MAX;

/// Returns a source that reads `file`, with a corrected header if it is a WAV file.
///
/// # Errors
/// Fails if the file cannot be read.
pub(super) fn open(mut file: Input) -> io::Result<Box<dyn MediaSource>> {
    let length = file.length();
    let mut start = Vec::new();
    (&mut file).take(SEARCHED).read_to_end(&mut start)?;
    file.rewind()?;
    match find(&start, length) {
        Some(parts) => Ok(Box::new(WavSource {
            header: header(&start[parts.format], &parts.audio),
            audio: parts.audio,
            file,
            at: 0,
        })),
        None => Ok(Box::new(file)),
    }
}

/// Byte ranges of the format and the audio in a WAV file.
#[derive(Debug, PartialEq)]
struct Parts {
    format: Range<usize>,
    audio: Range<u64>,
}

/// Finds the parts in the first bytes of a file of `length` bytes; `None` if it is not a WAV file or a part
/// is missing.
fn find(start: &[u8], length: u64) -> Option<Parts> {
    let magic = start.get(..12)?;
    if !matches!(&magic[..4], b"RIFF" | b"RF64" | b"BW64") || &magic[8..] != b"WAVE" {
        return None;
    }
    let mut format = None;
    // Length of the audio in bytes, in files of more than 4 GiB.
    let mut long = None;
    let mut at = 12;
    loop {
        let chunk = start.get(at..at + 8)?;
        let claimed = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        let body = at + 8;
        match &chunk[..4] {
            b"fmt " if FORMAT_LENGTHS.contains(&claimed) => {
                format = Some(body..(body + claimed as usize).min(start.len()));
            }
            b"ds64" => {
                let bytes = start.get(body + 8..body + 16)?;
                long = bytes.try_into().ok().map(u64::from_le_bytes);
            }
            b"data" if format.is_some() => {
                let format = format?;
                let claimed = if claimed == UNKNOWN { long.unwrap_or(u64::MAX) } else { claimed.into() };
                let there = length.saturating_sub(body as u64);
                let audio = if claimed == 0 { there } else { claimed.min(there) };
                let frame = start.get(format.start + 12..format.start + 14)?;
                let frame = u64::from(u16::from_le_bytes([frame[0], frame[1]])).max(1);
                return Some(Parts { format, audio: body as u64..body as u64 + audio / frame * frame });
            }
            _ => {}
        }
        // Chunks must begin at even offsets, but some writers omit the padding.
        let next = body.checked_add(claimed as usize)?;
        let begins = |at: &usize| start.get(*at..at + 4).is_some_and(|id| id.iter().all(|&byte| is_id(byte)));
        at = match [next + next % 2, next].into_iter().find(begins) {
            Some(next) => next,
            None => search(start, body, if format.is_some() { b"data" } else { b"fmt " })?,
        };
    }
}

fn is_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'_'
}

/// Returns the offset of the next chunk called `name`, searching from within a chunk whose length is wrong.
fn search(start: &[u8], from: usize, name: &[u8; 4]) -> Option<usize> {
    start.get(from..)?.windows(4).position(|window| window == name).map(|at| from + at)
}

/// Returns a WAV header for audio of this format.
fn header(format: &[u8], audio: &Range<u64>) -> Vec<u8> {
    let length = u32::try_from(audio.end - audio.start).unwrap_or(UNKNOWN);
    let whole = length.saturating_add(20 + format.len() as u32);
    let mut header = Vec::new();
    let parts: [&[u8]; 6] =
        [b"RIFF", &whole.to_le_bytes(), b"WAVEfmt ", &(format.len() as u32).to_le_bytes(), format, b"data"];
    parts.into_iter().for_each(|part| header.extend_from_slice(part));
    header.extend_from_slice(&length.to_le_bytes());
    header
}

/// A reader of the rebuilt header, followed by the audio of the file.
struct WavSource {
    header: Vec<u8>,
    audio: Range<u64>,
    file: Input,
    at: u64,
}

impl WavSource {
    fn length(&self) -> u64 {
        self.header.len() as u64 + self.audio.end - self.audio.start
    }
}

impl Read for WavSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let header = self.header.get(self.at as usize..).unwrap_or_default();
        let read = if header.is_empty() {
            self.file.seek(SeekFrom::Start(self.audio.start + self.at - self.header.len() as u64))?;
            let left = self.length().saturating_sub(self.at);
            (&mut self.file).take(left).read(buffer)?
        } else {
            (&mut &*header).read(buffer)?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for WavSource {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.length(), by),
            SeekFrom::Current(by) => (self.at, by),
        };
        let at = from.checked_add_signed(by).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.at = at;
        Ok(at)
    }
}

impl MediaSource for WavSource {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length())
    }
}

impl MediaSource for Input {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::decode::decode;

    const FRAMES: usize = 1_000;

    fn chunk(name: &[u8; 4], length: u32, body: &[u8]) -> Vec<u8> {
        [&name[..], &length.to_le_bytes(), body].concat()
    }

    fn format() -> Vec<u8> {
        let words = [1_u16.to_le_bytes(), 1_u16.to_le_bytes()].concat();
        let rates = [8_000_u32.to_le_bytes(), 16_000_u32.to_le_bytes()].concat();
        [words, rates, [2_u16.to_le_bytes(), 16_u16.to_le_bytes()].concat()].concat()
    }

    fn samples() -> Vec<u8> {
        (0..FRAMES).flat_map(|n| ((n as i16 % 100) * 200).to_le_bytes()).collect()
    }

    /// Returns the number of frames decoded from a file with these chunks.
    fn decoded(riff: u32, chunks: &[Vec<u8>]) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        let body = [b"WAVE".to_vec(), chunks.concat()].concat();
        std::fs::write(&path, chunk(b"RIFF", riff, &body)).unwrap();
        decode(&path).map_or(0, |pcm| pcm.frames.len())
    }

    #[test]
    fn files_with_wrong_lengths_play_to_the_end_of_their_audio() {
        let (format, audio) = (format(), samples());
        let bytes = audio.len() as u32;
        let right = chunk(b"fmt ", 16, &format);
        for (riff, data) in [
            (bytes + 36, bytes),
            (0, 0),
            (0, bytes),
            (bytes + 36, 0),
            (1_000_000, 1_000_000),
            (bytes + 36, 1_000_000),
            (1_000_000, bytes),
            (7, bytes),
            (u32::MAX, u32::MAX),
            (u32::MAX, bytes + 1),
        ] {
            let chunks = [right.clone(), chunk(b"data", data, &audio)];
            assert_eq!(decoded(riff, &chunks), FRAMES, "RIFF {riff}, data {data}");
        }
    }

    #[test]
    fn damaged_chunks_before_the_audio_are_skipped() {
        let (format, audio) = (format(), samples());
        let data = chunk(b"data", audio.len() as u32, &audio);
        let right = chunk(b"fmt ", 16, &format);
        let inner = chunk(b"ISFT", 5_000, b"abcd");
        let list = |length| chunk(b"LIST", length, &[b"INFO".to_vec(), inner.clone()].concat());
        for chunks in [
            vec![list(16), right.clone(), data.clone()],
            vec![list(5_000_000), right.clone(), data.clone()],
            vec![right.clone(), list(5_000_000), data.clone()],
            vec![right.clone(), chunk(b"fact", 0, &[9; 4]), data.clone()],
            vec![right.clone(), chunk(b"note", 3, b"odd"), data.clone()],
            vec![right.clone(), chunk(b"note", 3, b"odd\0"), data.clone()],
            vec![right, data.clone(), chunk(b"LIST", 99_999, b"INFO")],
        ] {
            assert_eq!(decoded(0, &chunks), FRAMES, "{:?}", String::from_utf8_lossy(&chunks[0]));
        }
    }

    #[test]
    fn rf64_files_take_their_length_from_the_ds64_chunk() {
        let (format, audio) = (format(), samples());
        let long = [0_u64, audio.len() as u64, FRAMES as u64].map(u64::to_le_bytes).concat();
        let body = [
            b"RF64".to_vec(),
            u32::MAX.to_le_bytes().to_vec(),
            b"WAVE".to_vec(),
            chunk(b"ds64", 24, &long),
            chunk(b"fmt ", 16, &format),
            chunk(b"data", u32::MAX, &audio),
            chunk(b"LIST", 4, b"INFO"),
        ];
        let start = body.concat();
        let parts = find(&start, start.len() as u64).expect("a WAV file");
        assert_eq!(parts.audio.end - parts.audio.start, audio.len() as u64);
    }

    #[test]
    fn other_formats_and_invalid_files_are_rejected() {
        let (format, audio) = (format(), samples());
        let wave = |chunks: &[Vec<u8>]| [&b"RIFF\0\0\0\0WAVE"[..], &chunks.concat()].concat();
        for bytes in [
            b"OggS".to_vec(),
            b"RIFF\0\0\0\0AVI LIST".to_vec(),
            wave(&[]),
            wave(&[chunk(b"data", 4, &audio)]),
            wave(&[chunk(b"fmt ", 3, &format)]),
            wave(&[chunk(b"fmt ", u32::MAX, &format)]),
        ] {
            assert_eq!(find(&bytes, bytes.len() as u64), None, "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
}
