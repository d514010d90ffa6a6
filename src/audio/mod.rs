//! Sources of sound: devices, files and the built-in demo track; the audio clock.
//!
//! Every source delivers the same thing through [`Source::read`]: stereo `f32` at [`HOUSE_RATE_HZ`], numbered by
//! a running sample clock. The room never waits for a device: what is missing is silence, and [`AudioState`]
//! says why. Nothing here understands music; see `analysis` for that.

pub mod capture;
mod decode;
pub mod demo;
mod error;
mod pcm;
mod play;
mod resample;
mod source;
mod stereo;
pub mod wav;

pub use capture::{AudioState, Capture, Clock, DeviceChoice, Input, InputKind, Link, doctor, inputs};
pub use decode::{LONGEST_MINUTES, decode};
pub use error::AudioError;
pub use pcm::{Block, FLOOR_DBFS, Frame, HOUSE_RATE_HZ, Level, Pcm, dbfs};
pub use play::{FileSource, PcmSource, Playback};
pub use resample::Resampler;
pub use source::Source;

/// Lets tests assert that a callback and its consumer allocate nothing; the guard of the whole test program.
#[cfg(test)]
#[global_allocator]
static ALLOCATION_GUARD: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
