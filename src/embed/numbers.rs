//! Numeric values of a preset: 113 numbers, each mapped to its rank among the presets of the library.
//!
//! Ranks are independent of units and robust to outliers. The category share of numbers alone (see [`super::text`]) is
//! .720, against .718 with robust scaling of logarithms.

use serde::{Deserialize, Serialize};

use super::split_source::SplitSource;
use super::tokens::token_count;
use crate::milk::text::CodeSection;

/// Names of the values in a preset file, except those of custom waves and shapes.
const TOP: &str = "fgammaadj fdecay fvideoechozoom fvideoechoalpha nvideoechoorientation nwavemode badditivewaves \
    bwavedots bwavethick bmodwavealphabyvolume bmaximizewavecolor btexwrap bdarkencenter bredbluestereo bbrighten \
    bdarken bsolarize binvert fwavealpha fwavescale fwavesmoothing fwaveparam fmodwavealphastart fmodwavealphaend \
    fwarpanimspeed fwarpscale fzoomexponent fshader zoom rot cx cy dx dy warp sx sy wave_r wave_g wave_b wave_x wave_y \
    ob_size ob_r ob_g ob_b ob_a ib_size ib_r ib_g ib_b ib_a nmotionvectorsx nmotionvectorsy mv_l mv_a mv_r mv_g mv_b \
    b1n b2n b3n b1x b2x b3x b1ed psversion psversion_warp psversion_comp frating";
/// Names of the values of custom waves, averaged over the enabled waves.
const WAVE: &str = "samples sep bspectrum busedots bdrawthick badditive scaling smoothing r g b a";
/// Names of the values of custom shapes, averaged over the enabled shapes.
const SHAPE: &str = "sides additive thickoutline textured num_inst x y rad ang tex_ang tex_zoom r g b a r2 g2 b2 a2 \
    border_a";
/// Code sections whose token counts are among the numbers.
const LENGTHS: [CodeSection; 8] = [
    CodeSection::PerFrame,
    CodeSection::PerPixel,
    CodeSection::Warp,
    CodeSection::Composite,
    CodeSection::PerFrameInit,
    CodeSection::WavePerPoint,
    CodeSection::WavePerFrame,
    CodeSection::ShapePerFrame,
];
/// Maximum number of knots per feature; ranks between knots are interpolated.
const KNOTS: usize = 128;

/// Returns a preset's numbers in a fixed order; NaN for a value it does not set.
pub(super) fn numbers(source: &SplitSource) -> Vec<f32> {
    let mut numbers: Vec<f32> =
        TOP.split_whitespace().map(|name| source.number(name).unwrap_or(f32::NAN)).collect();
    let (waves, shapes) = (source.enabled("wave"), source.enabled("shape"));
    numbers.extend([waves.len() as f32, shapes.len() as f32]);
    let sum = |kind: &str, slots: &[usize], name: &str, missing: f32| -> f32 {
        slots.iter().map(|slot| source.number(&format!("{kind}code_{slot}_{name}")).unwrap_or(missing)).sum()
    };
    // Without enabled waves or shapes, the mean is 0 / 0, which is NaN.
    numbers.extend(WAVE.split_whitespace().map(|name| sum("wave", &waves, name, 0.0) / waves.len() as f32));
    numbers
        .extend(SHAPE.split_whitespace().map(|name| sum("shape", &shapes, name, 0.0) / shapes.len() as f32));
    numbers.push(sum("shape", &shapes, "num_inst", 1.0));
    numbers.extend(LENGTHS.map(|section| token_count(&source.code[section as usize]) as f32));
    numbers
}

/// Mapping from values to their ranks within a library.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ranks {
    /// For each number, ascending values with their ranks. A rank is the share of presets with a lower value
    /// plus half the share with the same value, minus 0.5.
    pub knots: Vec<Vec<(f32, f32)>>,
}

impl Ranks {
    /// Fits the ranks on `rows`, each of which contains the numbers of one preset.
    pub fn fit(rows: &[&[f32]]) -> Self {
        let width = rows.first().map_or(0, |row| row.len());
        Self { knots: (0..width).map(|column| knots(rows.iter().map(|row| row[column]))).collect() }
    }

    /// Returns the number of values per preset.
    pub fn width(&self) -> usize {
        self.knots.len()
    }

    /// Returns the rank of each value, -0.5 to 0.5; 0 for a missing value.
    pub fn place(&self, row: &[f32]) -> Vec<f32> {
        self.knots.iter().zip(row).map(|(knots, &value)| rank(knots, value)).collect()
    }
}

fn knots(values: impl Iterator<Item = f32>) -> Vec<(f32, f32)> {
    let mut sorted: Vec<f32> = values.filter(|value| value.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    let count = sorted.len().max(1) as f32;
    let mut ranks: Vec<(f32, f32)> = Vec::new();
    let mut at = 0;
    while at < sorted.len() {
        let equal = sorted[at..].iter().take_while(|value| **value == sorted[at]).count();
        ranks.push((sorted[at], (at as f32 + equal as f32 / 2.0) / count - 0.5));
        at += equal;
    }
    if ranks.len() > KNOTS {
        let last = ranks.len() - 1;
        ranks = (0..KNOTS).map(|knot| ranks[knot * last / (KNOTS - 1)]).collect();
    }
    ranks
}

fn rank(knots: &[(f32, f32)], value: f32) -> f32 {
    if !value.is_finite() || knots.is_empty() {
        return 0.0;
    }
    let above = knots.partition_point(|(knot, _)| *knot < value);
    match (above.checked_sub(1).map(|below| knots[below]), knots.get(above)) {
        (_, Some(&(knot, rank))) if knot == value => rank,
        (Some((low, low_rank)), Some(&(high, high_rank))) => {
            low_rank + (high_rank - low_rank) * (value - low) / (high - low)
        }
        (None, Some(&(_, rank))) | (Some((_, rank)), None) => rank,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_maps_to_the_share_of_smaller_ones() {
        let ranks = Ranks::fit(&[&[1.0], &[1.0], &[2.0], &[1000.0]]);
        let place = |value: f32| ranks.place(&[value])[0];
        assert_eq!([place(1.0), place(2.0), place(1000.0)], [-0.25, 0.125, 0.375]);
        assert_eq!([place(-5.0), place(1e9), place(f32::NAN)], [-0.25, 0.375, 0.0]);
        assert!((place(1.5) + 0.0625).abs() < 1e-6);
    }

    #[test]
    fn every_preset_has_the_same_number_of_values() {
        let count = numbers(&SplitSource::default()).len();
        assert_eq!(count, 113);
        assert_eq!(
            numbers(&SplitSource::read(b"zoom=1\nshapecode_0_enabled=1\nshapecode_0_x=.5")).len(),
            count
        );
    }
}
