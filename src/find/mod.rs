//! Searches a library by words, by similarity to a preset or a picture, or by a description of a look: "slow blue
//! tunnel", "no strobe", "like NAME but darker".
//!
//! No embedding model is needed, but if the library was embedded with a vision model, that model also compares the
//! presets with pictures and, if it has a text encoder, with descriptions. A lexicon maps words to properties, which
//! come from audits (colours, light, motion, symmetry, ...) or from the presets' code and names (tags, energy);
//! words are also matched against paths, tags and labels. A preset's score is the weighted geometric mean of its fit
//! to each term, so a single term that does not fit at all is enough to rank it low.

mod axis;
mod bits;
mod encoder;
#[cfg(test)]
mod evaluation;
mod example;
mod index;
mod lexicon;
mod measured;
mod query;
mod score;
mod similar;
mod style_fit;
mod word_index;

pub use encoder::{Encoder, OpenEncoder};
pub use example::Reference;
pub use index::{SearchIndex, SearchOrder, SearchQuery, SearchResults};
pub use query::{Description, Term, WEIGHTS};
pub use style_fit::{StyleFit, style_key};
