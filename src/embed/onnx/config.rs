//! How a vision model is used, read from the files in its folder.
//!
//! The preprocessing comes from `preprocessor_config.json` (Hugging Face) or from the `preprocess_cfg` of OpenCLIP.
//! `aivj-model.toml` overrides it, and specifies what those files cannot: the names of the model file, its input and
//! its output, the order of colours and dimensions, and how an output of many vectors is pooled. Missing preprocessing
//! settings default to those of OpenAI's CLIP.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::prepare::{Colours, Filter, Layout, Preparation, Resize};
use crate::disk;

/// File name of our own description of a model.
const OWN: &str = "aivj-model.toml";
/// File name of Hugging Face's preprocessing configuration.
const HUGGING_FACE: &str = "preprocessor_config.json";
/// Possible paths of OpenCLIP's configuration.
const OPEN_CLIP: [&str; 3] = ["open_clip_config.json", "preprocess_cfg.json", "visual/preprocess_cfg.json"];
/// Possible paths, within a model's folder, of the files that describe how the model is used.
pub(crate) const CONFIG_FILES: [&str; 5] = [OWN, HUGGING_FACE, OPEN_CLIP[0], OPEN_CLIP[1], OPEN_CLIP[2]];
/// Default side length of pictures, in pixels.
const DEFAULT_SIDE: u32 = 224;
/// Channel means and standard deviations of OpenAI's CLIP.
const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const CLIP_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// How a model is used.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ModelConfig {
    pub preparation: Preparation,
    /// Path of the model file within the folder, if configured.
    pub model: Option<String>,
    /// Name of the picture input, if configured.
    pub input: Option<String>,
    /// Name of the embedding output or of an intermediate value, if configured.
    pub output: Option<String>,
    pub pool: Option<Pool>,
    pub layout: Option<Layout>,
    /// The file that determines the picture size.
    pub source: PathBuf,
}

/// How the vectors of an output are combined into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Pool {
    /// The first vector, which is that of the class token.
    Cls,
    /// The mean of all vectors.
    Mean,
}

impl ModelConfig {
    /// Reads the configuration of the model in `folder`.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let own: Option<(PathBuf, Own)> = read(folder, OWN, |text| toml::from_str(text).map_err(text_of))?;
        let standard = match read(folder, HUGGING_FACE, json::<HuggingFace>)? {
            Some((path, config)) => Some((path, Settings::from(config))),
            None => OPEN_CLIP
                .iter()
                .find_map(|name| read(folder, name, json::<OpenClip>).transpose())
                .transpose()?
                .map(|(path, config)| (path, Settings::from(config))),
        };
        let none = || format!("{} has none of {}", folder.display(), CONFIG_FILES.join(", "));
        let own_sides = own.as_ref().filter(|(_, own)| own.size.is_some() || own.crop.is_some());
        let source = own_sides.map(|(path, _)| path).or(standard.as_ref().map(|(path, _)| path));
        let source = source.or(own.as_ref().map(|(path, _)| path)).ok_or_else(none)?.clone();
        let (mut own, standard) = (own.unwrap_or_default().1, standard.unwrap_or_default().1);
        let names = [own.model.take(), own.input.take(), own.output.take()];
        let (pool, layout) = (own.pool, own.layout);
        let settings = Settings::from(own).or(standard);
        let preparation =
            settings.preparation().map_err(|why| format!("cannot use {}: {why}", source.display()))?;
        let [model, input, output] = names;
        Ok(Self { preparation, model, input, output, pool, layout, source })
    }

    /// Describes the preprocessing and the choice of output for the meta file.
    pub fn description(&self) -> String {
        let mut text = self.preparation.description();
        if let Some(output) = &self.output {
            text += &format!(", output {output}");
        }
        if let Some(pool) = self.pool {
            text += &format!(", pooled by {pool:?}");
        }
        text
    }
}

/// Reads one file of the folder with `parse`; `None` if it does not exist.
fn read<T>(
    folder: &Path,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<(PathBuf, T)>, String> {
    let path = folder.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let text = disk::read_text(&path, disk::limit::TEXT)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let parsed = parse(&text).map_err(|why| format!("cannot use {}: {why}", path.display()))?;
    Ok(Some((path, parsed)))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(text_of)
}

fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string().trim_end().to_owned()
}

/// Preprocessing settings; `None` for those a file does not contain.
#[derive(Debug, Default)]
struct Settings {
    rule: Option<Rule>,
    size: Option<Sides>,
    crop: Option<Sides>,
    factor: Option<f32>,
    mean: Option<PerChannel>,
    std: Option<PerChannel>,
    filter: Option<Filter>,
    colours: Option<Colours>,
}

/// How pictures are resized before they are cropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rule {
    None,
    Shortest,
    #[serde(alias = "squash")]
    Exact,
}

/// One side length, or the height and width.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Sides {
    One(u32),
    Two([u32; 2]),
    Shortest { shortest_edge: u32 },
    Both { height: u32, width: u32 },
}

impl Sides {
    /// Returns the side length of a square.
    fn square(self) -> Result<u32, String> {
        match self {
            Self::One(side) | Self::Shortest { shortest_edge: side } => Ok(side),
            Self::Two([height, width]) | Self::Both { height, width } if height == width => Ok(height),
            Self::Two([height, width]) | Self::Both { height, width } => {
                Err(format!("the picture size is {width} x {height}, but must be square"))
            }
        }
    }

    /// Returns the resize rule that Hugging Face's `size` implies.
    fn rule(self) -> Rule {
        match self {
            Self::One(_) | Self::Shortest { .. } => Rule::Shortest,
            Self::Two(_) | Self::Both { .. } => Rule::Exact,
        }
    }
}

/// A value for all channels, or one for each.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum PerChannel {
    All(f32),
    Each([f32; 3]),
}

impl PerChannel {
    fn channels(self) -> [f32; 3] {
        match self {
            Self::All(value) => [value; 3],
            Self::Each(values) => values,
        }
    }
}

/// Resize filter, by name or in Pillow's numbering.
#[derive(Deserialize)]
#[serde(untagged)]
enum FilterName {
    Number(u8),
    Name(Filter),
}

impl TryFrom<FilterName> for Filter {
    type Error = String;

    fn try_from(name: FilterName) -> Result<Self, String> {
        match name {
            FilterName::Name(filter) => Ok(filter),
            FilterName::Number(0) => Ok(Self::Nearest),
            FilterName::Number(1) => Ok(Self::Lanczos),
            FilterName::Number(2) => Ok(Self::Bilinear),
            FilterName::Number(3) => Ok(Self::Bicubic),
            FilterName::Number(other) => Err(format!("unknown resample filter {other}")),
        }
    }
}

impl Settings {
    /// Returns these settings, completed with those of `other`.
    fn or(self, other: Self) -> Self {
        // If only the mean or only the standard deviation is set here, the other one is not taken from `other`.
        let normalised = self.mean.is_some() || self.std.is_some();
        let [other_mean, other_std] = if normalised {
            [Some(PerChannel::All(0.0)), Some(PerChannel::All(1.0))]
        } else {
            [other.mean, other.std]
        };
        Self {
            rule: self.rule.or(other.rule),
            size: self.size.or(other.size),
            crop: self.crop.or(other.crop),
            factor: self.factor.or(other.factor),
            mean: self.mean.or(other_mean),
            std: self.std.or(other_std),
            filter: self.filter.or(other.filter),
            colours: self.colours.or(other.colours),
        }
    }

    /// Returns the validated preprocessing, with defaults for missing settings.
    fn preparation(self) -> Result<Preparation, String> {
        let crop = self.crop.map(Sides::square).transpose()?;
        let size = self.size.map(Sides::square).transpose()?.or(crop).unwrap_or(DEFAULT_SIDE);
        let resize = match self.rule {
            Some(Rule::None) => Resize::No,
            Some(Rule::Exact) => Resize::Square(size),
            Some(Rule::Shortest) | None => Resize::Shortest(size),
        };
        // Without a crop, the resized picture is the input; frames are square.
        let crop = crop.unwrap_or(size);
        if [size, crop].iter().any(|side| !(16..=4096).contains(side)) {
            return Err(format!("picture sizes {size} and {crop} are out of range"));
        }
        let mean = self.mean.map_or(CLIP_MEAN, PerChannel::channels);
        let std = self.std.map_or(CLIP_STD, PerChannel::channels);
        let factor = self.factor.unwrap_or(1.0 / 255.0);
        if !std.iter().all(|std| *std > 0.0) {
            return Err("the standard deviations must be above 0".into());
        }
        if !mean.iter().chain(&std).chain([&factor]).all(|value| value.is_finite()) {
            return Err("the scale, means and standard deviations must be finite".into());
        }
        let filter = self.filter.unwrap_or(Filter::Bicubic);
        let colours = self.colours.unwrap_or(Colours::Rgb);
        Ok(Preparation { resize, crop, factor, mean, std, filter, colours })
    }
}

/// The keys of `preprocessor_config.json` that are used.
#[derive(Deserialize)]
#[serde(default)]
struct HuggingFace {
    do_resize: bool,
    do_center_crop: bool,
    do_rescale: bool,
    do_normalize: bool,
    size: Option<Sides>,
    crop_size: Option<Sides>,
    rescale_factor: Option<f32>,
    image_mean: Option<PerChannel>,
    image_std: Option<PerChannel>,
    #[serde(deserialize_with = "filter")]
    resample: Option<Filter>,
}

impl Default for HuggingFace {
    fn default() -> Self {
        Self {
            do_resize: true,
            do_center_crop: true,
            do_rescale: true,
            do_normalize: true,
            size: None,
            crop_size: None,
            rescale_factor: None,
            image_mean: None,
            image_std: None,
            resample: None,
        }
    }
}

fn filter<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Filter>, D::Error> {
    let name = Option::<FilterName>::deserialize(from)?;
    name.map(Filter::try_from).transpose().map_err(serde::de::Error::custom)
}

impl From<HuggingFace> for Settings {
    fn from(config: HuggingFace) -> Self {
        let [mean, std] = match config.do_normalize {
            true => [config.image_mean, config.image_std],
            false => [Some(PerChannel::All(0.0)), Some(PerChannel::All(1.0))],
        };
        let rule = match config.do_resize {
            true => config.size.map_or(Rule::Shortest, Sides::rule),
            false => Rule::None,
        };
        Self {
            rule: Some(rule),
            size: config.size,
            crop: config.crop_size.filter(|_| config.do_center_crop),
            factor: if config.do_rescale { config.rescale_factor } else { Some(1.0) },
            mean,
            std,
            filter: config.resample,
            colours: None,
        }
    }
}

/// The keys of `open_clip_config.json` that are used; `preprocess_cfg.json` contains only the inner ones.
#[derive(Deserialize)]
struct OpenClip {
    model_cfg: Option<OpenClipModel>,
    preprocess_cfg: Option<OpenClipPreprocessing>,
    #[serde(flatten)]
    inner: OpenClipPreprocessing,
}

#[derive(Deserialize)]
struct OpenClipModel {
    vision_cfg: Option<OpenClipVision>,
}

#[derive(Deserialize)]
struct OpenClipVision {
    image_size: Option<Sides>,
}

#[derive(Default, Deserialize)]
struct OpenClipPreprocessing {
    size: Option<Sides>,
    mean: Option<PerChannel>,
    std: Option<PerChannel>,
    interpolation: Option<Filter>,
    resize_mode: Option<Rule>,
}

impl From<OpenClip> for Settings {
    fn from(config: OpenClip) -> Self {
        let OpenClipPreprocessing { size, mean, std, interpolation, resize_mode } =
            config.preprocess_cfg.unwrap_or(config.inner);
        let image_size = || config.model_cfg?.vision_cfg?.image_size;
        Self {
            rule: Some(resize_mode.unwrap_or(Rule::Shortest)),
            size: size.or_else(image_size),
            crop: None,
            factor: None,
            mean,
            std,
            filter: interpolation,
            colours: None,
        }
    }
}

/// `aivj-model.toml`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Own {
    model: Option<String>,
    input: Option<String>,
    output: Option<String>,
    pool: Option<Pool>,
    layout: Option<Layout>,
    #[serde(alias = "colors")]
    colours: Option<Colours>,
    resize: Option<Rule>,
    size: Option<u32>,
    crop: Option<u32>,
    filter: Option<Filter>,
    scale: Option<f32>,
    mean: Option<PerChannel>,
    std: Option<PerChannel>,
}

impl From<Own> for Settings {
    fn from(own: Own) -> Self {
        Self {
            rule: own.resize,
            size: own.size.map(Sides::One),
            crop: own.crop.map(Sides::One),
            factor: own.scale,
            mean: own.mean,
            std: own.std,
            filter: own.filter,
            colours: own.colours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a folder that contains these files.
    fn of(files: &[(&str, &str)]) -> Result<ModelConfig, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        ModelConfig::read(folder.path())
    }

    fn hugging_face(text: &str) -> Result<Preparation, String> {
        of(&[("preprocessor_config.json", text)]).map(|config| config.preparation)
    }

    #[test]
    fn every_form_of_the_config_is_parsed_and_invalid_ones_are_rejected() {
        let new = hugging_face(r#"{"size":{"shortest_edge":32},"crop_size":{"height":24,"width":24}}"#);
        let old = hugging_face(r#"{"size":32,"crop_size":24,"image_std":[0.5,0.5,0.5]}"#).expect("read");
        assert_eq!(new.map(|new| (new.resize, new.crop)), Ok((Resize::Shortest(32), 24)));
        assert_eq!((old.resize, old.crop, old.std), (Resize::Shortest(32), 24, [0.5; 3]));
        // As in SigLIP: both sides, no crop.
        let both = hugging_face(r#"{"size":{"height":48,"width":48},"image_mean":0.5,"image_std":0.25}"#);
        let both = both.expect("read");
        assert_eq!((both.resize, both.crop), (Resize::Square(48), 48));
        assert_eq!((both.mean, both.std), ([0.5; 3], [0.25; 3]));
        // As in DINOv2: larger than the crop.
        let dino = hugging_face(
            r#"{"size":{"shortest_edge":256},"crop_size":{"height":224,"width":224},"resample":2}"#,
        );
        let dino = dino.expect("read");
        assert_eq!((dino.resize, dino.crop, dino.filter), (Resize::Shortest(256), 224, Filter::Bilinear));
        let empty = hugging_face("{}").expect("read");
        assert_eq!((empty.resize, empty.crop, empty.mean), (Resize::Shortest(224), 224, CLIP_MEAN));
        for nonsense in [
            r#"{"resample":77}"#,
            r#"{"image_std":[0,1,1]}"#,
            r#"{"size":{"height":48,"width":32}}"#,
            r#"{"size":2}"#,
        ] {
            assert!(hugging_face(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn open_clip_configs_are_read_in_both_places() {
        let whole = r#"{"model_cfg":{"embed_dim":8,"vision_cfg":{"image_size":32,"layers":2}},"preprocess_cfg":
            {"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5],"interpolation":"bicubic","resize_mode":"squash"}}"#;
        let config = of(&[("open_clip_config.json", whole)]).expect("read").preparation;
        assert_eq!((config.resize, config.crop, config.std), (Resize::Square(32), 32, [0.5; 3]));
        let inner = r#"{"size":[48,48],"mode":"RGB","mean":[0,0,0],"std":[1,1,1],"interpolation":"bilinear",
            "resize_mode":"shortest","fill_color":0}"#;
        let config = of(&[("visual/preprocess_cfg.json", inner)]).expect("read").preparation;
        assert_eq!((config.resize, config.filter), (Resize::Shortest(48), Filter::Bilinear));
        let longest = of(&[("open_clip_config.json", r#"{"preprocess_cfg":{"resize_mode":"longest"}}"#)]);
        assert!(longest.is_err_and(|why| why.contains("longest") && why.contains("open_clip_config.json")));
    }

    #[test]
    fn our_own_file_overrides_the_others_and_suffices_alone() {
        let own = r#"
            model = "net.onnx"
            output = "/ReduceMean_output_0"
            layout = "nhwc"
            colours = "bgr"
            resize = "exact"
            size = 256
            crop = 224
            filter = "bilinear"
            scale = 1
            mean = [104, 117, 123]
        "#;
        let alone = of(&[("aivj-model.toml", own)]).expect("read");
        let wanted = Preparation {
            resize: Resize::Square(256),
            crop: 224,
            factor: 1.0,
            mean: [104.0, 117.0, 123.0],
            std: [1.0; 3],
            filter: Filter::Bilinear,
            colours: Colours::Bgr,
        };
        assert_eq!((&alone.preparation, alone.layout), (&wanted, Some(Layout::Nhwc)));
        assert_eq!((alone.model.as_deref(), alone.input), (Some("net.onnx"), None));
        assert!(alone.output.is_some_and(|output| output == "/ReduceMean_output_0"));
        let standard = r#"{"size":32,"crop_size":24,"image_mean":[0,0,0],"image_std":[2,2,2]}"#;
        let files =
            [("preprocessor_config.json", standard), ("aivj-model.toml", "pool = \"mean\"\nsize = 28")];
        let both = of(&files).expect("read");
        assert_eq!((both.preparation.resize, both.preparation.crop), (Resize::Shortest(28), 24));
        assert_eq!((both.preparation.std, both.pool), ([2.0; 3], Some(Pool::Mean)));
        assert!(both.source.ends_with("aivj-model.toml"));
        let typo = of(&[("aivj-model.toml", "colour = \"bgr\"")]);
        assert!(typo.is_err_and(|why| why.contains("colour") && why.contains("aivj-model.toml")));
        let none = of(&[("readme.txt", "")]);
        assert!(none.is_err_and(|why| why.contains("preprocessor_config.json")));
    }

    #[test]
    fn settings_that_change_the_rows_are_part_of_the_description() {
        let standard = ("preprocessor_config.json", "{}");
        let plain = of(&[standard]).expect("read").description();
        for line in ["output = \"x\"", "pool = \"cls\"", "colours = \"bgr\"", "scale = 1", "size = 240"] {
            let other = of(&[standard, ("aivj-model.toml", line)]).expect("read").description();
            assert_ne!(other, plain, "{line}");
        }
        assert_eq!(of(&[standard, ("aivj-model.toml", "")]).expect("read").description(), plain);
    }
}
