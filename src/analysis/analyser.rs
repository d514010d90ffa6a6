//! The analyser: samples in, features out, a hop at a time.

use super::RATE_HZ;
use super::beat::{Drums, TempoRequest, Tracker};
use super::energy::Energy;
use super::features::Features;
use super::filterbank::{Filterbank, MOST_BANDS};
use super::gain::Gain;
use super::hit::HitFollower;
use super::meter::Meter;
use super::onset::OnsetFinder;
use super::scene::{LOOK_SECS, SIZE_SAMPLES, SceneModel, SceneWatch, Summary};
use super::section::SectionWatch;
use super::spectral::{BandMeters, Shape};
use super::stft::Stft;
use crate::units::{SampleIndex, Unipolar};

/// Samples between two steps of the fast follower, 3.3 ms.
pub(super) const FINE_HOP: usize = 147;
/// Fine steps in one hop of 10 ms.
const FINE_PER_HOP: usize = 3;
/// Samples of the fine transform, 11.6 ms.
const FINE_SIZE: usize = 512;
/// Samples of the transform that tells pitch, 46 ms.
const SIZE: usize = SIZE_SAMPLES;
/// Cut of the filter that removes a constant offset, in Hz.
const OFFSET_CUT_HZ: f32 = 12.0;

/// Hears stereo sound at 44.1 kHz. Causal; allocates nothing after [`Analyser::new`].
pub struct Analyser {
    /// Frames heard.
    heard: u64,
    fine_left: usize,
    hop_left: usize,
    offset: [f32; 2],
    /// How much of the signal lives in the difference of the sides; an input with one side inverted must not vanish.
    side: f32,
    power: [f32; 2],
    meter: Meter,
    fine: Stft,
    fine_bank: Filterbank,
    coarse: Stft,
    bank: Filterbank,
    gain: Gain,
    hit: HitFollower,
    onsets: OnsetFinder,
    bands: BandMeters,
    energy: Energy,
    drums: Drums,
    tracker: Tracker,
    summary: Summary,
    scene: SceneWatch,
    section: SectionWatch,
    /// Hops until the next look at the scene.
    scene_left: u32,
    flux: f32,
    features: Features,
}

impl Default for Analyser {
    fn default() -> Self {
        Self::new()
    }
}

impl Analyser {
    /// An analyser that has heard nothing.
    pub fn new() -> Self {
        let (fine_bank, bank) = (Filterbank::new(FINE_SIZE), Filterbank::new(SIZE));
        let fine_dt = FINE_HOP as f32 / RATE_HZ as f32;
        let dt = fine_dt * FINE_PER_HOP as f32;
        Self {
            heard: 0,
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
            onsets: OnsetFinder::new(&bank),
            bands: BandMeters::new(&bank, dt),
            energy: Energy::new(dt),
            drums: Drums::new(dt),
            summary: Summary::new(SIZE, &bank),
            scene: SceneWatch::new(SceneModel::shipped()),
            section: SectionWatch::new(dt),
            scene_left: 1,
            tracker: Tracker::new(),
            fine_bank,
            bank,
            flux: 0.0,
            features: Features::default(),
        }
    }

    /// Hears stereo frames at 44.1 kHz, any number of them. What is no number counts as silence.
    pub fn push(&mut self, frames: &[[f32; 2]]) {
        for &frame in frames {
            self.hear(frame.map(|sample| if sample.is_finite() { sample.clamp(-16.0, 16.0) } else { 0.0 }));
        }
    }

    /// Does what the performer asks of the beat.
    pub fn tempo(&mut self, wish: TempoRequest) {
        self.tracker.wish(wish);
        self.features.beat = self.tracker.grid();
    }

    /// What is known after everything that was pushed.
    pub fn features(&self) -> &Features {
        &self.features
    }

    fn hear(&mut self, frame: [f32; 2]) {
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
        self.heard += 1;
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
        let mut levels = [0.0; MOST_BANDS];
        let bands = self.fine_bank.apply(self.fine.power(), &mut levels);
        let hit = self.hit.step(bands, self.gain.reference(), self.gain.gate());
        self.features.hit = Unipolar::new(hit);
        self.features.at = SampleIndex(self.heard).at(RATE_HZ);
    }

    fn hop(&mut self) {
        let samples = (FINE_HOP * FINE_PER_HOP) as f32;
        let [middle, side] = self.power.map(|square| square / samples);
        self.power = [0.0; 2];
        let inverted = if side > 4.0 * middle { 1.0 } else { 0.0 };
        self.side += (inverted - self.side) * 0.02;
        self.gain.step(middle + self.side * (side - middle));
        let (reference, gate) = (self.gain.reference(), self.gain.gate());
        let mut levels = [0.0; MOST_BANDS];
        let power = self.coarse.power();
        let bands = self.bank.apply(power, &mut levels);
        self.summary.push(power, bands);
        let onset = self.onsets.step(bands, reference, gate);
        let shape = Shape::of(bands, &self.bank);
        let level = self.meter.read();
        let level_db = 10.0 * (bands.iter().sum::<f32>() + 1e-12).log10();
        let (energy_fast, energy_slow) = self.energy.step(level_db, onset.all(), gate);
        self.flux += (onset.all() - self.flux) * if onset.all() > self.flux { 0.8 } else { 0.1 };
        let features = &mut self.features;
        self.tracker.step(self.drums.step(onset), onset, gate > 0.0);
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
        self.scene_left -= 1;
        if self.scene_left == 0 {
            self.scene_left = (LOOK_SECS / 0.01) as u32;
            self.look_at_scene();
        }
    }

    fn look_at_scene(&mut self) {
        if self.summary.turned() {
            self.scene.turn();
        }
        let summary = self.summary.ready().then(|| self.summary.read());
        let at = SampleIndex(self.heard).at(RATE_HZ);
        let features = &mut self.features;
        let scores = features.scene_scores();
        features.scene = self.scene.look(at, features.silent, summary.as_ref(), scores);
    }
}
