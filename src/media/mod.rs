//! Video output, the flash meter, and the look of a picture.

pub mod animation;
pub mod deck_look;
pub mod flash;
pub mod still;
pub mod video;
