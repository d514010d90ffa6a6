//! Lines from other processes, which may contain any bytes.

use std::io::BufRead;

/// Iterates over the lines of `input` until it ends or fails. Bytes that are not UTF-8 are replaced, so that they do
/// not hide the lines after them.
pub fn lossy_lines(input: impl BufRead) -> impl Iterator<Item = String> {
    let lines = input.split(b'\n').map_while(Result::ok);
    lines.map(|line| String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_after_invalid_bytes_are_read() {
        let lines: Vec<String> = lossy_lines(&b"one\n\xff\xfe\nstop"[..]).collect();
        assert_eq!(lines, ["one", "\u{fffd}\u{fffd}", "stop"]);
    }
}
