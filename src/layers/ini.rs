//! Windows INI files, read as `GetPrivateProfileString` does: if a key is repeated, its first value applies.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::disk;

/// A section with its entries; the names of the section and its keys are in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub name: String,
    entries: HashMap<String, String>,
}

impl Section {
    /// Returns the value of `key`, which must be in lower case; an empty value counts as missing.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the value of `key`, or `default` if the key is missing. Fails with a message if the value is
    /// not a finite number.
    pub fn number(&self, key: &str, default: f64) -> Result<f64, String> {
        let Some(text) = self.get(key) else { return Ok(default) };
        // Text after the number is ignored, for example a comment.
        let word = text.split([' ', '\t', ';', '/']).next().unwrap_or_default();
        let number = word.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| format!("{key} must be a number, not {text:?}"))
    }

    /// Returns the value of `key` like [`Self::number`], clamped to `range`. Adds a message to `problems` if the value
    /// is outside the range.
    pub fn number_within(
        &self,
        key: &str,
        default: f64,
        range: RangeInclusive<f64>,
        problems: &mut Vec<String>,
    ) -> Result<f64, String> {
        let value = self.number(key, default)?;
        let (least, most) = (*range.start(), *range.end());
        let nearest = value.clamp(least, most);
        if nearest != value {
            problems.push(format!("{key} must be from {least} to {most}, not {value}; using {nearest}"));
        }
        Ok(nearest)
    }

    /// Returns the values of the keys `prefix_1`, `prefix_2` and so on, up to the first missing key.
    pub fn lines(&self, prefix: &str) -> Vec<&str> {
        let line = |number: usize| self.entries.get(&format!("{prefix}_{number}")).map(String::as_str);
        (1..).map_while(line).collect()
    }
}

/// Splits a file into sections. Skips comments and lines before the first section.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in disk::lines(text).map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            sections.push(Section { name: name.trim().to_lowercase(), entries: HashMap::new() });
        } else if let (Some(section), Some((key, value))) = (sections.last_mut(), line.split_once('='))
            && !line.starts_with(['/', ';', '#'])
        {
            let value = value.trim();
            let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            section.entries.entry(key.trim().to_lowercase()).or_insert_with(|| bare.to_owned());
        }
    }
    sections
}

/// Returns the two-digit number NN in a section name of the form `prefixNN`; `None` for other names.
pub(super) fn number_of(name: &str, prefix: &str) -> Option<u8> {
    let digits = name.strip_prefix(prefix)?;
    let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keep_their_first_values_and_skip_comments() {
        let text = "/*\nimg=not a section\n*/\r\n[IMG07]\r\n// x=1\r\nImg = \"a b.png\"\r\nimg=later.png\r\n\
                    init_1=x = 0.5;\r\ninit_2=\r\ninit_3=y=1;\r\ninit_5=z=1;\r\nsize=40 ; percent\r\nfade=soft\r\n";
        let sections = sections(text);
        let [section] = &sections[..] else { panic!("{sections:?}") };
        assert_eq!(number_of(&section.name, "img"), Some(7));
        assert_eq!(section.get("img"), Some("a b.png"));
        assert_eq!(section.lines("init"), ["x = 0.5;", "", "y=1;"]);
        assert_eq!((section.number("size", 1.0), section.number("time", 1.5)), (Ok(40.0), Ok(1.5)));
        let mut problems = Vec::new();
        let mut within = |key, range| section.number_within(key, 1.5, range, &mut problems);
        assert_eq!([within("size", 0.0..=50.0), within("size", 0.0..=30.0)], [Ok(40.0), Ok(30.0)]);
        assert_eq!(within("time", 0.05..=3600.0), Ok(1.5));
        assert_eq!(problems, ["size must be from 0 to 30, not 40; using 30"]);
        assert!(section.number("fade", 0.0).is_err_and(|why| why.contains("fade")));
        assert_eq!(
            [number_of("img7", "img"), number_of("img007", "img"), number_of("font00", "img")],
            [None; 3]
        );
    }
}
