//! The probe: plays one preset to fixed passages of music, starting from a black picture, and measures every frame.
//!
//! All frames, warm-up included, run at 30 per second and are checked for flashes: the default 8 + 24 frames
//! last just over one second, the period that the flash rules consider. The look is measured only on the
//! frames after the warm-up.

mod cost;
mod look_meter;
mod outcome;
mod perceptual_hash;
mod sound;
mod text;
mod thumbs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use cost::Cost;
pub use look_meter::Look;
pub use outcome::{ProbeEvidence, ProbeOutcome, ProbeReport};
pub use perceptual_hash::{PerceptualHash, VIEWS};
pub use sound::ProbeSound;
pub use text::{Counts, TextFacts};
pub use thumbs::{THUMB, path as thumb_path};

use crate::media::flash::{Cells, FlashMeter, FlashScore};
use crate::media::still;
use crate::show::{Solo, SoloError};
use cost::CostMeter;
use look_meter::LookMeter;

use crate::facts::PresetId;
use crate::jobs::wire::WirePreset;
use crate::library::{BuiltIn, Catalogue, built_in};
use crate::milk::{COARSE_MESH, Program};
use crate::stage::{DeckSettings, Gpu, Readback, RenderContext, Stage, StageError, Wait};
use crate::units::counted;

/// Frame rate of a probe, in Hz.
pub const FPS: f64 = 30.0;
/// Warp mesh size in cells, as in a live show without a graphics card.
pub const MESH: [u32; 2] = COARSE_MESH;
/// Number of frames over budget at which a preset counts as endless; the first frame, or a few in a loud
/// passage, may exceed the budget.
const ENDLESS_FRAMES: u32 = 8;

/// Settings of a probe. Equal settings, including the seed, give equal looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeSettings {
    /// Render size in pixels.
    pub size: [u32; 2],
    /// Number of warm-up frames before the measured ones.
    pub warm_up: u32,
    /// Number of measured frames.
    pub frames: u32,
    /// Random seed.
    pub seed: u64,
    /// Texture folders.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub textures: Vec<PathBuf>,
    /// Folder for thumbnails; `None` saves none.
    #[serde(with = "crate::disk::as_wire_paths", default)]
    pub thumbs: Option<PathBuf>,
}

impl Default for ProbeSettings {
    /// Returns the standard settings: 8 warm-up and 24 measured frames of 256 by 144 pixels.
    fn default() -> Self {
        Self { size: [256, 144], warm_up: 8, frames: 24, seed: 1, textures: Vec::new(), thumbs: None }
    }
}

impl ProbeSettings {
    /// Returns the number of frames drawn per preset.
    pub fn drawn(&self) -> u32 {
        self.warm_up + self.frames
    }
}

/// Returns the random seed of one preset. It differs between presets, but does not depend on which were drawn before.
pub fn seed_of(seed: u64, id: PresetId) -> u64 {
    seed ^ u64::from_le_bytes(std::array::from_fn(|at| id.0[at]))
}

/// Probes presets one at a time on one device.
pub struct Prober {
    settings: ProbeSettings,
    sound: ProbeSound,
    render_context: Arc<RenderContext>,
    /// The stage, kept here between presets; `None` while one is probed.
    stage: Option<Stage>,
    readback: Readback,
    floor_ms: f64,
    /// Number of times that the device had run out of memory before the latest probe.
    shortages_before: u64,
}

impl Prober {
    /// Opens a device, and prepares to probe presets on it; see [`Self::on`].
    ///
    /// # Errors
    /// Returns an error if no device can be opened, or for the reasons of [`Self::on`].
    pub fn new(settings: ProbeSettings) -> anyhow::Result<Self> {
        let render_context = Arc::new(RenderContext::new(Gpu::headless()?, &settings.textures));
        Self::on(render_context, settings)
    }

    /// Renders the music, measures the drawing time of a tiny picture, and draws a built-in preset as a control.
    ///
    /// # Errors
    /// Returns an error if the music is silent, or if the built-in preset cannot be drawn: no preset may be judged on
    /// this device.
    pub fn on(render_context: Arc<RenderContext>, settings: ProbeSettings) -> anyhow::Result<Self> {
        let sound = ProbeSound::new(settings.warm_up, settings.frames, FPS)?;
        let stage = Some(Stage::new(render_context.clone(), settings.size));
        let readback = Readback::new(&render_context.gpu, settings.size);
        // The control gets no thumbnail.
        let unsaved = ProbeSettings { thumbs: None, ..settings.clone() };
        let mut prober = Self {
            settings: unsaved,
            sound,
            render_context,
            stage,
            readback,
            floor_ms: 0.0,
            shortages_before: 0,
        };
        prober.floor_ms = prober.measure_floor();
        if let Some(BuiltIn { id, path, text, .. }) = built_in().next()
            && let Err(outcome) = prober.draw(Path::new(path), text.as_bytes().into(), id, |_, _| ())
        {
            anyhow::bail!("cannot draw the built-in preset {path}: {}", outcome.why());
        }
        prober.settings = settings;
        Ok(prober)
    }

    /// Probes a preset. `id` is the ID expected from the file's contents.
    pub fn probe(&mut self, preset: &WirePreset, id: PresetId) -> ProbeReport {
        self.probe_then(preset, id, |_, _| ())
    }

    /// Probes a preset as [`Self::probe`] does. If it was drawn, calls `then` before its run ends, with all evidence
    /// except the facts about its source. The report does not depend on `then`.
    pub fn probe_then(
        &mut self,
        preset: &WirePreset,
        id: PresetId,
        then: impl FnOnce(&mut Solo, &ProbeEvidence),
    ) -> ProbeReport {
        let bytes = match preset.read() {
            Ok(bytes) => bytes,
            Err(why) => {
                return ProbeReport::without_evidence(ProbeOutcome::Infrastructure(format!(
                    "cannot read the file: {why}"
                )));
            }
        };
        if PresetId::of(&bytes) != id {
            return ProbeReport::without_evidence(ProbeOutcome::Infrastructure(
                "the file changed during the audit".into(),
            ));
        }
        let mut report = match self.draw(&preset.path, bytes.clone(), id, then) {
            Ok(evidence) => ProbeReport { outcome: ProbeOutcome::Drawn, evidence },
            // Prefer the compiler's message to that of the show.
            Err(ProbeOutcome::Refused(why)) => {
                let error = Program::compile(&bytes).err().map(|error| error.to_string());
                ProbeReport::without_evidence(ProbeOutcome::Refused(error.unwrap_or(why)))
            }
            Err(outcome) => ProbeReport::without_evidence(outcome),
        };
        report.evidence.text = TextFacts::of(&bytes);
        report
    }

    /// Returns whether the device is lost. It does not recover; the process must be replaced.
    pub fn lost(&self) -> bool {
        self.render_context.gpu.lost()
    }

    /// Returns how the device failed during the latest probe, if it did.
    pub fn device_failure(&self) -> Option<ProbeOutcome> {
        let gpu = &self.render_context.gpu;
        // Checked first, because most failed allocations are reported as the loss of the device.
        if gpu.shortage_count() > self.shortages_before {
            return Some(ProbeOutcome::Infrastructure(StageError::OutOfMemory.to_string()));
        }
        let why = || gpu.take_error().unwrap_or_else(|| "unknown reason".into());
        gpu.lost().then(|| ProbeOutcome::DeviceLost(why()))
    }

    fn deck(&self, size: [u32; 2]) -> DeckSettings {
        DeckSettings { size, mesh: MESH, fps: FPS }
    }

    fn draw(
        &mut self,
        preset: &Path,
        bytes: Arc<[u8]>,
        id: PresetId,
        then: impl FnOnce(&mut Solo, &ProbeEvidence),
    ) -> Result<ProbeEvidence, ProbeOutcome> {
        let library = Catalogue::of_one(preset, bytes);
        let errors_before = self.render_context.gpu.error_count();
        self.shortages_before = self.render_context.gpu.shortage_count();
        let stage =
            self.stage.take().unwrap_or_else(|| Stage::new(self.render_context.clone(), self.settings.size));
        let seed = seed_of(self.settings.seed, id);
        let deck = self.deck(self.settings.size);
        let mut solo = Solo::begin(&self.render_context, stage, library, deck, seed);
        let drawn = self.evidence(&mut solo, id, errors_before);
        if let Ok(evidence) = &drawn {
            then(&mut solo, evidence);
        }
        self.stage = Some(solo.end());
        drawn
    }

    /// Plays all frames of a preset, saves its thumbnails, and returns what was measured. `errors_before` is the number
    /// of errors of the device before the preset was prepared.
    fn evidence(
        &mut self,
        solo: &mut Solo,
        id: PresetId,
        errors_before: u64,
    ) -> Result<ProbeEvidence, ProbeOutcome> {
        let recording = self.watch(solo);
        let playing = solo.playing();
        self.readback.reset(&self.render_context.gpu);
        if let Some(failure) = self.device_failure() {
            return Err(failure);
        }
        let recording = recording?;
        let gpu = &self.render_context.gpu;
        let mut missing = Vec::new();
        let mut broken = Vec::new();
        for problem in playing.as_ref().map(|playing| playing.problems.clone()).unwrap_or_default() {
            match problem.strip_prefix("missing texture: ") {
                Some(name) => missing.push(name.to_owned()),
                None => broken.push(problem),
            }
        }
        if recording.cut_short > 0 {
            let frames = counted(recording.cut_short as usize, "frame");
            broken.push(format!("the code exceeded its budget and was stopped in {frames}"));
        }
        if gpu.error_count() > errors_before {
            let why = gpu.take_error().unwrap_or_else(|| "unknown reason".into());
            broken.push(format!("graphics device error: {why}"));
        }
        if let Some(folder) = &self.settings.thumbs
            && let Err(why) = thumbs::write(folder, id, &recording.views, self.settings.size)
        {
            return Err(ProbeOutcome::Infrastructure(why));
        }
        let prepare_ms = playing.map_or(0.0, |playing| playing.took.total_ms());
        Ok(ProbeEvidence {
            missing,
            broken,
            look: Some(recording.look),
            perceptual_hash: Some(recording.perceptual_hash),
            flash: recording.flash,
            cost: recording.meter.cost(prepare_ms),
            text: TextFacts::default(),
        })
    }

    /// Plays all frames and records each as it is read back from the device.
    fn watch(&mut self, solo: &mut Solo) -> Result<Recording, ProbeOutcome> {
        let Self { settings, sound, render_context, readback, floor_ms, .. } = self;
        let gpu = &render_context.gpu;
        let infrastructure = |error: StageError| ProbeOutcome::Infrastructure(error.to_string());
        let mut recorder = Recorder::new(settings);
        let mut meter = CostMeter::new(gpu.software(), settings.size, *floor_ms);
        let signals: Vec<_> = sound.frames().map(|(signal, _)| signal).collect();
        for (number, (_, sound)) in sound.frames().enumerate() {
            if number == settings.warm_up as usize {
                meter.begin();
            }
            meter.frame(|| solo.frame(sound)).map_err(blamed)?;
            if solo.over_budget() {
                recorder.cut_short += 1;
                if recorder.cut_short >= ENDLESS_FRAMES {
                    return Err(ProbeOutcome::Endless(format!(
                        "the code does not terminate: it was stopped in {ENDLESS_FRAMES} of {} frames",
                        number + 1
                    )));
                }
            }
            if !solo.rig.stage.read_back(readback) {
                return Err(ProbeOutcome::Infrastructure("all readback buffers are in use".into()));
            }
            if let Some(shot) = readback.receive(gpu, Wait::WhenFull).map_err(infrastructure)? {
                recorder.record(shot.number, signals[shot.number as usize], shot.pixels);
            }
        }
        while let Some(shot) = readback.receive(gpu, Wait::Always).map_err(infrastructure)? {
            recorder.record(shot.number, signals[shot.number as usize], shot.pixels);
        }
        Ok(recorder.end(meter))
    }

    /// Returns the drawing time of a tiny picture, in milliseconds: the part that does not grow with the
    /// number of pixels.
    fn measure_floor(&mut self) -> f64 {
        const TINY: [u32; 2] = [16, 9];
        const FRAMES: u32 = 8;
        let mut library = Catalogue::built_in();
        library.entries.truncate(1);
        let stage = Stage::new(self.render_context.clone(), TINY);
        let mut solo = Solo::begin(&self.render_context, stage, library, self.deck(TINY), 1);
        let mut meter = CostMeter::new(self.render_context.gpu.software(), TINY, 0.0);
        for (number, (_, sound)) in (0..2 * FRAMES).zip(self.sound.frames()) {
            if number == FRAMES {
                solo.rig.stage.finish();
                meter.begin();
            }
            // A failure of the built-in preset only makes the estimate less accurate.
            meter.frame(|| solo.frame(sound)).ok();
        }
        solo.rig.stage.finish();
        meter.cost(0.0).gpu_ms
    }
}

/// Converts the reason why a preset is not on air to an outcome that blames either the device or the preset.
fn blamed(error: SoloError) -> ProbeOutcome {
    match error {
        SoloError::Unplayable(why) => ProbeOutcome::Refused(why),
        SoloError::Device(error) => ProbeOutcome::Infrastructure(error.to_string()),
    }
}

/// Records the frames of one preset.
struct Recorder {
    warm_up: u64,
    size: [usize; 2],
    /// Indices of the frames used for the perceptual hash and the thumbnails.
    views: [u64; VIEWS],
    look_meter: LookMeter,
    flash: FlashMeter,
    cells: Cells,
    grey: Vec<u8>,
    perceptual_hash: PerceptualHash,
    kept: Vec<Vec<u8>>,
    /// Number of frames in which the code was stopped.
    cut_short: u32,
}

struct Recording {
    look: Look,
    perceptual_hash: PerceptualHash,
    flash: FlashScore,
    meter: CostMeter,
    views: Vec<Vec<u8>>,
    cut_short: u32,
}

impl Recorder {
    fn new(settings: &ProbeSettings) -> Self {
        let size = settings.size.map(|side| side as usize);
        let (warm_up, frames) = (u64::from(settings.warm_up), u64::from(settings.frames));
        Self {
            warm_up,
            size,
            views: [frames / 3, frames * 2 / 3, frames.saturating_sub(1)].map(|at| warm_up + at),
            look_meter: LookMeter::new(size[0]),
            flash: FlashMeter::new(FPS),
            cells: Cells::default(),
            grey: Vec::new(),
            perceptual_hash: PerceptualHash::default(),
            kept: Vec::new(),
            cut_short: 0,
        }
    }

    fn record(&mut self, number: u64, signal: sound::ProbeSignal, pixels: &[u8]) {
        self.cells.update(pixels, self.size);
        self.flash.push(&self.cells);
        if number + 1 == self.warm_up {
            self.look_meter.record_previous(pixels);
        }
        if number >= self.warm_up {
            self.look_meter.record(signal, pixels);
        }
        if let Some(view) = self.views.iter().position(|&view| view == number) {
            still::grey(pixels, &mut self.grey);
            self.perceptual_hash.0[view] = perceptual_hash::view(&self.grey, self.size);
            self.kept.push(pixels.to_vec());
        }
    }

    fn end(self, meter: CostMeter) -> Recording {
        Recording {
            look: self.look_meter.look(),
            perceptual_hash: self.perceptual_hash,
            flash: self.flash.score(),
            meter,
            views: self.kept,
            cut_short: self.cut_short,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_fails_to_prepare_a_preset_is_never_blamed_on_it() {
        for error in [StageError::OutOfMemory, StageError::Timeout(20)] {
            assert!(matches!(blamed(SoloError::Device(error)), ProbeOutcome::Infrastructure(_)));
        }
        let refused = SoloError::Unplayable("no such function".into());
        assert_eq!(blamed(refused), ProbeOutcome::Refused("no such function".into()));
    }
}
