//! What the supervisor and the doctor need from a sound system. `devices` answers with cpal, tests with a fake.

use super::tap::Tap;

/// Where an input takes its sound from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A microphone or a line.
    Input,
    /// What this computer plays.
    Loopback,
}

/// An input that can be listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Name as the system shows it.
    pub name: String,
    /// Sound system it belongs to, such as `PulseAudio` or `WASAPI`.
    pub host: String,
    /// Where its sound comes from.
    pub kind: InputKind,
    /// True for the input the system would choose.
    pub preferred: bool,
    /// Stable identity within this computer.
    pub id: String,
}

impl Input {
    /// True when `wish` is a part of the name or the identity, whatever the case.
    pub fn answers_to(&self, wish: &str) -> bool {
        let wish = wish.to_lowercase();
        self.name.to_lowercase().contains(&wish) || self.id.to_lowercase().contains(&wish)
    }
}

/// Which input to listen to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The system's choice first; if it stays silent, whatever carries sound.
    #[default]
    Automatic,
    /// The first input whose name holds this text, whatever the case.
    Named(String),
}

/// A stream that runs until it is dropped.
pub(crate) struct Opened {
    pub(crate) rate_hz: u32,
    pub(crate) channels: u16,
    /// The driver stops calling while nothing plays (WASAPI loopback): no calls are no failure.
    pub(crate) rests_when_quiet: bool,
    pub(crate) stream: Box<dyn Send>,
}

/// A sound system, or several.
pub(crate) trait Host: Send + Sync + 'static {
    /// All inputs, the most likely first. May take a second or two, never longer.
    fn inputs(&self) -> Vec<Input>;

    /// Starts listening; the error is what the driver said. May take a few seconds, never longer.
    fn open(&self, input: &Input, tap: Tap) -> Result<Opened, String>;
}
