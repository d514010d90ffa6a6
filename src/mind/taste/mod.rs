//! What the performer likes: a small Bayesian model of styles, energies and scenes, learning from every switch.
//!
//! A reward is explained as a sum of Gaussian terms: a bias, the cluster, energy in this scene, the cluster in this
//! scene, the cluster at this energy, and how much the director's own score and the energy mismatch count. Terms are
//! updated one sample at a time (after AdPredictor; Graepel et al., 2010) and drift back to what was assumed at first,
//! so that a change of mind is followed. The choice is a softmax of the expected rewards.
//!
//! Never touches files: a [`TasteState`] is what is kept, under the clusters' keys rather than their places.

mod import;
mod model;
mod signal;
mod state;

pub use import::{Package, Skip, import};
pub use model::{Arm, Evidence, GaussianBelief, Taste};
pub use signal::Signal;
pub use state::{ClusterTaste, StyleKey, TasteState};
