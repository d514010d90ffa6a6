//! Sources that play a file, decoded on the fly, or audio in memory.

use std::path::Path;

use crate::units::{SampleIndex, Seconds};

use super::decode::AudioFile;
use super::source::Playhead;
use super::{AudioError, Block, Frame, Pcm, Resampler, SAMPLE_RATE_HZ, Source};

/// What happens at the end of a file or recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Playback {
    /// Play once and finish.
    #[default]
    Once,
    /// Repeat without a gap.
    Loop,
}

/// A source that plays a file in real time on the show clock, decoding it on the fly.
pub struct FileSource {
    file: AudioFile,
    resampler: Resampler,
    playback: Playback,
    head: Playhead,
    decoded: Vec<Frame>,
    /// Resampled audio; the first `used` frames have been delivered.
    ready: Vec<Frame>,
    used: usize,
    ended: bool,
}

impl FileSource {
    /// Opens `path` and decodes its first packet; fails if it is not playable audio.
    pub fn open(path: &Path, playback: Playback) -> Result<Self, AudioError> {
        let file = AudioFile::open(path)?;
        let resampler = Resampler::new(file.rate_hz(), SAMPLE_RATE_HZ);
        let (decoded, ready) = (Vec::new(), Vec::new());
        Ok(Self {
            file,
            resampler,
            playback,
            head: Playhead::default(),
            decoded,
            ready,
            used: 0,
            ended: false,
        })
    }

    /// Decodes until at least `wanted` frames are ready or the file ends.
    fn prepare(&mut self, wanted: usize) {
        if self.ready.len() - self.used >= wanted {
            return;
        }
        self.ready.drain(..self.used);
        self.used = 0;
        // A looped file that has become unreadable delivers no audio: reopen it at most once per read.
        let mut may_restart = true;
        while self.ready.len() < wanted && !self.ended {
            self.decoded.clear();
            if self.file.next(&mut self.decoded) {
                self.resampler.push(&self.decoded, &mut self.ready);
                continue;
            }
            let before = self.ready.len();
            self.resampler.finish(&mut self.ready);
            self.ended = !(self.playback == Playback::Loop && may_restart && self.restart());
            may_restart = self.ready.len() > before || before > 0;
        }
    }

    fn restart(&mut self) -> bool {
        match AudioFile::open(self.file.path()) {
            Ok(file) => {
                self.resampler = Resampler::new(file.rate_hz(), SAMPLE_RATE_HZ);
                self.file = file;
                true
            }
            Err(e) => {
                log::warn!("could not play the file again ({e}); stopping");
                false
            }
        }
    }
}

impl Source for FileSource {
    fn read(&mut self, now: Seconds, block: &mut Block) {
        block.start = SampleIndex(self.head.position());
        block.frames.clear();
        let due = self.head.due(now);
        self.prepare(due);
        let end = (self.used + due).min(self.ready.len());
        block.frames.extend_from_slice(&self.ready[self.used..end]);
        self.used = end;
    }

    fn finished(&self) -> bool {
        self.ended && self.used == self.ready.len()
    }

    fn name(&self) -> String {
        let path = self.file.path();
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    }
}

/// A source that plays audio in memory on the show clock.
pub struct PcmSource {
    name: String,
    frames: Vec<Frame>,
    playback: Playback,
    head: Playhead,
    at: usize,
}

impl PcmSource {
    /// Builds a source called `name` that plays `pcm`, resampled if necessary.
    pub fn new(name: impl Into<String>, pcm: &Pcm, playback: Playback) -> Self {
        let frames = pcm.at_rate(SAMPLE_RATE_HZ).frames;
        Self { name: name.into(), frames, playback, head: Playhead::default(), at: 0 }
    }
}

impl Source for PcmSource {
    fn read(&mut self, now: Seconds, block: &mut Block) {
        block.start = SampleIndex(self.head.position());
        block.frames.clear();
        let due = self.head.due(now);
        while block.frames.len() < due && self.at < self.frames.len() {
            let end = (self.at + due - block.frames.len()).min(self.frames.len());
            block.frames.extend_from_slice(&self.frames[self.at..end]);
            let restart = end == self.frames.len() && self.playback == Playback::Loop;
            self.at = if restart { 0 } else { end };
        }
    }

    fn finished(&self) -> bool {
        self.at >= self.frames.len()
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Level, wav};

    fn tone(rate_hz: u32, seconds: f64) -> Pcm {
        let count = (f64::from(rate_hz) * seconds) as usize;
        let step = std::f64::consts::TAU * 500.0 / f64::from(rate_hz);
        Pcm { rate_hz, frames: (0..count).map(|n| [(step * n as f64).sin() as f32 * 0.5; 2]).collect() }
    }

    /// Returns all frames that a source delivers during `seconds` of a 60 fps clock.
    fn listen(source: &mut dyn Source, seconds: f64) -> Vec<Frame> {
        let (mut block, mut out) = (Block::default(), Vec::new());
        for k in 0..=(seconds * 60.0) as u32 {
            source.read(Seconds(f64::from(k) / 60.0), &mut block);
            assert_eq!(block.start.0, out.len() as u64, "the clock is continuous");
            out.extend_from_slice(&block.frames);
        }
        out
    }

    #[test]
    fn a_file_plays_in_real_time_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        wav::write(&path, &tone(48_000, 1.0)).unwrap();
        let mut source = FileSource::open(&path, Playback::Once).unwrap();
        let out = listen(&mut source, 0.5);
        assert_eq!(out.len(), 22_050);
        assert!((Level::of(&out).rms_dbfs + 9.03).abs() < 0.1, "{:?}", Level::of(&out));
        assert!(!source.finished());
        let mut block = Block::default();
        source.read(Seconds(2.0), &mut block);
        assert!(source.finished() && block.end().0.abs_diff(44_100) <= 2, "ends at {:?}", block.end());
        assert_eq!(source.name(), "tone.wav");
    }

    #[test]
    fn looped_sources_continue() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        wav::write(&path, &tone(44_100, 0.1)).unwrap();
        let mut file = FileSource::open(&path, Playback::Loop).unwrap();
        let mut piece = PcmSource::new("tone", &tone(44_100, 0.1), Playback::Loop);
        for source in [&mut file as &mut dyn Source, &mut piece] {
            let out = listen(source, 1.0);
            assert_eq!(out.len(), 44_100, "{}", source.name());
            assert!(Level::of(&out[40_000..]).rms_dbfs > -10.0 && !source.finished());
        }
    }
}
