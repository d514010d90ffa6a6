//! Decides when a step of a live show is due. Steps fall on slots of a fixed rate, counted from a fixed origin, so that
//! delays never accumulate.
//!
//! This module reads no clock: times are passed in, in seconds on a monotonic clock that stops while the computer is
//! suspended.

use serde::{Deserialize, Serialize};

/// Default step rate, in Hz.
pub const DEFAULT_RATE: u32 = 60;
/// How early a step may begin, as a fraction of a slot: timers are not exact.
const EARLY: f64 = 0.002;

/// A step that is due.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Due {
    /// Number of slots since the previous step, at least 1; all but the last were dropped.
    pub slots: u32,
    /// How long the computer was suspended since the previous step, in seconds; 0 if it was not. That time does not
    /// count as show time.
    pub suspended_secs: f64,
}

/// Assigns steps to the slots of a fixed rate.
#[derive(Clone, Debug)]
pub struct Pacer {
    rate: u32,
    /// Number of slots per step.
    every: u32,
    /// Time of slot 0, in seconds.
    origin: f64,
    /// Slot of the latest step.
    taken: u64,
    /// First slot that may be taken.
    earliest: u64,
    /// Time before which no step may begin, in seconds.
    rests_until: f64,
    /// How long the computer was suspended since the latest step, in seconds.
    suspended: f64,
}

impl Pacer {
    /// Creates a pacer whose first step is one slot after `now`; `rate` is in Hz, at least 1.
    pub fn new(rate: u32, now: f64) -> Self {
        Self {
            rate: rate.max(1),
            every: 1,
            origin: now,
            taken: 0,
            earliest: 1,
            rests_until: now,
            suspended: 0.0,
        }
    }

    /// Returns the rate in Hz.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Returns the length of `slots` slots, in seconds.
    pub fn secs(&self, slots: u32) -> f64 {
        f64::from(slots) / f64::from(self.rate)
    }

    /// Changes the rate in Hz; the new slots are counted from the time of the latest step.
    pub fn set_rate(&mut self, rate: u32) {
        if rate.max(1) != self.rate {
            let latest = self.time_of(self.taken);
            *self = Self { every: self.every, suspended: self.suspended, ..Self::new(rate, latest) };
        }
    }

    /// Sets the number of slots per step (at least 1), which spaces steps evenly on a computer that is too slow.
    pub fn set_every(&mut self, every: u32) {
        self.every = every.max(1);
    }

    /// Returns the time of the next step, in seconds.
    pub fn next(&self) -> f64 {
        self.time_of(self.next_slot()).max(self.rests_until)
    }

    /// Skips the slots up to and including the one at `now`, in seconds, because nothing can be drawn yet.
    pub fn pass(&mut self, now: f64) {
        self.earliest = self.slot_at(now) + 1;
    }

    /// Delays steps until `until`, in seconds, to leave the computer time for other work. A delayed step keeps its slot
    /// unless that slot has ended by then.
    pub fn rest(&mut self, until: f64) {
        self.rests_until = self.rests_until.max(until);
    }

    /// Reports with the next step that the computer was suspended for `secs` seconds, which are not part of the times
    /// passed in.
    pub fn suspend(&mut self, secs: f64) {
        self.suspended += secs;
    }

    /// Takes the step that is due at `now`, if any.
    pub fn take(&mut self, now: f64) -> Option<Due> {
        let slot = self.slot_at(now);
        if slot < self.next_slot() || now < self.rests_until {
            return None;
        }
        let slots = (slot - self.taken) as u32;
        self.taken = slot;
        Some(Due { slots, suspended_secs: std::mem::take(&mut self.suspended) })
    }

    fn next_slot(&self) -> u64 {
        self.earliest.max(self.taken + u64::from(self.every))
    }

    fn time_of(&self, slot: u64) -> f64 {
        self.origin + slot as f64 / f64::from(self.rate)
    }

    /// Returns the latest slot that has begun by `now`, or the slot of the latest step if that is later.
    fn slot_at(&self, now: f64) -> u64 {
        let slot = (now - self.origin) * f64::from(self.rate) + EARLY;
        (slot.max(0.0) as u64).max(self.taken)
    }
}

/// Number of dropped steps, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DroppedSteps {
    /// The previous picture was not finished in time.
    pub late_draw: u64,
    /// The previous picture was not finished in time while a deck was warming up.
    pub warm_up: u64,
    /// The show thread did not run, or a window was resized.
    pub stall: u64,
    /// The rate was lowered because the computer cannot keep up.
    pub slow: u64,
    /// The computer was suspended; counted once per suspension, however long.
    pub suspended: u64,
}

impl DroppedSteps {
    /// Returns the number of dropped steps, whatever the cause.
    pub fn total(&self) -> u64 {
        let Self { late_draw, warm_up, stall, slow, suspended } = *self;
        late_draw + warm_up + stall + slow + suspended
    }

    /// Adds the dropped steps of `other`.
    pub fn add(&mut self, other: &Self) {
        self.late_draw += other.late_draw;
        self.warm_up += other.warm_up;
        self.stall += other.stall;
        self.slow += other.slow;
        self.suspended += other.suspended;
    }

    /// Returns the number of dropped steps by cause as text, such as `late draw 3, stall 1`; empty if no step
    /// was dropped.
    pub fn description(&self) -> String {
        let Self { late_draw, warm_up, stall, slow, suspended } = *self;
        let causes = [
            (late_draw, "late draw"),
            (warm_up, "warm-up"),
            (stall, "stall"),
            (slow, "slow computer"),
            (suspended, "system suspended"),
        ];
        let words =
            causes.iter().filter(|(count, _)| *count > 0).map(|(count, cause)| format!("{cause} {count}"));
        words.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps until `end` on a computer where each step takes `busy` seconds; returns the number of slots of each step.
    fn run(pacer: &mut Pacer, end: f64, busy: f64) -> Vec<u32> {
        let mut now = pacer.origin;
        let mut slots = Vec::new();
        while now < end {
            now = now.max(pacer.next());
            slots.push(pacer.take(now).expect("due").slots);
            now += busy;
        }
        slots
    }

    #[test]
    fn slots_keep_time_however_long_a_step_takes() {
        for (busy, mean) in [(0.001, 1.0), (0.012, 1.0), (0.02, 1.2), (0.045, 2.7), (0.3, 18.0)] {
            let slots = run(&mut Pacer::new(60, 3.0), 63.0, busy);
            let total: u32 = slots.iter().sum();
            assert!((3580..3640).contains(&total), "{total} slots in a minute, {busy} s a step");
            let found = f64::from(total) / slots.len() as f64;
            assert!((found - mean).abs() < 0.35, "{found} slots a step at {busy} s");
        }
    }

    #[test]
    fn slots_passed_during_a_gap_do_not_delay_the_steps_after_it() {
        let mut pacer = Pacer::new(60, 0.0);
        pacer.pass(100.0);
        let now = pacer.next();
        assert_eq!(pacer.take(now), Some(Due { slots: 6001, suspended_secs: 0.0 }));
        assert!(pacer.next() < now + 0.1);
    }

    #[test]
    fn a_lower_rate_is_even() {
        let mut pacer = Pacer::new(60, 0.0);
        pacer.set_every(3);
        let slots = run(&mut pacer, 10.0, 0.03);
        assert!(slots.len() > 190 && slots.iter().all(|slots| *slots == 3), "{slots:?}");
    }

    #[test]
    fn a_passed_slot_belongs_to_the_next_step() {
        let mut pacer = Pacer::new(50, 0.0);
        assert_eq!(pacer.take(0.019), None);
        pacer.pass(0.02);
        assert_eq!((pacer.take(0.03), pacer.next()), (None, 0.04));
        assert_eq!(pacer.take(0.04), Some(Due { slots: 2, suspended_secs: 0.0 }));
    }

    #[test]
    fn rests_leave_time_for_other_work() {
        let mut pacer = Pacer::new(60, 0.0);
        let (mut now, mut busy, mut slots) = (0.0_f64, 0.0, 0);
        while now < 20.0 {
            now = now.max(pacer.next());
            slots += pacer.take(now).expect("due").slots;
            (now, busy) = (now + 0.045, busy + 0.045);
            pacer.rest(now + 0.045);
        }
        assert!((busy / now - 0.5).abs() < 0.01, "busy {} of the time", busy / now);
        assert!((1190..1206).contains(&slots), "{slots} slots in twenty seconds");
        pacer.rest(0.0);
        assert!(pacer.next() > 20.0, "a rest in the past changes nothing");
    }

    #[test]
    fn a_step_delayed_within_its_slot_drops_nothing() {
        let mut pacer = Pacer::new(50, 0.0);
        pacer.take(0.02).expect("due");
        pacer.rest(0.055);
        assert_eq!((pacer.take(0.05), pacer.next()), (None, 0.055));
        assert_eq!(pacer.take(0.055), Some(Due { slots: 1, suspended_secs: 0.0 }));
        assert_eq!(pacer.take(0.06), Some(Due { slots: 1, suspended_secs: 0.0 }));
    }

    #[test]
    fn a_long_gap_is_one_step_that_keeps_time() {
        let mut pacer = Pacer::new(60, 0.0);
        pacer.take(1.0).expect("due");
        assert_eq!(pacer.take(11.0), Some(Due { slots: 600, suspended_secs: 0.0 }));
        assert!((pacer.next() - 11.0).abs() < 0.02);
    }

    #[test]
    fn a_suspension_takes_no_slots_and_is_reported_once() {
        let mut pacer = Pacer::new(50, 0.0);
        pacer.take(0.02).expect("due");
        pacer.suspend(3600.0);
        assert_eq!(pacer.take(0.03), None);
        assert_eq!(pacer.take(0.04), Some(Due { slots: 1, suspended_secs: 3600.0 }));
        assert_eq!(pacer.take(0.06), Some(Due { slots: 1, suspended_secs: 0.0 }));
    }

    #[test]
    fn another_rate_continues_from_the_latest_step() {
        let mut pacer = Pacer::new(60, 0.0);
        pacer.take(2.0).expect("due");
        pacer.set_rate(30);
        assert!((pacer.next() - (2.0 + 1.0 / 30.0)).abs() < 1e-9);
        assert_eq!((pacer.secs(2), pacer.rate()), (2.0 / 30.0, 30));
    }
}
