//! The pages of the desk.

/// A page of the desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The running show.
    #[default]
    Live,
    /// All presets.
    Library,
    /// All presets on a map, arranged by look.
    Map,
    /// MIDI devices and bindings.
    Midi,
    /// Overnight bakes.
    Bake,
    /// Audio input, MIDI profile set, output, safety, director and presets.
    Settings,
    /// All key bindings.
    Keys,
}

impl Page {
    /// Every page, in the order of the tabs.
    pub const ALL: [Self; 7] =
        [Self::Live, Self::Library, Self::Map, Self::Midi, Self::Bake, Self::Settings, Self::Keys];

    /// Returns the label of the page's tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Library => "Library",
            Self::Map => "Map",
            Self::Midi => "MIDI",
            Self::Bake => "Bake",
            Self::Settings => "Settings",
            Self::Keys => "Keys",
        }
    }
}
