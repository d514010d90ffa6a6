//! What comes next, when, and what is learnt from what was shown.

use super::decks::Slot;
use super::fading;
use super::memory::Exclusion;
use super::reason::Reason;
use super::running::{Arrived, Failed, Show, Wanted};
use super::setlog::{Candidate, Cause, Chosen, Cut, Event};
use crate::library::{BanKind, PresetId, PresetSource};
use crate::library::{Energy, built_in};
use crate::mind::Control;
use crate::mind::director::{Choice, Moment, PerformerBias, Target};
use crate::mind::macros::MacroState;
use crate::mind::taste::{Evidence, Signal};
use crate::stage::{DeckId, FadeStyle};

/// Candidates kept warm for the next cut.
const WARM_CANDIDATES: usize = 2;
/// The candidates are chosen anew when the energy asked for has been this far from theirs ...
const OFF_LEVEL: f64 = 0.7;
/// ... for this long, seconds.
const OFF_LEVEL_SECS: f64 = 4.0;
/// Sent away after this long on air, a preset counts as watched, not as skipped, seconds.
const WATCHED_SECS: f64 = 30.0;

/// Why a preset leaves the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaveReason {
    /// The performer wanted it gone.
    SentAway,
    /// The performer wanted something else.
    MadeRoom,
    /// The music moved on.
    HadItsTime,
}

/// With nothing on air for so long, a safe picture is made ready, seconds.
const PATIENCE_SECS: f64 = 2.0;

impl Show {
    pub(super) fn target(&self) -> Target {
        // What the performer set; what the music adds to the macros is in the features already.
        let MacroState { bank, profile, .. } = *self.hands.state();
        let hands =
            PerformerBias { motion: bank.get(Control::Motion), sparkle: bank.get(Control::Sparkle), profile };
        Target::of(&self.features, &hands, self.library().policy.as_ref())
    }

    pub(super) fn arrive(&mut self, arrived: &Arrived) {
        if self.decks.arrive(arrived) {
            self.log(Event::Warm { deck: arrived.deck, problems: arrived.problems.clone() });
        }
    }

    /// A wish that could not be taken on: it is made again at the next step, without blame.
    pub fn give_up(&mut self, deck: DeckId) {
        if self.decks.give_up(deck).is_some() {
            self.log(Event::GaveUp { deck });
        }
    }

    /// A preset that cannot be made ready is put in quarantine, and its style pays for it.
    pub(super) fn fail(&mut self, failed: &Failed) {
        let Failed { deck, kind, why } = failed;
        let Some(slot) = self.decks.give_up(*deck) else { return };
        let (preset, name) = (slot.id, slot.name.clone());
        self.log(Event::Failure { deck: *deck, preset, name: name.clone(), kind: *kind, why: why.clone() });
        self.learn(slot.place, slot.choice.map(|choice| choice.evidence), preset, Signal::Failed, 0.0);
        self.leave_out(preset, *kind, why);
        if self.wanted == Some(Wanted::Preset(preset)) {
            self.wanted = None;
        }
        let lasts = kind.lasts_words();
        self.say(format!("{name} is not played ({why}); it is left out {lasts}"));
    }

    /// Keeps a preset from being chosen for as long as the kind of ban lasts.
    pub(super) fn leave_out(&mut self, preset: PresetId, kind: BanKind, why: &str) {
        self.memory.left_out.insert(preset, Exclusion { kind, why: why.to_owned() });
        self.memory_changed = true;
        if let Some(place) = self.director.pool.place(preset) {
            self.director.standing.set_broken(place, true);
        }
    }

    /// Puts the candidates aside when the music asks for something else than they were chosen for.
    pub(super) fn refresh(&mut self, dt: f64) {
        let target = self.target();
        if self.outdated(&target, dt) {
            self.decks.put_candidates_aside();
        }
    }

    /// Cuts when the hand, the music or an empty stage asks for it, and something is warm.
    pub(super) fn change(&mut self, dt: f64) {
        if let Some(wanted) = self.wanted {
            self.answer(wanted);
            return;
        }
        if self.decks.front.is_none() {
            if let Some(slot) = self.decks.take_any_warm() {
                self.cut(slot, Cause::Start, 0.0, FadeStyle::Mix);
            }
            return;
        }
        let clock = self.clock(dt);
        if !self.auto || self.held || self.decks.fade.is_some() {
            self.timing.forget();
            return;
        }
        let Some(moment) = self.timing.step(&self.features, &clock) else { return };
        // A candidate that is not warm yet is waited for: the next beat will do.
        let Some(slot) = self.decks.take_warm() else { return };
        let level = self.target().level;
        let (over_secs, style) = fading::plan(&self.features, level, moment, &mut self.rng);
        self.left(LeaveReason::HadItsTime);
        self.cut(slot, Cause::Music(moment), over_secs, style);
    }

    /// The performer asked for a cut: at once if anything fitting is warm, else as soon as it is.
    fn answer(&mut self, wanted: Wanted) {
        let warm = |slot: &mut Slot| slot.warm;
        let slot = match wanted {
            Wanted::Next => self.decks.take_any_warm(),
            Wanted::Refuge => self.decks.refuge.take_if(warm),
            Wanted::Preset(id) => {
                let at = self.decks.candidates.iter().position(|slot| slot.id == id && slot.warm);
                at.map(|at| self.decks.candidates.remove(at))
            }
        };
        let Some(slot) = slot else { return };
        self.wanted = None;
        let style = fading::style(self.target().level, &mut self.rng);
        let (over_secs, style) = match wanted {
            Wanted::Refuge => (fading::PANIC_SECS, FadeStyle::Mix),
            Wanted::Next | Wanted::Preset(_) => (fading::BY_HAND_SECS, style),
        };
        self.left(match wanted {
            Wanted::Next | Wanted::Refuge => LeaveReason::SentAway,
            Wanted::Preset(_) => LeaveReason::MadeRoom,
        });
        self.cut(slot, Cause::Hand, over_secs, style);
    }

    /// The preset on air is about to leave: what its showing says about it.
    pub(super) fn left(&mut self, why: LeaveReason) {
        let Some(slot) = self.decks.shown() else { return };
        if self.spoken {
            return; // The performer said something stronger already.
        }
        let signal = match why {
            LeaveReason::SentAway if self.on_air_secs < WATCHED_SECS => Signal::Skip,
            LeaveReason::MadeRoom if self.on_air_secs < WATCHED_SECS => return,
            LeaveReason::SentAway | LeaveReason::MadeRoom | LeaveReason::HadItsTime => Signal::Watched,
        };
        let (place, id) = (slot.place, slot.id);
        let evidence = self.evidence_of(slot);
        self.learn(place, evidence, id, signal, self.on_air_secs);
    }

    /// The circumstances under which a slot's preset was chosen, or those of now.
    pub(super) fn evidence_of(&self, slot: &Slot) -> Option<Evidence> {
        let now = || slot.place.map(|place| self.director.evidence_of(place, &self.target()));
        slot.choice.map(|choice| choice.evidence).or_else(now)
    }

    pub(super) fn learn(
        &mut self,
        place: Option<u32>,
        evidence: Option<Evidence>,
        preset: PresetId,
        signal: Signal,
        on_air_secs: f64,
    ) {
        self.log(Event::Learnt { preset, signal, on_air_secs });
        self.memory_changed = true;
        let (Some(place), Some(evidence)) = (place, evidence) else { return };
        self.director.learn(&evidence, place, signal);
    }

    pub(super) fn cut(&mut self, slot: Slot, cause: Cause, over_secs: f64, style: FadeStyle) {
        let grid = &self.features.beat;
        let off_beat_secs = grid.trusted().then(|| {
            let beats = grid.beats_at(self.seen_at());
            (beats - beats.round()) * grid.tempo.period().0
        });
        let candidate = |slot: &Slot| Candidate { preset: slot.id, name: slot.name.clone(), warm: slot.warm };
        self.log(Event::Cut(Box::new(Cut {
            deck: slot.deck,
            preset: slot.id,
            name: slot.name.clone(),
            cause,
            scene: self.features.scene.scene,
            target: slot.choice.map(|choice| choice.target),
            fade_secs: over_secs,
            style,
            off_beat_secs,
            candidates: self.decks.candidates.iter().map(candidate).collect(),
        })));
        if let Some(place) = slot.place {
            self.director.shown(place);
        }
        self.remember_shown(&slot);
        self.on_air_secs = 0.0;
        self.spoken = false;
        // What a hand chose is right for the music that plays, whatever it was once chosen for.
        let aimed = slot.choice.map(|choice| choice.target.scene).filter(|_| cause != Cause::Hand);
        self.timing.cut(aimed.unwrap_or(self.features.scene.scene), &self.features);
        self.decks.air(slot, over_secs, style);
    }

    /// Keeps enough candidates on their way, chosen for the music as it is now.
    pub(super) fn prepare(&mut self) {
        let target = self.target();
        self.decks.settle_spare();
        self.order_wanted();
        while self.decks.candidates.len() < WARM_CANDIDATES {
            let planned: Vec<u32> = self.decks.candidates.iter().filter_map(|slot| slot.place).collect();
            let Some(choice) = self.director.choose(&target, &planned, &mut self.rng) else { break };
            let entry = &self.director.pool.catalogue.entries[choice.preset as usize];
            let mut slot =
                self.decks.order(entry, Some(choice.preset), self.settings.seed, self.settings.warm_frames);
            slot.reason =
                Reason::of(&choice, &self.director.pool.catalogue.clusters[usize::from(entry.cluster)].name);
            slot.choice = Some(choice);
            self.log(Event::Choice(Box::new(self.chosen(&slot, &choice))));
            self.decks.candidates.push(slot);
        }
        self.keep_refuge();
    }

    /// What the performer asked for comes first; the candidate furthest away makes room for it.
    fn order_wanted(&mut self) {
        let Some(Wanted::Preset(id)) = self.wanted else { return };
        if self.decks.candidates.iter().any(|slot| slot.id == id) {
            return;
        }
        let Some(place) = self.director.pool.place(id) else {
            self.wanted = None; // The library changed meanwhile.
            return;
        };
        if self.decks.candidates.len() >= WARM_CANDIDATES
            && let Some(last) = self.decks.candidates.pop()
        {
            self.decks.drop_slot(last);
        }
        let entry = &self.director.pool.catalogue.entries[place as usize];
        let slot = self.decks.order(entry, Some(place), self.settings.seed, self.settings.warm_frames);
        self.decks.candidates.insert(0, Slot { reason: Reason::plain("Requested"), ..slot });
    }

    fn chosen(&self, slot: &Slot, choice: &Choice) -> Chosen {
        let arm = choice.evidence.arm;
        Chosen {
            deck: slot.deck,
            preset: slot.id,
            name: slot.name.clone(),
            cluster: self.director.pool.catalogue.clusters[usize::from(arm.cluster)].key.clone(),
            energy: arm.energy.label().to_owned(),
            target: choice.target,
            base: choice.evidence.base,
            taste: choice.liking,
            score: choice.score,
            probability: choice.probability,
            rule: choice.rule,
            words: slot.reason.summary.clone(),
        }
    }

    /// Whether the music asks for something else than the candidates were chosen for.
    fn outdated(&mut self, target: &Target, dt: f64) -> bool {
        let mut aims =
            self.decks.candidates.iter().filter_map(|slot| slot.choice).map(|choice| choice.target);
        if aims.clone().any(|aim| aim.scene != target.scene) {
            self.off_level_secs = 0.0;
            return true;
        }
        let off = aims.any(|aim| aim.apart(target.level) > OFF_LEVEL);
        let coming = self.decks.candidates.iter().any(|slot| !slot.warm);
        self.off_level_secs = if off && !coming { self.off_level_secs + dt } else { 0.0 };
        let outdated = self.off_level_secs > OFF_LEVEL_SECS;
        if outdated {
            self.off_level_secs = 0.0;
        }
        outdated
    }

    /// Keeps a safe picture warm: a favourite, else a built-in preset. It is made ready when the rest is, or when
    /// there is nothing else at all.
    fn keep_refuge(&mut self) {
        let wanted = self.settings.refuge || self.decks.candidates.is_empty() && self.wanted.is_some();
        // Presets that wait for their audit must not leave the crowd in the dark.
        let late = self.now > PATIENCE_SECS && !self.decks.candidates.iter().any(|slot| slot.warm);
        let nothing_else = self.decks.front.is_none() && (self.decks.candidates.is_empty() || late);
        let at_ease = self.decks.front.is_some() && self.decks.candidates.iter().all(|slot| slot.warm);
        let due = (wanted && at_ease)
            || (self.settings.refuge && nothing_else)
            || self.wanted == Some(Wanted::Refuge);
        if self.decks.refuge.is_some() || !due {
            return;
        }
        let on_air = self.decks.shown().map(|slot| slot.id);
        let entries = &self.director.pool.catalogue.entries;
        let standing = &self.director.standing;
        let safe = standing.favourites().filter(|place| standing.usable(*place, true));
        let safe: Vec<u32> = safe.filter(|place| Some(entries[*place as usize].id) != on_air).collect();
        let (seed, warm_frames) = (self.settings.seed, self.settings.warm_frames);
        let slot = if safe.is_empty() {
            let scene = self.features.scene.scene.label();
            let fits = |preset: &crate::library::BuiltIn| preset.energy() == Energy::Groove;
            // What failed here once is not tried again.
            let sound = |preset: &crate::library::BuiltIn| {
                !self.memory.left_out.contains_key(&PresetId::of(preset.text.as_bytes()))
            };
            let all: Vec<_> = built_in().filter(fits).filter(sound).collect();
            let of_scene: Vec<_> = all.iter().filter(|preset| preset.scene() == scene).collect();
            let from = if of_scene.is_empty() { all.iter().collect() } else { of_scene };
            let Some(preset) = from.get(self.rng.below(from.len())) else {
                // Nothing is safe: any warm picture is better than none.
                if self.wanted == Some(Wanted::Refuge) {
                    self.wanted = Some(Wanted::Next);
                }
                return;
            };
            let id = PresetId::of(preset.text.as_bytes());
            let place = self.director.pool.place(id);
            let (name, source) = (preset.name().to_owned(), PresetSource::BuiltIn(preset.text));
            self.decks.order_source(id, name, source, place, seed, warm_frames)
        } else {
            let place = safe[self.rng.below(safe.len())];
            self.decks.order(&entries[place as usize], Some(place), seed, warm_frames)
        };
        let reason = Reason::plain("Safe preset, kept warm");
        self.decks.refuge = Some(Slot { reason, ..slot });
    }
}

impl Cause {
    /// In words, for the desk.
    pub fn words(self) -> &'static str {
        match self {
            Self::Music(moment) => Moment::words(moment),
            Self::Hand => "requested",
            Self::Start => "show started",
        }
    }
}
