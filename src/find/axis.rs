//! Measured properties of a look.

use image::DynamicImage;
use image::imageops::FilterType;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::media::still::{Still, grey, mean_luma};

/// A property of a look, measured on rendered frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Axis {
    /// Mean brightness.
    Brightness,
    /// Spread of brightness within a frame.
    Contrast,
    /// Change between frames.
    Motion,
    /// Colourfulness.
    Colour,
    /// Amount of fine structure.
    Detail,
    /// Similarity of the picture to its mirror image.
    Symmetry,
    /// Share of black pixels.
    Black,
    /// Number of flashes in the worst second.
    Flashes,
    /// Brightness of the centre minus that of the corners.
    Centre,
    /// Reaction to low frequencies.
    Low,
    /// Reaction to middle frequencies.
    Mid,
    /// Reaction to high frequencies.
    High,
    /// Share of red among the colours.
    Red,
    /// Share of yellow among the colours.
    Yellow,
    /// Share of green among the colours.
    Green,
    /// Share of cyan among the colours.
    Cyan,
    /// Share of blue among the colours.
    Blue,
    /// Share of magenta among the colours.
    Magenta,
}

/// Number of properties.
pub(super) const AXES: usize = 18;
/// Added to the sum of all hue shares before dividing by it, so that the colours of an almost grey picture
/// have small shares.
const GREY: f32 = 0.02;

/// The measurements in a verdict that the properties are derived from.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Evidence {
    look: Option<Look>,
    flash: Flash,
    /// The verdict of another program, which measured only luma and motion.
    taken_over: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Look {
    luma: f32,
    contrast: f32,
    motion: f32,
    colour: f32,
    detail: f32,
    symmetry: f32,
    black: f32,
    reaction: [f32; 3],
    hues: [f32; 6],
    layout: Vec<f32>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Flash {
    general: f32,
    red: f32,
}

/// Number of columns in the coarse layout of a frame.
const LAYOUT_COLUMNS: usize = 4;
/// Number of cells in the coarse layout of a frame.
const LAYOUT_CELLS: usize = 12;
/// Indices of the cells in the middle of the layout.
const MIDDLE: [usize; 2] = [5, 6];

impl Evidence {
    /// Returns the value of every known property; `None` if the preset was not drawn or a value is not finite.
    pub fn values(&self) -> Option<[Option<f32>; AXES]> {
        let look = self.look.as_ref()?;
        if self.taken_over.is_some() {
            let mut values = [None; AXES];
            values[Axis::Brightness as usize] = Some(look.luma);
            // Motion that was not measured is 0.
            values[Axis::Motion as usize] = Some(look.motion).filter(|motion| *motion > 0.0);
            return Some(values);
        }
        let [low, mid, high] = look.reaction;
        let all: f32 = look.hues.iter().sum::<f32>() + GREY;
        let [red, yellow, green, cyan, blue, magenta] = look.hues.map(|hue| hue / all);
        let values = [
            look.luma,
            look.contrast,
            look.motion,
            look.colour,
            look.detail,
            look.symmetry,
            look.black,
            self.flash.general.max(self.flash.red),
            centre(&look.layout),
            low,
            mid,
            high,
            red,
            yellow,
            green,
            cyan,
            blue,
            magenta,
        ];
        values.iter().all(|value| value.is_finite()).then(|| values.map(Some))
    }
}

/// Size in pixels at which audits measure frames; the measured detail depends on it.
const FRAME: [u32; 2] = [256, 144];
/// Properties that a still picture does not have, because it neither moves nor reacts to music.
const MOVING: [Axis; 5] = [Axis::Motion, Axis::Flashes, Axis::Low, Axis::Mid, Axis::High];

/// Returns the value of every property of a picture, measured like a frame of an audit.
pub(super) fn picture_values(picture: &DynamicImage) -> [Option<f32>; AXES] {
    let pixels = picture.resize_to_fill(FRAME[0], FRAME[1], FilterType::Triangle).to_rgba8();
    let mut luma = Vec::new();
    grey(&pixels, &mut luma);
    let still = Still::of(&pixels, &luma, FRAME[0] as usize);
    let look = Look {
        luma: mean_luma(&luma) as f32,
        contrast: still.contrast as f32,
        colour: still.colour as f32,
        detail: still.detail as f32,
        symmetry: still.symmetry as f32,
        black: still.black as f32,
        hues: still.hues.map(|hue| hue as f32),
        layout: still.layout.iter().map(|&luma| luma as f32).collect(),
        ..Look::default()
    };
    let mut values = Evidence { look: Some(look), ..Evidence::default() }.values().unwrap_or_default();
    MOVING.iter().for_each(|axis| values[*axis as usize] = None);
    values
}

/// Returns how much brighter the centre is than the corners; 0 if the layout has an unexpected size.
fn centre(layout: &[f32]) -> f32 {
    if layout.len() != LAYOUT_CELLS {
        return 0.0;
    }
    let middle: f32 = MIDDLE.iter().map(|&cell| layout[cell]).sum::<f32>() / MIDDLE.len() as f32;
    let corners = [0, LAYOUT_COLUMNS - 1, LAYOUT_CELLS - LAYOUT_COLUMNS, LAYOUT_CELLS - 1];
    middle - corners.iter().map(|&cell| layout[cell]).sum::<f32>() / corners.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_gives_the_share_of_every_colour() {
        let json = r#"{"safety":"ok","look":{"luma":0.4,"hues":[0,0,0,0,0.3,0.05],"layout":
            [0,0,0,0,0,0.5,0.7,0,0,0,0,0],"black":0.1},"flash":{"general":4,"red":1,"worst":2}}"#;
        let evidence: Evidence = serde_json::from_str(json).expect("read");
        let values = evidence.values().expect("drawn");
        let value = |axis: Axis| values[axis as usize];
        assert!(value(Axis::Blue) > Some(0.75) && value(Axis::Red) == Some(0.0));
        assert_eq!((value(Axis::Centre), value(Axis::Flashes)), (Some(0.6), Some(4.0)));
        assert_eq!(Axis::Magenta as usize, AXES - 1);
        let undrawn: Evidence = serde_json::from_str(r#"{"safety":"hang","look":null}"#).expect("read");
        assert!(undrawn.values().is_none());
    }

    #[test]
    fn a_picture_is_measured_like_a_frame() {
        let spot = image::RgbImage::from_fn(512, 288, |x, y| {
            let inside = (192..320).contains(&x) && (96..192).contains(&y);
            image::Rgb(if inside { [0, 0, 255] } else { [0, 0, 0] })
        });
        let values = picture_values(&spot.into());
        let value = |axis: Axis| values[axis as usize].expect("measured");
        assert!(value(Axis::Blue) > 0.5 && value(Axis::Red) == 0.0 && value(Axis::Centre) > 0.01);
        assert!(value(Axis::Black) > 0.85 && value(Axis::Symmetry) > 0.95 && value(Axis::Brightness) < 0.05);
        assert!(MOVING.iter().all(|axis| values[*axis as usize].is_none()));
    }

    #[test]
    fn a_verdict_of_another_program_gives_only_what_that_program_measured() {
        let known = |motion: f32| {
            let json =
                format!(r#"{{"taken_over":"ok","look":{{"luma":0.4,"motion":{motion},"contrast":0}}}}"#);
            let evidence: Evidence = serde_json::from_str(&json).expect("read");
            let values = evidence.values().expect("drawn");
            assert!(values[Axis::Contrast as usize].is_none() && values[Axis::Flashes as usize].is_none());
            (values[Axis::Brightness as usize], values[Axis::Motion as usize])
        };
        assert_eq!((known(0.1), known(0.0)), ((Some(0.4), Some(0.1)), (Some(0.4), None)));
    }
}
