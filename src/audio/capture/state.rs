//! State of the live capture as shown to the performer.

/// Connection to the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Looking for the first input.
    #[default]
    Starting,
    /// Receiving audio, possibly silence.
    Running,
    /// The device is missing or delivers nothing; the supervisor keeps looking for it or another input.
    Lost,
}

/// State of a capture; the latest one is read through `Capture::state`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioState {
    /// Name of the current or last device.
    pub device: String,
    /// Sample rate in Hz, 0 before the first device opens.
    pub rate_hz: u32,
    /// Number of channels, 0 before the first device opens.
    pub channels: u16,
    /// Connection to the device.
    pub link: Link,
    /// Whether the device is lost or has stayed below the silence threshold for several seconds.
    pub silent: bool,
    /// Number of blocks dropped because the consumer was late.
    pub dropped_blocks: u64,
    /// Number of streams opened so far.
    pub connections: u32,
    /// One line for the performer: what happened, what was done and what to try.
    pub message: String,
}
