//! Watches the preset on air: whether its picture is black, white or still, whether its code exceeds its budget, and
//! whether the device takes far too long to draw it.
//!
//! A watch only measures and judges; the show decides what to do.

mod deck_watch;
mod picture_watch;

pub use deck_watch::{DeckWatch, DrawnDecks, Slowness};
pub use picture_watch::{Conditions, LONGEST_STEP_SECS, PictureFault, PictureWatch};
