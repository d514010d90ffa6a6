//! A preset's text as an embedder reads it: numbers by name, and code by section with comments gone.
//!
//! Reads lines, not meaning: a preset too broken to play still has a sheet. What is switched off (custom waves and
//! shapes that are not enabled) is left out, because it is not seen. Everything is lower case.

use std::collections::HashMap;

/// Most custom waves, and most custom shapes, a preset has.
const SLOTS: usize = 16;

/// The kinds of code a preset holds, in the order of [`Sheet::code`].
pub(super) const SECTIONS: [&str; 10] = [
    "per_frame_init",
    "per_frame",
    "per_pixel",
    "warp",
    "comp",
    "wave_init",
    "wave_per_frame",
    "wave_per_point",
    "shape_init",
    "shape_per_frame",
];

/// One preset's text, taken apart.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Values by lower-case name.
    pub numbers: HashMap<String, f32>,
    /// Code of each of [`SECTIONS`], without comments; the enabled waves' and shapes' code follows one another.
    pub code: [String; SECTIONS.len()],
}

impl Sheet {
    /// Reads the bytes of a `.milk` file; bytes that are no UTF-8 are replaced.
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        let mut sheet = Self::default();
        let lines = || text.lines().filter_map(|line| line.split_once('='));
        for (key, value) in lines() {
            if let Ok(number) = value.trim().parse::<f32>()
                && number.is_finite()
            {
                sheet.numbers.insert(key.trim().to_owned(), number);
            }
        }
        for (key, value) in lines() {
            let Some((section, slot)) = section_of(key.trim()) else { continue };
            if slot.is_none_or(|(kind, slot)| sheet.slot_enabled(kind, slot)) {
                let code = &mut sheet.code[section];
                code.push_str(value.strip_prefix('`').unwrap_or(value));
                code.push('\n');
            }
        }
        for code in &mut sheet.code {
            *code = without_comments(code);
        }
        sheet
    }

    /// A value, where the preset gives it.
    pub fn number(&self, name: &str) -> Option<f32> {
        self.numbers.get(name).copied()
    }

    /// The custom `wave`s or `shape`s that are switched on.
    pub fn enabled(&self, kind: &str) -> Vec<usize> {
        (0..SLOTS).filter(|&slot| self.slot_enabled(kind, slot)).collect()
    }

    fn slot_enabled(&self, kind: &str, slot: usize) -> bool {
        self.number(&format!("{kind}code_{slot}_enabled")).is_some_and(|enabled| enabled >= 1.0)
    }
}

/// The section a line of code belongs to, with the wave or shape it is for.
fn section_of(key: &str) -> Option<(usize, Option<(&str, usize)>)> {
    let place = |name: &str| SECTIONS.iter().position(|section| *section == name);
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == key.len() {
        return None;
    }
    if let Some(section) = stem.strip_suffix('_').and_then(place).filter(|&section| section < 5) {
        return Some((section, None));
    }
    let kind = ["wave", "shape"].into_iter().find(|kind| stem.starts_with(kind))?;
    let (slot, part) = stem[kind.len()..].strip_prefix('_')?.split_once('_')?;
    let section = place(&format!("{kind}_{part}"))?;
    Some((section, Some((kind, slot.parse().ok()?))))
}

fn without_comments(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find('/') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            kept.push('/');
            1
        };
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_goes_to_its_section_and_what_is_off_is_left_out() {
        let sheet = Sheet::read(
            b"[preset00]\nfDecay=0.98\nper_frame_1=zoom = 1; // in\nper_frame_2=rot=0;\nwavecode_0_enabled=1\n\
              wave_0_per_point1=x=sample;\nwave_1_per_point1=y=1;\nwarp_1=`ret = tex2D(a,uv); /* b\nwarp_2=`c */ d\n",
        );
        assert_eq!(sheet.number("fdecay"), Some(0.98));
        assert_eq!(sheet.code[1], "zoom = 1; \nrot=0;\n");
        assert_eq!(sheet.code[7], "x=sample;\n");
        assert_eq!(sheet.code[3].trim(), "ret = tex2d(a,uv);  d");
        assert_eq!(sheet.enabled("wave"), [0]);
    }

    #[test]
    fn bytes_that_are_no_text_give_an_empty_sheet() {
        let sheet = Sheet::read(&[0, 255, 254, b'=', b'\n', 0xc3]);
        assert!(sheet.code.iter().all(String::is_empty));
    }
}
