//! Rendering one preset's frames, in a process of its own.

use std::path::{Path, PathBuf};

use image::imageops::{FilterType, resize};
use serde::{Deserialize, Serialize};

use super::entry::FrameMetrics;
use crate::bake::render::{RenderJob, RenderSettings, RenderStatus, Renderer};

/// How frames are captured. The defaults are the reference's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaptureSettings {
    /// Pixels that are drawn.
    pub size: [u32; 2],
    /// Side of the square frames that are kept.
    pub out_size: u32,
    /// Frames before the first captured one.
    pub warm_up: u32,
    /// Frames captured.
    pub count: u32,
    /// Frames from one captured to the next.
    pub every: u32,
    /// Folders with images for presets.
    pub textures: Vec<PathBuf>,
    /// What presets hear: a sound file, or `demo`.
    pub audio: String,
    /// Decides everything random.
    pub seed: u64,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            size: [256, 144],
            out_size: 224,
            warm_up: 60,
            count: 3,
            every: 30,
            textures: Vec::new(),
            audio: "demo".into(),
            seed: 1,
        }
    }
}

/// One preset to capture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaptureJob {
    /// Its id.
    pub id: String,
    /// Its file.
    pub preset: PathBuf,
    /// The pack's folder.
    pub folder: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Captured {
    /// Frames below the pack's folder, with forward slashes; none when it failed.
    pub frames: Vec<String>,
    /// What they look like.
    pub metrics: FrameMetrics,
    /// Why there are none, in one word and in many.
    pub failed: Option<(String, String)>,
}

/// Captures presets one after the other on one device.
pub struct Camera {
    settings: CaptureSettings,
    renderer: Renderer,
}

impl Camera {
    /// Opens the device and the sound.
    pub fn new(settings: CaptureSettings) -> anyhow::Result<Self> {
        let renderer = Renderer::new(RenderSettings {
            size: settings.size,
            fps: 30,
            frames: settings.warm_up + settings.count * settings.every,
            save: Vec::new(),
            mesh: [48, 36],
            textures: settings.textures.clone(),
            seed: settings.seed,
            audio: settings.audio.clone(),
        })?;
        Ok(Self { settings, renderer })
    }

    /// Renders a preset and writes its frames.
    pub fn capture(&self, job: &CaptureJob) -> Captured {
        let CaptureSettings { out_size, warm_up, count, every, .. } = self.settings;
        let mut pictures = Vec::new();
        let render = RenderJob { preset: job.preset.clone(), out: None };
        let report = self.renderer.render_watched(&render, |number, rig| {
            // The last frame of the warm-up is what the first captured one has moved from.
            let due = number >= warm_up && (number - warm_up).is_multiple_of(every.max(1));
            if due && pictures.len() <= count as usize {
                pictures.extend(rig.stage.screenshot().ok());
            }
        });
        if report.status != RenderStatus::Ok || pictures.len() < 2 {
            let word = match report.status {
                RenderStatus::Refused => "preset-load-failed",
                RenderStatus::Timeout => "probe-timeout",
                RenderStatus::Ok | RenderStatus::Failed => "render-failed",
            };
            return Captured::failed(word, report.reason);
        }
        let greys: Vec<image::GrayImage> = pictures.iter().map(image::imageops::grayscale).collect();
        let mean = |values: Vec<f32>| values.iter().sum::<f32>() / values.len().max(1) as f32;
        let metrics = FrameMetrics {
            avg_luma: mean(greys[1..].iter().map(|grey| mean_of(grey.as_raw())).collect()),
            motion: mean(greys.windows(2).map(|pair| change(&pair[0], &pair[1])).collect()),
        };
        let below = super::entry::folder_of(&super::entry::id_hash(&job.id));
        let mut frames = Vec::new();
        for (number, picture) in pictures[1..].iter().enumerate() {
            let name = format!("{below}/frame-{number:03}.webp");
            let kept = resize(picture, out_size, out_size, FilterType::Triangle);
            let kept = image::DynamicImage::ImageRgba8(kept).to_rgb8();
            if let Err(why) = write(&job.folder.join(&name), &kept) {
                return Captured::failed("write-failed", why);
            }
            frames.push(name);
        }
        Captured { frames, metrics, failed: None }
    }
}

impl Captured {
    /// No frames, and why.
    pub fn failed(word: &str, why: String) -> Self {
        Self { frames: Vec::new(), metrics: FrameMetrics::default(), failed: Some((word.into(), why)) }
    }
}

fn write(path: &Path, picture: &image::RgbImage) -> Result<(), String> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::WebP).map_err(|error| error.to_string())?;
    crate::bake::files::write_whole(path, bytes.get_ref())
}

fn mean_of(values: &[u8]) -> f32 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() as f32 / values.len().max(1) as f32 / 255.0
}

/// Mean absolute difference of two grey pictures of one size, 0..1.
fn change(before: &image::GrayImage, after: &image::GrayImage) -> f32 {
    mean_of(&before.iter().zip(after.iter()).map(|(a, b)| a.abs_diff(*b)).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_is_a_share_of_full_light() {
        let grey = |value| image::GrayImage::from_pixel(8, 8, image::Luma([value]));
        assert_eq!(change(&grey(0), &grey(255)), 1.0);
        assert!((change(&grey(50), &grey(101)) - 0.2).abs() < 1e-6);
    }
}
