//! Finds the preset that repeatedly causes the graphics device to be lost.
//!
//! A loss counts against every preset that was being drawn or prepared, until the preset has been drawn for long enough
//! without another loss. After two losses, the preset is set aside, and others are shown. It is at fault if the losses
//! then stop. Any suspect is cleared if the device is lost without it, because a loss with another cause must never be
//! blamed on whatever is on air.

use std::collections::BTreeMap;

use super::graphics_event::GraphicsEvent;
use crate::facts::PresetId;
use crate::watch::LONGEST_STEP_SECS;

/// Number of losses of the device after which a preset is set aside.
const MAX_LOSSES: u32 = 2;
/// Minimum time without a loss after which a preset is cleared if it was drawn, and at fault if it was set aside, in
/// seconds.
const MIN_QUIET_SECS: f64 = 10.0;
/// The same time, relative to the longest time for which the preset had been drawn when the device was lost.
const QUIET_FACTOR: f64 = 2.0;

/// The presets suspected of causing device losses.
#[derive(Default)]
pub(super) struct Suspects {
    suspects: BTreeMap<PresetId, Suspect>,
    /// The suspect that is neither drawn nor prepared, to find out whether the losses stop.
    aside: Option<PresetId>,
    /// Whether decks are prepared one at a time, so that the next loss has only one suspect.
    careful: bool,
}

/// What is known about one suspect.
#[derive(Clone, Copy, Debug, Default)]
struct Suspect {
    losses: u32,
    /// Longest time for which it had been drawn when the device was lost, in seconds.
    drawn_secs: f64,
    /// Time since the last loss, in seconds, in which it was drawn or, while it is set aside, in which others were
    /// drawn.
    quiet_secs: f64,
}

impl Suspect {
    /// Adds time without a loss; returns whether it is enough for a verdict.
    fn wait(&mut self, dt: f64) -> bool {
        self.quiet_secs += dt;
        self.quiet_secs >= MIN_QUIET_SECS.max(QUIET_FACTOR * self.drawn_secs)
    }
}

impl Suspects {
    /// Counts a loss against the presets that were being drawn or prepared, each with the seconds for which it had been
    /// drawn on the lost device. Returns the events to report to the show.
    pub fn lost(
        &mut self,
        involved: &BTreeMap<PresetId, f64>,
    ) -> impl Iterator<Item = GraphicsEvent> + use<> {
        self.careful = true;
        let cleared = self.aside.take_if(|preset| !involved.contains_key(preset));
        self.suspects.retain(|preset, _| involved.contains_key(preset));
        for (preset, drawn_secs) in involved {
            let suspect = self.suspects.entry(*preset).or_default();
            suspect.losses += 1;
            suspect.drawn_secs = suspect.drawn_secs.max(*drawn_secs);
            suspect.quiet_secs = 0.0;
        }
        // Only one preset is set aside at a time: the one with the most losses or, of several such presets, the one
        // that was drawn for the shortest time.
        let worst = self.suspects.iter().max_by(|(_, one), (_, other)| {
            one.losses.cmp(&other.losses).then(other.drawn_secs.total_cmp(&one.drawn_secs))
        });
        let worst = worst.filter(|(_, suspect)| suspect.losses >= MAX_LOSSES).map(|(preset, _)| *preset);
        self.aside = worst.or(self.aside);
        let cleared = cleared.map(|preset| GraphicsEvent::Cleared { preset });
        cleared.into_iter().chain(worst.map(|preset| GraphicsEvent::Suspected { preset }))
    }

    /// Records that a frame of `dt` seconds drew these presets without a loss. Returns the preset that is at fault, if
    /// any.
    pub fn drawn(&mut self, presets: impl Iterator<Item = PresetId>, dt: f64) -> Option<PresetId> {
        let dt = dt.min(LONGEST_STEP_SECS); // A stall says nothing about the preset.
        let mut others = false;
        for preset in presets {
            others |= self.aside != Some(preset);
            if self.suspects.get_mut(&preset).is_some_and(|suspect| suspect.wait(dt)) {
                self.suspects.remove(&preset);
                self.aside.take_if(|aside| *aside == preset);
            }
        }
        let aside = self.aside.filter(|_| others)?;
        let guilty = self.suspects.get_mut(&aside).is_some_and(|suspect| suspect.wait(dt));
        if !guilty {
            return None;
        }
        self.suspects.remove(&aside);
        self.aside.take()
    }

    /// Lets decks be prepared together again; called once all decks are prepared on the new device.
    pub fn relax(&mut self) {
        self.careful = false;
    }

    /// Returns whether a loss is so recent that decks are prepared one at a time, so that the next loss has only one
    /// suspect.
    pub fn any(&self) -> bool {
        self.careful
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f64 = 1.0 / 30.0;

    fn presets() -> [PresetId; 3] {
        [PresetId::of(b"a"), PresetId::of(b"b"), PresetId::of(b"c")]
    }

    /// Counts a loss after these presets were drawn for `secs` seconds; returns the events.
    fn lose(suspects: &mut Suspects, involved: &[PresetId], secs: f64) -> Vec<GraphicsEvent> {
        suspects.lost(&involved.iter().map(|preset| (*preset, secs)).collect()).collect()
    }

    /// Draws a preset for `secs` seconds; returns the preset at fault, if any.
    fn draw(suspects: &mut Suspects, preset: PresetId, secs: f64) -> Option<PresetId> {
        (0..(secs / DT) as u32).find_map(|_| suspects.drawn(std::iter::once(preset), DT))
    }

    #[test]
    fn a_preset_is_at_fault_if_the_losses_stop_without_it_however_late_they_are() {
        let [a, b, _] = presets();
        for secs in [0.0, 6.0, 40.0] {
            let mut suspects = Suspects::default();
            assert_eq!(lose(&mut suspects, &[a], secs), []);
            assert_eq!(draw(&mut suspects, a, secs), None);
            assert_eq!(lose(&mut suspects, &[a], secs), [GraphicsEvent::Suspected { preset: a }]);
            assert_eq!(draw(&mut suspects, b, secs + 1.0), None, "too early");
            assert_eq!(draw(&mut suspects, b, secs + 10.0), Some(a), "{secs} s");
            assert_eq!(draw(&mut suspects, b, 100.0), None);
        }
    }

    #[test]
    fn no_preset_is_at_fault_while_the_device_is_lost_without_it() {
        let all = presets();
        let mut suspects = Suspects::default();
        let mut cleared = 0;
        for loss in 0..60 {
            let on_air = all[loss / 2 % 3];
            for event in lose(&mut suspects, &[on_air], 4.0) {
                cleared += usize::from(matches!(event, GraphicsEvent::Cleared { .. }));
            }
            let shown = all.iter().find(|preset| suspects.aside != Some(**preset)).expect("another");
            assert_eq!(draw(&mut suspects, *shown, 4.0), None);
        }
        assert!(cleared > 10, "{cleared}");
    }

    #[test]
    fn a_loss_without_a_preset_clears_it_before_it_is_set_aside() {
        let [a, b, _] = presets();
        let mut suspects = Suspects::default();
        for on_air in [a, b, a, b, a] {
            assert_eq!(
                lose(&mut suspects, &[on_air], 4.0),
                [],
                "no preset was involved in two losses in a row"
            );
        }
        assert_eq!(lose(&mut suspects, &[a], 4.0), [GraphicsEvent::Suspected { preset: a }]);
    }

    #[test]
    fn of_several_suspects_only_one_is_set_aside_at_a_time() {
        let [a, b, c] = presets();
        let mut suspects = Suspects::default();
        // The device is lost whenever `b` is prepared, while `a` is on air.
        let both = BTreeMap::from([(a, 30.0), (b, 0.0)]);
        assert_eq!(suspects.lost(&both).count(), 0);
        assert_eq!(suspects.lost(&both).collect::<Vec<_>>(), [GraphicsEvent::Suspected { preset: b }]);
        assert_eq!(draw(&mut suspects, a, 11.0), Some(b));
        // The device is lost whenever `a` is drawn, while another preset is prepared.
        let mut suspects = Suspects::default();
        let together = |other| BTreeMap::from([(a, 6.0), (other, 0.0)]);
        assert_eq!(suspects.lost(&together(b)).chain(suspects.lost(&together(b))).count(), 1);
        let events: Vec<_> = suspects.lost(&together(c)).collect();
        assert_eq!(events, [GraphicsEvent::Cleared { preset: b }, GraphicsEvent::Suspected { preset: a }]);
        assert_eq!(draw(&mut suspects, c, 13.0), Some(a));
    }

    #[test]
    fn a_stall_does_not_count_as_drawing_without_a_loss() {
        let [a, b, _] = presets();
        let mut suspects = Suspects::default();
        assert_eq!(lose(&mut suspects, &[a], 1.0), []);
        assert_eq!(suspects.drawn(std::iter::once(a), 60.0), None);
        assert_eq!(lose(&mut suspects, &[a], 1.0), [GraphicsEvent::Suspected { preset: a }], "not cleared");
        assert_eq!(suspects.drawn(std::iter::once(b), 60.0), None, "too early");
    }

    #[test]
    fn a_suspect_that_is_drawn_without_a_loss_is_cleared() {
        let [a, ..] = presets();
        let mut suspects = Suspects::default();
        for _ in 0..20 {
            assert_eq!(lose(&mut suspects, &[a], 8.0), []);
            assert!(suspects.any());
            assert_eq!(draw(&mut suspects, a, 17.0), None);
        }
        suspects.relax();
        assert!(!suspects.any());
    }
}
