//! Interface to an audio host, used by the supervisor and the doctor. [`super::devices`] implements it with cpal; tests
//! use a fake.

use super::tap::Tap;

/// Kind of audio input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Microphone or line input.
    Input,
    /// Recording of the audio that this computer plays.
    Loopback,
}

/// An available audio input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Name shown by the system.
    pub name: String,
    /// Audio host, such as `PulseAudio` or `WASAPI`.
    pub host: String,
    /// Kind of input.
    pub kind: InputKind,
    /// Whether this is the system's default input.
    pub preferred: bool,
    /// Stable ID on this computer.
    pub id: String,
}

impl Input {
    /// Returns whether the name or the ID contains `pattern`, ignoring case.
    pub fn matches(&self, pattern: &str) -> bool {
        let pattern = pattern.to_lowercase();
        self.name.to_lowercase().contains(&pattern) || self.id.to_lowercase().contains(&pattern)
    }
}

/// Which input to capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The system's default input or, if that stays silent, another with a signal.
    #[default]
    Automatic,
    /// The first input whose name or ID contains this text, ignoring case.
    Named(String),
}

/// Why an input cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The driver did not answer in time.
    #[error("the driver is not responding")]
    Timeout,
    /// The device has been removed.
    #[error("the device is no longer available")]
    Gone,
    /// The device opened but delivered no samples.
    #[error("the device delivers no audio")]
    NoAudio,
    /// Too many streams are waiting for the reader.
    #[error("the audio reader is busy")]
    ReaderBusy,
    /// Error message from the driver.
    #[error("{0}")]
    Driver(String),
}

/// A stream that runs until dropped.
pub(crate) struct OpenStream {
    pub(crate) rate_hz: u32,
    pub(crate) channels: u16,
    /// Whether the driver stops its callbacks while nothing plays (WASAPI loopback), so missing callbacks are normal.
    pub(crate) idle_when_quiet: bool,
    pub(crate) stream: Box<dyn Send>,
}

/// One or more audio hosts.
pub(crate) trait Host: Send + Sync + 'static {
    /// Returns all inputs, the most likely choices first. May block for a few seconds.
    fn inputs(&self) -> Vec<Input>;

    /// Opens an input and starts its stream. May block for a few seconds.
    fn open(&self, input: &Input, tap: Tap) -> Result<OpenStream, InputError>;
}
