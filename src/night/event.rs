//! Events of a running bake, also printed as JSON Lines.

use serde::{Deserialize, Serialize};

use super::preflight::Check;
use crate::jobs::progress::Progress;

/// An event of a bake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "event")]
pub enum BakeEvent {
    /// Result of a preflight check.
    Check(Check),
    /// A stage starts.
    Stage {
        /// Name of the stage: one of [`STAGES`](super::STAGES), or the tuning.
        stage: String,
    },
    /// Progress of the current stage.
    Progress(Progress),
    /// A message for the log.
    Note {
        /// Text of the message.
        text: String,
    },
    /// Last event of a failed bake.
    Failed {
        /// Why the bake failed.
        why: String,
    },
    /// Last event of a bake that finished or was cancelled.
    Ended {
        /// How the bake ended.
        #[serde(rename = "ending")]
        outcome: BakeOutcome,
    },
}

/// A function that receives the events of a bake.
pub type EventSink<'a> = &'a mut dyn FnMut(BakeEvent);

/// Outcome of a bake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BakeOutcome {
    /// Every stage is done and the index has been written.
    Finished,
    /// Cancelled; the next run resumes.
    Stopped,
}
