//! The text of an error and its causes.

use crate::units::printable;

/// Formats an error with its causes, and escapes control characters. Skips a cause if the text so far ends with it.
pub fn error_text(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::error_text;

    #[test]
    fn an_error_names_each_cause_once() {
        use anyhow::Context as _;
        let json = serde_json::from_str::<u8>("").map_err(crate::mind::taste::ImportError::Json);
        let error = json.context("reading a\x1b[2J.json").unwrap_err();
        let text = error_text(&error);
        assert_eq!(
            text,
            r"reading a\u{1b}[2J.json: not valid JSON: EOF while parsing a value at line 1 column 0"
        );
    }
}
