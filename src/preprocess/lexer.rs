//! Splits a shader into tokens.

use super::error::{Error, Pos};
use super::limits;
use super::token::{Token, TokenKind};

/// Operators and punctuation, longest first.
const MARKS: [&str; 47] = [
    "<<=", ">>=", "##", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "==", "!=", "<=", ">=",
    "&&", "||", "<<", ">>", "::", "+", "-", "*", "/", "%", "=", "<", ">", "!", "~", "&", "|", "^", "?", ":",
    ";", ",", ".", "(", ")", "[", "]", "{", "}", "#",
];

/// Splits `source` into tokens; the last one is `TokenKind::End`.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Error> {
    if source.len() > limits::BYTES {
        let message = format!("the shader has {} bytes; the limit is {}", source.len(), limits::BYTES);
        return Error::limit(Pos::default(), message);
    }
    let mut lexer = Lexer { rest: source, pos: Pos { line: 1, column: 1 }, starts_line: true, glued: false };
    let mut found = Vec::with_capacity(source.len() / 3);
    loop {
        lexer.skip_space()?;
        let (pos, starts_line, glued) = (lexer.pos, lexer.starts_line, lexer.glued);
        let kind = lexer.token()?;
        (lexer.starts_line, lexer.glued) = (false, true);
        let end = kind == TokenKind::End;
        found.push(Token { kind, pos, starts_line: starts_line || end, glued });
        if end {
            return Ok(found);
        }
        if found.len() > limits::TOKENS {
            return Error::limit(pos, format!("more than {} tokens", limits::TOKENS));
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    pos: Pos,
    starts_line: bool,
    glued: bool,
}

impl Lexer<'_> {
    /// Skips the next `bytes` bytes of the source.
    fn advance(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        for letter in skipped.chars() {
            if letter == '\n' {
                self.pos.line += 1;
                self.pos.column = 1;
            } else {
                self.pos.column += 1;
            }
        }
        self.rest = rest;
    }

    /// Skips whitespace, comments and line continuations.
    fn skip_space(&mut self) -> Result<(), Error> {
        loop {
            let bytes = self.rest.as_bytes();
            let length = match bytes {
                [b'/', b'/', ..] => self.rest.find('\n').unwrap_or(self.rest.len()),
                [b'/', b'*', ..] => match self.rest.find("*/") {
                    // `/*/` does not close its own comment.
                    Some(1) => self.rest[3..].find("*/").map_or(self.rest.len(), |at| at + 5),
                    Some(at) => at + 2,
                    None => self.rest.len(),
                },
                [b'\\', b'\n', ..] => 2,
                [b'\\', b'\r', b'\n', ..] => 3,
                [b'\n', ..] => {
                    self.starts_line = true;
                    1
                }
                [byte, ..] if byte.is_ascii_whitespace() || *byte == 11 || *byte == 0 => 1,
                _ if self.rest.starts_with('\u{feff}') || self.rest.starts_with('\u{a0}') => {
                    self.rest.chars().next().map_or(0, char::len_utf8)
                }
                _ => return Ok(()),
            };
            self.glued = false;
            self.advance(length);
        }
    }

    fn token(&mut self) -> Result<TokenKind, Error> {
        let Some(first) = self.rest.chars().next() else { return Ok(TokenKind::End) };
        let second = self.rest.as_bytes().get(1).copied().unwrap_or(0);
        if first.is_ascii_alphabetic() || first == '_' {
            let length = word_length(self.rest);
            let name = self.rest[..length].into();
            self.advance(length);
            return Ok(TokenKind::Name(name));
        }
        if first.is_ascii_digit() || first == '.' && second.is_ascii_digit() {
            return self.number();
        }
        if first == '"' {
            let length = self.rest[1..].find(['"', '\n']).map_or(self.rest.len() - 1, |at| at);
            let text = self.rest[1..=length].into();
            let closed = self.rest.as_bytes().get(length + 1) == Some(&b'"');
            self.advance(length + 1 + usize::from(closed));
            return Ok(TokenKind::Text(text));
        }
        if let Some(mark) = MARKS.iter().find(|mark| self.rest.starts_with(**mark)) {
            self.advance(mark.len());
            return Ok(TokenKind::Mark(mark));
        }
        self.advance(first.len_utf8());
        Ok(TokenKind::Stray(first))
    }

    fn number(&mut self) -> Result<TokenKind, Error> {
        let pos = self.pos;
        let bytes = self.rest.as_bytes();
        let digits_from =
            |at: usize| bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        if bytes[0] == b'0' && matches!(bytes.get(1), Some(b'x' | b'X')) {
            let length = bytes[2..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
            let value = u32::from_str_radix(&self.rest[2..2 + length], 16);
            self.advance(2 + length);
            let unsigned = self.suffix(&['u', 'U', 'l', 'L']).contains(['u', 'U']);
            return match value {
                Ok(value) => Ok(TokenKind::Int(value, unsigned)),
                Err(_) => Error::syntax(pos, "a hexadecimal number needs one to eight digits"),
            };
        }
        let mut length = digits_from(0);
        let mut whole = true;
        if bytes.get(length) == Some(&b'.') && !starts_member(&self.rest[length + 1..]) {
            whole = false;
            length += 1 + digits_from(length + 1);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits_from(length + 1 + sign);
            if exponent > 0 {
                whole = false;
                length += 1 + sign + exponent;
            }
        }
        let text = &self.rest[..length];
        let value: f64 = text.parse().unwrap_or(0.0);
        let octal = (text.len() > 1 && text.starts_with('0')).then(|| u32::from_str_radix(text, 8).ok());
        self.advance(length);
        if whole {
            let suffix = self.suffix(&['u', 'U', 'l', 'L']);
            let unsigned = suffix.contains(['u', 'U']);
            let is_float =
                suffix.is_empty() && matches!(self.rest.as_bytes().first(), Some(b'f' | b'F' | b'h' | b'H'));
            if !is_float && value <= f64::from(u32::MAX) {
                let value = octal.flatten().unwrap_or(value as u32);
                return Ok(TokenKind::Int(value, unsigned));
            }
        }
        self.suffix(&['f', 'F', 'h', 'H', 'l', 'L']);
        // Values beyond the range of a float saturate.
        let value = (value as f32).clamp(f32::MIN, f32::MAX);
        Ok(TokenKind::Float(value))
    }

    /// Skips and returns a suffix of up to two `allowed` letters; empty if the next word is anything else.
    fn suffix(&mut self, allowed: &[char]) -> String {
        let length = word_length(self.rest);
        let text = &self.rest[..length];
        if length > 2 || !text.chars().all(|letter| allowed.contains(&letter)) {
            return String::new();
        }
        let text = text.to_owned();
        self.advance(length);
        text
    }
}

fn word_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// Returns true if a component name follows the dot, as in `1.xxx`.
fn starts_member(text: &str) -> bool {
    let word = &text[..word_length(text)];
    let components = |set: &str| word.len() <= 4 && word.chars().all(|letter| set.contains(letter));
    !word.is_empty() && (components("xyzw") || components("rgba"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<TokenKind> {
        let mut kinds: Vec<_> = tokens(source).expect("tokens").into_iter().map(|token| token.kind).collect();
        kinds.pop();
        kinds
    }

    #[test]
    fn number_literals_get_their_types() {
        use TokenKind::{Float, Int, Mark, Name};
        let (dot, x) = (Mark("."), Name("xxx".into()));
        assert_eq!(kinds("1 7u 0x1F 010"), [Int(1, false), Int(7, true), Int(31, false), Int(8, false)]);
        assert_eq!(kinds("1. .5 1e3 2.5f"), [Float(1.0), Float(0.5), Float(1000.0), Float(2.5)]);
        assert_eq!(kinds("1.xxx 1.0.xxx"), [Int(1, false), dot.clone(), x.clone(), Float(1.0), dot, x]);
        assert_eq!(kinds("1e40 5000000000"), [Float(f32::MAX), Float(5e9)]);
        assert_eq!(kinds("3f 2h"), [Float(3.0), Float(2.0)]);
    }

    #[test]
    fn comments_and_line_continuations_are_skipped() {
        let found = tokens("a // b\n/* c\nd */ e \\\n f").expect("tokens");
        let places: Vec<_> = found.iter().map(|t| (t.pos.line, t.pos.column, t.starts_line)).collect();
        assert_eq!(places, [(1, 1, true), (3, 6, true), (4, 2, false), (4, 3, true)]);
        assert_eq!(kinds("/*/ a */ b").len(), 1);
    }
}
