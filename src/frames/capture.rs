//! Renders the frames of one preset, inside a worker process.
//!
//! A run with enough warm-up frames starts like the probe of an audit, with the same seed and sound. An audit can
//! therefore continue the probe of a preset that passes, and save its frames.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::imageops::{FilterType, resize};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::entry::FrameMetrics;
use crate::audio::Frame;
use crate::audit::probe::{MESH, ProbeSettings, ProbeSound, seed_of};
use crate::disk::Folder;
use crate::facts::PresetId;
use crate::frames::single::{load_sound, sound_of};
use crate::jobs::wire::WirePreset;
use crate::library::Catalogue;
use crate::media::video::Video;
use crate::show::{Solo, SoloError};
use crate::stage::{DeckSettings, Gpu, RenderContext, Stage, StageError, limit_clip};

/// Version of the capture. Increase it with every change that makes equal settings give different frames.
pub const METHOD: u32 = 3;
/// Frame rate at which presets are rendered, in Hz.
const FPS: u32 = 30;
/// Clips use every second frame.
const CLIP_EVERY: u32 = 2;
/// Frame rate of clips, in Hz.
const CLIP_FPS: u32 = FPS / CLIP_EVERY;
/// Maximum number of frames in a run that an audit continues, so that the run stays within the audit's time limit.
const MAX_CONTINUED: u32 = 300;
/// Maximum number of frames in flight on the device.
const AHEAD: u32 = 8;
/// Reason code of a preset whose file cannot be read.
pub(super) const MISSING: &str = "missing-source-file";

/// Capture settings. With the defaults, an audit can save the frames by continuing its probe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaptureSettings {
    /// Render size in pixels.
    pub size: [u32; 2],
    /// Side length of the saved square frames, in pixels.
    pub out_size: u32,
    /// Number of warm-up frames; the first frame is saved [`Self::every`] frames after them.
    pub warm_up: u32,
    /// Number of saved frames.
    pub count: u32,
    /// Interval between saved frames, in frames.
    pub every: u32,
    /// Short clip of each preset to save for viewing; `None` saves no clips.
    pub clip: Option<Clip>,
    /// Texture folders.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub textures: Vec<PathBuf>,
    /// Audio that presets react to: the path of a file, or `demo` for the demo track. While the warm-up repeats a
    /// probe, the music of the probe is played instead.
    pub audio: String,
    /// Random seed.
    pub seed: u64,
}

/// A short clip that starts after the warm-up. Its flashes are limited, unlike those of the saved frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// Length of the clip, in seconds.
    pub secs: f64,
    /// File format of the clip.
    pub format: ClipFormat,
}

/// File format of a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClipFormat {
    /// Animated WebP, lossless; needs no external program.
    Webp,
    /// MP4, about a tenth of the size; animated WebP is used instead if ffmpeg is missing.
    Mp4,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            size: [256, 144],
            out_size: 224,
            warm_up: 32,
            count: 3,
            every: 10,
            clip: None,
            textures: Vec::new(),
            audio: "demo".into(),
            seed: 1,
        }
    }
}

impl CaptureSettings {
    /// Returns a fingerprint of the settings and the method. Texture folders are ignored, as in an audit.
    pub fn name(&self) -> String {
        let Self { size, out_size, warm_up, count, every, clip, textures: _, audio, seed } = self;
        let text =
            format!("method {METHOD} {size:?} {out_size} {warm_up} {count} {every} {clip:?} {audio} {seed}");
        Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the length of a clip in rendered frames; 0 if no clips are saved.
    fn clip_frames(&self) -> u32 {
        self.clip.map_or(0, |clip| (clip.secs * f64::from(FPS)).ceil() as u32)
    }

    /// Returns the size of all pictures of a preset, in MiB; they are in memory at the same time.
    pub(super) fn pictures_mib(&self) -> u64 {
        let [width, height] = self.size.map(u64::from);
        // The last warm-up frame is kept too.
        let pictures = u64::from(self.count) + 1 + u64::from(self.clip_frames() / CLIP_EVERY);
        (pictures * width * height * 4).div_ceil(1 << 20)
    }

    /// Estimates the size of a preset's frames and clip, in bytes.
    pub fn bytes_about(&self) -> u64 {
        let pixels = |[width, height]: [u32; 2]| u64::from(width) * u64::from(height);
        let frames = u64::from(self.count) * pixels([self.out_size; 2]) * 3 / 2;
        frames + u64::from(self.clip_frames() / CLIP_EVERY) * pixels(self.size)
    }

    /// Returns the number of frames to draw per preset.
    fn frames(&self) -> u32 {
        self.warm_up + (self.count * self.every).max(self.clip_frames())
    }

    /// Returns whether an audit can save these frames by continuing a probe with the settings `probe`, which must equal
    /// the start of a separate run.
    pub(super) fn continues(&self, probe: &ProbeSettings) -> bool {
        let start = ProbeSettings {
            size: self.size,
            seed: self.seed,
            textures: self.textures.clone(),
            thumbs: probe.thumbs.clone(),
            ..ProbeSettings::default()
        };
        *probe == start
            && self.warm_up >= probe.drawn()
            && self.clip.is_none()
            && self.frames() <= MAX_CONTINUED
    }
}

/// One preset to capture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaptureJob {
    /// ID of the preset.
    pub id: String,
    /// The preset to capture.
    pub preset: WirePreset,
    /// Folder of the pack.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub folder: PathBuf,
}

/// Result of a capture.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Captured {
    /// Paths of the frames, relative to the pack's folder with forward slashes; empty on failure.
    pub frames: Vec<String>,
    /// Total size of the frames, in bytes; `None` on failure.
    pub bytes: Option<u64>,
    /// Content ID of the rendered preset; `None` if the file cannot be read.
    pub content: Option<String>,
    /// Path of the clip, relative to the pack's folder with forward slashes; `None` if no clip was requested.
    pub clip: Option<String>,
    /// Measurements of the frames.
    pub metrics: FrameMetrics,
    /// Why the capture failed, as a reason code and a message; `None` if it succeeded.
    pub failed: Option<(String, String)>,
}

impl Captured {
    /// Creates the result of a failed capture from a reason code and a message.
    pub fn failed(word: &str, why: String) -> Self {
        Self { failed: Some((word.into(), why)), ..Self::default() }
    }
}

/// Renders and saves the frames of presets, one preset at a time, on one device.
pub struct FrameCapturer {
    settings: CaptureSettings,
    render_context: Arc<RenderContext>,
    /// The stage of the previous preset, reused for its compiled passes.
    stage: RefCell<Option<Stage>>,
    /// Sound of the first warm-up frames: that of a probe, or empty if there are fewer warm-up frames than a probe
    /// draws.
    start: Vec<Vec<Frame>>,
    /// Sound of the whole run; used for the frames after those of `start`.
    sound: Vec<Frame>,
}

impl FrameCapturer {
    /// Opens the graphics device and loads the audio.
    pub fn new(settings: CaptureSettings) -> anyhow::Result<Self> {
        let render_context = Arc::new(RenderContext::new(Gpu::headless()?, &settings.textures));
        Self::on(render_context, settings)
    }

    /// Creates a capturer that draws on an open device, and loads the audio.
    pub fn on(render_context: Arc<RenderContext>, settings: CaptureSettings) -> anyhow::Result<Self> {
        let sound = load_sound(&settings.audio, f64::from(settings.frames()) / f64::from(FPS))?;
        let probe = ProbeSettings::default();
        let start = if settings.warm_up >= probe.drawn() {
            ProbeSound::new(probe.warm_up, probe.frames, f64::from(FPS))?.into_samples()
        } else {
            Vec::new()
        };
        Ok(Self { settings, render_context, stage: RefCell::default(), start, sound })
    }

    /// Returns whether the device is lost. A lost device does not recover; the process must be replaced.
    pub fn lost(&self) -> bool {
        self.render_context.gpu.lost()
    }

    /// Renders a preset and saves its frames and, if requested, a clip.
    pub fn capture(&self, job: &CaptureJob) -> Captured {
        let relative = super::entry::folder_of(&super::entry::id_hash(&job.id));
        match job.preset.read() {
            Ok(bytes) => {
                let id = PresetId::of(&bytes);
                let library = Catalogue::of_one(&job.preset.path, bytes);
                let captured = match self.play(job, library, id, &relative) {
                    Ok((pictures, clip)) => self.save(&job.folder, &relative, &pictures, clip),
                    Err((word, why)) => Captured::failed(word, why),
                };
                Captured { content: Some(id.to_string()), ..captured }
            }
            Err(unread) if unread.invalid => Captured::failed("preset-load-failed", unread.why),
            Err(unread) => Captured::failed(MISSING, unread.why),
        }
    }

    /// Continues the run of a preset after its probe, which has drawn `drawn` frames, and saves its frames below
    /// `folder` under the ID `name`. Saves no clip.
    pub(super) fn complete(
        &self,
        solo: &mut Solo,
        drawn: u32,
        id: PresetId,
        name: &str,
        folder: &Path,
    ) -> Captured {
        let relative = super::entry::folder_of(&super::entry::id_hash(name));
        let captured = match self.draw(solo, drawn) {
            Ok([pictures, _]) => self.save(folder, &relative, &pictures, None),
            Err((word, why)) => Captured::failed(word, why),
        };
        Captured { content: Some(id.to_string()), ..captured }
    }

    /// Plays the preset from black. Returns the last warm-up frame followed by the saved ones, and the path of the
    /// clip.
    fn play(
        &self,
        job: &CaptureJob,
        library: Catalogue,
        id: PresetId,
        relative: &str,
    ) -> Result<(Vec<image::RgbaImage>, Option<String>), (&'static str, String)> {
        let CaptureSettings { size, clip, seed, .. } = &self.settings;
        let deck = DeckSettings { size: *size, mesh: MESH, fps: f64::from(FPS) };
        let stage = self.stage.take().unwrap_or_else(|| Stage::new(self.render_context.clone(), *size));
        let mut solo = Solo::begin(&self.render_context, stage, library, deck, seed_of(*seed, id));
        let drawn = self.draw(&mut solo, 0);
        self.stage.replace(Some(solo.end()));
        let [pictures, mut clip_pictures] = drawn?;
        let clip = match clip {
            Some(clip) => {
                limit_clip(&self.render_context, &mut clip_pictures, CLIP_FPS).map_err(render_failed)?;
                let saved = self.save_clip(job, relative, clip.format, &clip_pictures);
                Some(saved.map_err(|error| ("write-failed", format!("{error:#}")))?)
            }
            None => None,
        };
        Ok((pictures, clip))
    }

    /// Draws all frames after the first `drawn`. Returns the last warm-up frame followed by the frames to save, and the
    /// pictures of the clip.
    fn draw(
        &self,
        solo: &mut Solo,
        drawn: u32,
    ) -> Result<[Vec<image::RgbaImage>; 2], (&'static str, String)> {
        let mut pictures = [Vec::new(), Vec::new()];
        if drawn > 0 {
            self.keep(drawn, solo, &mut pictures)?;
        }
        for number in drawn + 1..=self.settings.frames() {
            solo.frame(self.sound_of(number)).map_err(not_on_air)?;
            if !self.keep(number, solo, &mut pictures)? && number.is_multiple_of(AHEAD) {
                solo.rig.stage.finish();
            }
        }
        if pictures[0].len() < 2 {
            return Err(("render-failed", "no frames were captured".into()));
        }
        Ok(pictures)
    }

    /// Adds the picture of frame `number`, counted from 1, to the frames and to the clip, if it belongs to them.
    /// Returns whether it was read back.
    fn keep(
        &self,
        number: u32,
        solo: &Solo,
        [pictures, clip_pictures]: &mut [Vec<image::RgbaImage>; 2],
    ) -> Result<bool, (&'static str, String)> {
        let CaptureSettings { warm_up, count, every, .. } = self.settings;
        // The motion of the first saved frame is measured from the last warm-up frame.
        let since = number.checked_sub(warm_up);
        let due =
            since.is_some_and(|since| since.is_multiple_of(every.max(1))) && pictures.len() <= count as usize;
        let clip_ends = warm_up + self.settings.clip_frames();
        let in_clip = number > warm_up && number <= clip_ends && number.is_multiple_of(CLIP_EVERY);
        if due || in_clip {
            let picture = solo.rig.stage.screenshot().map_err(render_failed)?;
            clip_pictures.extend(in_clip.then(|| picture.clone()));
            pictures.extend(due.then_some(picture));
        }
        Ok(due || in_clip)
    }

    /// Returns the sound of frame `number`, counted from 1.
    fn sound_of(&self, number: u32) -> &[Frame] {
        match self.start.get(number as usize - 1) {
            Some(sound) => sound,
            None => sound_of(&self.sound, number, FPS),
        }
    }

    /// Saves a clip and returns its path, relative to the pack's folder.
    fn save_clip(
        &self,
        job: &CaptureJob,
        relative: &str,
        format: ClipFormat,
        pictures: &[image::RgbaImage],
    ) -> anyhow::Result<String> {
        let name = match format {
            ClipFormat::Webp => "loop.webp",
            ClipFormat::Mp4 => "loop.mp4",
        };
        // ffmpeg opens the video by path, so no component of the path may be a link.
        let folder = Folder::create(&job.folder)?.create_below(Path::new(relative))?;
        folder.remove_file(Path::new(name)).ok(); // There may be no earlier clip.
        let mut video = Video::open(&folder.path().join(name), self.settings.size, CLIP_FPS, None)?;
        pictures.iter().try_for_each(|picture| video.push(picture))?;
        let path = video.finish()?;
        let name = path.file_name().unwrap_or(name.as_ref());
        Ok(format!("{relative}/{}", name.to_string_lossy()))
    }

    fn save(
        &self,
        folder: &Path,
        relative: &str,
        pictures: &[image::RgbaImage],
        clip: Option<String>,
    ) -> Captured {
        let greys: Vec<image::GrayImage> = pictures.iter().map(image::imageops::grayscale).collect();
        let mean = |values: Vec<f32>| values.iter().sum::<f32>() / values.len().max(1) as f32;
        let metrics = FrameMetrics {
            avg_luma: Some(mean(greys[1..].iter().map(|grey| mean_of(grey.as_raw())).collect())),
            motion: Some(mean(greys.windows(2).map(|pair| change(&pair[0], &pair[1])).collect())),
            ..FrameMetrics::default()
        };
        let (mut frames, mut bytes) = (Vec::new(), 0);
        let side = self.settings.out_size;
        for (number, picture) in pictures[1..].iter().enumerate() {
            let name = format!("{relative}/frame-{number:03}.webp");
            let small = resize(picture, side, side, FilterType::Triangle);
            let small = image::DynamicImage::ImageRgba8(small).to_rgb8();
            match write(folder, &name, &small) {
                Ok(written) => bytes += written,
                Err(why) => return Captured::failed("write-failed", why),
            }
            frames.push(name);
        }
        Captured { frames, bytes: Some(bytes), clip, metrics, ..Captured::default() }
    }
}

/// Returns the reason code and the message of a preset that is not on air. A failure of the device is not final.
fn not_on_air(error: SoloError) -> (&'static str, String) {
    let word = match error {
        SoloError::Unplayable(_) => "preset-load-failed",
        SoloError::Device(_) => "render-failed",
    };
    (word, error.to_string())
}

/// Returns the reason code and the message of a failure of the device.
fn render_failed(error: StageError) -> (&'static str, String) {
    ("render-failed", error.to_string())
}

/// Writes a picture as lossless WebP to `name` below `folder`, and returns the size of the file in bytes.
fn write(folder: &Path, name: &str, picture: &image::RgbImage) -> Result<u64, String> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::WebP).map_err(|error| error.to_string())?;
    let write = |out: &mut std::io::BufWriter<std::fs::File>| std::io::Write::write_all(out, bytes.get_ref());
    let written = Folder::create(folder).and_then(|folder| folder.replace(Path::new(name), write));
    written.map_err(|error| format!("{}: {error}", folder.join(name).display()))?;
    Ok(bytes.get_ref().len() as u64)
}

fn mean_of(values: &[u8]) -> f32 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() as f32 / values.len().max(1) as f32 / 255.0
}

/// Returns the mean absolute difference of two grey pictures of equal size, from 0 to 1.
fn change(before: &image::GrayImage, after: &image::GrayImage) -> f32 {
    mean_of(&before.iter().zip(after.iter()).map(|(a, b)| a.abs_diff(*b)).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::StageError;

    #[test]
    fn only_a_preset_that_cannot_be_played_is_not_tried_again() {
        let word = |error| not_on_air(error).0;
        let is_final = |word: &str| crate::frames::FINAL.contains(&word);
        assert!(is_final(word(SoloError::Unplayable("no preset".into()))));
        for error in [StageError::OutOfMemory, StageError::Timeout(20), StageError::Lost("reset".into())] {
            assert!(!is_final(word(SoloError::Device(error))));
        }
    }

    #[test]
    fn the_stage_is_kept_after_an_unplayable_preset() {
        if Gpu::for_test().is_none() {
            return;
        }
        let settings = CaptureSettings { size: [48, 32], ..CaptureSettings::default() };
        let capturer = FrameCapturer::new(settings).expect("a capturer");
        let preset = WirePreset::of_bytes("empty.milk".into(), b"");
        let captured = capturer.capture(&CaptureJob { id: "empty.milk".into(), preset, folder: "/".into() });
        assert_eq!(captured.failed.map(|(word, _)| word).as_deref(), Some("preset-load-failed"));
        assert!(capturer.stage.borrow().is_some());
    }

    #[test]
    fn change_is_relative_to_full_brightness() {
        let grey = |value| image::GrayImage::from_pixel(8, 8, image::Luma([value]));
        assert_eq!(change(&grey(0), &grey(255)), 1.0);
        assert!((change(&grey(50), &grey(101)) - 0.2).abs() < 1e-6);
    }

    /// Captures the preset `text`, with a small clip of `secs` seconds, into `folder`; `None` without a device.
    fn capture(folder: &Path, text: &str, count: u32, every: u32, secs: f64) -> Option<Captured> {
        Gpu::for_test()?;
        let preset = folder.join("a.milk");
        std::fs::write(&preset, text).expect("written");
        let settings = CaptureSettings {
            size: [48, 32],
            out_size: 24,
            warm_up: 4,
            count,
            every,
            clip: Some(Clip { secs, format: ClipFormat::Webp }),
            ..CaptureSettings::default()
        };
        let capturer = FrameCapturer::new(settings).expect("a capturer");
        let preset = WirePreset::new(preset);
        let captured =
            capturer.capture(&CaptureJob { id: "a.milk".into(), preset, folder: folder.to_owned() });
        assert_eq!((captured.failed.clone(), captured.frames.len()), (None, count as usize));
        Some(captured)
    }

    /// Returns the frames of the clip.
    fn clip_of(folder: &Path, captured: &Captured) -> Vec<image::RgbaImage> {
        use image::AnimationDecoder as _;
        let clip = folder.join(captured.clip.as_ref().expect("a clip"));
        let file = std::io::BufReader::new(std::fs::File::open(clip).expect("a clip"));
        let decoder = image::codecs::webp::WebPDecoder::new(file).expect("a WebP file");
        let frames = decoder.into_frames().collect_frames().expect("whole frames");
        frames.into_iter().map(image::Frame::into_buffer).collect()
    }

    #[test]
    fn capturing_writes_frames_and_a_clip_that_can_be_decoded() {
        let folder = tempfile::tempdir().expect("a folder");
        let built_in = crate::library::built_in().next().expect("a built-in preset");
        let Some(captured) = capture(folder.path(), built_in.text, 2, 3, 0.4) else { return };
        for frame in &captured.frames {
            let frame = image::open(folder.path().join(frame)).expect("a picture");
            assert_eq!((frame.width(), frame.height()), (24, 24));
        }
        let clip = clip_of(folder.path(), &captured);
        assert_eq!((clip.len(), clip[0].dimensions()), (6, (48, 32)));
    }

    #[test]
    fn flashes_are_limited_in_the_clip_but_not_in_the_frames() {
        use crate::media::flash::{Cells, FlashMeter, FlashVerdict};
        let strobe = "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n\
            comp_1=`shader_body {\ncomp_2=`ret = fmod(frame, 4) < 2;\ncomp_3=`}\n";
        let folder = tempfile::tempdir().expect("a folder");
        let Some(captured) = capture(folder.path(), strobe, 4, 2, 2.0) else { return };
        assert!(
            captured.metrics.motion > Some(0.9),
            "the frames are black and white: {:?}",
            captured.metrics
        );
        let clip = clip_of(folder.path(), &captured);
        let (mut meter, mut cells) = (FlashMeter::new(f64::from(CLIP_FPS)), Cells::default());
        for picture in clip.iter().chain(&clip) {
            cells.update(picture.as_raw(), [48, 32]);
            meter.push(&cells);
        }
        assert_ne!(meter.score().verdict(), FlashVerdict::Fail, "{:?}", meter.score());
    }

    #[test]
    fn frames_of_an_earlier_method_are_rendered_again() {
        let settings = CaptureSettings { warm_up: 60, every: 30, ..CaptureSettings::default() };
        assert_ne!(settings.name(), "78fb27f9");
    }

    #[test]
    fn frames_are_saved_from_a_probe_only_if_a_separate_run_would_draw_the_same() {
        let continues = |capture: CaptureSettings, probe| capture.continues(&probe);
        let (capture, probe) = (CaptureSettings::default, ProbeSettings::default);
        let thumbs = Some("thumbs".into());
        assert!(continues(capture(), ProbeSettings { thumbs, ..probe() }));
        assert!(!continues(CaptureSettings { size: [320, 180], ..capture() }, probe()));
        assert!(!continues(CaptureSettings { seed: 2, ..capture() }, probe()));
        assert!(!continues(CaptureSettings { warm_up: 31, ..capture() }, probe()));
        assert!(!continues(CaptureSettings { count: 100, ..capture() }, probe()));
        let clip = Some(Clip { secs: 1.0, format: ClipFormat::Webp });
        assert!(!continues(CaptureSettings { clip, ..capture() }, probe()));
        assert!(!continues(capture(), ProbeSettings { frames: 12, ..probe() }));
    }
}
