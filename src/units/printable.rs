//! Text that is safe to print in a terminal.

/// Returns `text` with its control characters escaped, such as `\u{1b}` and `\n`. Without escaping, a file name could
/// move the cursor or start a new line.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("Ä b.milk"), "Ä b.milk");
        assert_eq!(printable("a\x1b[2J\nb\u{9b}"), r"a\u{1b}[2J\nb\u{9b}");
    }
}
