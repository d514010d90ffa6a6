//! Names of textures that stand for a random one.

/// Parses `randNN` and `randNN_prefix` into the number and the prefix; `None` for other names.
pub fn random_texture(name: &str) -> Option<(u64, &str)> {
    let rest = name.strip_prefix("rand")?;
    let (digits, rest) = (rest.get(..2)?, rest.get(2..)?);
    let number = digits.parse().ok()?;
    match rest.strip_prefix('_') {
        Some(prefix) => Some((number, prefix)),
        None => rest.is_empty().then_some((number, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_names_parse_to_number_and_prefix() {
        assert_eq!(random_texture("rand03"), Some((3, "")));
        assert_eq!(random_texture("rand12_smalltiled"), Some((12, "smalltiled")));
        assert_eq!(random_texture("random"), None);
        assert_eq!(random_texture("rand1"), None);
    }
}
