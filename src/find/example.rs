//! The preset that a description uses for comparison.

/// Phrases that refer to the current preset.
const THIS: [&str; 4] = ["this one", "that one", "this", "that"];

/// The preset that a description uses for comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Example {
    /// The preset with this name.
    Name(String),
    /// A preset that depends on what the performer sees.
    Reference(Reference),
}

/// A preset that a description refers to without naming it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The current preset: "like this".
    This,
    /// A preset among the results shown last, counted from 1: "like 3".
    Number(usize),
}

impl Reference {
    /// Returns the message for a reference to a preset that does not exist.
    pub(super) fn problem(self) -> String {
        match self {
            Self::This => {
                "there is no current preset for \"this\" to refer to; use \"like NAME\" instead".into()
            }
            Self::Number(number) => {
                format!(
                    "there is no result number {number}; if {number} is a name, put it in quotation marks"
                )
            }
        }
    }
}

impl Example {
    /// Parses what follows "like": a number, `this` or a name. Also returns the words after `this`.
    pub fn parse(text: &str) -> Option<(Self, &str)> {
        let text = text.trim_matches([' ', '.', '!', '?']);
        if let Ok(number) = text.trim_start_matches('#').parse() {
            return Some((Self::Reference(Reference::Number(number)), ""));
        }
        let this = THIS.iter().find_map(|this| text.strip_prefix(this));
        if let Some(rest) = this.filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
            return Some((Self::Reference(Reference::This), rest));
        }
        let name = text.trim_matches('"');
        (!name.is_empty()).then(|| (Self::Name(name.to_owned()), ""))
    }

    /// Returns a text that parses to the same preset.
    pub fn text(&self) -> String {
        match self {
            Self::Name(name) => format!("like \"{name}\""),
            Self::Reference(Reference::This) => "like this".into(),
            Self::Reference(Reference::Number(number)) => format!("like {number}"),
        }
    }
}
