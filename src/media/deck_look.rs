//! The look of a deck, measured before it goes on air, so that the audience never sees an empty picture.

use serde::{Deserialize, Serialize};

/// Minimum value of the brightest channel of a lit sample, 0 to 1.
const LIT: f32 = 0.15;
/// Maximum fraction of lit parts in a nearly empty picture, for example one with a few dots.
const FEW_LIT: f32 = 0.01;
/// Maximum mean luma of a black or nearly empty picture, 0 to 1.
const DARK: f32 = 0.03;
/// Minimum luma of the darkest part of a white picture, 0 to 1.
const WHITE: f32 = 0.98;
/// Minimum mean luma of a picture suitable for Panic, 0 to 1.
const LIGHT: f32 = 0.08;
/// Minimum fraction of lit parts in a picture suitable for Panic.
const WELL_LIT: f32 = 0.3;
/// Maximum mean luma of a picture suitable for Panic, 0 to 1.
const GLARING: f32 = 0.9;

/// Brightness statistics of one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeckLook {
    /// Mean luma, 0 to 1 (Rec. 709).
    pub luma: f32,
    /// Luma of the darkest part, 0 to 1.
    pub darkest: f32,
    /// Fraction of the picture's parts that contain a lit sample, 0 to 1.
    pub coverage: f32,
}

impl DeckLook {
    /// Computes the look from a downsampled picture, whose pixels each describe one part: RGB is the mean colour
    /// of the part, alpha the brightest channel of any sample in it.
    pub fn of(parts: &[u8]) -> Self {
        let (mut sum, mut darkest, mut lit) = (0.0, 1.0_f32, 0);
        for part in parts.chunks_exact(4) {
            let [r, g, b, brightest] =
                [part[0], part[1], part[2], part[3]].map(|value| f32::from(value) / 255.0);
            let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            sum += luma;
            darkest = darkest.min(luma);
            lit += u32::from(brightest >= LIT);
        }
        let count = (parts.len() / 4).max(1) as f32;
        Self { luma: sum / count, darkest, coverage: lit as f32 / count }
    }

    /// Returns `black`, `white` or `nearly empty` if the picture shows nothing, `None` otherwise.
    pub fn fault(&self) -> Option<&'static str> {
        if self.darkest >= WHITE {
            Some("white")
        } else if self.luma > DARK || self.coverage > FEW_LIT {
            None
        } else if self.coverage == 0.0 {
            Some("black")
        } else {
            Some("nearly empty")
        }
    }

    /// Returns true if the picture is suitable for Panic: not too dark, too bright or too empty.
    pub fn suits_panic(&self) -> bool {
        (LIGHT..=GLARING).contains(&self.luma) && self.coverage >= WELL_LIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(lit: usize, value: u8) -> DeckLook {
        let parts = (0..1000).flat_map(|at| [if at < lit { value } else { 0 }; 4]);
        DeckLook::of(&parts.collect::<Vec<u8>>())
    }

    #[test]
    fn only_pictures_that_show_nothing_are_faulty() {
        assert_eq!(look(0, 0).fault(), Some("black"));
        assert_eq!(look(1000, 6).fault(), Some("black"), "luma 6 of 255");
        assert_eq!(look(1000, 255).fault(), Some("white"));
        assert_eq!(look(5, 255).fault(), Some("nearly empty"));
        assert_eq!(look(30, 120).fault(), None, "a thin line");
        assert_eq!(look(999, 255).fault(), None);
    }

    #[test]
    fn a_bright_and_full_picture_suits_panic() {
        assert!(look(600, 120).suits_panic());
        assert!(!look(100, 255).suits_panic(), "a bright corner");
        assert!(!look(1000, 15).suits_panic(), "a dim picture");
        assert!(!look(1000, 250).suits_panic(), "a glaring picture");
    }
}
