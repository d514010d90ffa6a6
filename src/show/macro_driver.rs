//! Applies the macro bank to the picture: modulates variables inside presets and sets post effects on the finished
//! picture.
//!
//! In its middle position, every control leaves the picture unchanged, bit for bit. In other positions:
//! - Fusion: up, adds light trails and blends in a second deck; down, removes trails.
//! - Motion: scales the speed of the preset's time, its audio gain, and the amplitude of its zoom, rotation,
//!   warp and drift.
//! - Sparkle: up, adds local contrast, highlighted edges and glints; down, softens the picture.
//! - M4 "Hue": rotates the colour wheel. M5 "Mirror": up, shows six mirrored sectors; down, mirrors the left
//!   half onto the right.
//! - M6 "Glow": up, adds bloom around bright parts; down, adds a vignette.
//! - M7 "Chroma": up, increases the saturation and separates the colour channels; down, fades to greyscale.
//! - M8 "Pulse": up, zooms in on hits; down, zooms out on hits. Without hits, it has no effect.

use smallvec::SmallVec;

use super::Command;
use crate::analysis::Features;
use crate::milk::Modulation;
use crate::mind::Control;
use crate::mind::macros::{Bank, MacroState, MacroView, Macros};
use crate::stage::{DeckId, FusedDeck, OnAirDeck, Post};
use crate::units::{Rng, Unipolar};

/// Half-width of the dead zone around the middle, which absorbs the jitter of knobs.
const DEAD_ZONE: f32 = 0.02;
/// Speed of a preset's time at the lower and upper ends of the Motion macro's range; 1 in the middle.
const TIME_SPEED: (f32, f32) = (0.3, 2.5);
/// Audio gain of a preset at the lower and upper ends of the Motion macro's range; 1 in the middle.
const AUDIO_GAIN: (f32, f32) = (0.4, 1.5);
/// Factor applied to the amplitude of a preset's movement at the lower and upper ends of the Motion macro's range; 1 in
/// the middle.
const AMPLITUDE: (f32, f32) = (0.4, 2.0);
/// Movement variables that are neutral at 0.
const MOVEMENTS: [&str; 4] = ["rot", "warp", "dx", "dy"];
/// Multiplicative movement variables, neutral at 1.
const SCALES: [&str; 3] = ["zoom", "sx", "sy"];
/// Magnitude of the echo at the ends of the Fusion macro's range; below 1, so that part of the picture always
/// stays clear.
const MAX_ECHO: f32 = 0.85;
/// Position of the Fusion macro above which the second deck shows, as a fraction of the range above the
/// middle.
const MIN_SECOND: f32 = 0.25;
/// Maximum opacity of the second deck.
const MAX_SECOND: f32 = 0.8;
/// Duration of the second deck's fade-in and fade-out, in seconds; the fade-out ends before most crossfades
/// do.
const SECOND_FADE_SECS: (f64, f64) = (1.5, 0.6);
/// Position of the Sparkle macro above which glints appear, as a fraction of the range above the middle.
const MIN_GLINT: f32 = 0.25;
/// Hue rotation at the ends of M4's range, in turns.
const MAX_HUE: f32 = 0.35;
/// Saturation added at the upper end of M7's range; the lower end is greyscale.
const MAX_SATURATION: f32 = 0.8;
/// Natural logarithm of the zoom factor at a full hit and an end of M8's range.
const MAX_PULSE: f32 = 0.16;
/// Attack and release time constants of the pulse, in seconds; too slow to strobe.
const PULSE_SECS: (f32, f32) = (0.03, 0.18);

/// The macros and the state needed to apply them.
pub struct MacroDriver {
    macros: Macros,
    rng: Rng,
    bank: Bank,
    pulse: f32,
    second: SecondDeck,
}

/// The deck that fusion blends into the picture.
#[derive(Default)]
struct SecondDeck {
    deck: Option<DeckId>,
    /// Progress of its fade, from 0 (absent) to 1 (fully present).
    presence: f64,
    /// Spare decks that are not blended in, because they are too slow together with another deck.
    slow: SmallVec<[DeckId; 4]>,
}

/// The decks available to fusion.
pub struct FusionDecks<'a> {
    /// Decks on air; never used as the second deck.
    pub on_air: &'a [DeckId],
    /// Warm decks, best first.
    pub spare: &'a [DeckId],
    /// Whether a crossfade is running.
    pub fading: bool,
}

impl MacroDriver {
    /// Creates a driver from saved settings; `rng` supplies the random part of the macros' slow drift.
    pub fn new(state: MacroState, rng: Rng) -> Self {
        Self { macros: Macros::new(state), rng, bank: state.bank, pulse: 0.0, second: SecondDeck::default() }
    }

    /// Starts over from saved settings.
    pub fn restore(&mut self, state: MacroState) {
        *self = Self::new(state, self.rng.clone());
    }

    /// Applies a macro command; ignores others.
    pub fn apply(&mut self, command: &Command) {
        match command {
            Command::Macro { control, value } => self.macros.touch(*control, *value),
            Command::MacroPreset(preset) => self.macros.recall(*preset),
            Command::Profile(profile) => self.macros.set_profile(*profile),
            Command::MacroAi => self.macros.toggle_follow(),
            Command::MidiLock(locked) => self.macros.lock(*locked),
            _ => {} // Not a macro command.
        }
    }

    /// Advances by `dt` seconds.
    pub fn step(&mut self, features: &Features, decks: &FusionDecks, dt: f64) {
        self.bank = self.macros.step(features, dt, &mut self.rng);
        let hit = features.hit.get();
        let time = if hit > self.pulse { PULSE_SECS.0 } else { PULSE_SECS.1 };
        self.pulse += (hit - self.pulse) * (1.0 - (-(dt as f32) / time).exp());
        if hit == 0.0 && self.pulse < 1e-3 {
            self.pulse = 0.0;
        }
        let wanted = second_share(self.lean(Control::Fusion)) > 0.0;
        self.second.step(wanted, decks, dt);
    }

    /// Stops blending in the second deck, if any, because it is too slow together with the deck on air.
    pub fn drop_second(&mut self) {
        self.second.slow.extend(self.second.deck.take());
        self.second.presence = 0.0;
    }

    /// Returns the positions that act on the picture: the performer's settings plus the music-driven and
    /// random offsets.
    pub fn bank(&self) -> Bank {
        self.bank
    }

    /// Returns the performer's settings, for saving.
    pub fn state(&self) -> &MacroState {
        self.macros.state()
    }

    /// Returns a snapshot for the desk.
    pub fn view(&self) -> MacroView {
        self.macros.view()
    }

    /// Returns the effect of the Motion macro on the variables of every preset on air.
    pub fn modulation(&self) -> Modulation {
        let motion = self.lean(Control::Motion);
        let mut modulation = Modulation::default();
        if motion == 0.0 {
            return modulation;
        }
        modulation.time_speed = f64::from(between(TIME_SPEED, motion));
        modulation.audio_gain = between(AUDIO_GAIN, motion);
        let amplitude = f64::from(between(AMPLITUDE, motion));
        for name in MOVEMENTS {
            modulation.add_linear(name, amplitude, 0.0);
        }
        for name in SCALES {
            modulation.add_power(name, amplitude);
        }
        modulation
    }

    /// Returns the deck that fusion blends in, if any.
    pub fn second(&self) -> Option<FusedDeck> {
        let share = second_share(self.lean(Control::Fusion)) * self.second.presence as f32;
        let deck = self.second.deck.filter(|_| share > 0.0)?;
        let on_air = OnAirDeck { deck, modulation: self.modulation() };
        Some(FusedDeck { on_air, share: Unipolar::new(share * MAX_SECOND) })
    }

    /// Returns the post effects to apply to the finished picture.
    pub fn post(&self) -> Post {
        let sparkle = self.lean(Control::Sparkle);
        let chroma = self.lean(Control::M7);
        Post {
            echo: self.lean(Control::Fusion) * MAX_ECHO,
            detail: sparkle,
            glint: ((sparkle - MIN_GLINT) / (1.0 - MIN_GLINT)).max(0.0),
            glow: self.lean(Control::M6),
            hue: self.lean(Control::M4) * MAX_HUE,
            saturation: if chroma < 0.0 { chroma } else { chroma * MAX_SATURATION },
            split: chroma.max(0.0),
            fold: self.lean(Control::M5),
            zoom: self.lean(Control::M8) * self.pulse * MAX_PULSE,
        }
    }

    /// Returns how far a control is from the middle, -1 to 1; 0 within the dead zone.
    fn lean(&self, control: Control) -> f32 {
        let from_middle = self.bank.get(control).get() - 0.5;
        let moved = (from_middle.abs() - DEAD_ZONE).max(0.0) / (0.5 - DEAD_ZONE);
        moved.min(1.0).copysign(from_middle) * f32::from(u8::from(moved > 0.0))
    }
}

impl SecondDeck {
    /// Chooses a second deck and fades it in while `wanted` is true. A second deck fades out before another one
    /// replaces it, and during crossfades, which may put it on air or retire it.
    fn step(&mut self, wanted: bool, decks: &FusionDecks, dt: f64) {
        self.slow.retain(|deck| decks.spare.contains(deck));
        let usable = |deck: &DeckId| {
            decks.spare.contains(deck) && !decks.on_air.contains(deck) && !self.slow.contains(deck)
        };
        if self.deck.is_some_and(|deck| !usable(&deck)) {
            // The second deck is on air now or has been retired, so it can no longer be faded out.
            (self.deck, self.presence) = (None, 0.0);
        }
        if self.deck.is_none() && wanted && !decks.fading {
            self.deck = decks.spare.iter().copied().find(usable);
            self.presence = 0.0;
        }
        let (come, go) = SECOND_FADE_SECS;
        let change = if wanted && !decks.fading { dt / come } else { -dt / go };
        self.presence = (self.presence + change).clamp(0.0, 1.0);
        if self.presence == 0.0 && change < 0.0 {
            self.deck = None;
        }
    }
}

/// Returns how strongly the second deck shows, 0 to 1; `fusion` is how far the Fusion macro is from the
/// middle, -1 to 1.
fn second_share(fusion: f32) -> f32 {
    ((fusion - MIN_SECOND) / (1.0 - MIN_SECOND)).max(0.0)
}

/// Interpolates exponentially from `low` at -1 through 1 at 0 to `high` at 1.
fn between((low, high): (f32, f32), lean: f32) -> f32 {
    if lean < 0.0 { low.powf(-lean) } else { high.powf(lean) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f64 = 1.0 / 60.0;

    fn driver(control: Control, value: f32) -> MacroDriver {
        let mut bank = Bank::default();
        bank.set(control, Unipolar::new(value));
        let state = MacroState { bank, follow: false, ..MacroState::default() };
        MacroDriver::new(state, Rng::new(1))
    }

    fn alone() -> FusionDecks<'static> {
        FusionDecks { on_air: &[DeckId(0)], spare: &[], fading: false }
    }

    #[test]
    fn a_neutral_bank_changes_nothing() {
        for control in Control::ALL {
            for value in [0.49, 0.5, 0.51] {
                let mut driver = driver(control, value);
                driver.step(&Features { hit: Unipolar::ONE, ..Features::default() }, &alone(), DT);
                assert_eq!(driver.modulation(), Modulation::default());
                assert_eq!(driver.post(), Post::default());
                assert!(driver.second().is_none());
            }
        }
    }

    #[test]
    fn every_control_does_something_at_both_ends() {
        for control in Control::ALL {
            for value in [0.0, 1.0] {
                let mut driver = driver(control, value);
                driver.step(&Features { hit: Unipolar::ONE, ..Features::default() }, &alone(), DT);
                let moved = driver.modulation() != Modulation::default() || driver.post() != Post::default();
                assert!(moved, "{control:?} at {value}");
            }
        }
    }

    #[test]
    fn the_second_deck_fades_out_before_another_replaces_it() {
        let mut second = SecondDeck::default();
        let [front, behind, next] = [0, 1, 2].map(DeckId);
        let calm = FusionDecks { on_air: &[front], spare: &[behind], fading: false };
        for _ in 0..200 {
            second.step(true, &calm, DT);
        }
        assert_eq!((second.deck, second.presence), (Some(behind), 1.0));
        let fading = FusionDecks { on_air: &[front, next], spare: &[behind], fading: true };
        for _ in 0..200 {
            second.step(true, &fading, DT);
        }
        assert_eq!((second.deck, second.presence), (None, 0.0));
        let after = FusionDecks { on_air: &[next], spare: &[front], fading: false };
        second.step(true, &after, DT);
        assert_eq!(second.deck, Some(front));
        assert!(second.presence < 0.05);
    }

    #[test]
    fn a_deck_on_air_is_never_the_second_deck() {
        let mut second = SecondDeck { deck: Some(DeckId(1)), presence: 1.0, ..SecondDeck::default() };
        second.step(true, &FusionDecks { on_air: &[DeckId(1)], spare: &[DeckId(1)], fading: false }, DT);
        assert_eq!(second.deck, None);
    }
}
