//! State needed to undo the performer's marks.

use super::memory::PresetMarks;
use crate::facts::PresetId;
use crate::mind::taste::Lesson;

/// A mark that can be undone, as shown on the desk.
#[derive(Clone, Debug, PartialEq)]
pub struct Undoable {
    /// What the performer did, such as `Banned NAME`.
    pub what: String,
    /// When it was done, in seconds since the start of the show.
    pub at: f64,
}

/// State needed to undo one command.
#[derive(Debug)]
pub(super) struct UndoStep {
    pub shown: Undoable,
    pub id: PresetId,
    pub before: PresetMarks,
    pub after: PresetMarks,
    /// Whether the preset had been skipped in this show before the command.
    pub skipped: bool,
    /// The lesson that the taste learnt from the command; `None` if it learnt none, or if the library has
    /// changed since.
    pub lesson: Option<Lesson>,
    /// Whether the command removed the preset from Up next.
    pub queued: bool,
    /// Whether the preset was on air and had received no feedback before the command.
    pub no_feedback: bool,
}
