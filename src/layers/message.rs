//! Song titles, and messages from `MILK_MSG.INI`: how a line of text looks and moves.

use super::ini::Section;
use super::text::Lettering;
use crate::units::Rng;

/// Size of an em at a size setting of 50, relative to the picture's height.
const NORMAL_EM: f32 = 0.12;
/// Increase of the size setting that doubles the em.
const DOUBLE: f32 = 25.0;
/// Maximum width of the text at launch, relative to the picture's width.
const MAX_WIDTH: f32 = 0.95;

/// A font from `MILK_MSG.INI`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FontStyle {
    pub face: String,
    pub bold: bool,
    pub italic: bool,
    /// Red, green and blue, 0 to 255.
    pub color: [f64; 3],
}

impl Default for FontStyle {
    fn default() -> Self {
        Self { face: String::new(), bold: false, italic: false, color: [255.0; 3] }
    }
}

impl FontStyle {
    /// Returns this font with the settings in `section` applied. Adds a message to `problems` for each value that is
    /// out of range.
    pub fn changed(&self, section: &Section, problems: &mut Vec<String>) -> Result<Self, String> {
        let flag = |key, now: bool| Ok::<_, String>(section.number(key, f64::from(u8::from(now)))? != 0.0);
        let mut light = |key, now: f64| section.number_within(key, now, 0.0..=255.0, problems);
        Ok(Self {
            face: section.get("face").unwrap_or(&self.face).to_owned(),
            bold: flag("bold", self.bold)?,
            italic: flag("ital", self.italic)?,
            color: [light("r", self.color[0])?, light("g", self.color[1])?, light("b", self.color[2])?],
        })
    }
}

/// How a line of text looks and moves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MessageStyle {
    /// Size of the letters: 0 tiny, 50 normal, 100 large.
    size: f64,
    /// Centre: 0 to 1 from left to right and from top to bottom.
    place: [f64; 2],
    /// Largest random offset of the centre on each axis.
    place_spread: [f64; 2],
    /// Size at the end, relative to the size at launch.
    growth: f64,
    /// Seconds on air.
    secs: f64,
    /// Fraction of the time on air during which the text fades in, 0 to 1.
    fade: f64,
    /// Red, green and blue, 0 to 255.
    color: [f64; 3],
    /// Largest random offset of each colour channel.
    color_spread: [f64; 3],
    italic: bool,
    /// Whether the text ripples into place, as song titles do.
    ripples: bool,
}

impl MessageStyle {
    /// Reads a `[messageNN]` section; `font` is the message's font. Adds a message to `problems` for each value that is
    /// out of range.
    pub fn read(section: &Section, font: &FontStyle, problems: &mut Vec<String>) -> Result<Self, String> {
        let mut number =
            |key, default: f64, from: f64, to: f64| section.number_within(key, default, from..=to, problems);
        Ok(Self {
            size: number("size", 50.0, 0.0, 100.0)?,
            place: [number("x", 0.5, -10.0, 10.0)?, number("y", 0.5, -10.0, 10.0)?],
            place_spread: [number("randx", 0.0, -10.0, 10.0)?, number("randy", 0.0, -10.0, 10.0)?],
            growth: number("growth", 1.0, 0.01, 100.0)?,
            secs: number("time", 5.0, 0.05, 3600.0)?,
            fade: number("fade", 1.0, 0.0, 1.0)?,
            color: font.color,
            color_spread: [
                number("randr", 0.0, -255.0, 255.0)?,
                number("randg", 0.0, -255.0, 255.0)?,
                number("randb", 0.0, -255.0, 255.0)?,
            ],
            italic: font.italic,
            ripples: false,
        })
    }

    /// Returns the style of song titles.
    pub fn title(font: &FontStyle) -> Self {
        Self {
            size: 60.0,
            place: [0.5; 2],
            place_spread: [0.0; 2],
            growth: 1.1,
            secs: 4.0,
            fade: 0.25,
            color: font.color,
            color_spread: [0.0; 3],
            italic: font.italic,
            ripples: true,
        }
    }

    /// Applies the random offsets of a launch, which `seed` determines.
    pub fn launched(mut self, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut around = |value: f64, spread: f64| value + spread * (rng.unit() * 2.0 - 1.0);
        for axis in 0..2 {
            self.place[axis] = around(self.place[axis], self.place_spread[axis]);
        }
        for channel in 0..3 {
            self.color[channel] = around(self.color[channel], self.color_spread[channel]).clamp(0.0, 255.0);
        }
        self
    }

    /// Returns the text's state `age_secs` after launch. `aspect` is the picture's width over its height.
    pub fn at(&self, age_secs: f64, lettering: &Lettering, aspect: f32) -> TextState {
        let progress = (age_secs / self.secs).clamp(0.0, 1.0) as f32;
        let em = NORMAL_EM * ((self.size as f32 - 50.0) / DOUBLE).exp2();
        // In picture widths, like the size of sprites.
        let [width, height] = lettering.size.map(|ems| ems * em / aspect);
        let fit = (MAX_WIDTH / width).min(1.0);
        let scale = fit * (self.growth as f32).powf(progress);
        let opacity = if self.fade > 0.0 { (progress / self.fade as f32).min(1.0) } else { 1.0 };
        let [r, g, b] = self.color.map(|channel| (channel / 255.0) as f32);
        TextState {
            center: [self.place[0] as f32, 1.0 - self.place[1] as f32],
            size: [width * scale, height * scale],
            slant: if self.italic { 0.2 } else { 0.0 },
            ripple: if self.ripples { (1.0 - progress).powi(3) } else { 0.0 },
            color: [r, g, b, opacity],
            ended: age_secs >= self.secs,
        }
    }
}

/// A line of text in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TextState {
    /// Centre: 0 to 1 from left to right and from bottom to top.
    pub center: [f32; 2],
    /// Width and height, relative to the picture's width.
    pub size: [f32; 2],
    /// How far the top edge lies to the right of the bottom edge, relative to the height.
    pub slant: f32,
    /// Strength of the ripples, 0 to 1.
    pub ripple: f32,
    /// RGBA, from 0 to 1.
    pub color: [f32; 4],
    /// Whether the time of the text has passed; the text is then drawn one last time, into the preset's picture.
    pub ended: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::ini::sections;
    use crate::layers::text::Typeface;

    fn style(text: &str) -> Result<MessageStyle, String> {
        let sections = sections(&format!("[message00]\n{text}"));
        let mut problems = Vec::new();
        let font = FontStyle::default().changed(&sections[0], &mut problems)?;
        let style = MessageStyle::read(&sections[0], &font, &mut problems)?;
        if problems.is_empty() { Ok(style) } else { Err(problems.join("\n")) }
    }

    #[test]
    fn a_message_fades_in_grows_and_ends() {
        let style = style("size=75\nx=0.25\ny=0.25\ngrowth=4\ntime=2\nfade=0.5\nr=255\ng=0\nb=51\n");
        let style = style.expect("a message").launched(1);
        let lettering = Lettering::new("Hi", &Typeface::built_in(false), false).expect("letters");
        let at = |secs: f64| style.at(secs, &lettering, 2.0);
        let start = at(0.0);
        assert_eq!((start.center, start.color), ([0.25, 0.75], [1.0, 0.0, 0.2, 0.0]));
        assert!((start.size[1] - lettering.size[1] * NORMAL_EM).abs() < 1e-6, "{:?}", start.size);
        assert!((at(0.5).color[3] - 0.5).abs() < 1e-6 && at(1.0).color[3] == 1.0);
        assert!((at(1.0).size[0] / start.size[0] - 2.0).abs() < 1e-5);
        assert_eq!((at(1.99).ended, at(2.0).ended), (false, true));
    }

    #[test]
    fn random_values_stay_within_their_range_and_repeat_with_the_seed() {
        let style = style("randx=0.2\nrandy=0.1\nr=100\nrandr=50\ng=80\nrandg=10\nb=20\nrandb=20\n")
            .expect("a message");
        let launched: Vec<_> = (0..50).map(|seed| style.clone().launched(seed)).collect();
        assert!(launched.iter().all(|one| (0.3..=0.7).contains(&one.place[0])));
        assert!(launched.iter().all(|one| (50.0..=150.0).contains(&one.color[0])));
        assert!(launched.iter().all(|one| (70.0..=90.0).contains(&one.color[1])));
        assert!(launched.iter().all(|one| (0.0..=40.0).contains(&one.color[2])));
        assert_ne!(launched[0].place, launched[1].place);
        assert_eq!(launched[3], style.launched(3));
    }

    #[test]
    fn text_never_starts_wider_than_the_picture() {
        let large = style("size=100\n").expect("a message");
        let lettering = Lettering::new(&"m".repeat(80), &Typeface::built_in(false), false).expect("letters");
        assert!((large.at(0.0, &lettering, 1.6).size[0] - MAX_WIDTH).abs() < 1e-5);
        assert!(style("size=big\n").is_err());
    }

    #[test]
    fn values_out_of_range_are_reported() {
        let why = style("time=-3\nr=300\nfade=0.5\n").expect_err("problems");
        assert_eq!(
            why,
            "r must be from 0 to 255, not 300; using 255\ntime must be from 0.05 to 3600, not -3; using 0.05"
        );
    }
}
