//! Draws a line of text as an image: white letters whose opacity is their coverage.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ab_glyph::{Font as _, FontArc, Glyph, PxScale, ScaleFont as _, point};
use image::{Rgba, RgbaImage};

use super::mipmap::Mipmap;

/// Height of an em in the image, in pixels.
const EM: f32 = 96.0;
/// Maximum width of the text in the image, in pixels; longer text gets smaller letters.
const MAX_WIDTH: f32 = 2040.0;
/// Maximum height of the line, and maximum width and height of each letter, in pixels. A limit is needed because
/// fonts can declare any size.
const MAX_HEIGHT: f32 = 4.0 * EM;
/// Width of the empty margin around the letters, in pixels, so that filtering does not cut them off.
const MARGIN: f32 = 2.0;
/// Additional stroke width of bold letters, in ems.
const BOLD: f32 = 0.04;

/// Why a font cannot be used, or text cannot be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LetteringError {
    #[error("not a TrueType or OpenType font")]
    NotAFont,
    #[error("the font is damaged")]
    Damaged,
    #[error("the letters of the font are too large")]
    TooLarge,
    #[error("no visible letters")]
    NoLetters,
}

/// A typeface, read from a font file or built in.
#[derive(Clone, Debug)]
pub(super) struct Typeface(FontArc);

impl Typeface {
    /// Reads a TrueType or OpenType file, and checks that letters can be drawn with it.
    ///
    /// # Errors
    /// Returns an error if the file is not a font, or if letters cannot be drawn with it.
    pub fn read(bytes: Vec<u8>) -> Result<Self, LetteringError> {
        let read = catch_unwind(AssertUnwindSafe(|| FontArc::try_from_vec(bytes)));
        let font = read.map_err(|_| LetteringError::Damaged)?.map_err(|_| LetteringError::NotAFont)?;
        let typeface = Self(font);
        Lettering::new("Ag", &typeface, false).map(|_| typeface)
    }

    /// Returns the built-in proportional typeface or, if `fixed`, the monospaced one.
    pub fn built_in(fixed: bool) -> Self {
        let bytes =
            if fixed { epaint_default_fonts::HACK_REGULAR } else { epaint_default_fonts::UBUNTU_LIGHT };
        Self(FontArc::try_from_slice(bytes).expect("the built-in fonts are valid"))
    }
}

/// A line of text as an image.
#[derive(Clone, Debug)]
pub(super) struct Lettering {
    pub image: Arc<Mipmap>,
    /// Width and height of the image, in ems.
    pub size: [f32; 2],
    /// The letters that the font lacks, without repeats.
    missing: String,
}

impl Lettering {
    /// Draws `text`.
    ///
    /// # Errors
    /// Returns an error if the text has no visible letters, if the letters of the font are too large, or if the font
    /// turns out to be damaged.
    pub fn new(text: &str, typeface: &Typeface, bold: bool) -> Result<Self, LetteringError> {
        let drawn = catch_unwind(AssertUnwindSafe(|| Self::draw(text, typeface, bold)));
        drawn.unwrap_or(Err(LetteringError::Damaged))
    }

    fn draw(text: &str, typeface: &Typeface, bold: bool) -> Result<Self, LetteringError> {
        let Typeface(font) = typeface;
        let per_em = font.units_per_em().filter(|units| *units > 0.0).ok_or(LetteringError::Damaged)?;
        // ab_glyph's scale is the font's ascent minus its descent, not the size of an em.
        let scale_of = |em: f32| PxScale::from(em * font.height_unscaled() / per_em);
        let (_, width) = lay_out(text, font, scale_of(EM));
        let em = EM * (MAX_WIDTH / width.max(1.0)).min(1.0);
        let scaled = font.as_scaled(scale_of(em));
        let (glyphs, width) = lay_out(text, font, scale_of(em));
        // Also rejects NaN.
        let fits = scaled.height() <= MAX_HEIGHT && width <= MAX_WIDTH * 2.0;
        if !fits {
            return Err(LetteringError::TooLarge);
        }
        let stroke = if bold { (BOLD * em).round() as u32 } else { 0 };
        let columns = (width + 2.0 * MARGIN).ceil() as u32 + stroke;
        let rows = (scaled.height() + 2.0 * MARGIN).ceil() as u32;
        let mut coverage = vec![0.0_f32; columns as usize * rows as usize];
        let mut reason = LetteringError::NoLetters;
        for glyph in glyphs {
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            let fits = bounds.width() <= MAX_HEIGHT && bounds.height() <= MAX_HEIGHT;
            if !fits {
                reason = LetteringError::TooLarge;
                continue;
            }
            let (left, top) = (bounds.min.x + MARGIN, bounds.min.y + MARGIN + scaled.ascent());
            outline.draw(|x, y, share| {
                let (x, y) = (left as i64 + i64::from(x), top as i64 + i64::from(y));
                for x in x..=x + i64::from(stroke) {
                    if (0..i64::from(columns)).contains(&x) && (0..i64::from(rows)).contains(&y) {
                        let pixel = &mut coverage[y as usize * columns as usize + x as usize];
                        *pixel = pixel.max(share.min(1.0));
                    }
                }
            });
        }
        if coverage.iter().all(|share| *share == 0.0) {
            return Err(reason);
        }
        let image = RgbaImage::from_fn(columns, rows, |x, y| {
            let share = coverage[y as usize * columns as usize + x as usize];
            Rgba([255, 255, 255, (share * 255.0).round() as u8])
        });
        let size = [columns as f32 / em, rows as f32 / em];
        Ok(Self { image: Arc::new(Mipmap::new(image)), size, missing: missing(text, font) })
    }

    /// Returns a message about the letters that the font lacks, if any.
    pub fn problem(&self) -> Option<String> {
        let Self { missing, .. } = self;
        (!missing.is_empty()).then(|| {
            format!(
                "missing in the font and drawn as boxes: {missing}; add a font file that contains them, and set face \
                 to its name"
            )
        })
    }
}

/// Returns the letters of `text` that `font` lacks, without repeats.
fn missing(text: &str, font: &FontArc) -> String {
    let mut missing = String::new();
    for letter in visible(text).filter(|letter| font.glyph_id(*letter).0 == 0) {
        if !missing.contains(letter) {
            missing.push(letter);
        }
    }
    missing
}

/// Iterates over the letters of `text`, skipping control characters.
fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|letter| !letter.is_control())
}

/// Lays out the letters on a baseline at height 0. Returns the letters and the width of the line, in pixels.
fn lay_out(text: &str, font: &FontArc, scale: PxScale) -> (Vec<Glyph>, f32) {
    let scaled = font.as_scaled(scale);
    let mut glyphs: Vec<Glyph> = Vec::new();
    let mut at = 0.0;
    for letter in visible(text) {
        let id = font.glyph_id(letter);
        if let Some(last) = glyphs.last() {
            at += scaled.kern(last.id, id);
        }
        glyphs.push(id.with_scale_and_position(scale, point(at, 0.0)));
        at += scaled.h_advance(id);
    }
    (glyphs, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(lettering: &Lettering) -> u64 {
        lettering.image.levels()[0].pixels().map(|pixel| u64::from(pixel.0[3])).sum()
    }

    #[test]
    fn bold_letters_cover_more_pixels() {
        let face = Typeface::built_in(false);
        let plain = Lettering::new("Wave", &face, false).expect("letters");
        let bold = Lettering::new("Wave", &face, true).expect("letters");
        assert!(ink(&bold) > ink(&plain) * 5 / 4, "{} {}", ink(&bold), ink(&plain));
        assert!(plain.size[0] > 1.5 && (1.0..1.5).contains(&plain.size[1]), "{:?}", plain.size);
        assert_eq!(Lettering::new(" \t", &face, false).err(), Some(LetteringError::NoLetters));
    }

    #[test]
    fn long_text_is_drawn_smaller() {
        let long = Lettering::new(&"m".repeat(200), &Typeface::built_in(true), true).expect("letters");
        assert!(long.image.levels()[0].width() <= 2048);
        assert!(long.size[0] > 100.0, "{:?}", long.size);
    }

    #[test]
    fn letters_that_the_font_lacks_are_listed_once() {
        let problem =
            |text: &str| Lettering::new(text, &Typeface::built_in(false), false).expect("letters").problem();
        assert_eq!(problem("Älgen - Skogsljus\t"), None);
        let why = problem("Live 東京東").expect("a problem");
        assert!(why.starts_with("missing in the font and drawn as boxes: 東京;"), "{why}");
    }

    #[test]
    fn a_file_that_is_not_a_font_is_rejected() {
        assert_eq!(Typeface::read(b"not a font".to_vec()).err(), Some(LetteringError::NotAFont));
    }

    #[test]
    fn a_font_whose_letters_are_too_large_is_rejected() {
        let mut bytes = epaint_default_fonts::UBUNTU_LIGHT.to_vec();
        let entry = bytes.windows(4).position(|tag| tag == b"head").expect("the header's table entry");
        let offset: [u8; 4] = bytes[entry + 8..entry + 12].try_into().expect("four bytes");
        // The minimum number of units per em, although the outlines are designed for many more.
        let units = u32::from_be_bytes(offset) as usize + 18;
        bytes[units..units + 2].copy_from_slice(&16_u16.to_be_bytes());
        assert_eq!(Typeface::read(bytes).err(), Some(LetteringError::TooLarge));
    }
}
