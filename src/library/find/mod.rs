//! Finds presets by a description of their look: "slow blue tunnel", "no strobe", "like NAME but darker".
//!
//! Needs no model. Words are looked up in a lexicon of measured properties; those come from audits (colours,
//! light, motion, symmetry, ...), the presets' code (tags, energy) and names. A preset's score is the
//! weighted geometric mean of its fit to each term, so that a single term that does not fit at all is enough
//! to rank it low.

mod axis;
#[cfg(test)]
mod evaluation;
mod lexicon;
mod measured;
mod query;
mod score;

pub use measured::Measured;
pub use query::Description;
pub(super) use score::{Ranking, rank};
