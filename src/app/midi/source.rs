//! Where MIDI comes from: a trait, so that tests feed bytes and the show does not know the difference.

/// Something that happened on the MIDI side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortEvent {
    /// A device is there.
    Came {
        /// Its name, the same each time it is plugged in.
        device: String,
        /// It takes messages too, so that its lamps can be lit.
        lamps: bool,
    },
    /// A device is gone.
    Gone {
        /// Its name.
        device: String,
    },
    /// One message from a device.
    Bytes {
        /// Its name.
        device: String,
        /// One complete MIDI message.
        bytes: Vec<u8>,
    },
    /// There is no MIDI on this machine, which is nothing to worry about; why, in words.
    Absent(String),
    /// Something the performer should know.
    Trouble(String),
}

/// MIDI devices as the show sees them. Never waits.
pub trait MidiSource {
    /// The oldest news, if there is some.
    fn receive(&mut self) -> Option<PortEvent>;

    /// Sends one message to a device; silently nothing when it is gone.
    fn send(&mut self, device: &str, bytes: &[u8]);
}
