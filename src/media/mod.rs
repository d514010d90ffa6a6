//! Video output, the flash meter, and the look of a picture.

pub mod animation;
mod deck_look;
pub mod flash;
pub mod still;
pub mod video;

pub use deck_look::DeckLook;
