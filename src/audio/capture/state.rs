//! What the operator is told about the sound.

/// How the connection to the device stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Looking for an input for the first time.
    #[default]
    Starting,
    /// Sound arrives (it may be silence).
    Running,
    /// The device is gone or dumb; it is looked for all the time.
    Lost,
}

/// The state of a capture; the newest one is read through `Capture::state`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioState {
    /// Name of the device that is listened to, or was last.
    pub device: String,
    /// Its rate in Hz; 0 before the first one opens.
    pub rate_hz: u32,
    /// Its channels; 0 before the first one opens.
    pub channels: u16,
    /// How the connection stands.
    pub link: Link,
    /// Nothing above the threshold of silence was heard for some seconds.
    pub silent: bool,
    /// Chunks lost since the start because the consumer was late.
    pub dropped_blocks: u64,
    /// How often a stream was opened.
    pub connections: u32,
    /// One line for the operator: what happened, what was done, what to try.
    pub message: String,
}
