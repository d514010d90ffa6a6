//! The probe: one preset played from black to known music, watched frame by frame, and put into numbers.
//!
//! All frames of the probe, warm-up included, follow each other at 30 a second and are counted for flashes: 8 + 24 of
//! them make just over the second that the flash rules look at. The look is measured on the sampled frames only.

mod cost;
mod finding;
mod look_meter;
mod perceptual_hash;
mod sound;
mod text;
mod thumbs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use cost::Cost;
pub use finding::{ProbeEvidence, ProbeOutcome, ProbeReport};
pub use look_meter::{HUES, LAYOUT, Look};
pub use perceptual_hash::{PerceptualHash, VIEWS};
pub use text::{Counts, TextFacts};
pub use thumbs::{THUMB, path as thumb_path};

use crate::media::flash::{Cells, FlashMeter, FlashScore};
use crate::show::Solo;
use cost::Meter;
use look_meter::LookMeter;
use sound::ProbeSound;

use crate::library::{Catalogue, PresetId, PresetSource};
use crate::milk::Program;
use crate::stage::{DeckSettings, Gpu, Readback, RenderContext, Stage, StageError, Wait};

/// Frames a second of a probe.
pub const FPS: f64 = 30.0;
/// Cells of the warp mesh, as live.
const MESH: [u32; 2] = [48, 36];
/// Frames with more work than any budget after which a preset's code counts as endless. One such frame may be its
/// start, a few a loud moment.
const ENDLESS_FRAMES: u32 = 8;

/// How presets are probed. Equal settings and seeds give equal looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeSettings {
    /// Pixels of the picture.
    pub size: [u32; 2],
    /// Frames before the sampled ones.
    pub warm_up: u32,
    /// Sampled frames.
    pub frames: u32,
    /// Decides everything random.
    pub seed: u64,
    /// Folders with images for presets.
    pub textures: Vec<PathBuf>,
    /// Where thumbnails go; none are kept without.
    pub thumbs: Option<PathBuf>,
}

impl Default for ProbeSettings {
    /// The usual probe: 8 + 24 frames of 256 by 144 pixels.
    fn default() -> Self {
        Self { size: [256, 144], warm_up: 8, frames: 24, seed: 1, textures: Vec::new(), thumbs: None }
    }
}

/// Probes presets one after the other on one device.
pub struct Prober {
    settings: ProbeSettings,
    sound: ProbeSound,
    render_context: Arc<RenderContext>,
    /// Between two presets the stage waits here.
    stage: Option<Stage>,
    readback: Readback,
    floor_ms: f64,
}

impl Prober {
    /// Opens the device, makes the sound, and measures what an all but empty preset costs.
    pub fn new(settings: ProbeSettings) -> anyhow::Result<Self> {
        let sound = ProbeSound::new(settings.warm_up, settings.frames, FPS)?;
        let render_context = Arc::new(RenderContext::new(Gpu::headless()?, &settings.textures));
        let stage = Some(Stage::new(render_context.clone(), settings.size));
        let readback = Readback::new(&render_context.gpu, settings.size);
        let mut prober = Self { settings, sound, render_context, stage, readback, floor_ms: 0.0 };
        prober.floor_ms = prober.measure_floor();
        Ok(prober)
    }

    /// Probes the preset in this file.
    pub fn probe(&mut self, preset: &Path, id: PresetId) -> ProbeReport {
        let bytes = match PresetSource::File(preset.to_owned()).read() {
            Ok(bytes) => bytes,
            Err(why) => {
                return ProbeReport::without(ProbeOutcome::Infrastructure(format!(
                    "it could not be read: {why}"
                )));
            }
        };
        if PresetId::of(&bytes) != id {
            return ProbeReport::without(ProbeOutcome::Infrastructure(
                "the file changed while it was audited".into(),
            ));
        }
        let mut finding = match self.draw(preset, id) {
            Ok(evidence) => ProbeReport { ended: ProbeOutcome::Drawn, evidence },
            // The show's words are for the performer; the verdict says what is wrong.
            Err(ProbeOutcome::Refused(why)) => {
                let refusal = Program::compile(&bytes).err().map(|refusal| refusal.to_string());
                ProbeReport::without(ProbeOutcome::Refused(refusal.unwrap_or(why)))
            }
            Err(ended) => ProbeReport::without(ended),
        };
        finding.evidence.text = TextFacts::of(&bytes);
        finding
    }

    /// A device that was lost stays lost: the process has to be replaced.
    pub fn lost(&self) -> bool {
        self.render_context.gpu.lost()
    }

    fn deck(&self, size: [u32; 2]) -> DeckSettings {
        DeckSettings { size, mesh: MESH, fps: FPS }
    }

    fn draw(&mut self, preset: &Path, id: PresetId) -> Result<ProbeEvidence, ProbeOutcome> {
        let library = Catalogue::of_one(preset).map_err(ProbeOutcome::Refused)?;
        let errors = self.render_context.gpu.error_count();
        let stage =
            self.stage.take().unwrap_or_else(|| Stage::new(self.render_context.clone(), self.settings.size));
        // The same preset draws the same whatever was probed before it, and two presets never share their dice.
        let seed = self.settings.seed ^ u64::from_le_bytes(std::array::from_fn(|at| id.0[at]));
        let deck = self.deck(self.settings.size);
        let mut solo = Solo::begin(&self.render_context, stage, library, deck, seed);
        let watched = self.watch(&mut solo);
        let playing = solo.playing();
        self.readback.reset(&self.render_context.gpu);
        self.stage = Some(solo.end());
        let gpu = &self.render_context.gpu;
        if gpu.lost() {
            let why = gpu.take_error().unwrap_or_else(|| "no reason was given".into());
            return Err(ProbeOutcome::DeviceLost(why));
        }
        let watched = watched?;
        let mut missing = Vec::new();
        let mut broken = Vec::new();
        for problem in playing.as_ref().map(|playing| playing.problems.clone()).unwrap_or_default() {
            match problem.strip_prefix("missing texture: ") {
                Some(name) => missing.push(name.to_owned()),
                None => broken.push(problem),
            }
        }
        if watched.cut_short > 0 {
            let frames = watched.cut_short;
            broken.push(format!("its code ran out of its budget and was cut short in {frames} frames"));
        }
        if gpu.error_count() > errors {
            let why = gpu.take_error().unwrap_or_else(|| "without a reason".into());
            broken.push(format!("the graphics device complained: {why}"));
        }
        if let Some(folder) = &self.settings.thumbs
            && let Err(why) = thumbs::write(folder, id, &watched.views, self.settings.size)
        {
            return Err(ProbeOutcome::Infrastructure(why));
        }
        let prepare_ms = playing.map_or(0.0, |playing| playing.took.total_ms());
        Ok(ProbeEvidence {
            missing,
            broken,
            look: Some(watched.look),
            likeness: Some(watched.likeness),
            flash: watched.flash,
            cost: watched.meter.cost(prepare_ms),
            text: TextFacts::default(),
        })
    }

    /// Plays all frames and looks at each as it comes back from the device.
    fn watch(&mut self, solo: &mut Solo) -> Result<Watched, ProbeOutcome> {
        let Self { settings, sound, render_context, readback, floor_ms, .. } = self;
        let gpu = &render_context.gpu;
        let infrastructure = |error: StageError| ProbeOutcome::Infrastructure(error.to_string());
        let mut watching = Watching::new(settings);
        let mut meter = Meter::new(gpu.software(), settings.size, *floor_ms);
        let heard: Vec<_> = sound.frames().map(|(hearing, _)| hearing).collect();
        for (number, (_, sound)) in sound.frames().enumerate() {
            if number == settings.warm_up as usize {
                meter.begin();
            }
            meter.frame(|| solo.frame(sound)).map_err(ProbeOutcome::Refused)?;
            if solo.over_budget() {
                watching.cut_short += 1;
                if watching.cut_short >= ENDLESS_FRAMES {
                    return Err(ProbeOutcome::Endless(format!(
                        "its code does not come to an end: it was cut short in {ENDLESS_FRAMES} frames of {}",
                        number + 1
                    )));
                }
            }
            if !solo.rig.stage.read_back(readback) {
                return Err(ProbeOutcome::Infrastructure("all readback buffers are in use".into()));
            }
            if let Some(shot) = readback.receive(gpu, Wait::WhenFull).map_err(infrastructure)? {
                watching.saw(shot.number, heard[shot.number as usize], shot.pixels);
            }
        }
        while let Some(shot) = readback.receive(gpu, Wait::Always).map_err(infrastructure)? {
            watching.saw(shot.number, heard[shot.number as usize], shot.pixels);
        }
        Ok(watching.end(meter))
    }

    /// Drawing time of the smallest picture: what a frame costs before its pixels, milliseconds.
    fn measure_floor(&mut self) -> f64 {
        const TINY: [u32; 2] = [16, 9];
        const FRAMES: u32 = 8;
        let mut library = Catalogue::built_in();
        library.entries.truncate(1);
        let stage = Stage::new(self.render_context.clone(), TINY);
        let mut solo = Solo::begin(&self.render_context, stage, library, self.deck(TINY), 1);
        let mut meter = Meter::new(self.render_context.gpu.software(), TINY, 0.0);
        for (number, (_, sound)) in (0..2 * FRAMES).zip(self.sound.frames()) {
            if number == FRAMES {
                solo.rig.stage.finish();
                meter.begin();
            }
            meter.frame(|| solo.frame(sound)).ok(); // A built-in preset plays; if not, the floor stays low.
        }
        solo.rig.stage.finish();
        meter.cost(0.0).gpu_ms
    }
}

/// Everything that looks at the frames of one preset.
struct Watching {
    warm_up: u64,
    size: [usize; 2],
    /// Frames whose likeness and thumbnail are kept.
    views: [u64; VIEWS],
    eye: LookMeter,
    flash: FlashMeter,
    cells: Cells,
    grey: Vec<u8>,
    likeness: PerceptualHash,
    kept: Vec<Vec<u8>>,
    /// Frames in which its code was cut short.
    cut_short: u32,
}

struct Watched {
    look: Look,
    likeness: PerceptualHash,
    flash: FlashScore,
    meter: Meter,
    views: Vec<Vec<u8>>,
    cut_short: u32,
}

impl Watching {
    fn new(settings: &ProbeSettings) -> Self {
        let size = settings.size.map(|side| side as usize);
        let (warm_up, frames) = (u64::from(settings.warm_up), u64::from(settings.frames));
        Self {
            warm_up,
            size,
            views: [frames / 3, frames * 2 / 3, frames.saturating_sub(1)].map(|at| warm_up + at),
            eye: LookMeter::new(size),
            flash: FlashMeter::new(FPS),
            cells: Cells::default(),
            grey: Vec::new(),
            likeness: PerceptualHash::default(),
            kept: Vec::new(),
            cut_short: 0,
        }
    }

    fn saw(&mut self, number: u64, hearing: sound::ProbeSignal, pixels: &[u8]) {
        self.cells.of(pixels, self.size);
        self.flash.push(&self.cells);
        if number + 1 == self.warm_up {
            self.eye.before(pixels);
        }
        if number >= self.warm_up {
            self.eye.saw(hearing, pixels);
        }
        if let Some(view) = self.views.iter().position(|&view| view == number) {
            look_meter::grey(pixels, &mut self.grey);
            self.likeness.0[view] = perceptual_hash::view(&self.grey, self.size);
            self.kept.push(pixels.to_vec());
        }
    }

    fn end(self, meter: Meter) -> Watched {
        Watched {
            look: self.eye.look(),
            likeness: self.likeness,
            flash: self.flash.score(),
            meter,
            views: self.kept,
            cut_short: self.cut_short,
        }
    }
}
