//! How well styles fit a theme, as the performer set it.

/// Start of a style's fit in a description: `style "NAME" 80%`.
const STYLE: &str = "style \"";

/// How well a style fits a theme.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleFit {
    /// The name of the style, as [`style_key`] returns it.
    pub key: String,
    /// How well it fits, from 0 to 1.
    pub fit: f32,
}

/// Returns the name of a style as it is written in a description.
pub fn style_key(name: &str) -> String {
    name.to_lowercase().replace('"', "")
}

impl StyleFit {
    /// Returns a text that parses to the same fit.
    pub(super) fn text(&self) -> String {
        let Self { key, fit } = self;
        format!("{STYLE}{key}\" {}%", percent(*fit))
    }
}

/// Returns a share or weight in percent.
pub(super) fn percent(share: f32) -> u32 {
    (share * 100.0).round() as u32
}

/// Splits off the fits of styles; returns them with the rest of the text.
pub(super) fn split_styles(text: &str) -> (Vec<StyleFit>, String) {
    let (mut styles, mut rest) = (Vec::new(), String::new());
    let mut left = text;
    while let Some(at) = left.find(STYLE) {
        let (before, after) = (&left[..at], &left[at + STYLE.len()..]);
        rest += before;
        left = match style_fit(after) {
            Some((style, after)) => {
                styles.push(style);
                after
            }
            None => after,
        };
    }
    (styles, rest + left)
}

/// Parses what follows `style "`: the name and the percentage. Returns the fit and the rest of the text.
fn style_fit(text: &str) -> Option<(StyleFit, &str)> {
    let (name, after) = text.split_once('"')?;
    let (percent, after) = after.split_once('%')?;
    let fit = percent.trim().parse::<u8>().ok()?;
    Some((StyleFit { key: style_key(name), fit: f32::from(fit.min(100)) / 100.0 }, after))
}
