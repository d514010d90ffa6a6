//! Statistics of a rendering: frame times, brightness and motion.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::process_time;

/// Luma below which a picture counts as black, from 0 to 1.
const BLACK_LUMA: f64 = 0.004;
/// Mean change between frames below which a picture counts as static, from 0 to 1.
const STILL_MOTION: f64 = 0.0005;

/// Statistics of one rendering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RenderStats {
    /// Median frame time, in milliseconds.
    pub frame_ms_median: f64,
    /// 95th percentile of the frame time, in milliseconds.
    pub frame_ms_p95: f64,
    /// CPU time per frame over all threads, in milliseconds, excluding the first frame.
    pub cpu_ms_per_frame: f64,
    /// Mean luma of all frames, from 0 to 1 (Rec. 709 weights on display values).
    pub luma: f64,
    /// Mean change in luma between frames, from 0 to 1.
    pub motion: f64,
    /// Whether every frame is black.
    pub black: bool,
    /// Whether the mean change is so small that the picture counts as static.
    #[serde(rename = "static")]
    pub still: bool,
}

/// Accumulates the statistics while frames are drawn.
pub(super) struct StatsRecorder {
    frame_ms: Vec<f64>,
    cpu_before: Option<Duration>,
    cpu_seen: Duration,
    lumas: Vec<f64>,
    motions: Vec<f64>,
    last: Vec<u8>,
}

impl StatsRecorder {
    pub fn start() -> Self {
        Self {
            frame_ms: Vec::new(),
            cpu_before: None,
            cpu_seen: Duration::ZERO,
            lumas: Vec::new(),
            motions: Vec::new(),
            last: Vec::new(),
        }
    }

    /// Records the duration of a frame, and the CPU time used since the last picture was recorded.
    pub fn record_time(&mut self, time: Duration) {
        self.frame_ms.push(time.as_secs_f64() * 1000.0);
        if let Some(before) = self.cpu_before {
            self.cpu_seen += process_time().saturating_sub(before);
        }
    }

    /// Records the picture of a frame.
    pub fn record_picture(&mut self, picture: &image::RgbaImage) {
        let light: Vec<u8> = picture.pixels().map(|pixel| luma(pixel.0)).collect();
        let mean = |sum: u64| sum as f64 / light.len().max(1) as f64 / 255.0;
        self.lumas.push(mean(light.iter().map(|&l| u64::from(l)).sum()));
        if self.last.len() == light.len() {
            let change = light.iter().zip(&self.last).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            self.motions.push(mean(change));
        }
        self.last = light;
        self.cpu_before = Some(process_time());
    }

    pub fn finish(mut self) -> RenderStats {
        self.frame_ms.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let last = self.frame_ms.len().saturating_sub(1);
            self.frame_ms.get((share * last as f64).round() as usize).copied().unwrap_or(0.0)
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let (luma, motion) = (mean(&self.lumas), mean(&self.motions));
        RenderStats {
            frame_ms_median: at(0.5),
            frame_ms_p95: at(0.95),
            cpu_ms_per_frame: self.cpu_seen.as_secs_f64() * 1000.0
                / self.frame_ms.len().saturating_sub(1).max(1) as f64,
            luma,
            motion,
            black: self.lumas.iter().all(|&luma| luma < BLACK_LUMA),
            still: motion < STILL_MOTION,
        }
    }
}

/// Returns the Rec. 709 luma of a display pixel, from 0 to 255.
fn luma([r, g, b, _]: [u8; 4]) -> u8 {
    ((2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b)) / 10_000) as u8
}
