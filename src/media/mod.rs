//! Video output, and the flash meter.

pub mod animation;
pub mod flash;
pub mod video;
