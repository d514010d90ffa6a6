//! How the controls of MIDI devices encode their values.

/// How a control encodes its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Absolute position, 0 to 127.
    #[default]
    Absolute,
    /// Absolute position, 0 to 16,383. The coarse part is sent on the controller's number, the fine part on
    /// that number plus 32.
    Absolute14,
    /// Endless encoder whose encoding is detected once it is turned both ways.
    Relative,
    /// Endless encoder: 1, 2, ... clockwise; 127, 126, ... anticlockwise.
    TwosComplement,
    /// Endless encoder: 65, 66, ... clockwise; 63, 62, ... anticlockwise.
    Offset64,
    /// Endless encoder: 1, 2, ... clockwise; 65, 66, ... anticlockwise, as in Mackie Control.
    SignedBit,
    /// Endless encoder: 65, 66, ... clockwise; 1, 2, ... anticlockwise.
    SignedBit2,
    /// Endless encoder: 127 clockwise, 0 anticlockwise, one step each.
    OnOff,
    /// Button that sends one message per press and none on release; its values alternate between 127 and 0 or
    /// never change.
    Toggle,
}

impl Encoding {
    /// Every encoding, in the order of the list on the desk.
    pub const ALL: [Self; 9] = [
        Self::Absolute,
        Self::Absolute14,
        Self::Relative,
        Self::TwosComplement,
        Self::Offset64,
        Self::SignedBit,
        Self::SignedBit2,
        Self::OnOff,
        Self::Toggle,
    ];

    /// Returns the name used in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Absolute => "absolute",
            Self::Absolute14 => "absolute14",
            Self::Relative => "relative",
            Self::TwosComplement => "twos_complement",
            Self::Offset64 => "offset64",
            Self::SignedBit => "signed_bit",
            Self::SignedBit2 => "signed_bit2",
            Self::OnOff => "on_off",
            Self::Toggle => "toggle",
        }
    }

    /// Returns the label shown on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Absolute => "Absolute",
            Self::Absolute14 => "Absolute (14-bit)",
            Self::Relative => "Relative (automatic)",
            Self::TwosComplement => "Relative (two's complement)",
            Self::Offset64 => "Relative (offset 64)",
            Self::SignedBit => "Relative (signed bit)",
            Self::SignedBit2 => "Relative (signed bit 2)",
            Self::OnOff => "Relative (on/off)",
            Self::Toggle => "Toggle",
        }
    }

    /// Returns the encoding with this name, if there is one.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.word() == word)
    }

    /// Returns whether this is the encoding of an endless encoder.
    pub fn relative(self) -> bool {
        !matches!(self, Self::Absolute | Self::Absolute14 | Self::Toggle)
    }
}
