//! Inputs that MilkDrop 3, BeatDrop and Milkwave give to preset code and shaders, in addition to those of MilkDrop 2.
//!
//! Sources: BeatDrop's list of added variables and functions, and Milkwave's manual. The smoothing rates are not
//! documented, so the ones below are aivj's own. There is no mouse or keyboard, and the clock counts from the start of
//! the preset, so that a show can be replayed.

use super::preset_audio::{PresetAudio, SPECTRUM_BINS, WAVE_SAMPLES};
use super::text::{self, Key};
use crate::hlsl::SoundValues;

/// Share of the smoothed levels kept per frame at 30 fps.
const LEVEL_KEPT: f32 = 0.95;
/// Share of the spectrum's peaks kept per frame at 30 fps.
const PEAK_KEPT: f32 = 0.98;
/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// Speed at which the spectrum of a preset's shaders follows the sound, from 0 to 1 per frame at 30 fps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SpectrumRates {
    /// Share of a rise that is followed: `FFTAttack`.
    attack: f32,
    /// Share of a fall that is not followed: `FFTDecay`.
    decay: f32,
}

impl Default for SpectrumRates {
    fn default() -> Self {
        Self { attack: 0.5, decay: 0.7 }
    }
}

impl SpectrumRates {
    /// Reads the rates from the text of a preset.
    pub fn of(preset: &str) -> Self {
        let value = |wanted: &str| {
            let mut lines = text::lines(preset);
            let line = lines
                .find(|line| matches!(line.key, Key::Value(key) if key.trim().eq_ignore_ascii_case(wanted)));
            line.map(|line| text::leading_number(line.value).clamp(0.0, 1.0))
        };
        let usual = Self::default();
        Self {
            attack: value("FFTAttack").unwrap_or(usual.attack),
            decay: value("FFTDecay").unwrap_or(usual.decay),
        }
    }
}

/// Sound as shaders read it: levels and spectrum, smoothed over time.
pub(super) struct ShaderSound {
    /// Bass, mid, treble and their mean; slower than the `_att` levels.
    pub levels: [f32; 4],
    /// Mean spectrum of both channels.
    pub spectrum: [f32; SPECTRUM_BINS],
    /// Recent peaks of the spectrum.
    pub peaks: [f32; SPECTRUM_BINS],
}

impl Default for ShaderSound {
    fn default() -> Self {
        Self { levels: [1.0; 4], spectrum: [0.0; SPECTRUM_BINS], peaks: [0.0; SPECTRUM_BINS] }
    }
}

impl ShaderSound {
    /// Adds the sound of one frame.
    pub fn update(&mut self, audio: &PresetAudio, fps: f64, rates: SpectrumRates) {
        let frames = (30.0 / fps.max(1.0).min(1_000.0)) as f32;
        let kept = |share: f32| share.powf(frames);
        let [bass, mid, treb] = audio.bands_att;
        let change = 1.0 - kept(LEVEL_KEPT);
        for (level, now) in self.levels.iter_mut().zip([bass, mid, treb, (bass + mid + treb) / 3.0]) {
            *level += (now - *level) * change;
        }
        let (rise, fall, peak_kept) =
            (1.0 - kept(1.0 - rates.attack), 1.0 - kept(rates.decay), kept(PEAK_KEPT));
        let now = audio.spectrum[0].iter().zip(&audio.spectrum[1]).map(|(left, right)| (left + right) * 0.5);
        for ((value, peak), now) in self.spectrum.iter_mut().zip(&mut self.peaks).zip(now) {
            *value += (now - *value) * if now > *value { rise } else { fall };
            *peak = (*peak * peak_kept).max(*value);
        }
    }
}

/// Returns a waveform in the layout in which shaders read it.
pub(super) fn waveform(samples: &[f32; WAVE_SAMPLES]) -> SoundValues {
    std::array::from_fn(|four| std::array::from_fn(|i| samples[four * 4 + i]))
}

/// Returns hour, minute, second, millisecond and seconds since midnight. The preset started at midnight, `time` seconds
/// ago.
pub(super) fn time_of_day(time: f64) -> [f64; 5] {
    let time = time.max(0.0) % DAY;
    let total = time.floor();
    let (hour, minute) = ((total / 3_600.0).floor(), (total / 60.0).floor() % 60.0);
    [hour, minute, total % 60.0, ((time - total) * 1_000.0).floor(), total]
}

/// The value of an added variable.
#[derive(Clone, Copy)]
enum Given {
    Fixed(f64),
    /// A part of [`time_of_day`], by index.
    Time(usize),
}

/// Variables that per-frame code may read. `mousedown`, `mouseclick`, `ctrllt`, `ctrlrt`, `ctrlup` and `ctrldn` are 0,
/// like all undefined variables.
const GIVEN: [(&str, Given); 11] = [
    ("mousex", Given::Fixed(-1.0)),
    ("mousey", Given::Fixed(-1.0)),
    ("year", Given::Fixed(2_000.0)),
    ("month", Given::Fixed(1.0)),
    ("day", Given::Fixed(1.0)),
    ("weekday", Given::Fixed(6.0)),
    ("hour", Given::Time(0)),
    ("minute", Given::Time(1)),
    ("second", Given::Time(2)),
    ("milliseconds", Given::Time(3)),
    ("totalseconds", Given::Time(4)),
];

/// Sets the variables in [`GIVEN`] that a preset reads, until the preset changes them: it may use the same names for
/// variables of its own.
pub(super) struct Clock {
    /// Slot, value and the number last set.
    given: Vec<(usize, Given, f64)>,
}

impl Clock {
    /// Finds the variables among the names of per-frame variables.
    pub fn new(names: &[String]) -> Self {
        let slot = |wanted: &str| names.iter().position(|name| name == wanted);
        let given = GIVEN.iter().filter_map(|(name, given)| Some((slot(name)?, *given, 0.0)));
        Self { given: given.collect() }
    }

    /// Sets the variables `time` seconds after the start of the preset.
    pub fn set(&mut self, vars: &mut [f64], time: f64) {
        let parts = time_of_day(time);
        self.given.retain_mut(|(slot, given, last)| {
            let var = &mut vars[*slot];
            let unchanged = var.to_bits() == last.to_bits();
            if unchanged {
                *last = match given {
                    Given::Fixed(value) => *value,
                    Given::Time(part) => parts[*part],
                };
                *var = *last;
            }
            unchanged
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loud(level: f32) -> PresetAudio {
        PresetAudio { spectrum: [[level; SPECTRUM_BINS]; 2], bands_att: [level; 3], ..PresetAudio::default() }
    }

    #[test]
    fn the_spectrum_rises_and_falls_at_the_rates_of_the_preset() {
        let rates = SpectrumRates::of("[preset00]\nfftattack=0.25\nFFTDecay=0.9\nFFTDecay=0\n");
        assert_eq!(rates, SpectrumRates { attack: 0.25, decay: 0.9 });
        assert_eq!(SpectrumRates::of("FFTAttack=-7\n"), SpectrumRates { attack: 0.0, decay: 0.7 });
        let mut sound = ShaderSound::default();
        sound.update(&loud(4.0), 30.0, rates);
        assert!((sound.spectrum[100] - 1.0).abs() < 1e-5, "{}", sound.spectrum[100]);
        sound.update(&loud(0.0), 30.0, rates);
        assert!((sound.spectrum[100] - 0.9).abs() < 1e-5, "{}", sound.spectrum[100]);
        assert!((sound.peaks[100] - 0.98).abs() < 1e-5, "{}", sound.peaks[100]);
    }

    #[test]
    fn smoothed_levels_do_not_depend_on_the_frame_rate() {
        let after = |fps: f64| {
            let mut sound = ShaderSound::default();
            (0..fps as u32).for_each(|_| sound.update(&loud(3.0), fps, SpectrumRates::default()));
            sound.levels
        };
        let (slow, fast) = (after(30.0), after(120.0));
        assert!(slow[0] > 2.0 && slow[0] < 3.0, "{slow:?}");
        assert!(slow.iter().zip(fast).all(|(slow, fast)| (slow - fast).abs() < 0.01), "{slow:?} {fast:?}");
        let mut sound = ShaderSound::default();
        sound.update(&loud(1.0), f64::NAN, SpectrumRates::default());
        assert!(sound.spectrum[0].is_finite());
    }

    #[test]
    fn the_clock_starts_at_midnight_and_wraps() {
        assert_eq!(time_of_day(3_723.25), [1.0, 2.0, 3.0, 250.0, 3_723.0]);
        assert_eq!(time_of_day(DAY + 61.0), [0.0, 1.0, 1.0, 0.0, 61.0]);
        assert_eq!(time_of_day(f64::NAN)[4], 0.0);
    }

    #[test]
    fn a_variable_that_the_preset_changes_is_its_own() {
        let names = ["zoom", "second", "mousex"].map(str::to_owned);
        let (mut clock, mut vars) = (Clock::new(&names), [1.0, 0.0, 0.0]);
        clock.set(&mut vars, 7.0);
        assert_eq!(vars, [1.0, 7.0, -1.0]);
        vars[1] += 0.5;
        clock.set(&mut vars, 9.0);
        clock.set(&mut vars, 10.0);
        assert_eq!(vars, [1.0, 7.5, -1.0]);
    }
}
