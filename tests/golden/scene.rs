//! The format of `scene.toml`: the preset, the frames, and how the stage draws them.

use std::collections::BTreeMap;
use std::path::Path;

use aivj::layers::LayerContent;
use aivj::stage::{FadeStyle, OutputMode, Post};
use serde::Deserialize;

/// One scene. Its picture is a sheet with a column for each frame and a row for each [`Row`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// A preset file, relative to the scene's folder.
    pub preset: Option<String>,
    /// Path of a built-in preset to use instead of a file.
    pub built_in: Option<String>,
    /// The preset that is faded in or blended, relative to the scene's folder.
    pub other: Option<String>,
    /// Width and height of each picture, in pixels.
    #[serde(default = "default_size")]
    pub size: [u32; 2],
    /// Warp mesh size, in cells.
    #[serde(default = "default_mesh")]
    pub mesh: [u32; 2],
    /// Frames to draw, numbered from 1.
    pub frames: Vec<u32>,
    /// Maximum difference of a colour channel, 0 to 255, that counts as equal. Graphics devices round differently.
    pub tolerance: u8,
    /// Number of pixels of the whole sheet that may differ by more.
    pub max_outliers: usize,
    /// Whether the picture is known to be wrong; the test then fails once it is right.
    #[serde(default)]
    pub known_failure: bool,
    /// Variations; one plain row if there are none.
    #[serde(default, rename = "row")]
    pub rows: Vec<Row>,
}

/// One row of the sheet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Row {
    /// Lines added to the preset, right after `[preset00]`.
    pub lines: Vec<String>,
    /// A crossfade to the other preset, running since the first frame.
    pub fade: Option<FadeRow>,
    /// Strength at which the other preset is blended into the picture, 0 to 1.
    pub second: Option<f32>,
    /// Effects on the finished picture.
    pub post: PostRow,
    /// First and last frame in which those effects are off.
    pub post_rests: Option<[u32; 2]>,
    /// Blackout or freeze.
    pub output_mode: OutputMode,
    /// First frame of that mode.
    pub output_mode_from: u32,
    /// Whether flashes are limited.
    pub limit_flashes: bool,
    /// Per-frame variables with a factor and an offset, which macros also apply.
    pub linear: BTreeMap<String, [f64; 2]>,
    /// Per-frame variables with an exponent.
    pub power: BTreeMap<String, f64>,
    /// Speed of the preset's clock.
    pub time_speed: Option<f64>,
    /// Gain of the preset's audio.
    pub audio_gain: Option<f32>,
    /// Size of the window to which the picture is drawn, in pixels.
    pub window: Option<[u32; 2]>,
    /// Layers of `tests/golden/layers/files`, in the order they are launched.
    pub layers: Vec<LayerRow>,
}

/// A layer on air; exactly one of the first three fields is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerRow {
    sprite: Option<u8>,
    message: Option<u8>,
    title: Option<String>,
    /// Frame in which the layer is launched.
    pub from: u32,
}

impl LayerRow {
    pub fn content(&self) -> Result<LayerContent, String> {
        match (self.sprite, self.message, &self.title) {
            (Some(number), None, None) => Ok(LayerContent::Sprite(number)),
            (None, Some(number), None) => Ok(LayerContent::Message(number)),
            (None, None, Some(title)) => Ok(LayerContent::Title(title.as_str().into())),
            _ => Err("a layer is either a sprite, a message or a title".into()),
        }
    }
}

/// A running crossfade.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FadeRow {
    pub style: FadeStyle,
    pub progress: f32,
}

/// The fields of [`Post`].
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostRow {
    echo: f32,
    detail: f32,
    glint: f32,
    glow: f32,
    hue: f32,
    saturation: f32,
    split: f32,
    fold: f32,
    zoom: f32,
}

impl PostRow {
    pub fn post(self) -> Post {
        let Self { echo, detail, glint, glow, hue, saturation, split, fold, zoom } = self;
        Post { echo, detail, glint, glow, hue, saturation, split, fold, zoom }
    }
}

impl Scene {
    /// Reads `scene.toml` in `folder`.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join("scene.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut scene: Self =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        if scene.rows.is_empty() {
            scene.rows.push(Row::default());
        }
        if scene.preset.is_some() == scene.built_in.is_some() {
            return Err(format!("{}: set either `preset` or `built_in`", path.display()));
        }
        Ok(scene)
    }

    /// Returns the size of one picture of the sheet: the window's, if there is one.
    pub fn tile(&self) -> [u32; 2] {
        self.rows.first().and_then(|row| row.window).unwrap_or(self.size)
    }
}

fn default_size() -> [u32; 2] {
    [160, 90]
}

fn default_mesh() -> [u32; 2] {
    [32, 24]
}
