//! The state of a show that outlives its process.

use serde::{Deserialize, Serialize};

use crate::facts::PresetId;
use crate::layers::LayerOnAir;
use crate::mind::macros::MacroState;
use crate::stage::OutputMode;
use crate::units::Unipolar;

/// The state of a show at one moment. Marks and taste are in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResumeState {
    /// Seconds since the start of the show.
    pub now: f64,
    /// IDs and names of the presets shown, oldest first.
    pub history: Vec<(PresetId, String)>,
    /// The next presets, soonest first.
    pub queue: Vec<PresetId>,
    /// Whether Auto is on, that is, whether the director cuts to other presets on its own.
    pub auto: bool,
    /// Whether the preset on air is held.
    pub held: bool,
    /// How long presets stay on air, as a multiple of the automatic duration.
    pub dwell: f64,
    /// Delay of the audio input, in milliseconds.
    pub input_delay_ms: f32,
    /// How far choices stray from known favourites.
    pub adventure: Unipolar,
    /// The theme of the night, as the performer described it.
    pub theme: String,
    /// The performer's macro settings.
    pub macros: MacroState,
    /// Blackout, freeze or normal output.
    pub output_mode: OutputMode,
    /// The title to show when launched; empty if none is set.
    pub title: String,
    /// The layers on air, oldest first.
    pub layers: Vec<LayerOnAir>,
    /// The presets that are on air or being prepared.
    pub involved: Vec<PresetId>,
    /// The presets suspected of having caused the last crash.
    pub suspects: Vec<PresetId>,
    /// Whether the show crashed in this state, rather than being killed.
    pub crashed: bool,
}

impl ResumeState {
    /// Returns what changes in every step: the show time and the ages of the layers.
    pub fn times(&self) -> (f64, Vec<f64>) {
        (self.now, self.layers.iter().map(|layer| layer.age_secs).collect())
    }

    /// Sets the show time and the ages of the layers. If there are fewer ages than layers, the other layers keep
    /// theirs.
    pub fn set_times(&mut self, (now, ages): &(f64, Vec<f64>)) {
        self.now = *now;
        self.layers.iter_mut().zip(ages).for_each(|(layer, age)| layer.age_secs = *age);
    }
}

/// The part of an earlier show that has not been resumed yet.
#[derive(Default)]
pub(super) struct Resumption {
    /// Whether this show resumes an earlier one and has shown nothing yet.
    pub starting: bool,
    pub queue: Vec<PresetId>,
    /// Show time after which the queue is dropped, in seconds.
    pub until: f64,
    /// The presets that are excluded because they may have crashed the earlier show.
    pub suspects: Vec<PresetId>,
}
