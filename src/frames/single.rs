//! Renders individual presets to pictures, for benchmarks and inspection.
//!
//! Every preset starts from black on a new deck, with the same show and stage code as a live show.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::render_stats::{RenderStats, StatsRecorder};
use crate::audio::{self, SAMPLE_RATE_HZ};
use crate::disk::Folder;
use crate::jobs::wire::WirePreset;
use crate::library::Catalogue;
use crate::show::{Rig, Solo, SoloError};
use crate::stage::{DeckSettings, Gpu, RenderContext, RenderOptions, Stage, texture_folders};
use crate::units::Seconds;

/// Settings for rendering presets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenderSettings {
    /// Render size in pixels.
    pub size: [u32; 2],
    /// Frame rate, in Hz.
    pub fps: u32,
    /// Number of frames to draw.
    pub frames: u32,
    /// Numbers of the frames to save, counted from 1.
    pub save: Vec<u32>,
    /// Warp mesh size, in cells.
    pub mesh: [u32; 2],
    /// Whether the preset keeps 16 bits per colour channel between frames.
    #[serde(default)]
    pub deep_color: bool,
    /// Texture folders.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub textures: Vec<PathBuf>,
    /// Random seed.
    pub seed: u64,
    /// Path of the audio file, or `demo` for the demo track.
    pub audio: String,
}

/// One preset to render.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenderJob {
    /// The preset to render.
    pub preset: WirePreset,
    /// Folder for the saved frames; `None` saves nothing.
    #[serde(with = "crate::disk::as_wire_paths", default)]
    pub out: Option<PathBuf>,
}

/// Outcome of rendering a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RenderStatus {
    /// All frames were drawn.
    Ok,
    /// The file cannot be read, is not a valid preset, or exceeds a limit.
    Refused,
    /// The engine or its process failed, or a frame could not be saved.
    Failed,
    /// The time limit was exceeded.
    Timeout,
}

/// Result of rendering one preset.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenderReport {
    /// Path of the preset file; in JSON, an array of bytes if it is not valid Unicode.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub preset: PathBuf,
    /// How the rendering ended.
    pub status: RenderStatus,
    /// Why rendering failed; empty if the status is [`RenderStatus::Ok`].
    pub reason: String,
    /// Problems with the preset, such as parts that failed to compile and missing images.
    pub warnings: Vec<String>,
    /// Time to prepare the preset, including compilation and warm-up frames, in milliseconds.
    pub prepare_ms: f64,
    /// Time from reading the file to the first frame, including shader compilation in the driver, in
    /// milliseconds.
    pub first_picture_ms: f64,
    /// Statistics of the frames.
    #[serde(flatten)]
    pub figures: RenderStats,
}

impl RenderReport {
    /// Creates the report on a preset that could not be rendered.
    pub fn without_picture(preset: &Path, status: RenderStatus, reason: String) -> Self {
        Self {
            preset: preset.to_owned(),
            status,
            reason,
            warnings: Vec::new(),
            prepare_ms: 0.0,
            first_picture_ms: 0.0,
            figures: RenderStats::default(),
        }
    }
}

/// Renders presets, one at a time, on one device.
pub struct Renderer {
    settings: RenderSettings,
    render_context: Arc<RenderContext>,
    /// The stage of the previous preset, reused for its compiled passes.
    stage: RefCell<Option<Stage>>,
    sound: Vec<[f32; 2]>,
}

impl Renderer {
    /// Opens the graphics device and loads the audio.
    pub fn new(settings: RenderSettings) -> anyhow::Result<Self> {
        let sound = load_sound(&settings.audio, f64::from(settings.frames) / f64::from(settings.fps.max(1)))?;
        let gpu = Gpu::headless()?;
        let options = RenderOptions { deep_color: settings.deep_color, ..RenderOptions::of(&gpu) };
        let render_context = RenderContext::with(gpu, &settings.textures, options);
        let render_context = Arc::new(render_context);
        Ok(Self { settings, render_context, stage: RefCell::default(), sound })
    }

    /// Renders one preset.
    pub fn render(&self, job: &RenderJob) -> RenderReport {
        self.render_watched(job, |_, _| ())
    }

    /// Renders one preset; `on_frame` receives the number of each frame, counted from 1, and the rig after
    /// that frame was drawn.
    pub fn render_watched(&self, job: &RenderJob, on_frame: impl FnMut(u32, &Rig)) -> RenderReport {
        let deck = DeckSettings {
            size: self.settings.size,
            mesh: self.settings.mesh,
            fps: f64::from(self.settings.fps),
        };
        let begun = Instant::now();
        let preset = &job.preset.path;
        if let Err(error) = self.render_context.gpu.check_size(deck.size, deck.mesh) {
            return RenderReport::without_picture(preset, RenderStatus::Failed, error.to_string());
        }
        let library = match job.preset.read() {
            Ok(bytes) => Catalogue::of_one(preset, bytes),
            Err(unread) => {
                return RenderReport::without_picture(preset, RenderStatus::Refused, unread.to_string());
            }
        };
        let stage = self.stage.take();
        let stage = stage.unwrap_or_else(|| Stage::new(self.render_context.clone(), self.settings.size));
        let mut solo = Solo::begin(&self.render_context, stage, library, deck, self.settings.seed);
        let drawn = self.draw(&mut solo, job, begun, on_frame);
        let playing = solo.playing();
        self.stage.replace(Some(solo.end()));
        match drawn {
            Ok((first_picture_ms, figures)) => RenderReport {
                preset: preset.clone(),
                status: RenderStatus::Ok,
                reason: String::new(),
                warnings: playing.as_ref().map(|playing| playing.problems.clone()).unwrap_or_default(),
                prepare_ms: playing.map_or(0.0, |playing| playing.took.total_ms()),
                first_picture_ms,
                figures,
            },
            Err((status, reason)) => RenderReport::without_picture(preset, status, reason),
        }
    }

    /// Draws and saves the frames. Returns the time from `begun` to the first picture, in milliseconds, and the
    /// statistics of the frames; on failure, the status and the reason.
    fn draw(
        &self,
        solo: &mut Solo,
        job: &RenderJob,
        begun: Instant,
        mut on_frame: impl FnMut(u32, &Rig),
    ) -> Result<(f64, RenderStats), (RenderStatus, String)> {
        let mut first_picture_ms = 0.0;
        let mut stats = StatsRecorder::start();
        for number in 1..=self.settings.frames {
            let started = Instant::now();
            solo.frame(self.sound_of(number)).map_err(|error| {
                let status = match error {
                    SoloError::Unplayable(_) => RenderStatus::Refused,
                    SoloError::Device(_) => RenderStatus::Failed,
                };
                (status, error.to_string())
            })?;
            solo.rig.stage.finish();
            stats.record_time(started.elapsed());
            if number == 1 {
                first_picture_ms = begun.elapsed().as_secs_f64() * 1000.0;
            }
            let picture =
                solo.rig.stage.screenshot().map_err(|error| (RenderStatus::Failed, error.to_string()))?;
            stats.record_picture(&picture);
            on_frame(number, &solo.rig);
            if let Some(folder) = job.out.as_ref().filter(|_| self.settings.save.contains(&number)) {
                let name = format!("frame-{number:03}.png");
                let saved = Folder::create(folder).and_then(|folder| {
                    folder.replace(Path::new(&name), |out| {
                        let encoder = image::codecs::png::PngEncoder::new(out);
                        picture.write_with_encoder(encoder).map_err(std::io::Error::other)
                    })
                });
                saved.map_err(|why| {
                    let path = folder.join(&name);
                    (RenderStatus::Failed, format!("writing {} failed: {why}", path.display()))
                })?;
            }
        }
        Ok((first_picture_ms, stats.finish()))
    }

    fn sound_of(&self, number: u32) -> &[[f32; 2]] {
        sound_of(&self.sound, number, self.settings.fps)
    }
}

/// Returns the audio samples of frame `number`, counted from 1; empty after the end of the audio.
pub(super) fn sound_of(sound: &[[f32; 2]], number: u32, fps: u32) -> &[[f32; 2]] {
    let sample = |frame: u32| (u64::from(frame) * u64::from(SAMPLE_RATE_HZ) / u64::from(fps.max(1))) as usize;
    let from = sample(number - 1).min(sound.len());
    let to = sample(number).min(sound.len());
    &sound[from..to]
}

/// Returns the files and folders that a worker reads to render presets with the texture folders `textures`
/// and the audio `audio`.
pub fn readable_paths(textures: &[PathBuf], audio: &str) -> Vec<PathBuf> {
    let mut paths = texture_folders(textures);
    paths.extend((audio != "demo").then(|| audio.into()));
    paths
}

/// Loads the first `seconds` of an audio file or the demo track, at the internal sample rate.
pub(super) fn load_sound(name: &str, seconds: f64) -> anyhow::Result<Vec<[f32; 2]>> {
    use anyhow::Context as _;
    let frames = (seconds * f64::from(SAMPLE_RATE_HZ)).ceil() as usize + 1;
    let mut sound = if name == "demo" {
        let rendered = Seconds(frames as f64 / f64::from(SAMPLE_RATE_HZ));
        audio::demo::render_start(SAMPLE_RATE_HZ, rendered).frames
    } else {
        let pcm = audio::decode_start(Path::new(name), seconds + 1.0)
            .with_context(|| format!("opening the audio file {name}"))?;
        pcm.at_rate(SAMPLE_RATE_HZ).frames
    };
    sound.truncate(frames);
    Ok(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_is_kept_after_an_unplayable_preset() {
        if Gpu::for_test().is_none() {
            return;
        }
        let renderer = Renderer::new(RenderSettings {
            size: [48, 32],
            fps: 30,
            frames: 1,
            save: Vec::new(),
            mesh: [8, 6],
            deep_color: false,
            textures: Vec::new(),
            seed: 1,
            audio: "demo".into(),
        })
        .expect("a renderer");
        let preset = WirePreset::of_bytes("empty.milk".into(), b"");
        let report = renderer.render(&RenderJob { preset, out: None });
        assert_eq!(report.status, RenderStatus::Refused, "{}", report.reason);
        assert!(renderer.stage.borrow().is_some());
    }
}
