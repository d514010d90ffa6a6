//! The tokens of a shader.

use std::rc::Rc;

use super::error::Pos;

/// A name. Clones share the text; equal names are not interned.
pub type Name = Rc<str>;

/// Kind of a token, with its value.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// A name or keyword.
    Name(Name),
    /// An integer; `true` if it is unsigned.
    Int(u32, bool),
    /// A number with a fraction, exponent or float suffix, or one too large for an integer.
    Float(f32),
    /// An operator or punctuation mark.
    Mark(&'static str),
    /// A quoted string, without the quotes.
    Text(Name),
    /// A character that HLSL does not use.
    Stray(char),
    /// The end of the source.
    End,
}

/// A token and its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    pub pos: Pos,
    /// Whether the token is the first on its line; always true for [`TokenKind::End`].
    pub starts_line: bool,
    /// Whether there is no whitespace or comment between the previous token and this one.
    pub glued: bool,
}

impl Token {
    pub fn is(&self, mark: &str) -> bool {
        matches!(self.kind, TokenKind::Mark(own) if own == mark)
    }

    pub fn name(&self) -> Option<&Name> {
        match &self.kind {
            TokenKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Returns a description for error messages.
    pub fn describe(&self) -> String {
        match &self.kind {
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Int(value, _) => format!("`{value}`"),
            TokenKind::Float(value) => format!("`{value}`"),
            TokenKind::Mark(mark) => format!("`{mark}`"),
            TokenKind::Text(text) => format!("\"{text}\""),
            TokenKind::Stray(letter) => format!("`{letter}`"),
            TokenKind::End => "the end of the shader".to_owned(),
        }
    }
}
