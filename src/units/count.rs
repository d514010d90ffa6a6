//! Counts with nouns, for messages.

/// Returns a count with its noun, such as `1 preset` or `2 presets`. The plural of `noun` must be `noun` plus `s`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn only_one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "ban")), ["0 bans", "1 ban", "2 bans"]);
    }
}
