//! Reads a folder of layers: `MILK_IMG.INI`, `MILK_MSG.INI`, and the images and fonts they refer to.
//!
//! Anything that cannot be read is reported, and skipped or replaced.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbaImage;

use super::MAX_TITLE;
use super::ini::{Section, number_of, sections};
use super::message::{FontStyle, MessageStyle};
use super::mipmap::Mipmap;
use super::sprite::Sprite;
use super::text::{Lettering, LetteringError, Typeface};
use crate::disk::{self, Walk};

/// File names of the sprites and of the messages, in lower case.
const SPRITES: &str = "milk_img.ini";
const MESSAGES: &str = "milk_msg.ini";
/// Maximum number of folder levels that are searched, counting the folder itself.
const MAX_DEPTH: usize = 5;
/// Maximum size of a font file, in bytes.
const MAX_FONT_BYTES: u64 = 32 << 20;
/// Maximum total size of all fonts, in bytes.
const MAX_ALL_FONT_BYTES: usize = 128 << 20;
/// Maximum total memory of all images, in bytes.
const MAX_IMAGE_BYTES: usize = 256 << 20;

/// The layers that a performer can launch.
#[derive(Debug, Default)]
pub struct LayerFiles {
    pub(super) sprites: BTreeMap<u8, Arc<Sprite>>,
    pub(super) messages: BTreeMap<u8, (Lettering, MessageStyle)>,
    /// The font of song titles: `[font00]` in `MILK_MSG.INI`.
    title_font: FontStyle,
    faces: HashMap<String, Typeface>,
    /// Messages about what could not be read or was replaced.
    problems: Vec<String>,
}

impl LayerFiles {
    /// Reads the layers of `folder`.
    pub fn read(folder: &Path) -> Self {
        let mut files = Files::list(folder);
        let mut layers = Self { problems: std::mem::take(&mut files.problems), ..Self::default() };
        let (sprites, messages) = (files.sections(SPRITES), files.sections(MESSAGES));
        if let (None, None) = (&sprites, &messages) {
            layers.problems.push(format!("{}: neither {SPRITES} nor {MESSAGES} found", folder.display()));
        }
        for found in [sprites, messages].into_iter().flatten() {
            match found {
                Ok(sections) => layers.add(&sections, &mut files),
                Err(why) => layers.problems.push(why),
            }
        }
        layers
    }

    /// Creates a sprite for each combination of blend mode, tiling and burning, so that each can be drawn once
    /// before a show.
    pub fn of_every_kind() -> Self {
        let mut layers = Self::default();
        let picture = Arc::new(Mipmap::new(RgbaImage::from_pixel(3, 2, image::Rgba([255; 4]))));
        for number in 0..20_u8 {
            let (blend, repeat, burn) = (number / 4, number / 2 % 2 + 1, number % 2);
            let code = format!("init_1=blendmode = {blend}; repeatx = {repeat}; burn = {burn};");
            for section in sections(&format!("[img{number:02}]\n{code}\n")) {
                let sprite = Sprite::compile(&section, picture.clone(), &mut layers.problems);
                layers.sprites.insert(number, Arc::new(sprite));
            }
        }
        layers
    }

    /// Returns messages about what could not be read or was replaced.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Returns the numbers of the sprites and of the messages, each in ascending order.
    pub fn numbers(&self) -> [Vec<u8>; 2] {
        [self.sprites.keys().copied().collect(), self.messages.keys().copied().collect()]
    }

    /// Draws a song title and returns it with its style.
    ///
    /// # Errors
    /// Returns an error if it cannot be drawn, for example because it has no visible letters.
    pub(super) fn title(&self, title: &str) -> Result<(Lettering, MessageStyle), LetteringError> {
        let lettering = Lettering::new(title, &self.face(&self.title_font.face), self.title_font.bold)?;
        Ok((lettering, MessageStyle::title(&self.title_font)))
    }

    /// Returns the typeface with this name or, if none was loaded, a built-in one.
    fn face(&self, name: &str) -> Typeface {
        let name = name.to_lowercase();
        self.faces.get(&name).cloned().unwrap_or_else(|| Typeface::built_in(is_fixed(&name)))
    }

    fn add(&mut self, sections: &[Section], files: &mut Files) {
        let mut fonts: BTreeMap<u8, FontStyle> = BTreeMap::new();
        for section in sections {
            let mut problems = Vec::new();
            // A section is skipped if an earlier one of the same kind and number has been read.
            let added = match kind_and_number(&section.name) {
                Some(("font", number)) if !fonts.contains_key(&number) => {
                    FontStyle::default().changed(section, &mut problems).map(|font| {
                        self.load_face(&font.face, files);
                        fonts.insert(number, font);
                    })
                }
                Some(("img", number)) if !self.sprites.contains_key(&number) => {
                    files.image(section).map(|image| {
                        let sprite = Sprite::compile(section, image, &mut self.problems);
                        self.sprites.insert(number, Arc::new(sprite));
                    })
                }
                Some(("message", number)) if !self.messages.contains_key(&number) => {
                    self.message(section, &fonts, files, &mut problems).map(|message| {
                        self.messages.insert(number, message);
                    })
                }
                Some(_) => Ok(()),
                None => {
                    Err("unknown section; expected img, message or font with a number from 00 to 99".into())
                }
            };
            problems.extend(added.err());
            self.problems.extend(problems.iter().map(|why| format!("[{}]: {why}", section.name)));
        }
        if let Some(font) = fonts.remove(&0) {
            self.title_font = font;
        }
    }

    fn message(
        &mut self,
        section: &Section,
        fonts: &BTreeMap<u8, FontStyle>,
        files: &mut Files,
        problems: &mut Vec<String>,
    ) -> Result<(Lettering, MessageStyle), String> {
        let text = section.get("text").ok_or("no text")?;
        if text.chars().count() > MAX_TITLE {
            return Err(format!("the text is longer than {MAX_TITLE} characters"));
        }
        let number = section.number("font", 0.0)?;
        let font = fonts.iter().find(|(known, _)| f64::from(**known) == number);
        if font.is_none() && section.get("font").is_some() {
            problems.push(format!("font {number:02} is not defined above; using the default font"));
        }
        let font = font.map(|(_, font)| font.clone()).unwrap_or_default().changed(section, problems)?;
        self.load_face(&font.face, files);
        let lettering =
            Lettering::new(text, &self.face(&font.face), font.bold).map_err(|why| why.to_string())?;
        problems.extend(lettering.problem());
        Ok((lettering, MessageStyle::read(section, &font, problems)?))
    }

    /// Loads the typeface with this name from the folder. If that fails, reports the problem once and uses a built-in
    /// typeface. A missing file is not reported if the name is that of a monospaced font.
    fn load_face(&mut self, face: &str, files: &mut Files) {
        let name = face.to_lowercase();
        if name.is_empty() || self.faces.contains_key(&name) {
            return;
        }
        let Files { by_name, font_bytes, .. } = files;
        let file = [".ttf", ".otf"].iter().find_map(|ending| by_name.get(&format!("{name}{ending}")));
        let read = match file {
            Some(file) => typeface(file, font_bytes).map_err(|why| format!("{}: {why}", file.display())),
            None if is_fixed(&name) => Ok(Typeface::built_in(true)),
            None => Err(format!("face {face:?}: neither {face}.ttf nor {face}.otf is in the folder")),
        };
        let typeface = read.unwrap_or_else(|why| {
            self.problems.push(format!("{why}; using a built-in font"));
            Typeface::built_in(is_fixed(&name))
        });
        self.faces.insert(name, typeface);
    }
}

/// Returns the kind and number in the name of a section; `None` if the name has another form.
fn kind_and_number(name: &str) -> Option<(&'static str, u8)> {
    ["img", "message", "font"].into_iter().find_map(|kind| Some((kind, number_of(name, kind)?)))
}

/// Returns whether a font with this name, in lower case, is monospaced.
fn is_fixed(name: &str) -> bool {
    ["courier", "mono", "console", "consolas"].iter().any(|word| name.contains(word))
}

/// Reads a font and adds its size to `font_bytes`.
fn typeface(file: &Path, font_bytes: &mut usize) -> Result<Typeface, String> {
    let full = || Err(format!("all fonts together need more than {} MiB", MAX_ALL_FONT_BYTES >> 20));
    if *font_bytes >= MAX_ALL_FONT_BYTES {
        return full();
    }
    let bytes = disk::read(file, MAX_FONT_BYTES).map_err(|error| error.to_string())?;
    *font_bytes += bytes.len();
    if *font_bytes > MAX_ALL_FONT_BYTES {
        return full();
    }
    Typeface::read(bytes).map_err(|why| why.to_string())
}

/// The files of a folder.
struct Files {
    /// Paths, keyed by the lower-case path relative to the folder, with forward slashes.
    by_name: HashMap<String, PathBuf>,
    /// Images that have been read, by path and colour key.
    images: HashMap<(PathBuf, u32), Arc<Mipmap>>,
    /// Total size of the fonts that have been read, in bytes.
    font_bytes: usize,
    problems: Vec<String>,
}

impl Files {
    fn list(folder: &Path) -> Self {
        let mut files =
            Self { by_name: HashMap::new(), images: HashMap::new(), font_bytes: 0, problems: Vec::new() };
        for found in Walk::new(folder, MAX_DEPTH, |_| true) {
            match found {
                Ok(path) => {
                    let below = path.strip_prefix(folder).unwrap_or(&path);
                    let name = below.to_string_lossy().replace('\\', "/").to_lowercase();
                    files.by_name.entry(name).or_insert(path);
                }
                Err(skipped) => files.problems.push(skipped.to_string()),
            }
        }
        files
    }

    /// Reads the INI file with this name; `None` if the folder has no such file.
    fn sections(&self, name: &str) -> Option<Result<Vec<Section>, String>> {
        let path = self.by_name.get(name)?;
        let bytes = disk::read(path, disk::limit::TEXT);
        Some(match bytes {
            // Old editors save these files in the system's code page instead of UTF-8.
            Ok(bytes) => Ok(sections(&disk::decode_lossy(&bytes))),
            Err(error) => Err(format!("{}: {error}", path.display())),
        })
    }

    /// Reads the image of a sprite and makes the pixels that match its colour key transparent.
    fn image(&mut self, section: &Section) -> Result<Arc<Mipmap>, String> {
        let name = section.get("img").ok_or("no img")?;
        let key = color_key(section.get("colorkey"))?;
        let below = name.replace('\\', "/").to_lowercase();
        let below = below.trim_start_matches("./");
        let path = self.by_name.get(below).ok_or_else(|| format!("{name:?} is not in the folder"))?;
        let slot = (path.clone(), key);
        if let Some(image) = self.images.get(&slot) {
            return Ok(image.clone());
        }
        let mut image = disk::picture(path).map_err(|error| format!("{name}: {error}"))?.to_rgba8();
        apply_color_key(&mut image, key);
        let image = Arc::new(Mipmap::new(image));
        let bytes: usize = self.images.values().map(|image| image.bytes()).sum();
        if bytes + image.bytes() > MAX_IMAGE_BYTES {
            return Err(format!("{name}: all images together need more than {} MiB", MAX_IMAGE_BYTES >> 20));
        }
        self.images.insert(slot, image.clone());
        Ok(image)
    }
}

/// Parses a colour key, `0xRRGGBB` or a decimal number; returns black if there is none.
fn color_key(text: Option<&str>) -> Result<u32, String> {
    let Some(text) = text else { return Ok(0) };
    let number = match text.to_lowercase().strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    let number = number.map_err(|_| format!("colorkey must be a number such as 0xFF00FF, not {text:?}"))?;
    Ok(number & 0xff_ffff)
}

/// Makes the pixels of one colour transparent.
fn apply_color_key(image: &mut RgbaImage, key: u32) {
    let [_, r, g, b] = key.to_be_bytes();
    for pixel in image.pixels_mut().filter(|pixel| pixel.0[..3] == [r, g, b]) {
        pixel.0 = [0; 4];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, bytes).expect("written");
        }
        folder
    }

    fn png(color: [u8; 4]) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = RgbaImage::from_pixel(4, 2, image::Rgba(color));
        image.write_to(&mut bytes, image::ImageFormat::Png).expect("a PNG");
        bytes.into_inner()
    }

    #[test]
    fn names_of_files_and_keys_are_case_insensitive() {
        let sprites =
            b"[img03]\r\nimg=Pictures\\Red.PNG\r\ncolorkey=0xFF0000\r\n[img99]\r\nimg=pictures/red.png\r\n";
        let messages = b"[font00]\nface=Courier New\n[message99]\ntext=Good evening\nfont=0\n";
        let files: [(&str, &[u8]); 3] = [
            ("Milk_Img.ini", sprites),
            ("MILK_MSG.INI", messages),
            ("pictures/red.png", &png([255, 0, 0, 255])),
        ];
        let folder = folder(&files);
        let layers = LayerFiles::read(folder.path());
        assert_eq!((layers.problems(), layers.numbers()), (&[][..], [vec![3, 99], vec![99]]));
        let first = |number: u8| layers.sprites[&number].image.levels()[0].get_pixel(0, 0).0;
        assert_eq!([first(3), first(99)], [[0; 4], [255, 0, 0, 255]], "keyed and not");
        assert!(layers.title("Title").is_ok());
    }

    #[test]
    fn unreadable_sections_are_reported_and_the_rest_still_work() {
        let sprites =
            b"[img00]\nimg=no.png\n[img01]\nimg=bad.png\n[img02]\n[img03]\nimg=good.png\ncolorkey=red\n\
            [img04]\nimg=../outside.png\n[img05]\nimg=good.png\ncode_1=x = (;\n";
        let messages = b"[font00]\nface=Fancy\n[message00]\ntext=\n[message01]\ntext=a\nsize=huge\n\
            [message02]\ntext=b\n";
        let files: [(&str, &[u8]); 5] = [
            ("milk_img.ini", sprites),
            ("milk_msg.ini", messages),
            ("good.png", &png([9; 4])),
            ("bad.png", b"\x89PNG\r\n\x1a\nnothing"),
            ("fancy.ttf", b"not a font"),
        ];
        let layers = LayerFiles::read(folder(&files).path());
        assert_eq!(layers.numbers(), [vec![5], vec![2]]);
        let named = |word: &str| layers.problems().iter().filter(|problem| problem.contains(word)).count();
        assert_eq!(layers.problems().len(), 9, "{:#?}", layers.problems());
        for word in
            ["[img00]", "[img01]", "[img02]", "[img03]", "[img04]", "[img05]", "[message00]", "fancy.ttf"]
        {
            assert_eq!(named(word), 1, "{word}: {:#?}", layers.problems());
        }
        assert_eq!(named("size must be a number"), 1);
    }

    #[test]
    fn replaced_values_and_unknown_sections_are_reported() {
        let sprites = b"[img100]\nimg=good.png\n[img9]\nimg=good.png\n[sprite01]\n";
        let messages = "[font00]\nface=nosuchfont\n[font01]\nface=NoSuchFont\ng=256\n[message00]\ntext=a\nfont=77\n\
            [message01]\ntext=b\ntime=-3\nfont=1\n[message02]\ntext=a\u{6771}\u{4eac}\n[message100]\ntext=c\n";
        let files: [(&str, &[u8]); 3] =
            [("milk_img.ini", sprites), ("milk_msg.ini", messages.as_bytes()), ("good.png", &png([9; 4]))];
        let layers = LayerFiles::read(folder(&files).path());
        assert_eq!(layers.numbers(), [vec![], vec![0, 1, 2]], "the others still work");
        let starts = [
            "[img100]: unknown section",
            "[img9]: unknown section",
            "[sprite01]: unknown section",
            "face \"nosuchfont\": neither nosuchfont.ttf nor nosuchfont.otf",
            "[font01]: g must be from 0 to 255",
            "[message00]: font 77 is not defined above",
            "[message01]: time must be from 0.05 to 3600",
            "[message02]: missing in the font and drawn as boxes: \u{6771}\u{4eac};",
            "[message100]: unknown section",
        ];
        let problems = layers.problems();
        assert_eq!(problems.len(), starts.len(), "{problems:#?}");
        assert!(
            problems.iter().zip(starts).all(|(problem, start)| problem.starts_with(start)),
            "{problems:#?}"
        );
    }

    #[test]
    fn a_section_with_a_repeated_number_is_ignored() {
        let sprites = b"[img00]\nimg=good.png\n[img00]\nimg=missing.png\n";
        let files: [(&str, &[u8]); 2] = [("milk_img.ini", sprites), ("good.png", &png([9; 4]))];
        let layers = LayerFiles::read(folder(&files).path());
        assert_eq!((layers.problems(), layers.numbers()), (&[][..], [vec![0], vec![]]));
    }

    #[test]
    fn a_folder_without_files_is_reported() {
        let empty = folder(&[]);
        let layers = LayerFiles::read(empty.path());
        assert!(layers.problems().len() == 1 && layers.problems()[0].contains("milk_img.ini"));
        assert!(!LayerFiles::read(&empty.path().join("missing")).problems().is_empty());
    }
}
