//! Sources that play what is already known: a file as it is decoded, or a piece in memory.

use std::path::Path;

use crate::units::{SampleIndex, Seconds};

use super::decode::AudioFile;
use super::source::Playhead;
use super::{AudioError, Block, Frame, HOUSE_RATE_HZ, Pcm, Resampler, Source};

/// What happens when a file or a piece comes to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Playback {
    /// It plays once; after it comes nothing.
    #[default]
    Once,
    /// It starts over without a gap.
    Loop,
}

/// A file that plays in real time by the show's clock, decoded as it goes.
pub struct FileSource {
    file: AudioFile,
    resampler: Resampler,
    playback: Playback,
    head: Playhead,
    decoded: Vec<Frame>,
    /// Sound at the house rate that is not yet due; `used` frames of it are gone.
    ready: Vec<Frame>,
    used: usize,
    ended: bool,
}

impl FileSource {
    /// Opens `path`; it is known to hold sound when this returns.
    pub fn open(path: &Path, playback: Playback) -> Result<Self, AudioError> {
        let file = AudioFile::open(path)?;
        let resampler = Resampler::new(file.rate_hz(), HOUSE_RATE_HZ);
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

    /// Makes at least `wanted` frames ready, unless the end comes first.
    fn prepare(&mut self, wanted: usize) {
        if self.ready.len() - self.used >= wanted {
            return;
        }
        self.ready.drain(..self.used);
        self.used = 0;
        // A looped file that has gone bad delivers nothing: it is reopened once per read, not for ever.
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
                self.resampler = Resampler::new(file.rate_hz(), HOUSE_RATE_HZ);
                self.file = file;
                true
            }
            Err(e) => {
                log::warn!("the loop ends: {e}");
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

/// A piece in memory that plays by the show's clock.
pub struct PcmSource {
    name: String,
    frames: Vec<Frame>,
    playback: Playback,
    head: Playhead,
    at: usize,
}

impl PcmSource {
    /// Plays `pcm`, whatever its rate, under the name `name`.
    pub fn new(name: impl Into<String>, pcm: &Pcm, playback: Playback) -> Self {
        let frames = pcm.at_rate(HOUSE_RATE_HZ).frames;
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
            let starts_over = end == self.frames.len() && self.playback == Playback::Loop;
            self.at = if starts_over { 0 } else { end };
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

    /// Everything a source delivers in `seconds` of a 60 fps clock.
    fn listen(source: &mut dyn Source, seconds: f64) -> Vec<Frame> {
        let (mut block, mut heard) = (Block::default(), Vec::new());
        for k in 0..=(seconds * 60.0) as u32 {
            source.read(Seconds(f64::from(k) / 60.0), &mut block);
            assert_eq!(block.start.0, heard.len() as u64, "the clock is continuous");
            heard.extend_from_slice(&block.frames);
        }
        heard
    }

    #[test]
    fn a_file_plays_in_real_time_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        wav::write(&path, &tone(48_000, 1.0)).unwrap();
        let mut source = FileSource::open(&path, Playback::Once).unwrap();
        let heard = listen(&mut source, 0.5);
        assert_eq!(heard.len(), 22_050);
        assert!((Level::of(&heard).rms_dbfs + 9.03).abs() < 0.1, "{:?}", Level::of(&heard));
        assert!(!source.finished());
        let mut block = Block::default();
        source.read(Seconds(2.0), &mut block);
        assert!(source.finished() && block.end().0.abs_diff(44_100) <= 2, "ends at {:?}", block.end());
        assert_eq!(source.name(), "tone.wav");
    }

    #[test]
    fn a_looped_file_and_a_looped_piece_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        wav::write(&path, &tone(44_100, 0.1)).unwrap();
        let mut file = FileSource::open(&path, Playback::Loop).unwrap();
        let mut piece = PcmSource::new("tone", &tone(44_100, 0.1), Playback::Loop);
        for source in [&mut file as &mut dyn Source, &mut piece] {
            let heard = listen(source, 1.0);
            assert_eq!(heard.len(), 44_100, "{}", source.name());
            assert!(Level::of(&heard[40_000..]).rms_dbfs > -10.0 && !source.finished());
        }
    }
}
