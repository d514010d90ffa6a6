//! Splits source text into tokens.

use super::error::CompileError;

/// A token and its byte offset in the source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    /// An identifier, in lower case.
    Name(String),
    /// An operator or punctuation.
    Symbol(&'static str),
}

/// Maximum number of characters in `$'c'`; an `f64` represents an integer of that many bytes exactly.
const MAX_QUOTED: usize = 6;
const MAX_MASK_BITS: i32 = 53;

/// Operators and punctuation, longest first.
const SYMBOLS: &[&str] = &[
    "===", "!==", "<<", ">>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "^=", "|=",
    "&=", "~=", "+", "-", "*", "/", "%", "^", "|", "&", "~", "!", "=", "<", ">", "?", ":", "(", ")", "[",
    "]", ",", ";",
];

/// Splits `source` into tokens, skipping comments (`//`, `\\`, `/* */`) and white space.
pub(super) fn lex(source: &str) -> Result<Vec<Token>, CompileError> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let skipped = blank_length(rest);
        if skipped > 0 {
            at += skipped;
            continue;
        }
        let (kind, length) = match rest[0] {
            b'0'..=b'9' | b'.' => number(rest),
            b'$' => dollar(rest).ok_or_else(|| CompileError::new(at, "unknown constant after '$'"))?,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => name(source, at),
            _ => symbol(rest).ok_or_else(|| {
                let found = source[at..].chars().next().unwrap_or(' ');
                CompileError::new(at, format!("unexpected character {found:?}"))
            })?,
        };
        tokens.push(Token { kind, at });
        at += length;
    }
    Ok(tokens)
}

/// Returns the length in bytes of the white space, comment or stray byte at the start of `rest`; 0 if there
/// is none.
fn blank_length(rest: &[u8]) -> usize {
    let line = || rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
    match rest {
        [b'/', b'/', ..] | [b'\\', b'\\', ..] => line(),
        [b'/', b'*', inside @ ..] => {
            inside.windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |end| end + 4)
        }
        [byte, ..] if byte.is_ascii_whitespace() || *byte < 32 => 1,
        // Some presets contain stray backslashes or non-ASCII bytes.
        [b'\\', ..] => 1,
        [byte, ..] if *byte >= 128 => 1,
        _ => 0,
    }
}

fn number(rest: &[u8]) -> (Kind, usize) {
    if let [b'0', b'x' | b'X', digits @ ..] = rest {
        let length = digits.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        return (Kind::Number(hex(&digits[..length])), length + 2);
    }
    let mut length = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    // Anything after a second decimal point is ignored: "1.2.3" is 1.2.
    let text: String = rest[..length].iter().map(|&b| char::from(b)).collect();
    let mut parts = text.splitn(3, '.');
    let (whole, fraction) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let mut exponent = String::new();
    if let [b'e' | b'E', tail @ ..] = &rest[length..] {
        let signed = usize::from(matches!(tail.first(), Some(b'+' | b'-')));
        let digits = tail[signed..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            exponent = String::from_utf8_lossy(&rest[length..length + 1 + signed + digits]).into_owned();
            length += 1 + signed + digits;
        }
    }
    let value = format!("{whole}.{fraction}0{exponent}");
    let value = if value.starts_with('.') { format!("0{value}") } else { value };
    (Kind::Number(value.parse().unwrap_or(0.0)), length)
}

fn hex(digits: &[u8]) -> f64 {
    digits
        .iter()
        .fold(0.0, |value, &digit| value * 16.0 + f64::from(char::from(digit).to_digit(16).unwrap_or(0)))
}

/// Parses `$pi`, `$e`, `$phi`, `$xFF`, `$~8` (a mask of the eight lowest bits) and `$'c'` (the characters as the
/// bytes of a big-endian integer). Returns `None` for anything else.
fn dollar(rest: &[u8]) -> Option<(Kind, usize)> {
    let tail = rest.get(1..)?;
    let starts = |word: &[u8]| tail.len() >= word.len() && tail[..word.len()].eq_ignore_ascii_case(word);
    if let [b'\'', quoted @ ..] = tail {
        let end = quoted.iter().take(MAX_QUOTED + 1).position(|&c| c == b'\'')?;
        let number = quoted[..end].iter().fold(0.0, |number, &c| number * 256.0 + f64::from(c));
        return Some((Kind::Number(number), end + 3));
    }
    if let [b'~', digits @ ..] = tail {
        let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
        let bits = std::str::from_utf8(&digits[..length]).ok()?.parse::<i32>().ok()?.min(MAX_MASK_BITS);
        return Some((Kind::Number(2.0_f64.powi(bits) - 1.0), 2 + length));
    }
    for (word, value) in
        [(&b"pi"[..], std::f64::consts::PI), (b"phi", 1.618_033_988_749_895), (b"e", std::f64::consts::E)]
    {
        if starts(word) {
            return Some((Kind::Number(value), 1 + word.len()));
        }
    }
    if starts(b"x") {
        let length = tail[1..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        return Some((Kind::Number(hex(&tail[1..1 + length])), 2 + length));
    }
    None
}

fn name(source: &str, at: usize) -> (Kind, usize) {
    let rest = &source[at..];
    let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
    let length = rest.bytes().take_while(|&b| inside(b)).count();
    (Kind::Name(rest[..length].to_ascii_lowercase()), length)
}

fn symbol(rest: &[u8]) -> Option<(Kind, usize)> {
    let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(symbol.as_bytes()))?;
    Some((Kind::Symbol(symbol), symbol.len()))
}
