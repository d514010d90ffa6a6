//! Scene: what kind of music this is.

mod model;
mod scores;
mod summary;
mod watch;

pub use model::SceneModel;
pub use scores::ScoreInput;
pub use summary::SIZE;
pub(super) use summary::{Pulse, Summary};
pub(super) use watch::{LOOK_SECS, SceneWatch};
