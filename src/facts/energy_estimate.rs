//! Estimates the energy of a preset from its name, its motion settings, its visible custom waves, and how
//! often its code mentions the audio bands.
//!
//! The words in [`PEAK_WORDS`] and [`CALM_WORDS`], taken from the v0 style index of aivj's browser-based
//! predecessor, raise or lower the score derived from the values and code.

use super::Energy;
use super::sheet::Sheet;

/// Words that suggest a calm preset when they occur in its name, as in the v0 style index.
pub const CALM_WORDS: [&str; 16] = [
    "calm", "ambient", "drone", "soft", "slow", "chill", "mellow", "mist", "rain", "ocean", "sunset", "dawn",
    "dream", "nebula", "quiet", "silence",
];
/// Words that suggest a peak preset when they occur in its name, as in the v0 style index.
pub const PEAK_WORDS: [&str; 17] = [
    "rave",
    "hardcore",
    "acid",
    "bass",
    "laser",
    "lazer",
    "warp",
    "fast",
    "speed",
    "vip",
    "storm",
    "explosion",
    "fury",
    "fire",
    "toxic",
    "voosh",
    "techno",
];

/// Score thresholds: calm below the first, peak above the second, groove otherwise. They were chosen to split
/// a collection of presets about 30:40:30.
const CUTS: [f32; 2] = [0.93, 1.57];

/// Estimates the energy of a preset from its values, its code and `name`.
pub(super) fn of(sheet: &Sheet, name: &str) -> Energy {
    let score = motion(sheet) + word_of(name);
    match score {
        score if score < CUTS[0] => Energy::Calm,
        score if score > CUTS[1] => Energy::Peak,
        _ => Energy::Groove,
    }
}

fn word_of(name: &str) -> f32 {
    let name = name.to_lowercase();
    let mut score = 0.0;
    for word in name.split(|c: char| !c.is_alphanumeric()) {
        if PEAK_WORDS.contains(&word) {
            score += 0.8;
        } else if CALM_WORDS.contains(&word) {
            score -= 0.8;
        }
    }
    score
}

/// Returns a motion score, which is at least 0 and below 4 for most presets.
fn motion(sheet: &Sheet) -> f32 {
    let zoom = (sheet.effective("zoom", sheet.zoom, 1.03).max(0.01).ln().abs() * 12.0).min(1.0);
    let turn = (sheet.effective("rot", sheet.rot, 0.03).abs() * 6.0).min(0.7);
    let shift = ((sheet.dx.abs() + sheet.dy.abs()) * 20.0).min(0.5);
    let warp = (sheet.effective("warp", sheet.warp, 0.3) * sheet.warp_speed * 0.15).clamp(0.0, 0.5);
    let fades = ((1.0 - sheet.effective("decay", sheet.decay, 0.96)) * 6.0).clamp(0.0, 0.5);
    let hears: usize = ["bass", "mid", "treb"]
        .into_iter()
        .map(|band| {
            [&sheet.per_frame, &sheet.per_pixel, &sheet.customs, &sheet.warp_shader, &sheet.comp_shader]
                .into_iter()
                .map(|code| code.matches(band).count())
                .sum::<usize>()
        })
        .sum();
    let hears = (hears as f32).ln_1p() * 0.25;
    let waves = 0.15 * sheet.waves.iter().filter(|wave| wave.shown()).count().min(4) as f32;
    zoom + turn + shift + warp + fades + hears + waves
}
