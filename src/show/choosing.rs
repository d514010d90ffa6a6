//! Chooses presets, decides when to cut, and learns from what was shown.

use super::decks::Slot;
use super::fading;
use super::memory::Exclusion;
use super::reason::Reason;
use super::running::{CutRequest, Show};
use super::setlog::{Candidate, Cause, Chosen, Cut, Event};
use super::step::{Arrived, Failed, StepInput};
use crate::facts::{Energy, PresetId, Tag};
use crate::library::{BuiltIn, PresetSource, built_in};
use crate::mind::Control;
use crate::mind::director::{Choice, Moment, PerformerBias, Target};
use crate::mind::macros::MacroState;
use crate::mind::taste::{Evidence, Feedback, Signal};
use crate::stage::{DeckId, FadeStyle, OutputMode};
use crate::store::BanKind;
use crate::warmup::Urgency;
use crate::watch::Conditions;

/// Factor applied to the number of warm-up frames of the safe preset, to let its picture build up.
const SAFE_WARM_UP: u32 = 5;
/// Maximum number of warm-up frames of the safe preset while nothing is on air, or when it replaces a preset at fault;
/// small, because any picture is better than none.
const QUICK_WARM_UP: u32 = 4;
/// Difference between the current target level and the level that a candidate was chosen for (both 0 to 2),
/// above which new candidates are chosen.
const OFF_LEVEL: f64 = 0.7;
/// How long the target level must differ by more than [`OFF_LEVEL`] before new candidates are chosen, in
/// seconds.
const OFF_LEVEL_SECS: f64 = 4.0;
/// Minimum time on air, in seconds, for a dismissed preset to count as watched rather than skipped.
const WATCHED_SECS: f64 = 30.0;

/// Why a preset leaves the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaveReason {
    /// The performer dismissed it with Next or Panic.
    Dismissed,
    /// The performer requested another preset or went back, or a watch found the preset at fault.
    Replaced,
    /// The director cut to another preset.
    Ended,
}

/// Show time after which a safe preset is prepared if nothing is on air and no candidate is warm, in seconds.
const SAFE_PRESET_AFTER_SECS: f64 = 2.0;

impl Show {
    pub(super) fn target(&self) -> Target {
        // Uses the performer's settings only: the offsets added by the music would count the features twice.
        let MacroState { bank, profile, .. } = *self.macro_driver.state();
        let bias =
            PerformerBias { motion: bank.get(Control::Motion), sparkle: bank.get(Control::Sparkle), profile };
        Target::of(&self.features, &bias, self.library().policy.as_ref())
    }

    pub(super) fn arrive(&mut self, arrived: &Arrived) {
        if self.decks.arrive(arrived) {
            self.set_aside = 0;
            let Arrived { deck, problems, look, .. } = arrived;
            self.log(Event::Warm { deck: *deck, problems: problems.clone(), look: *look });
            self.judge_safe(arrived);
        }
    }

    /// Returns whether the preset on air was dropped after a device failure, so that only its last picture is left.
    fn off_air(&self) -> bool {
        !self.playing() && !self.history.is_empty() && !self.resuming()
    }

    /// Returns whether the preset on air is at fault and is being replaced.
    fn replacing(&self) -> bool {
        matches!(self.wanted, Some(CutRequest::Watch | CutRequest::Slow))
    }

    /// Removes and returns the slot of a deck that will not arrive. If it was on air, a safe preset that is quick to
    /// prepare is requested in this step.
    pub(super) fn cancel(&mut self, deck: DeckId) -> Option<Slot> {
        let playing = self.playing();
        let slot = self.decks.cancel(deck)?;
        if playing && !self.playing() {
            self.decks.drop_cold_safe();
        }
        Some(slot)
    }

    /// Handles a request that failed through no fault of the preset: the show chooses again in the next step.
    pub fn cancel_request(&mut self, deck: DeckId) {
        if self.cancel(deck).is_some() {
            self.log(Event::RequestCancelled { deck });
        }
    }

    /// Handles a preset that cannot be played: excludes it and counts a failure against its style.
    pub(super) fn fail(&mut self, failed: &Failed) {
        let Failed { deck, kind, why } = failed;
        let Some(slot) = self.cancel(*deck) else { return };
        let (preset, name) = (slot.id, slot.name.clone());
        self.log(Event::Failure { deck: *deck, preset, name: name.clone(), kind: *kind, why: why.clone() });
        self.learn(slot.index, slot.choice.map(|choice| choice.evidence), preset, Signal::Failed, 0.0);
        self.exclude(preset, *kind, why);
        if self.wanted == Some(CutRequest::Preset(preset)) {
            self.wanted = None;
        }
        let duration = kind.duration_text();
        self.notify(format!("could not play {name}: {why}; excluded {duration}"));
    }

    /// Excludes a preset from being chosen, and drops its waiting decks; `kind` determines for how long.
    pub(super) fn exclude(&mut self, preset: PresetId, kind: BanKind, why: &str) {
        self.memory.excluded.insert(preset, Exclusion { kind, why: why.to_owned() });
        self.marks_changed(preset);
        if let Some(index) = self.director.pool.index_of(preset) {
            self.director.status.set_broken(index, true);
        }
        self.withdraw(preset);
    }

    /// Checks the picture of a preset that the director chose. If the picture stays black, white or still, excludes the
    /// preset and requests a cut to another one.
    pub(super) fn watch_picture(&mut self, input: &StepInput) {
        let shown = self.decks.shown();
        let visible = shown.is_some_and(|slot| slot.warm) && self.output_mode == OutputMode::Open;
        // Only the performer dismisses presets that the performer chose.
        let chosen_by_director = shown.is_some_and(|slot| slot.choice.is_some());
        let now = Conditions {
            dt: input.dt,
            on_air_secs: self.on_air_secs,
            active: visible
                && self.judges_pictures()
                && chosen_by_director
                && !self.held
                && !input.features.silent,
        };
        let Some(fault) = self.watch.step(input.picture_stats.as_ref(), now) else { return };
        let Some(slot) = self.decks.shown() else { return };
        let (id, name) = (slot.id, slot.name.clone());
        self.exclude(id, BanKind::Aesthetic, fault.description());
        self.feedback_given = true; // A faulty picture is not feedback on the preset's style.
        self.replace_faulty();
        let duration = BanKind::Aesthetic.duration_text();
        self.notify(format!("skipped {name} ({}); excluded {duration}", fault.description()));
    }

    /// Checks the safe preset once it is warm. Drops it if it is unfit, unless nothing is on air or the preset on air
    /// is at fault.
    fn judge_safe(&mut self, arrived: &Arrived) {
        if let Some(safe) = self.decks.safe.take_if(|slot| slot.deck == arrived.deck) {
            let favourite = self.memory.favourites.contains(&safe.id);
            if !self.playing() || self.replacing() || self.unfit.suits_panic(&safe, favourite) {
                self.decks.safe = Some(safe);
            } else {
                self.unfit.add(safe.id, favourite);
                self.decks.drop_slot(safe);
            }
        }
    }

    /// Discards the candidates if the music has changed since they were chosen.
    pub(super) fn refresh_candidates(&mut self, dt: f64) {
        let target = self.target();
        if self.candidates_outdated(&target, dt) {
            self.decks.discard_candidates();
        }
    }

    /// Cuts if a request, the music or an empty output calls for it and a suitable deck is warm.
    pub(super) fn cut_if_due(&mut self, dt: f64) {
        match self.wanted {
            // The preset may take a while to warm up; until then, any other is better than none.
            Some(CutRequest::Preset(_)) if self.off_air() => {}
            Some(wanted) => return self.fulfil(wanted),
            None => {}
        }
        if self.decks.front.is_none() {
            if let Some(slot) = self.decks.take_any_warm() {
                self.wanted.take_if(|wanted| *wanted == CutRequest::Preset(slot.id));
                self.cut(slot, self.first_cause(), 0.0, FadeStyle::Mix);
            }
            return;
        }
        let clock = self.clock(dt);
        if !self.auto || self.held || self.decks.fade.is_some() {
            self.timing.forget();
            return;
        }
        let Some(moment) = self.timing.step(&self.features, &clock) else { return };
        // If no candidate is warm yet, the cut stays pending.
        let Some(slot) = self.decks.take_warm() else { return };
        let level = self.target().level;
        let (over_secs, style) = fading::plan(&self.features, level, moment, &mut self.rng);
        self.learn_from_leaving(LeaveReason::Ended);
        self.cut(slot, Cause::Music(moment), over_secs, style);
    }

    /// Makes a requested cut if a suitable deck is warm; otherwise, the request stays pending.
    fn fulfil(&mut self, wanted: CutRequest) {
        let warm = |slot: &mut Slot| slot.warm;
        let slot = match wanted {
            CutRequest::Next | CutRequest::Watch | CutRequest::Slow => self.decks.take_any_warm(),
            CutRequest::Safe => self.decks.safe.take_if(warm),
            CutRequest::Preset(id) => {
                let at = self.decks.candidates.iter().position(|slot| slot.id == id && slot.warm);
                at.map(|at| self.decks.candidates.remove(at))
            }
        };
        let Some(slot) = slot else { return };
        self.wanted = None;
        let style = fading::style(self.target().level, &mut self.rng);
        let (over_secs, style) = match wanted {
            CutRequest::Safe => (fading::PANIC_SECS, FadeStyle::Mix),
            CutRequest::Slow => (0.0, FadeStyle::Mix),
            CutRequest::Next | CutRequest::Preset(_) | CutRequest::Watch => (fading::PERFORMER_SECS, style),
        };
        self.learn_from_leaving(match wanted {
            CutRequest::Next | CutRequest::Safe => LeaveReason::Dismissed,
            CutRequest::Preset(_) | CutRequest::Watch | CutRequest::Slow => LeaveReason::Replaced,
        });
        let cause = match wanted {
            _ if self.decks.front.is_none() => self.first_cause(),
            CutRequest::Watch | CutRequest::Slow => Cause::Watch,
            CutRequest::Next | CutRequest::Preset(_) | CutRequest::Safe => Cause::Performer,
        };
        self.cut(slot, cause, over_secs, style);
    }

    /// Returns the cause of a cut while nothing is on air.
    fn first_cause(&self) -> Cause {
        if self.off_air() { Cause::Watch } else { Cause::Start }
    }

    /// Learns how the preset on air was received; called before it leaves the air.
    pub(super) fn learn_from_leaving(&mut self, why: LeaveReason) {
        self.learn_from_hold();
        let Some(slot) = self.decks.shown() else { return };
        if self.feedback_given {
            return; // Stronger feedback was given already, or the preset was at fault.
        }
        let signal = match why {
            LeaveReason::Dismissed if self.on_air_secs < WATCHED_SECS => Signal::Skip,
            LeaveReason::Replaced if self.on_air_secs < WATCHED_SECS => return,
            LeaveReason::Dismissed | LeaveReason::Replaced | LeaveReason::Ended => Signal::Watched,
        };
        let (index, id) = (slot.index, slot.id);
        let evidence = self.evidence_of(slot);
        self.learn(index, evidence, id, signal, self.on_air_secs);
    }

    /// Returns the evidence recorded when the director chose the slot's preset. If the director did not
    /// choose it, returns the current evidence, or `None` if the preset is not in the library.
    pub(super) fn evidence_of(&self, slot: &Slot) -> Option<Evidence> {
        let now = || slot.index.map(|index| self.director.evidence_of(index, &self.target()));
        slot.choice.map(|choice| choice.evidence).or_else(now)
    }

    pub(super) fn learn(
        &mut self,
        index: Option<u32>,
        evidence: Option<Evidence>,
        preset: PresetId,
        feedback: impl Into<Feedback>,
        on_air_secs: f64,
    ) {
        let feedback = feedback.into();
        let Feedback { signal, held_secs } = feedback;
        let held_secs = (signal == Signal::Hold).then_some(held_secs);
        self.log(Event::Learnt { preset, signal, on_air_secs, held_secs });
        self.changed.taste = true;
        let (Some(index), Some(evidence)) = (index, evidence) else { return };
        self.last_lesson = Some(self.director.learn(&evidence, index, feedback));
    }

    /// Switches to a deck with a crossfade of `over_secs` seconds, or at once if the deck on air is far too slow.
    pub(super) fn cut(&mut self, slot: Slot, cause: Cause, over_secs: f64, style: FadeStyle) {
        let slow = self.slow_deck.take();
        let from_slow = self.decks.shown().is_some_and(|shown| slow == Some(shown.deck));
        let over_secs = if from_slow { 0.0 } else { over_secs };
        let grid = &self.features.beat;
        let off_beat_secs = grid.trusted().then(|| {
            let beats = grid.beats_at(self.display_time());
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
        if let Some(index) = slot.index {
            self.director.record_shown(index);
        }
        self.remember_shown(&slot);
        self.resumption.starting = false;
        self.on_air_secs = 0.0;
        self.held_secs = 0.0;
        self.feedback_given = false;
        // A cut that the performer requested counts as suiting the current music, whatever the preset was chosen for.
        let aimed = slot.choice.map(|choice| choice.target.scene).filter(|_| cause != Cause::Performer);
        self.timing.cut(aimed.unwrap_or(self.features.scene.scene), &self.features);
        self.decks.put_on_air(slot, over_secs, style);
    }

    /// Requests decks: for the preset that the performer wants, for candidates that suit the current music until there
    /// are enough, and for a safe preset if one is due.
    pub(super) fn prepare(&mut self) {
        let target = self.target();
        self.decks.drop_stale_spare();
        self.request_wanted();
        if self.resuming() {
            return self.keep_safe_preset(); // The safe preset goes on air sooner if it is prepared alone.
        }
        while self.decks.candidates.len() < self.decks.capacity() {
            if let Some(index) = self.next_resumed() {
                let entry = &self.director.pool.catalogue.entries[index as usize];
                let (seed, warm_frames) = (self.settings.seed, self.settings.warm_frames);
                let slot = self.decks.request(entry, Some(index), seed, warm_frames);
                let reason = Reason::plain("Queued before the restart");
                self.decks.candidates.push(Slot { reason, ..slot });
                continue;
            }
            let planned: Vec<u32> = self.decks.candidates.iter().filter_map(|slot| slot.index).collect();
            let Some(choice) = self.director.choose(&target, &planned, &mut self.rng) else { break };
            let entry = &self.director.pool.catalogue.entries[choice.preset as usize];
            let mut slot =
                self.decks.request(entry, Some(choice.preset), self.settings.seed, self.settings.warm_frames);
            slot.reason =
                Reason::of(&choice, &self.director.pool.catalogue.clusters[usize::from(entry.cluster)].name);
            slot.choice = Some(choice);
            self.log(Event::Choice(Box::new(self.chosen(&slot, &choice))));
            self.decks.candidates.push(slot);
        }
        self.keep_safe_preset();
    }

    /// Requests a deck for the preset that the performer wants, unless it is a candidate already; drops the last
    /// candidate if there would be too many.
    fn request_wanted(&mut self) {
        let Some(CutRequest::Preset(id)) = self.wanted else { return };
        if self.decks.candidates.iter().any(|slot| slot.id == id) {
            return;
        }
        let Some(index) = self.director.pool.index_of(id) else {
            self.wanted = None; // The library has changed.
            return;
        };
        self.queue_first(index, "Requested");
    }

    /// Requests a deck for the preset with this index and makes it the first candidate; drops the last candidate if
    /// there would be too many.
    pub(super) fn queue_first(&mut self, index: u32, reason: &'static str) {
        if self.decks.candidates.len() >= self.decks.capacity()
            && let Some(last) = self.decks.candidates.pop()
        {
            self.decks.drop_slot(last);
        }
        let entry = &self.director.pool.catalogue.entries[index as usize];
        let slot = self.decks.request(entry, Some(index), self.settings.seed, self.settings.warm_frames);
        self.decks.set_urgency(slot.deck, Urgency::Performer);
        self.decks.candidates.insert(0, Slot { reason: Reason::plain(reason), ..slot });
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
            summary: slot.reason.summary.clone(),
        }
    }

    /// Returns whether the scene has changed since a candidate was chosen, or the target level has differed from that
    /// of a candidate by more than [`OFF_LEVEL`] for longer than [`OFF_LEVEL_SECS`]. This time starts over whenever a
    /// candidate is not warm. `dt` is the frame time in seconds.
    fn candidates_outdated(&mut self, target: &Target, dt: f64) -> bool {
        let mut aims =
            self.decks.candidates.iter().filter_map(|slot| slot.choice).map(|choice| choice.target);
        if aims.clone().any(|aim| aim.scene != target.scene) {
            self.off_level_secs = 0.0;
            return true;
        }
        let off = aims.any(|aim| aim.distance(target.level) > OFF_LEVEL);
        let coming = self.decks.candidates.iter().any(|slot| !slot.warm);
        self.off_level_secs = if off && !coming { self.off_level_secs + dt } else { 0.0 };
        let outdated = self.off_level_secs > OFF_LEVEL_SECS;
        if outdated {
            self.off_level_secs = 0.0;
        }
        outdated
    }

    /// Keeps a safe preset warm: a suitable favourite, otherwise a built-in preset. It is requested once the candidates
    /// are warm. It is requested earlier on Panic, to replace a preset at fault, and if there is nothing else to show.
    fn keep_safe_preset(&mut self) {
        let wanted = self.settings.safe_preset || self.decks.candidates.is_empty() && self.wanted.is_some();
        // Candidates that are still waiting for an audit must not leave the output black.
        let late = self.now > SAFE_PRESET_AFTER_SECS && !self.decks.candidates.iter().any(|slot| slot.warm);
        let nothing_else = self.decks.front.is_none() && (self.decks.candidates.is_empty() || late);
        let at_ease = self.decks.front.is_some() && self.decks.candidates.iter().all(|slot| slot.warm);
        // If any deck were warm, it would have replaced the preset at fault.
        let asked = self.off_air() || self.replacing() || self.wanted == Some(CutRequest::Safe);
        let due = (wanted && at_ease) || (self.settings.safe_preset && nothing_else) || asked;
        let on_air = self.decks.shown().map(|slot| slot.id);
        // The director or the performer may have chosen the same preset; Panic would not change the picture.
        if let Some(shown) = self.decks.safe.take_if(|slot| Some(slot.id) == on_air) {
            self.decks.drop_slot(shown);
        }
        if self.decks.safe.is_some() || !due {
            return;
        }
        let entries = &self.director.pool.catalogue.entries;
        let status = &self.director.status;
        let fits = |index: &u32| {
            let entry = &entries[*index as usize];
            let light = !entry.tags.has(Tag::Dark) && self.unfit.may_be_safe(entry.id, true);
            Some(entry.id) != on_air && light && status.usable(*index, true)
        };
        let safe: Vec<u32> = status.favourites().filter(fits).collect();
        let urgent = asked || self.decks.front.is_none();
        let quick = self.decks.front.is_none() || self.replacing();
        let full = SAFE_WARM_UP * self.settings.warm_frames;
        let (seed, warm_frames) = (self.settings.seed, if quick { QUICK_WARM_UP.min(full) } else { full });
        let slot = if safe.is_empty() || quick {
            // A resumed show has not chosen candidates yet.
            let nothing_left = urgent && self.decks.candidates.is_empty() && !self.resuming();
            let Some(preset) = self.safe_built_in(on_air, quick, nothing_left) else {
                // Without a safe preset, any warm preset is better than none.
                if self.wanted == Some(CutRequest::Safe) {
                    self.wanted = Some(CutRequest::Next);
                }
                self.resumption.starting = false; // Otherwise, no candidates would be chosen.
                return;
            };
            let index = self.director.pool.index_of(preset.id);
            let (name, source) = (preset.name().to_owned(), PresetSource::BuiltIn(preset.text));
            self.decks.request_source(preset.id, name, source, index, seed, warm_frames)
        } else {
            let index = safe[self.rng.below(safe.len())];
            self.decks.request(&entries[index as usize], Some(index), seed, warm_frames)
        };
        self.decks.set_urgency(slot.deck, if urgent { Urgency::Performer } else { Urgency::Spare });
        let reason = Reason::plain("Safe preset, kept warm");
        self.decks.safe = Some(Slot { reason, ..slot });
    }

    /// Chooses a built-in preset as the safe one, for the current scene if possible: one with groove energy or, if it
    /// must be `quick` to prepare, one without shaders of its own, if there is any. Skips the preset on air, excluded
    /// presets, and those that `unfit` rejects. Chooses a banned preset only if no other is left and `nothing_left` is
    /// true, because any picture is better than none.
    fn safe_built_in(
        &mut self,
        on_air: Option<PresetId>,
        quick: bool,
        nothing_left: bool,
    ) -> Option<BuiltIn> {
        let fits = |preset: &BuiltIn| {
            (quick || preset.energy() == Energy::Groove)
                && Some(preset.id) != on_air
                && self.exclusion(preset.id).is_none()
                && self.unfit.may_be_safe(preset.id, self.memory.favourites.contains(&preset.id))
        };
        let mut fitting: Vec<BuiltIn> = built_in().filter(fits).collect();
        let scene = self.features.scene.scene.label();
        let rank = |preset: &BuiltIn| {
            (self.memory.banned.contains(&preset.id), quick && preset.shaders, preset.scene() != scene)
        };
        let best = fitting.iter().map(rank).min().filter(|(banned, ..)| nothing_left || !banned)?;
        fitting.retain(|preset| rank(preset) == best);
        let preset = fitting[self.rng.below(fitting.len())];
        if best.0 {
            self.notify(format!("no other preset is left; showing {}, which is banned", preset.name()));
        }
        Some(preset)
    }
}

impl Cause {
    /// Returns the text shown on the desk.
    pub fn description(self) -> &'static str {
        match self {
            Self::Music(moment) => Moment::description(moment),
            Self::Performer => "requested",
            Self::Watch => "the previous preset was taken off the air",
            Self::Start => "show started",
        }
    }
}
