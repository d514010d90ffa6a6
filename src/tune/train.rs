//! Trains a head, with a checkpoint after every epoch. The same inputs give bit-identical heads, whether or not the
//! training was interrupted.

use std::path::Path;

use ndarray::{Array2, Axis};

use super::checkpoint::Checkpoint;
use super::contrast::{self, Lesson};
use super::error::TuneError;
use super::measure::Judge;
use super::network::{Adam, Head};
use super::settings::TuneSettings;
use crate::jobs::progress::{OnProgress, Progress};
use crate::units::Rng;

/// Name of the stage, for progress.
pub(super) const STAGE: &str = "tune head";
/// Number of presets per step.
const BATCH: usize = 512;
/// Minimum number of steps per epoch.
const MIN_STEPS: usize = 20;

/// Inputs of the training.
pub(super) struct Training<'a> {
    /// Embeddings of unit length.
    pub rows: &'a Array2<f32>,
    /// Author of every row.
    pub authors: &'a [u32],
    /// Labels to learn from.
    pub lessons: &'a [Lesson],
    /// Judge of the validation presets alone.
    pub judge: &'a Judge,
    /// Rows of the validation presets.
    pub validation: &'a [usize],
    pub settings: &'a TuneSettings,
    /// Hash of everything that determines the head.
    pub fingerprint: &'a str,
}

impl Training<'_> {
    /// Trains until the last epoch and returns the head of the best one; `None` if `on_progress` cancels, in which case
    /// the next call resumes from the checkpoint.
    pub fn run(
        &self,
        checkpoint: &Path,
        on_note: &mut dyn FnMut(String),
        on_progress: OnProgress,
    ) -> Result<Option<Head>, TuneError> {
        let settings = self.settings;
        let validation = self.rows.select(Axis(0), self.validation);
        let queries = self.judge.queries(0..self.validation.len());
        let score = |head: &Head| {
            let found = self.judge.retrieval(&head.apply(&validation), &queries, settings.threads);
            found.iter().sum::<f64>() / found.len().max(1) as f64
        };
        let begin = || {
            let head = Head::new(self.rows.ncols(), settings.hidden, &mut Rng::new(settings.seed));
            let (adam, best_score) = (Adam::new(&head), score(&head));
            Checkpoint { epoch: 0, adam, best: head.clone(), best_score, head }
        };
        let mut state = Checkpoint::open(checkpoint, self.fingerprint, on_note).unwrap_or_else(begin);
        while state.epoch < settings.epochs {
            if !on_progress(&Progress::at(STAGE, state.epoch, settings.epochs)) {
                return Ok(None);
            }
            self.epoch(&mut state);
            let found = score(&state.head);
            if found > state.best_score {
                (state.best, state.best_score) = (state.head.clone(), found);
            }
            state.write(checkpoint, self.fingerprint)?;
        }
        on_progress(&Progress::at(STAGE, settings.epochs, settings.epochs));
        Ok(Some(state.best))
    }

    /// Trains for one epoch. The steps become smaller towards the last epoch.
    fn epoch(&self, state: &mut Checkpoint) {
        let presets = self.lessons.iter().map(Lesson::presets).max().unwrap_or_default();
        let steps = presets.div_ceil(BATCH).max(MIN_STEPS);
        let mut rng = Rng::new(self.settings.seed).fork(state.epoch as u64);
        for step in 0..steps {
            let lesson = &self.lessons[step % self.lessons.len()];
            let batch = lesson.batch(BATCH.min(lesson.presets()), &mut rng);
            let of_results =
                |results: &Array2<f32>| contrast::gradient(self.lessons, &batch, results, self.authors);
            let gradients = state.head.gradients(&self.rows.select(Axis(0), &batch), of_results);
            let done = (state.epoch * steps + step) as f32 / (self.settings.epochs * steps) as f32;
            state.adam.step(&mut state.head, &gradients, 1.0 - done);
        }
        state.epoch += 1;
    }
}
