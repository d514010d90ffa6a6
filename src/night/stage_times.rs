//! Elapsed time, CPU time and number of presets of every stage, in all runs of a bake.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::jobs::workers;
use crate::units::process_time;

/// What one stage has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct StageTime {
    /// Number of presets that were processed.
    pub presets: usize,
    /// Elapsed time, in seconds.
    pub secs: f64,
    /// CPU time of this process and of the workers that have exited, in seconds.
    pub cpu_secs: f64,
}

/// Measures the stages of a bake, one after another.
#[derive(Default)]
pub(super) struct StageTimes {
    /// Stages that have ended, by name, and those of earlier runs.
    past: BTreeMap<String, StageTime>,
    current: Option<CurrentStage>,
}

struct CurrentStage {
    name: String,
    started: Instant,
    cpu: Duration,
    /// Number of presets done when the stage began, and now; `None` until the first progress.
    done: Option<[usize; 2]>,
}

impl StageTimes {
    /// Continues the measurements of earlier runs.
    pub fn resume(past: BTreeMap<String, StageTime>) -> Self {
        Self { past, current: None }
    }

    /// Ends the current stage, and begins the next one.
    pub fn begin(&mut self, name: &str) {
        self.past = self.all();
        self.current = Some(CurrentStage {
            name: name.to_owned(),
            started: Instant::now(),
            cpu: cpu_time(),
            done: None,
        });
    }

    /// Records that the current stage has done `done` presets, including those of earlier runs.
    pub fn progress(&mut self, done: usize) {
        if let Some(current) = &mut self.current {
            // The first progress is reported after the first preset.
            let [_, now] = current.done.get_or_insert([done.saturating_sub(1), done]);
            *now = done.max(*now);
        }
    }

    /// Returns the measurements so far, by name of the stage.
    pub fn all(&self) -> BTreeMap<String, StageTime> {
        let mut all = self.past.clone();
        if let Some(CurrentStage { name, started, cpu, done }) = &self.current {
            let time = all.entry(name.clone()).or_default();
            time.presets += done.map_or(0, |[before, now]| now - before);
            time.secs += started.elapsed().as_secs_f64();
            time.cpu_secs += cpu_time().saturating_sub(*cpu).as_secs_f64();
        }
        all
    }
}

fn cpu_time() -> Duration {
    process_time() + workers::exited_time()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_stage_adds_only_its_own_presets_and_time() {
        let mut times = StageTimes::default();
        times.begin("render frames");
        (1..=40).for_each(|done| times.progress(done));
        let saved = times.all();
        assert_eq!(saved["render frames"].presets, 40);
        let mut again = StageTimes::resume(saved.clone());
        again.begin("audit presets");
        again.progress(0);
        again.begin("render frames");
        // 40 presets were done before.
        (41..=50).for_each(|done| again.progress(done));
        let all = again.all();
        assert_eq!((all["audit presets"].presets, all["render frames"].presets), (0, 50));
        assert!(all["render frames"].secs >= saved["render frames"].secs);
    }
}
