//! Trains an adapter, with checkpoints. The embeddings of pictures of one preset, or of the presets of one cluster, are
//! pulled together, and those of others pushed apart (InfoNCE; van den Oord et al., 2018; for several pictures, Khosla
//! et al., 2020).

use std::path::{Path, PathBuf};

use burn_tensor::Tensor;
use burn_tensor::activation::log_softmax;
use ndarray::{Array2, Zip};

use super::adapter::Adapter;
use super::settings::LoraSettings;
use super::tower::{Tower, numbers};
use crate::disk::FileError;
use crate::jobs::parallel;
use crate::jobs::progress::{OnProgress, Progress};
use crate::tune::tensors::Tensors;
use crate::units::Rng;

/// Name of the stage, for progress.
const STAGE: &str = "tune lora";
/// Factor by which the similarities, -1 to 1, are multiplied before the softmax.
const SHARPNESS: f32 = 10.0;
/// Subtracted from the similarity of a picture to itself, which is not compared.
const EXCLUDED: f32 = 1e9;
/// Number of steps between two checkpoints.
const SAVE_EVERY: usize = 16;
/// Decay of the running means of the gradients and of their squares.
const DECAY: [f32; 2] = [0.9, 0.999];
/// Added to the root of the mean square.
const EPSILON: f32 = 1e-8;
/// First random stream used for steps; the streams before it are used for epochs.
const STEPS: u64 = 1 << 32;

/// A preset to learn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// Number shared by all presets whose pictures belong together.
    pub group: usize,
    /// Paths of its frames.
    pub frames: Vec<PathBuf>,
}

/// Loads and preprocesses a picture; `None` if it cannot be read.
pub(super) type Load<'a> = &'a (dyn Fn(&Path) -> Option<Vec<f32>> + Sync);

/// Inputs of the training.
pub(super) struct Training<'a> {
    pub tower: &'a Tower,
    pub subjects: &'a [Subject],
    pub load: Load<'a>,
    pub settings: &'a LoraSettings,
    /// Hash of everything that determines the adapter.
    pub fingerprint: &'a str,
}

/// State of a training run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub adapter: Adapter,
    /// Running mean of the gradient of each parameter, and of its square (Adam; Kingma and Ba, 2015).
    moments: Vec<[Array2<f32>; 2]>,
    /// Number of finished steps.
    pub step: usize,
}

impl Training<'_> {
    /// Trains `adapter` until the last step; `None` if `on_progress` cancels. An interrupted run is resumed from
    /// `checkpoint`.
    pub fn run(
        &self,
        adapter: Adapter,
        checkpoint: &Path,
        on_note: &mut dyn FnMut(String),
        on_progress: OnProgress,
    ) -> Result<Option<Adapter>, String> {
        let mut state = State::new(adapter);
        if checkpoint.exists() {
            match state.resume(checkpoint, self.fingerprint) {
                Ok(()) => on_note(format!("resuming training after step {}", state.step)),
                Err(why) => {
                    let path = checkpoint.display();
                    on_note(format!("cannot resume from {path} ({why}); training from the start"));
                }
            }
        }
        let steps = self.settings.epochs * self.steps_per_epoch();
        let mut losses = Vec::new();
        while state.step < steps {
            if !on_progress(&Progress::at(STAGE, state.step, steps)) {
                self.save(&state, checkpoint)?;
                return Ok(None);
            }
            losses.push(self.step(&mut state)?);
            if state.step.is_multiple_of(self.steps_per_epoch()) {
                let mean = losses.iter().sum::<f32>() / losses.len() as f32;
                on_note(format!("epoch {}: loss {mean:.4}", state.step / self.steps_per_epoch()));
                losses.clear();
            }
            if state.step.is_multiple_of(SAVE_EVERY) || state.step == steps {
                self.save(&state, checkpoint)?;
            }
        }
        on_progress(&Progress::at(STAGE, steps, steps));
        Ok(Some(state.adapter))
    }

    fn save(&self, state: &State, checkpoint: &Path) -> Result<(), String> {
        state.write(checkpoint, self.fingerprint).map_err(|error| error.to_string())
    }

    /// Returns the number of presets per step; each contributes up to two frames.
    fn presets_per_step(&self) -> usize {
        (self.settings.batch / 2).clamp(1, self.subjects.len().max(1))
    }

    fn steps_per_epoch(&self) -> usize {
        (self.subjects.len() / self.presets_per_step()).max(1)
    }

    /// Trains for one step and returns the loss before it.
    pub fn step(&self, state: &mut State) -> Result<f32, String> {
        let (groups, pictures) = self.batch(state.step);
        if pictures.is_empty() {
            return Err("the frames cannot be read".into());
        }
        let adapted = self.tower.adapt(&state.adapter)?;
        let loss = self.loss(self.tower.embed(&pictures, Some(&adapted)), &groups);
        let gradients = loss.backward();
        let tensors = adapted.pairs.values().flatten();
        let gradients = tensors.map(|tensor| tensor.grad(&gradients).map(numbers).transpose());
        let gradients = gradients.collect::<Result<Vec<_>, _>>()?;
        let loss = numbers(loss)?.first().copied().unwrap_or(f32::NAN);
        if !loss.is_finite() {
            return Err("the loss is not finite; use a lower --rate".into());
        }
        let steps = self.settings.epochs * self.steps_per_epoch();
        let rate = self.settings.rate * (1.0 - state.step as f64 / steps.max(1) as f64);
        state.change(gradients, rate as f32)?;
        Ok(loss)
    }

    /// Returns the pictures of a step, and the groups that they belong to.
    fn batch(&self, step: usize) -> (Vec<usize>, Vec<Vec<f32>>) {
        let per_epoch = self.steps_per_epoch();
        let seed = Rng::new(self.settings.seed);
        let mut order: Vec<usize> = (0..self.subjects.len()).collect();
        seed.fork((step / per_epoch) as u64).shuffle(&mut order);
        let mut rng = seed.fork(STEPS + step as u64);
        let count = self.presets_per_step();
        let mut chosen = Vec::with_capacity(2 * count);
        for &subject in order.iter().skip(step % per_epoch * count).take(count) {
            let Subject { group, frames } = &self.subjects[subject];
            let first = rng.below(frames.len());
            chosen.push((*group, &frames[first]));
            if frames.len() > 1 {
                let second = (first + 1 + rng.below(frames.len() - 1)) % frames.len();
                chosen.push((*group, &frames[second]));
            }
        }
        let load = self.load;
        let loaded =
            parallel::map(&chosen, self.settings.threads, |(group, frame)| Some((*group, load(frame)?)));
        loaded.into_iter().flatten().unzip()
    }

    /// Returns the loss of a batch of embeddings, given the group of each.
    pub fn loss(&self, rows: Tensor<2>, groups: &[usize]) -> Tensor<1> {
        let count = groups.len();
        let same = |a: usize, b: usize| a != b && groups[a] == groups[b];
        let others = |a: usize| (0..count).filter(|b| same(a, *b)).count();
        let others: Vec<usize> = (0..count).map(others).collect();
        let compared = others.iter().filter(|others| **others > 0).count();
        let cells = || (0..count * count).map(|at| (at / count, at % count));
        let weight = |(a, b): (usize, usize)| match same(a, b) {
            true => 1.0 / (others[a] * compared) as f32,
            false => 0.0,
        };
        let weights = self.tower.tensor(cells().map(weight).collect(), [count, count]);
        let excluded = cells().map(|(a, b)| if a == b { -EXCLUDED } else { 0.0 }).collect();
        let excluded = self.tower.tensor(excluded, [count, count]);
        let similarities = rows.clone().matmul(rows.transpose()).mul_scalar(SHARPNESS);
        (log_softmax(similarities + excluded, 1) * weights).sum().neg()
    }
}

impl State {
    /// Returns the state before the first step.
    pub fn new(adapter: Adapter) -> Self {
        let zeros = |values: &Array2<f32>| [Array2::zeros(values.dim()), Array2::zeros(values.dim())];
        Self { moments: adapter.parameters().map(zeros).collect(), adapter, step: 0 }
    }

    /// Updates the adapter by one step of Adam. Parameters without a gradient stay unchanged.
    fn change(&mut self, gradients: Vec<Option<Vec<f32>>>, rate: f32) -> Result<(), String> {
        self.step += 1;
        let [mean_left, square_left] = DECAY.map(|decay| 1.0 - decay.powi(self.step as i32));
        let parameters = self.adapter.parameters_mut().zip(&mut self.moments).zip(gradients);
        for ((values, [mean, square]), gradient) in parameters {
            let Some(gradient) = gradient else { continue };
            let gradient =
                Array2::from_shape_vec(values.dim(), gradient).map_err(|error| error.to_string())?;
            Zip::from(values).and(&gradient).and(mean).and(square).for_each(
                |value, gradient, mean, square| {
                    *mean += (1.0 - DECAY[0]) * (gradient - *mean);
                    *square += (1.0 - DECAY[1]) * (gradient * gradient - *square);
                    *value -= rate * (*mean / mean_left) / ((*square / square_left).sqrt() + EPSILON);
                },
            );
        }
        Ok(())
    }

    /// Writes the state atomically.
    pub fn write(&self, path: &Path, fingerprint: &str) -> Result<(), FileError> {
        let mut tensors = Tensors::default();
        let parts = self.adapter.parameters().zip(&self.moments);
        for (at, (values, [mean, square])) in parts.enumerate() {
            for (part, matrix) in PARTS.into_iter().zip([values, mean, square]) {
                tensors.matrices.insert(format!("{part}.{at}"), matrix.clone());
            }
        }
        let entries = [("fingerprint", fingerprint.to_owned()), ("step", self.step.to_string())];
        tensors.metadata.extend(entries.map(|(key, value)| (key.to_owned(), value)));
        tensors.write(path)
    }

    /// Restores the state in the file `path`; if that fails, nothing changes.
    pub fn resume(&mut self, path: &Path, fingerprint: &str) -> Result<(), String> {
        let mut tensors = Tensors::read(path)?;
        if tensors.metadata.get("fingerprint").is_none_or(|own| own != fingerprint) {
            return Err("the model, frames or settings have changed".into());
        }
        let step = tensors.metadata.get("step").and_then(|step| step.parse().ok());
        let mut resumed = Self { step: step.ok_or("the step is missing")?, ..self.clone() };
        let parts = resumed.adapter.parameters_mut().zip(&mut resumed.moments);
        for (at, (values, [mean, square])) in parts.enumerate() {
            for (part, matrix) in PARTS.into_iter().zip([values, mean, square]) {
                let read = tensors.matrices.remove(&format!("{part}.{at}"));
                let read = read.filter(|read| read.dim() == matrix.dim());
                *matrix = read.ok_or("a matrix is missing or has the wrong shape")?;
            }
        }
        *self = resumed;
        Ok(())
    }
}

/// What a checkpoint stores for each parameter.
const PARTS: [&str; 3] = ["value", "mean", "square"];
