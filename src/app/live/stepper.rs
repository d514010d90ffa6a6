//! Steps a show at a fixed rate and publishes its pictures. Never waits for windows or the device.

use super::in_flight::{FrameTime, InFlight};
use super::picture::{NewestPicture, Pictures};
use super::times::StepTimes;
use crate::pacing::{DroppedSteps, Due, Governor, Pacer, Quality};
use crate::show::{DrawnDecks, FrameTimes, Rig, RigFrame, Slowness};

/// Interval between device polls while frames are in flight, in seconds; it limits the precision of measured times.
const CHECK_SECS: f64 = 0.001;
/// Maximum number of consecutive slots that the show skips while surfaces are being resized.
const MAX_PAUSED: u32 = 12;

/// Longest rest after a frame, in seconds; limited because measured times may include a system suspension.
const LONGEST_REST_SECS: f64 = 0.5;
/// Share of a slot that drawing may take.
const DRAW_SHARE: f64 = 0.9;
/// Maximum number of frames in flight on a graphics card: one is drawn while the next one is recorded.
const CARD_FRAMES: usize = 2;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Turn {
    /// Sleep for at most this many seconds, then call [`Stepper::turn`] again.
    Sleep(f64),
    /// Run the step that is due.
    Step(Due),
}

/// What a frame drew.
#[derive(Clone)]
struct Drawn {
    decks: DrawnDecks,
    /// Side length of the picture relative to full size.
    scale: f64,
    /// Number of warm-up frames drawn before this frame began.
    warm_up_frames: u64,
}

/// A show with its clock and its pictures.
pub(super) struct Stepper {
    /// The show with its stage.
    pub rig: Rig,
    pacer: Pacer,
    quality: Quality,
    in_flight: InFlight<Drawn>,
    governor: Governor,
    times: StepTimes,
    /// Receives the show's pictures.
    pub pictures: Pictures,
    /// Called for every new picture.
    wake: Box<dyn Fn() + Send>,
    /// Whether the previous frame was late, so that slots missed since then are attributed to it.
    late: bool,
    /// Number of consecutive slots skipped because surfaces were being resized.
    paused: u32,
    /// Number of the newest picture.
    drawn: u64,
}

impl Stepper {
    /// Creates a stepper that starts at `now`, in seconds, with `rate` steps per second. `wake` is called for
    /// every new picture.
    pub fn new(
        rig: Rig,
        pictures: Pictures,
        (rate, now): (u32, f64),
        wake: impl Fn() + Send + 'static,
    ) -> Self {
        let software = rig.stage.render_context().gpu.software();
        Self {
            pacer: Pacer::new(rate, now),
            quality: Quality::FULL,
            in_flight: InFlight::new(if software { 1 } else { CARD_FRAMES }),
            governor: Governor::new(DRAW_SHARE / f64::from(rate)),
            times: StepTimes::default(),
            pictures,
            wake: Box::new(wake),
            late: false,
            paused: 0,
            drawn: 0,
            rig,
        }
    }

    /// Changes the number of steps per second.
    pub fn set_rate(&mut self, rate: u32) {
        self.pacer.set_rate(rate);
        self.governor.set_budget(DRAW_SHARE / f64::from(rate));
    }

    /// Returns the statistics over the most recent steps.
    pub fn times(&self) -> FrameTimes {
        self.times.summary(self.pacer.rate())
    }

    /// Reports with the next step that the computer was suspended for `secs` seconds, which are not part of the times
    /// passed in.
    pub fn suspended(&mut self, secs: f64) {
        self.pacer.suspend(secs);
    }

    /// Returns what to do at `now`, in seconds.
    pub fn turn(&mut self, now: f64) -> Turn {
        let gpu = &self.rig.stage.render_context().gpu;
        let (slots, warming) = (self.times.latest(), self.rig.warming());
        for (time, Drawn { decks, scale, warm_up_frames }) in self.in_flight.finished(gpu, now) {
            let FrameTime { secs, interval_secs, least_interval_secs } = time;
            self.times.drawn(secs);
            let budget = self.governor.budget();
            let slowness = self.rig.watch_time(least_interval_secs, budget, &decks, scale, warm_up_frames);
            if slowness == Slowness::Critical {
                self.governor.shrink();
            }
            let before = self.pacer.next().max(now); // A late check alone does not count as a late draw.
            self.pacer.rest(now + (interval_secs - secs).min(LONGEST_REST_SECS));
            self.late |= self.pacer.next() > before;
            // A warm-up slows down drawing only briefly, so it must not affect the quality.
            if !warming {
                self.governor.observe(interval_secs, self.pacer.secs(slots));
            }
        }
        if self.in_flight.stuck(now) {
            self.rig.stage.render_context().gpu.abandon(); // The device then counts as lost, and another one is opened.
        }
        self.follow_governor();
        let left = self.pacer.next() - now;
        if left > 0.0 {
            return Turn::Sleep(if self.in_flight.is_empty() { left } else { left.min(CHECK_SECS) });
        }
        if !self.in_flight.has_room() {
            self.late = true;
            return Turn::Sleep(CHECK_SECS);
        }
        if self.pictures.pause.asked() && self.paused < MAX_PAUSED {
            self.paused += 1;
            self.pacer.pass(now);
            return Turn::Sleep(CHECK_SECS);
        }
        self.paused = 0;
        self.pacer.take(now).map_or(Turn::Sleep(CHECK_SECS), Turn::Step)
    }

    fn follow_governor(&mut self) {
        let quality = self.governor.quality();
        if quality != self.quality {
            self.quality = quality;
            self.pacer.set_every(quality.every);
            self.rig.show.set_quality(quality);
        }
    }

    /// Begins a step that is due and returns its length in seconds.
    pub fn begin(&mut self, due: &Due) -> f64 {
        self.count_dropped(due);
        self.times.step(due.slots);
        self.rig.show.set_fps(self.times.fps(self.pacer.rate()));
        self.pacer.secs(due.slots)
    }

    /// Runs the step that [`Self::begin`] began; `clock` returns the time in seconds.
    pub fn draw(&mut self, input: &RigFrame, clock: impl Fn() -> f64) {
        let started = clock();
        let (scale, warm_up_frames) = (self.quality.scale, self.rig.warm_up_frames());
        self.rig.stage.set_scale(scale);
        if self.rig.frame(input) {
            let drawn = Drawn { decks: self.rig.drawn(), scale, warm_up_frames };
            self.in_flight.add(&self.rig.stage.render_context().gpu, started, drawn);
            self.drawn += 1;
            self.pictures.newest.publish(NewestPicture::of(&self.rig, self.drawn));
            (self.wake)();
        }
        self.late = clock() > self.pacer.next();
    }

    fn count_dropped(&mut self, due: &Due) {
        let dropped = u64::from(due.slots.saturating_sub(1));
        let late = std::mem::take(&mut self.late);
        if due.suspended_secs > 0.0 {
            self.rig.show.suspended(due.suspended_secs);
        }
        if dropped > 0 {
            let slow = dropped.min(u64::from(self.quality.every - 1));
            let mut steps = DroppedSteps { slow, ..DroppedSteps::default() };
            *match (late, self.rig.warming()) {
                (true, true) => &mut steps.warm_up,
                (true, false) => &mut steps.late_draw,
                (false, _) => &mut steps.stall,
            } = dropped - slow;
            self.rig.show.count_dropped(&steps);
        }
    }
}
