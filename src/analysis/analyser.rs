//! Turns stereo samples into [`Features`], one hop at a time.

use super::RATE_HZ;
use super::beat::{Drums, TempoRequest, TrackerPair};
use super::energy::EnergyFollower;
use super::features::Features;
use super::filterbank::{Filterbank, MAX_BANDS};
use super::gain::Gain;
use super::hit::HitFollower;
use super::meter::Meter;
use super::onset::OnsetDetector;
use super::relative_onset::RelativeOnsets;
use super::scene::{SIZE_SAMPLES, SceneFilter, SceneModel, Summary, UPDATE_SECS};
use super::section::SectionTracker;
use super::spectral::{BandMeters, SpectralShape};
use super::spectrum::SpectrumMeter;
use super::stft::Stft;
use crate::activation::ActivationDetector;
use crate::units::{SampleIndex, Unipolar};

/// Number of samples between two steps of the hit follower (3.3 ms).
pub(super) const FINE_HOP: usize = 147;
/// Fine steps per 10 ms hop.
const FINE_PER_HOP: usize = 3;
/// Length of the short transform, in samples (11.6 ms).
const FINE_SIZE: usize = 512;
/// Length of the long transform, which resolves pitch, in samples (46 ms).
const SIZE: usize = SIZE_SAMPLES;
/// Cutoff of the high-pass filter that removes a DC offset, in Hz.
const OFFSET_CUT_HZ: f32 = 12.0;

/// Causal analyser of stereo audio at 44.1 kHz; allocates nothing after [`Analyser::new`].
pub struct Analyser {
    /// Number of frames received.
    frames: u64,
    fine_left: usize,
    hop_left: usize,
    offset: [f32; 2],
    /// Share of the side signal in the mono mix, 0 to 1; rises if one channel is inverted, because the mid
    /// signal then cancels.
    side: f32,
    power: [f32; 2],
    meter: Meter,
    fine: Stft,
    fine_bank: Filterbank,
    coarse: Stft,
    bank: Filterbank,
    gain: Gain,
    hit: HitFollower,
    onsets: OnsetDetector,
    relative_onsets: RelativeOnsets,
    bands: BandMeters,
    spectra: SpectrumMeter,
    energy: EnergyFollower,
    drums: Drums,
    activations: ActivationDetector,
    tracker: TrackerPair,
    summary: Summary,
    scene: SceneFilter,
    section: SectionTracker,
    /// Hops until the next scene update.
    hops_to_scene: u32,
    flux: f32,
    features: Features,
}

impl Default for Analyser {
    fn default() -> Self {
        Self::new()
    }
}

impl Analyser {
    /// Builds an analyser with no history.
    pub fn new() -> Self {
        let (fine_bank, bank) = (Filterbank::new(FINE_SIZE), Filterbank::new(SIZE));
        let fine_dt = FINE_HOP as f32 / RATE_HZ as f32;
        let dt = fine_dt * FINE_PER_HOP as f32;
        Self {
            frames: 0,
            fine_left: FINE_HOP,
            hop_left: FINE_PER_HOP,
            offset: [0.0; 2],
            side: 0.0,
            power: [0.0; 2],
            meter: Meter::new(FINE_HOP * FINE_PER_HOP),
            fine: Stft::new(FINE_SIZE),
            coarse: Stft::new(SIZE),
            gain: Gain::new(dt),
            hit: HitFollower::new(fine_dt),
            onsets: OnsetDetector::new(&bank),
            relative_onsets: RelativeOnsets::new(&bank, dt),
            bands: BandMeters::new(&bank, dt),
            spectra: SpectrumMeter::new(SIZE),
            energy: EnergyFollower::new(dt),
            drums: Drums::new(dt),
            activations: ActivationDetector::new(),
            summary: Summary::new(SIZE, &bank),
            scene: SceneFilter::new(SceneModel::built_in()),
            section: SectionTracker::new(dt),
            hops_to_scene: 1,
            tracker: TrackerPair::new(),
            fine_bank,
            bank,
            flux: 0.0,
            features: Features::default(),
        }
    }

    /// Processes any number of stereo frames at 44.1 kHz. Replaces non-finite samples with silence and clamps the others
    /// to ±16.
    pub fn push(&mut self, frames: &[[f32; 2]]) {
        for &frame in frames {
            self.process(
                frame.map(|sample| if sample.is_finite() { sample.clamp(-16.0, 16.0) } else { 0.0 }),
            );
        }
    }

    /// Applies a tempo request from the performer.
    pub fn tempo(&mut self, request: TempoRequest) {
        self.tracker.apply(request);
        self.features.beat = self.tracker.grid();
    }

    /// Returns the features as of the last frame pushed.
    pub fn features(&self) -> &Features {
        &self.features
    }

    fn process(&mut self, frame: [f32; 2]) {
        self.meter.push(frame);
        let cut = std::f32::consts::TAU * OFFSET_CUT_HZ / RATE_HZ as f32;
        let mut clean = frame;
        for (sample, offset) in clean.iter_mut().zip(&mut self.offset) {
            *offset += (*sample - *offset) * cut;
            *sample -= *offset;
        }
        let (middle, side) = (0.5 * (clean[0] + clean[1]), 0.5 * (clean[0] - clean[1]));
        self.power[0] += middle * middle;
        self.power[1] += side * side;
        let sample = middle + self.side * (side - middle);
        self.fine.push(sample);
        self.coarse.push(sample);
        self.frames += 1;
        self.fine_left -= 1;
        if self.fine_left == 0 {
            self.fine_left = FINE_HOP;
            self.hop_left -= 1;
            if self.hop_left == 0 {
                self.hop_left = FINE_PER_HOP;
                self.hop();
            }
            self.fine_step();
        }
    }

    fn fine_step(&mut self) {
        let mut levels = [0.0; MAX_BANDS];
        let bands = self.fine_bank.apply(self.fine.power(), &mut levels);
        let hit = self.hit.step(bands, self.gain.reference(), self.gain.gate());
        self.features.hit = Unipolar::new(hit);
        self.features.at = SampleIndex(self.frames).at(RATE_HZ);
    }

    fn hop(&mut self) {
        let samples = (FINE_HOP * FINE_PER_HOP) as f32;
        let [middle, side] = self.power.map(|square| square / samples);
        self.power = [0.0; 2];
        let inverted = if side > 4.0 * middle { 1.0 } else { 0.0 };
        self.side += (inverted - self.side) * 0.02;
        self.gain.step(middle + self.side * (side - middle));
        let (reference, gate) = (self.gain.reference(), self.gain.gate());
        let mut levels = [0.0; MAX_BANDS];
        let power = self.coarse.power();
        let bands = self.bank.apply(power, &mut levels);
        let onset = self.onsets.step(bands, reference, gate);
        let relative = self.relative_onsets.step(bands, reference, gate);
        let activation = self.activations.step(bands, reference, gate);
        let spectrum = self.spectra.step(power, bands, reference, gate);
        self.summary.push(power, bands, activation);
        let shape = SpectralShape::of(bands, &self.bank);
        let level = self.meter.read();
        let level_db = 10.0 * (bands.iter().sum::<f32>() + 1e-12).log10();
        let (energy_fast, energy_slow) = self.energy.step(level_db, onset.all(), gate);
        self.flux += (onset.all() - self.flux) * if onset.all() > self.flux { 0.8 } else { 0.1 };
        let features = &mut self.features;
        let accent = self.drums.step(onset, relative);
        self.tracker.step(accent, activation, onset, &spectrum, gate > 0.0);
        features.beat = self.tracker.grid();
        features.silent = gate <= 0.0;
        features.level = level;
        features.bands = self.bands.step(bands, reference, gate);
        features.onset = Unipolar::new(onset.all());
        features.flux = Unipolar::new(1.0 - (-3.0 * self.flux).exp());
        features.centroid = Unipolar::new(shape.centroid * gate);
        features.flatness = Unipolar::new(shape.flatness * gate);
        features.energy_fast = Unipolar::new(energy_fast);
        features.energy_slow = Unipolar::new(energy_slow);
        let (section, passage) = self.section.step(energy_slow, onset.low, onset.high, gate > 0.0);
        self.section.phrase(&mut features.beat, features.at);
        (features.section, features.passage) = (section, passage);
        self.hops_to_scene -= 1;
        if self.hops_to_scene == 0 {
            self.hops_to_scene = (UPDATE_SECS / 0.01) as u32;
            self.update_scene();
        }
    }

    fn update_scene(&mut self) {
        if self.summary.take_change() {
            self.scene.note_change();
        }
        let summary = self.summary.ready().then(|| self.summary.read());
        let at = SampleIndex(self.frames).at(RATE_HZ);
        let features = &mut self.features;
        let scores = features.scene_scores();
        features.scene = self.scene.update(at, features.silent, summary.as_ref(), scores);
        self.tracker.note_rhythmic(features.scene.rhythmic());
    }
}
