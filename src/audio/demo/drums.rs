//! Drum synthesis, shared by the demo track's techno and rock parts and by training pieces.

use super::tone::{Decay, Filter, Noise, Osc, soft};

/// Parameters of a bass drum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KickShape {
    /// Final pitch, in Hz.
    pub(crate) low_hz: f32,
    /// Initial pitch above `low_hz`, in Hz.
    pub(crate) sweep_hz: f32,
    /// Decay time of the pitch, in seconds.
    pub(crate) sweep_secs: f32,
    /// Decay time of the body, in seconds.
    pub(crate) body_secs: f32,
    /// Level of the beater click, 0 to 1.
    pub(crate) click: f32,
}

/// Bass drum, or a tom with other parameters.
#[derive(Clone, Debug)]
pub(crate) struct Kick {
    shape: KickShape,
    rate_hz: f32,
    osc: Osc,
    pitch: Decay,
    body: Decay,
    beater: Decay,
    noise: Noise,
}

impl Kick {
    pub(crate) fn new(rate_hz: f32, shape: KickShape) -> Self {
        Self {
            shape,
            rate_hz,
            osc: Osc::default(),
            pitch: Decay::new(rate_hz, shape.sweep_secs),
            body: Decay::new(rate_hz, shape.body_secs),
            beater: Decay::new(rate_hz, 0.003),
            noise: Noise::new(11),
        }
    }

    pub(crate) fn strike(&mut self, level: f32) {
        self.osc = Osc::default();
        self.pitch.strike(1.0);
        self.body.strike(level);
        self.beater.strike(level * self.shape.click);
    }

    /// Strikes with a different final pitch, as for a row of toms.
    pub(crate) fn strike_at(&mut self, level: f32, low_hz: f32) {
        self.shape.low_hz = low_hz;
        self.strike(level);
    }

    pub(crate) fn next(&mut self) -> f32 {
        let hz = self.shape.low_hz + self.shape.sweep_hz * self.pitch.next();
        let tone = self.osc.sine(hz / self.rate_hz) * self.body.next();
        soft(tone * 1.6) * 0.95 + self.noise.next() * self.beater.next()
    }
}

/// Filtered noise with an optional metallic tone: hats and cymbals.
#[derive(Clone, Debug)]
pub(crate) struct Hiss {
    noise: Noise,
    level: Decay,
    filter: Filter,
    rate_hz: f32,
    metal: [Osc; 4],
    metallic: f32,
}

impl Hiss {
    /// Builds noise above `cutoff_hz`; `metallic`, 0 to 1, mixes in square-wave cymbal partials.
    pub(crate) fn new(rate_hz: f32, cutoff_hz: f32, metallic: f32, seed: u64) -> Self {
        Self {
            noise: Noise::new(seed),
            level: Decay::new(rate_hz, 0.03),
            filter: Filter::new(rate_hz, cutoff_hz, 0.9),
            rate_hz,
            metal: [0.1, 0.3, 0.6, 0.8].map(Osc::at),
            metallic,
        }
    }

    pub(crate) fn strike(&mut self, level: f32, seconds: f32) {
        self.level.set_time(self.rate_hz, seconds);
        self.level.strike(level);
    }

    pub(crate) fn next(&mut self) -> f32 {
        const PARTIALS_HZ: [f32; 4] = [3_127.0, 4_219.0, 5_473.0, 7_331.0];
        let level = self.level.next();
        if level == 0.0 {
            return 0.0;
        }
        let rate_hz = self.rate_hz;
        let ring = |(osc, hz): (&mut Osc, f32)| if osc.turn(hz / rate_hz) < 0.5 { 0.25 } else { -0.25 };
        let metal: f32 = self.metal.iter_mut().zip(PARTIALS_HZ).map(ring).sum();
        let raw = self.noise.next() * (1.0 - self.metallic) + metal * self.metallic;
        self.filter.next(raw).high * level
    }
}

/// Snare drum: two tones for the head, and noise for the rattle of the wires.
#[derive(Clone, Debug)]
pub(crate) struct Snare {
    rate_hz: f32,
    skin: [Osc; 2],
    skin_level: Decay,
    wires: Decay,
    noise: Noise,
    filter: Filter,
}

impl Snare {
    pub(crate) fn new(rate_hz: f32) -> Self {
        Self {
            rate_hz,
            skin: [Osc::default(); 2],
            skin_level: Decay::new(rate_hz, 0.06),
            wires: Decay::new(rate_hz, 0.11),
            noise: Noise::new(23),
            filter: Filter::new(rate_hz, 1_800.0, 0.7),
        }
    }

    pub(crate) fn strike(&mut self, level: f32) {
        self.skin = [Osc::default(); 2];
        self.skin_level.strike(level);
        self.wires.strike(level);
    }

    pub(crate) fn next(&mut self) -> f32 {
        let [low, high] = &mut self.skin;
        let skin = low.sine(186.0 / self.rate_hz) + 0.6 * high.sine(331.0 / self.rate_hz);
        let rattle = self.filter.next(self.noise.next());
        soft(skin * self.skin_level.next() * 0.9 + (rattle.high + 0.5 * rattle.band) * self.wires.next())
    }
}

/// Hand clap: four noise bursts within 30 ms and a short tail.
#[derive(Clone, Debug)]
pub(crate) struct Clap {
    rate_hz: f32,
    noise: Noise,
    burst: Decay,
    tail: Decay,
    filter: Filter,
    since: u32,
    level: f32,
}

impl Clap {
    pub(crate) fn new(rate_hz: f32) -> Self {
        Self {
            rate_hz,
            noise: Noise::new(31),
            burst: Decay::new(rate_hz, 0.004),
            tail: Decay::new(rate_hz, 0.09),
            filter: Filter::new(rate_hz, 1_400.0, 1.3),
            since: u32::MAX,
            level: 0.0,
        }
    }

    pub(crate) fn strike(&mut self, level: f32) {
        self.since = 0;
        self.level = level;
    }

    pub(crate) fn next(&mut self) -> f32 {
        if self.since != u32::MAX {
            let gap = (self.rate_hz * 0.0095) as u32;
            if self.since.is_multiple_of(gap) {
                self.burst.strike(self.level);
            }
            self.since += 1;
            if self.since > 3 * gap {
                self.tail.strike(self.level * 0.8);
                self.since = u32::MAX;
            }
        }
        self.filter.next(self.noise.next()).band * (self.burst.next() + self.tail.next()) * 1.6
    }
}
