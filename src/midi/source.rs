//! Source of MIDI events: a trait, so that tests can supply the bytes.

/// An event from a MIDI port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortEvent {
    /// A device was connected.
    Connected {
        /// Name of the device, the same each time it is connected.
        device: String,
        /// Whether it accepts messages, such as those that set LEDs.
        leds: bool,
    },
    /// A device was disconnected.
    Disconnected {
        /// Name of the device.
        device: String,
    },
    /// One message from a device.
    Bytes {
        /// Name of the device.
        device: String,
        /// One complete MIDI message.
        bytes: Vec<u8>,
    },
    /// MIDI is unavailable on this computer, with the reason.
    Unavailable(String),
    /// A message for the performer.
    Message(String),
}

/// MIDI input and output. Never blocks.
pub trait MidiSource: Send {
    /// Returns the oldest pending event, if any.
    fn receive(&mut self) -> Option<PortEvent>;

    /// Sends a message to a device; does nothing if it is disconnected.
    fn send(&mut self, device: &str, bytes: &[u8]);
}
