//! Audio analysis without a show: JSON Lines, or a live view in the terminal.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::analysis::{Analyser, BeatPredictor, Features, Scene};
use crate::audio::{self, Block, Capture, DeviceChoice, SAMPLE_RATE_HZ, Source as _};
use crate::units::{Seconds, thread_time};

/// Number of audio frames per block, about 5 ms.
const BLOCK: usize = 220;
/// Seconds between tempo, scene and section lines.
const SLOW_SECS: f64 = 0.5;
/// Interval between updates of the live view.
const VIEW_EVERY: Duration = Duration::from_millis(66);

/// The source to analyse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenSource {
    /// An audio file: read as fast as possible for JSON Lines, and roughly in real time for the live view.
    File(std::path::PathBuf),
    /// The input whose name or ID contains this text; if `None`, the default input or, if that is silent,
    /// another with a signal.
    Device(Option<String>),
}

/// Settings of the analysis.
#[derive(Clone, Debug)]
pub struct ListenSettings {
    /// The source to analyse.
    pub source: ListenSource,
    /// Whether to write JSON Lines instead of the live view.
    pub json: bool,
    /// Time limit in seconds, of audio for a file and of elapsed time for a device; `None` for no limit.
    pub seconds: Option<f64>,
}

/// Analyses the source and writes to `out` until the audio ends, the time limit is reached, or the reader closes the
/// pipe.
///
/// # Errors
/// Fails if the source cannot be opened or the output cannot be written.
pub fn listen(settings: &ListenSettings, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut listening = Listening::new();
    let written = match &settings.source {
        ListenSource::File(path) => listening.file(path, settings, out),
        ListenSource::Device(name) => listening.device(name.clone(), settings, out),
    };
    match written.and_then(|()| end(settings.json, out)) {
        // The reader has closed the pipe.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("analysing audio"),
    }
}

/// Ends the output; the live view leaves the cursor at the end of its line.
fn end(json: bool, out: &mut dyn Write) -> std::io::Result<()> {
    if !json {
        writeln!(out)?;
    }
    out.flush()
}

struct Listening {
    analyser: Analyser,
    predictor: BeatPredictor,
    /// Number of frames processed so far.
    frames: u64,
    slow_next: f64,
    beat_at: Seconds,
    /// CPU time of the analysis.
    cpu_time: Duration,
}

impl Listening {
    fn new() -> Self {
        Self {
            analyser: Analyser::new(),
            predictor: BeatPredictor::default(),
            frames: 0,
            slow_next: SLOW_SECS,
            beat_at: Seconds(-1.0),
            cpu_time: Duration::ZERO,
        }
    }

    fn file(&mut self, path: &Path, settings: &ListenSettings, out: &mut dyn Write) -> std::io::Result<()> {
        let pcm = audio::decode(path).map_err(std::io::Error::other)?.at_rate(SAMPLE_RATE_HZ);
        let most = settings.seconds.map_or(usize::MAX, |s| (s * f64::from(SAMPLE_RATE_HZ)) as usize);
        let frames = &pcm.frames[..pcm.frames.len().min(most)];
        let mut viewed = 0.0;
        for block in frames.chunks(BLOCK) {
            self.feed(block);
            if settings.json {
                self.lines(out)?;
            } else if self.now() - viewed >= VIEW_EVERY.as_secs_f64() {
                viewed = self.now();
                self.view(out)?;
                std::thread::sleep(VIEW_EVERY);
            }
        }
        if settings.json {
            let emitted = self.now();
            let share = self.cpu_time.as_secs_f64() / emitted.max(1e-9);
            let line = serde_json::json!({"kind": "cost", "emitted": emitted, "seconds": self.cpu_time.as_secs_f64(), "share": share});
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn device(
        &mut self,
        name: Option<String>,
        settings: &ListenSettings,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let epoch = Instant::now();
        let clock = move || Seconds(epoch.elapsed().as_secs_f64());
        let choice = name.map_or(DeviceChoice::Automatic, DeviceChoice::Named);
        let mut capture = Capture::open(choice, Arc::new(clock)).map_err(std::io::Error::other)?;
        let state = capture.state();
        let mut block = Block::with_capacity(Seconds(0.5));
        let mut viewed = Instant::now();
        let mut last_message = String::new();
        while settings.seconds.is_none_or(|limit| epoch.elapsed().as_secs_f64() < limit) {
            capture.read(clock(), &mut block);
            for part in block.frames.chunks(BLOCK) {
                self.feed(part);
                if settings.json {
                    self.lines(out)?;
                }
            }
            let message = state.read().message.clone();
            if message != last_message {
                eprintln!("aivj: {message}");
                last_message = message;
            }
            if settings.json {
                out.flush()?;
            } else if viewed.elapsed() >= VIEW_EVERY {
                viewed = Instant::now();
                self.view(out)?;
            }
            std::thread::sleep(Duration::from_millis(4));
        }
        Ok(())
    }

    fn feed(&mut self, block: &[[f32; 2]]) {
        let began = thread_time();
        self.analyser.push(block);
        self.cpu_time += thread_time().saturating_sub(began);
        self.frames += block.len() as u64;
    }

    /// Returns the duration of the audio processed so far, in seconds.
    fn now(&self) -> f64 {
        self.frames as f64 / f64::from(SAMPLE_RATE_HZ)
    }

    fn lines(&mut self, out: &mut dyn Write) -> std::io::Result<()> {
        let features = self.analyser.features();
        let emitted = self.now();
        if let Some(at) = self.predictor.step(features) {
            // Number of the beat within its bar, from 1.
            let grid = &features.beat;
            let of_bar = 1 + grid.beat_of_bar(grid.beats_at(at).round() as i64);
            let line = serde_json::json!({"kind": "beat", "at": at.0, "emitted": emitted, "of_bar": of_bar});
            writeln!(out, "{line}")?;
        }
        let Features { hit, flux, energy_fast, energy_slow, bands, .. } = features;
        let line = serde_json::json!({
            "kind": "macros", "emitted": emitted, "hit": hit.get(), "energy": energy_fast.get(),
            "energy_slow": energy_slow.get(), "flux": flux.get(),
            "bands": [bands.sub_bass.get(), bands.bass.get(), bands.mid.get(), bands.high.get()],
        });
        writeln!(out, "{line}")?;
        if emitted >= self.slow_next {
            self.slow_next += SLOW_SECS;
            let grid = &features.beat;
            let bpm = if grid.trusted() { grid.tempo.bpm() } else { 0.0 };
            let tempo = serde_json::json!({
                "kind": "tempo", "emitted": emitted, "bpm": bpm, "confidence": grid.confidence.get(),
                "downbeat_confidence": grid.downbeat_confidence.get(), "metre": grid.beats_per_bar,
            });
            writeln!(out, "{tempo}")?;
            let scene = serde_json::json!({
                "kind": "scene", "emitted": emitted, "label": features.scene.scene.label(),
                "probabilities": features.scene.probabilities,
            });
            writeln!(out, "{scene}")?;
            let section = serde_json::json!({
                "kind": "section", "emitted": emitted, "section": features.section,
                "passage": features.passage, "lufs": features.level.loudness_lufs,
            });
            writeln!(out, "{section}")?;
        }
        Ok(())
    }

    fn view(&mut self, out: &mut dyn Write) -> std::io::Result<()> {
        let features = *self.analyser.features();
        if features.at == Seconds::default() {
            return Ok(()); // Nothing has been analysed yet.
        }
        if let Some(at) = self.predictor.step(&features) {
            self.beat_at = at;
        }
        write!(out, "\r\x1b[2K{}", picture(&features, features.at.0 - self.beat_at.0 < 0.12))?;
        out.flush()
    }
}

/// Formats one line with the loudness, bands, hit, beat, section, passage and scene; `beat` is whether a beat has just
/// passed.
fn picture(features: &Features, beat: bool) -> String {
    const STEPS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bar = |value: f32| STEPS[(value.clamp(0.0, 1.0) * 8.0).round() as usize];
    let bands = features.bands;
    let bands: String = [bands.sub_bass, bands.bass, bands.mid, bands.high, features.hit]
        .map(|b| bar(b.get()))
        .iter()
        .collect();
    let grid = &features.beat;
    let tempo = if grid.trusted() {
        format!("{:5.1} BPM {}", grid.tempo.bpm(), if beat { '●' } else { '○' })
    } else {
        "no beat    ".into()
    };
    let scenes: String = Scene::ALL
        .into_iter()
        .zip(features.scene.probabilities)
        .map(|(scene, probability)| format!(" {}{}", scene.label(), bar(probability)))
        .collect();
    format!(
        "{:6.1} LUFS  {bands}  {tempo}  {:?} {:?}  {}:{scenes}",
        features.level.loudness_lufs.max(-99.9),
        features.section,
        features.passage,
        features.scene.scene.label(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Pcm, wav};

    #[test]
    fn every_line_is_json_in_order_and_beats_are_found_at_a_low_sample_rate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clicks.wav");
        // A click every half second, sampled at 8 kHz.
        let frames = (0..8_000 * 8)
            .map(|n| if n % 4_000 < 200 { [(n as f32 * 0.9).sin() * 0.8; 2] } else { [0.0; 2] });
        wav::write(&path, &Pcm { rate_hz: 8_000, frames: frames.collect() }).unwrap();
        let mut out = Vec::new();
        let settings = ListenSettings { source: ListenSource::File(path), json: true, seconds: None };
        listen(&settings, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let rows: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let count = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
        assert!(count("macros") > 1_500 && count("scene") >= 15 && count("cost") == 1, "{}", rows.len());
        assert!(rows.iter().filter(|row| row["kind"] == "tempo").all(|row| row["metre"] == 4), "{text}");
        let beats: Vec<f64> =
            rows.iter().filter(|row| row["kind"] == "beat").map(|row| row["at"].as_f64().unwrap()).collect();
        assert!(beats.len() >= 5, "{beats:?}");
        assert!(beats.windows(2).skip(2).all(|pair| (pair[1] - pair[0] - 0.5).abs() < 0.05), "{beats:?}");
        let times: Vec<f64> = rows.iter().map(|row| row["emitted"].as_f64().unwrap()).collect();
        assert!(times.is_sorted());
    }

    /// Writes a WAV file of 32-bit floats with as many channels as each frame has samples.
    fn float_wav(path: &Path, rate_hz: u32, frames: &[Vec<f32>]) {
        let channels = frames[0].len() as u32;
        let data: Vec<u8> = frames.iter().flatten().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut file = Vec::new();
        file.extend(b"RIFF");
        file.extend((36 + data.len() as u32).to_le_bytes());
        file.extend(b"WAVEfmt \x10\0\0\0\x03\0");
        file.extend((channels as u16).to_le_bytes());
        for word in [rate_hz, rate_hz * channels * 4] {
            file.extend(word.to_le_bytes());
        }
        file.extend((channels as u16 * 4).to_le_bytes());
        file.extend(b"\x20\0data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        std::fs::write(path, file).unwrap();
    }

    #[test]
    fn the_beat_is_detected_at_any_rate_and_channel_count_and_in_corrupt_audio() {
        type Corrupt = fn(usize, f32) -> Vec<f32>;
        let cases: [(&str, u32, Corrupt); 8] = [
            ("telephone", 8_000, |_, sample| vec![sample]),
            ("mono", 48_000, |_, sample| vec![sample]),
            ("studio", 192_000, |_, sample| vec![sample; 2]),
            ("six channels, drums in the rear", 44_100, |_, sample| vec![0.0, 0.0, 0.0, 0.0, sample, sample]),
            ("six channels, drums on the LFE channel", 48_000, |_, sample| {
                vec![0.0, 0.0, 0.0, sample, 0.0, 0.0]
            }),
            ("not a number", 44_100, |n, sample| vec![if n % 999 == 0 { f32::NAN } else { sample }; 2]),
            ("clipped", 44_100, |_, sample| vec![(sample * 12.0).clamp(-1.0, 1.0); 2]),
            ("DC offset", 44_100, |_, sample| vec![sample + 0.4; 2]),
        ];
        let folder = tempfile::tempdir().unwrap();
        for (name, rate_hz, corrupt) in cases {
            let mut rng = crate::units::Rng::new(1);
            let frames: Vec<Vec<f32>> = (0..rate_hz as usize * 7)
                .map(|n| {
                    let since = n as f64 / f64::from(rate_hz) % 0.5;
                    let kick = (std::f64::consts::TAU * (55.0 * since - 2.0 * (-since / 0.03).exp())).sin()
                        * (-since / 0.1).exp();
                    let hat = rng.normal() * (-((since + 0.25) % 0.5) / 0.02).exp();
                    corrupt(n, (0.5 * kick + 0.05 * hat) as f32)
                })
                .collect();
            let path = folder.path().join("drums.wav");
            float_wav(&path, rate_hz, &frames);
            let mut out = Vec::new();
            listen(&ListenSettings { source: ListenSource::File(path), json: true, seconds: None }, &mut out)
                .unwrap();
            let beats: Vec<f64> = String::from_utf8(out)
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .filter(|row| row["kind"] == "beat")
                .map(|row| row["at"].as_f64().unwrap())
                .filter(|&at| at > 4.0)
                .collect();
            let away = |at: &f64| (at / 0.5 - (at / 0.5).round()).abs() * 0.5;
            assert!((5..=7).contains(&beats.len()), "{name}: {beats:?}");
            assert!(beats.iter().all(|at| away(at) < 0.04), "{name}: {beats:?}");
        }
    }

    #[test]
    fn the_live_view_waits_for_audio() {
        let mut listening = Listening::new();
        let mut out = Vec::new();
        listening.view(&mut out).unwrap();
        assert!(out.is_empty());
        listening.feed(&[[0.0; 2]; 4_410]);
        listening.view(&mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("-99.9 LUFS"));
    }

    #[test]
    fn the_live_view_is_one_line() {
        let line = picture(&Features::default(), true);
        assert!(!line.contains('\n') && line.contains("no beat") && line.contains("techno"), "{line}");
    }
}
