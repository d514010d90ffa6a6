//! Capitalises the first letter of messages.

/// Names that are written in lower case.
const NAMES: [&str; 2] = ["aivj", "ffmpeg"];

/// Returns `text` with a capital first letter. Leaves it unchanged if its first word is a lower-case name, or contains
/// characters other than letters and hyphens, as a path does.
pub(super) fn sentence(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or("").trim_end_matches([',', ':', ';']);
    let plain = word.chars().all(|letter| letter.is_alphabetic() || letter == '-');
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if plain && !NAMES.contains(&word) => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn names_and_paths_keep_their_spelling() {
        assert_eq!(sentence("picture restored"), "Picture restored");
        assert_eq!(sentence("settings: unknown macro"), "Settings: unknown macro");
        for kept in ["", "aivj is already running", "/a/b is missing", "keys.toml: line 3", "'USB' is silent"]
        {
            assert_eq!(sentence(kept), kept);
        }
    }
}
