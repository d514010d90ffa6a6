//! The performer's hands in the picture: from the macro bank to modulation inside presets and to what is done to the
//! finished picture.
//!
//! Every control rests in the middle and leaves the picture alone there, to the last bit:
//! - Fusion: up, trails of light and a second deck laid in; down, trails taken out.
//! - Motion: speed of the preset's time, how strongly it hears, and how far its zoom, turn, warp and drift carry.
//! - Sparkle: up, local contrast, lit edges and glints; down, softness.
//! - M4 "Hue": turns the colour wheel. M5 "Mirror": up, six mirrored sectors; down, left onto right.
//! - M6 "Glow": up, light around bright parts; down, darkness towards the edge.
//! - M7 "Chroma": up, stronger colours that drift apart; down, towards grey.
//! - M8 "Pulse": up, hits draw the picture closer; down, they push it away. Without hits it rests.

use super::Command;
use crate::analysis::Features;
use crate::milk::Modulation;
use crate::mind::Control;
use crate::mind::macros::{Bank, MacroState, MacroView, Macros};
use crate::stage::{DeckId, FusedDeck, OnAirDeck, Post};
use crate::units::{Rng, Unipolar};

/// Controls nearer to the middle than this rest: knobs are never quite still.
const REST: f32 = 0.02;
/// Speed of a preset's time at both ends of motion; the middle is 1.
const TIME_SPEED: (f32, f32) = (0.3, 2.5);
/// How loud a preset hears at both ends of motion.
const AUDIO_GAIN: (f32, f32) = (0.4, 1.5);
/// How far a preset's own movement carries at both ends of motion.
const AMPLITUDE: (f32, f32) = (0.4, 2.0);
/// Variables that rest at 0 and say how far the picture moves a frame.
const MOVEMENTS: [&str; 4] = ["rot", "warp", "dx", "dy"];
/// Variables that rest at 1 and multiply.
const SCALES: [&str; 3] = ["zoom", "sx", "sy"];
/// Trails at full fusion: some of the picture always stays clear.
const FULLEST_ECHO: f32 = 0.85;
/// Fusion above which the second deck runs and shows, as a share of the way from the middle.
const SECOND_FROM: f32 = 0.25;
/// How much of the picture the second deck may cover.
const FULLEST_SECOND: f32 = 0.8;
/// A second deck comes in this time, and goes before the shortest crossfade ends, seconds.
const SECOND_FADE_SECS: (f64, f64) = (1.5, 0.6);
/// Sparkle above which points of light throw rays, as a share of the way from the middle.
const GLINT_FROM: f32 = 0.25;
/// Turn of the colour wheel at the ends of M4.
const FURTHEST_HUE: f32 = 0.35;
/// Stronger colours at the upper end of M7; the lower end is grey.
const STRONGEST_COLOR: f32 = 0.8;
/// How much closer the picture comes at a full hit, as the logarithm of its scale.
const DEEPEST_PULSE: f32 = 0.16;
/// How fast the pulse rises and falls, seconds; slower than a strobe.
const PULSE_SECS: (f32, f32) = (0.03, 0.18);

/// The macros with all they need to reach the picture.
pub struct MacroDriver {
    macros: Macros,
    rng: Rng,
    bank: Bank,
    pulse: f32,
    second: SecondDeck,
}

/// The deck that fusion lays into the picture.
#[derive(Default)]
struct SecondDeck {
    deck: Option<DeckId>,
    /// 0 gone to 1 fully there.
    presence: f64,
}

/// The decks that fusion may choose from.
pub struct FusionDecks<'a> {
    /// Decks on air; never chosen.
    pub on_air: &'a [DeckId],
    /// Warm decks, best first.
    pub spare: &'a [DeckId],
    /// A crossfade runs.
    pub fading: bool,
}

impl MacroDriver {
    /// Hands on a bank as it was saved; `rng` is what the music's drift wanders by.
    pub fn new(state: MacroState, rng: Rng) -> Self {
        Self { macros: Macros::new(state), rng, bank: state.bank, pulse: 0.0, second: SecondDeck::default() }
    }

    /// Does what the command asks of the macros; others pass by.
    pub fn obey(&mut self, command: &Command) {
        match command {
            Command::Macro { control, value } => self.macros.touch(*control, *value),
            Command::MacroPreset(preset) => self.macros.take(*preset),
            Command::Profile(profile) => self.macros.set_profile(*profile),
            Command::MacroAi => self.macros.toggle_follow(),
            Command::MidiLock(locked) => self.macros.lock(*locked),
            _ => {} // Not for the macros.
        }
    }

    /// One step of the show.
    pub fn step(&mut self, features: &Features, rack: &FusionDecks, dt: f64) {
        self.bank = self.macros.step(features, dt, &mut self.rng);
        let hit = features.hit.get();
        let time = if hit > self.pulse { PULSE_SECS.0 } else { PULSE_SECS.1 };
        self.pulse += (hit - self.pulse) * (1.0 - (-(dt as f32) / time).exp());
        if hit == 0.0 && self.pulse < 1e-3 {
            self.pulse = 0.0;
        }
        let wanted = second_share(self.lean(Control::Fusion)) > 0.0;
        self.second.step(wanted, rack, dt);
    }

    /// What the performer set, for keeping.
    pub fn state(&self) -> &MacroState {
        self.macros.state()
    }

    /// What the desk shows.
    pub fn view(&self) -> MacroView {
        self.macros.view()
    }

    /// What motion does inside every preset on air.
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

    /// The deck that fusion lays into the picture, if any.
    pub fn second(&self) -> Option<FusedDeck> {
        let share = second_share(self.lean(Control::Fusion)) * self.second.presence as f32;
        let deck = self.second.deck.filter(|_| share > 0.0)?;
        let on_air = OnAirDeck { deck, modulation: self.modulation() };
        Some(FusedDeck { on_air, share: Unipolar::new(share * FULLEST_SECOND) })
    }

    /// What is done to the finished picture.
    pub fn post(&self) -> Post {
        let sparkle = self.lean(Control::Sparkle);
        let chroma = self.lean(Control::M7);
        Post {
            echo: self.lean(Control::Fusion) * FULLEST_ECHO,
            detail: sparkle,
            glint: ((sparkle - GLINT_FROM) / (1.0 - GLINT_FROM)).max(0.0),
            glow: self.lean(Control::M6),
            hue: self.lean(Control::M4) * FURTHEST_HUE,
            saturation: if chroma < 0.0 { chroma } else { chroma * STRONGEST_COLOR },
            split: chroma.max(0.0),
            fold: self.lean(Control::M5),
            zoom: self.lean(Control::M8) * self.pulse * DEEPEST_PULSE,
        }
    }

    /// How far a control leans from the middle, -1 to 1.
    fn lean(&self, control: Control) -> f32 {
        let from_middle = self.bank.get(control).get() - 0.5;
        let moved = (from_middle.abs() - REST).max(0.0) / (0.5 - REST);
        moved.min(1.0).copysign(from_middle) * f32::from(u8::from(moved > 0.0))
    }
}

impl SecondDeck {
    /// Keeps a second deck while it is wanted. It leaves before another takes its place, and before a crossfade would
    /// bring it on air or change what lies behind.
    fn step(&mut self, wanted: bool, rack: &FusionDecks, dt: f64) {
        let usable = |deck: &DeckId| rack.spare.contains(deck) && !rack.on_air.contains(deck);
        if self.deck.is_some_and(|deck| !usable(&deck)) {
            // It is on air now, or gone; what is left of it cannot be shown.
            *self = Self::default();
        }
        if self.deck.is_none() && wanted && !rack.fading {
            self.deck = rack.spare.iter().copied().find(usable);
            self.presence = 0.0;
        }
        let (come, go) = SECOND_FADE_SECS;
        let change = if wanted && !rack.fading { dt / come } else { -dt / go };
        self.presence = (self.presence + change).clamp(0.0, 1.0);
        if self.presence == 0.0 && change < 0.0 {
            self.deck = None;
        }
    }
}

/// How much of the second deck a lean of fusion shows.
fn second_share(fusion: f32) -> f32 {
    ((fusion - SECOND_FROM) / (1.0 - SECOND_FROM)).max(0.0)
}

/// From the first end over 1 in the middle to the second, each half in equal ratios.
fn between((low, high): (f32, f32), lean: f32) -> f32 {
    if lean < 0.0 { low.powf(-lean) } else { high.powf(lean) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f64 = 1.0 / 60.0;

    fn hands(control: Control, value: f32) -> MacroDriver {
        let mut bank = Bank::default();
        bank.set(control, Unipolar::new(value));
        let state = MacroState { bank, follow: false, ..MacroState::default() };
        MacroDriver::new(state, Rng::new(1))
    }

    fn alone() -> FusionDecks<'static> {
        FusionDecks { on_air: &[DeckId(0)], spare: &[], fading: false }
    }

    #[test]
    fn a_bank_at_rest_leaves_everything_alone() {
        for control in Control::ALL {
            for value in [0.49, 0.5, 0.51] {
                let mut hands = hands(control, value);
                hands.step(&Features { hit: Unipolar::ONE, ..Features::default() }, &alone(), DT);
                assert_eq!(hands.modulation(), Modulation::default());
                assert_eq!(hands.post(), Post::default());
                assert!(hands.second().is_none());
            }
        }
    }

    #[test]
    fn every_control_does_something_at_both_ends() {
        for control in Control::ALL {
            for value in [0.0, 1.0] {
                let mut hands = hands(control, value);
                hands.step(&Features { hit: Unipolar::ONE, ..Features::default() }, &alone(), DT);
                let moved = hands.modulation() != Modulation::default() || hands.post() != Post::default();
                assert!(moved, "{control:?} at {value}");
            }
        }
    }

    #[test]
    fn the_second_deck_leaves_before_the_next_one_comes() {
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
    fn a_deck_that_goes_on_air_is_no_second_deck() {
        let mut second = SecondDeck { deck: Some(DeckId(1)), presence: 1.0 };
        second.step(true, &FusionDecks { on_air: &[DeckId(1)], spare: &[DeckId(1)], fading: false }, DT);
        assert_eq!(second.deck, None);
    }
}
