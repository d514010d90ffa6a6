//! Scene classification: ambient, techno, rock or no music.

mod analyser;
mod filter;
mod hop;
mod model;
mod rhythm;
mod scores;
mod summary;

pub(super) use analyser::SIZE_SAMPLES;
pub use analyser::SceneAnalyser;
pub use filter::SceneFilter;
pub(super) use filter::UPDATE_SECS;
pub use model::SceneModel;
pub use scores::ScoreInput;
pub use summary::SIZE;
pub(super) use summary::Summary;
