//! Decodes MIDI bytes into control events (MIDI 1.0 channel voice messages).

use std::fmt;

/// Kind of message that a control sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A key or a pad.
    Note,
    /// A knob, fader, encoder or button.
    Cc,
    /// A pitch wheel, or a fader that sends pitch bend.
    Bend,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Note, Self::Cc, Self::Bend];

    /// Returns the name used in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Cc => "cc",
            Self::Bend => "bend",
        }
    }
}

/// Address of a control on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Kind of message that the control sends.
    pub kind: Kind,
    /// Channel, 1 to 16.
    pub channel: u8,
    /// Note or controller number, 0 to 127; 0 for pitch bend.
    pub number: u8,
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { kind, channel, number } = self;
        match kind {
            Kind::Note => write!(out, "Note {number} ch {channel}"),
            Kind::Cc => write!(out, "CC {number} ch {channel}"),
            Kind::Bend => write!(out, "Bend ch {channel}"),
        }
    }
}

/// A movement of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Address of the control.
    pub address: Address,
    /// Value: 0 to 127, or 0 to 16,383 for pitch bend; 0 for a released note.
    pub value: u16,
}

impl Event {
    /// Parses one complete message. Returns `None` if it is incomplete or not a control message.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let &[status, first, second] = bytes else { return None };
        if first > 127 || second > 127 {
            return None;
        }
        let channel = (status & 0x0f) + 1;
        let plain = |kind, value| Self { address: Address { kind, channel, number: first }, value };
        match status & 0xf0 {
            0x80 => Some(plain(Kind::Note, 0)),
            0x90 => Some(plain(Kind::Note, u16::from(second))),
            0xb0 => Some(plain(Kind::Cc, u16::from(second))),
            0xe0 => Some(Self {
                address: Address { kind: Kind::Bend, channel, number: 0 },
                value: u16::from(second) << 7 | u16::from(first),
            }),
            _ => None,
        }
    }

    /// Returns the value scaled to the range from 0 to 1.
    pub fn share(&self) -> f32 {
        let full = if self.address.kind == Kind::Bend { 16_383.0 } else { 127.0 };
        f32::from(self.value) / full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_messages_are_read() {
        let event = |bytes: &[u8]| Event::decode(bytes).map(|e| (e.address.to_string(), e.value));
        assert_eq!(event(&[0x90, 60, 100]), Some(("Note 60 ch 1".into(), 100)));
        assert_eq!(event(&[0x90, 60, 0]), Some(("Note 60 ch 1".into(), 0)));
        assert_eq!(event(&[0x83, 60, 64]), Some(("Note 60 ch 4".into(), 0)));
        assert_eq!(event(&[0xbf, 7, 127]), Some(("CC 7 ch 16".into(), 127)));
        assert_eq!(event(&[0xe0, 0x7f, 0x7f]), Some(("Bend ch 1".into(), 16_383)));
    }

    #[test]
    fn noise_is_not_an_event() {
        let noise: [&[u8]; 6] =
            [&[], &[0xf8], &[0x90, 60], &[0x90, 200, 3], &[0xf0, 1, 2, 3, 0xf7], &[0xc0, 5]];
        for bytes in noise {
            assert_eq!(Event::decode(bytes), None, "{bytes:?}");
        }
    }
}
