//! Audio sources (devices, files and the built-in demo track) and the audio clock.
//!
//! Every source delivers the same format through [`Source::read`]: stereo `f32` at [`SAMPLE_RATE_HZ`], numbered by a
//! running sample clock. Reading never blocks on a device: missing audio is replaced by silence, and [`AudioState`]
//! reports the reason. Music analysis is in [`crate::analysis`].

pub mod capture;
mod clicks;
mod decode;
pub mod demo;
mod error;
mod frame;
mod level;
mod pcm;
mod play;
mod resample;
mod source;
mod stereo;
pub mod wav;
mod wav_source;

pub use capture::{
    AudioState, CalibrationError, Capture, Clock, DeviceChoice, Input, InputError, InputKind, Link, doctor,
    inputs, measure_input_delay,
};
pub use clicks::{CLICKS, InputDelay};
pub use decode::{LONGEST_MINUTES, decode, decode_start};
pub use error::AudioError;
pub use frame::{Block, Frame, SAMPLE_RATE_HZ};
pub use level::{FLOOR_DBFS, Level, dbfs};
pub use pcm::Pcm;
pub use play::{FileSource, PcmSource, Playback};
pub use resample::Resampler;
pub use source::Source;

/// Allocator with which tests assert that a callback or its consumer does not allocate; applies to the whole test
/// binary.
#[cfg(test)]
#[global_allocator]
static ALLOCATION_GUARD: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
