//! Moving pictures as files, and the flash meter: video through ffmpeg, animated WebP without it, and how often a
//! picture flashes.

pub mod animation;
pub mod flash;
pub mod video;
