//! Text files from any platform: UTF-8 with or without a byte order mark, UTF-16, and every kind of line ending.

use std::borrow::Cow;
use std::io::{self, BufRead as _, Read as _};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::error::FileError;
use super::input::{Input, read};
use super::limit::{LIST, STREAM, TEXT};

/// Why bytes cannot be decoded as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Neither UTF-8 nor UTF-16.
    #[error("not UTF-8 or UTF-16 text; save it as UTF-8")]
    Encoding,
    /// UTF-32, which no common program writes.
    #[error("UTF-32 is not supported; save it as UTF-8")]
    Utf32,
}

/// Decodes UTF-8 or UTF-16 and removes the byte order mark. UTF-16 without a mark is recognised by its first
/// character, which has to be ASCII, as in every JSON file (RFC 4627, section 3).
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, TextError> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(TextError::Utf32),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [first, 0, rest @ ..] if *first != 0 && rest.get(1).is_none_or(|byte| *byte == 0) => {
            utf16(bytes, u16::from_le_bytes)
        }
        [0, first, rest @ ..] if *first != 0 && rest.first().is_none_or(|byte| *byte == 0) => {
            utf16(bytes, u16::from_be_bytes)
        }
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, TextError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| TextError::Encoding)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, TextError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(TextError::Encoding);
    }
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    text.map(Cow::Owned).map_err(|_| TextError::Encoding)
}

/// Decodes like [`decode`], but replaces invalid characters, such as those in a file damaged by a crash.
pub fn decode_lossy(bytes: &[u8]) -> Cow<'_, str> {
    decode(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes))
}

/// Reads a text file of at most `limit` bytes; see [`decode`].
///
/// # Errors
/// Fails as [`read`] does; a file that is not text gives an error of kind `InvalidData`.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let invalid = |error: TextError| io::Error::new(io::ErrorKind::InvalidData, error);
    // Rejects a file of zeros without reading all of it: no text starts with 16 zeros in any encoding.
    if Input::open(path, limit)?.fill_buf()?.starts_with(&[0; 16]) {
        return Err(invalid(TextError::Encoding));
    }
    let mut bytes = read(path, limit)?;
    let length = match decode(&bytes).map_err(invalid)? {
        Cow::Owned(text) => return Ok(text),
        Cow::Borrowed(text) => text.len(),
    };
    bytes.drain(..bytes.len() - length); // The byte order mark.
    String::from_utf8(bytes).map_err(|_| invalid(TextError::Encoding))
}

/// Reads a JSON file of at most [`LIST`] bytes; see [`decode`].
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    let text = read_text(path, LIST).map_err(|error| FileError::new(path, &error))?;
    serde_json::from_str(&text).map_err(|error| FileError::new(path, &error))
}

/// Calls `each` with every line of a text file, replacing invalid characters. The file is read in parts, so that it may
/// be larger than the memory, unless it is in UTF-16.
///
/// # Errors
/// Fails as [`read`] does, and if a line is longer than [`TEXT`] bytes; `each` may have been called before.
pub fn each_line(path: &Path, mut each: impl FnMut(&str)) -> io::Result<()> {
    let mut file = Input::open(path, STREAM)?;
    // UTF-8 text contains neither 0xff nor 0xfe, nor, as a rule, a zero.
    if file.fill_buf()?.iter().take(2).any(|byte| matches!(byte, 0 | 0xfe | 0xff)) {
        lines(&decode_lossy(&read(path, LIST)?)).for_each(each);
        return Ok(());
    }
    let mut line = Vec::new();
    loop {
        line.clear();
        (&mut file).take(TEXT).read_until(b'\n', &mut line)?;
        if line.len() as u64 == TEXT && line.last() != Some(&b'\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        if line.is_empty() {
            return Ok(());
        }
        lines(&decode_lossy(&line)).for_each(&mut each);
    }
}

/// Iterates over the lines in `text`, which may end with LF, CR LF or CR.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends_with_cr = !text.contains('\n');
    text.lines().flat_map(move |line| line.split(move |c| ends_with_cr && c == '\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"a\": \"Ünïcode \u{1f3b5}\"}\r\n";

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn text_from_every_platform_is_decoded() {
        let forms = [
            TEXT.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", TEXT.as_bytes()].concat(),
            [b"\xff\xfe".to_vec(), utf16(TEXT, u16::to_le_bytes)].concat(),
            [b"\xfe\xff".to_vec(), utf16(TEXT, u16::to_be_bytes)].concat(),
            utf16(TEXT, u16::to_le_bytes),
            utf16(TEXT, u16::to_be_bytes),
        ];
        for form in forms {
            assert_eq!(decode(&form).as_deref(), Ok(TEXT), "{form:?}");
        }
        for empty in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"] {
            assert_eq!(decode(empty).as_deref(), Ok(""));
        }
    }

    #[test]
    fn invalid_text_is_rejected_with_the_reason() {
        assert_eq!(decode(b"na\xefve"), Err(TextError::Encoding));
        assert_eq!(decode(b"\xff\xfea\0b"), Err(TextError::Encoding), "half a character");
        assert_eq!(decode(b"\xff\xfe\x00\xd8a\0"), Err(TextError::Encoding), "half of a pair");
        assert_eq!(decode(b"\xff\xfe\0\0a\0\0\0"), Err(TextError::Utf32));
        assert_eq!(decode(b"a\0bc").as_deref(), Ok("a\0bc"), "UTF-8 with a zero");
    }

    #[test]
    fn every_kind_of_line_ending_is_recognised() {
        for text in ["a b\nc\n", "a b\r\nc\r\n", "a b\rc", "a b\nc"] {
            assert_eq!(lines(text).collect::<Vec<_>>(), ["a b", "c"], "{text:?}");
        }
    }

    #[test]
    fn lines_are_read_one_by_one_from_text_of_every_platform() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            let mut found = Vec::new();
            each_line(&path, |line| found.push(line.to_owned())).expect("read");
            found
        };
        assert_eq!(read(b"\xef\xbb\xbfa b\r\n\nc"), ["a b", "", "c"]);
        assert_eq!(read(b"a b\rc"), ["a b", "c"]);
        assert_eq!(read(&[b"\xff\xfe".to_vec(), utf16("a b\nc\n", u16::to_le_bytes)].concat()), ["a b", "c"]);
        assert_eq!(read(b"na\xefve\nc"), ["na\u{fffd}ve", "c"]);
        assert!(read(b"").is_empty());
    }

    #[test]
    fn a_list_above_the_limit_for_lists_is_read_up_to_a_line_that_is_too_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("holes");
        std::fs::write(&path, "a\nb\n").expect("written");
        let file = std::fs::File::options().write(true).open(&path).expect("opened");
        file.set_len(LIST + 1).expect("holes");
        let mut found = Vec::new();
        let error = each_line(&path, |line| found.push(line.to_owned())).expect_err("zeros");
        assert_eq!((error.kind(), found), (io::ErrorKind::InvalidData, vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn a_sparse_terabyte_file_is_rejected_without_reading_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("holes");
        std::fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("made");
        let error = read_text(&path, u64::MAX).expect_err("no text");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn json_with_a_byte_order_mark_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file.json");
        std::fs::write(&path, b"\xef\xbb\xbf[1, 2]").expect("written");
        assert_eq!(read_json::<Vec<u8>>(&path), Ok(vec![1, 2]));
        std::fs::write(&path, b"\xff\xfe[").expect("written");
        let error = read_json::<Vec<u8>>(&path).expect_err("half a character").to_string();
        assert!(error.contains("save it as UTF-8") && error.contains("file.json"), "{error}");
    }
}
