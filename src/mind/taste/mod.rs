//! The taste model: learns from every cut which styles and energies the performer likes, and in which scenes.
//!
//! A reward is modelled as a sum of Gaussian terms: a bias, the cluster, the energy in this scene, the
//! cluster in this scene, the cluster at this energy, and the weights of the director's base score and the
//! energy mismatch. Terms are updated one sample at a time (after AdPredictor; Graepel et al., 2010). Their
//! variances drift back towards the prior, which lets the model follow a change of mind. Choices are drawn
//! from a softmax over the expected rewards.
//!
//! Never touches files: [`TasteState`] is the serialised form, keyed by cluster key rather than index.

mod import;
mod model;
mod signal;
mod state;

pub use import::{ImportError, Package, Skip, import};
pub use model::{Arm, Evidence, GaussianBelief, Lesson, Taste};
pub use signal::{Feedback, Signal};
pub use state::{ClusterTaste, StyleKey, StyleSimilarities, TasteState};
