//! Value parsers and defaults of arguments shared by several commands.

/// Parses `WIDTHxHEIGHT`, each from 1 to 8192.
pub(super) fn size(text: &str) -> Result<[u32; 2], String> {
    pair(text, "expected WIDTHxHEIGHT, for example 640x360")
}

/// Parses `COLUMNSxROWS`, each from 1 to 8192.
pub(super) fn mesh(text: &str) -> Result<[u32; 2], String> {
    pair(text, "expected COLUMNSxROWS, for example 48x36")
}

fn pair(text: &str, expected: &str) -> Result<[u32; 2], String> {
    let (first, second) = text.split_once(['x', 'X']).ok_or(expected)?;
    let number = |text: &str| match text.trim().parse::<u32>() {
        Ok(number @ 1..=8192) => Ok(number),
        _ => Err(format!("{text} is not a number from 1 to 8192; {expected}")),
    };
    Ok([number(first)?, number(second)?])
}

/// Returns the default number of workers: one per available CPU core.
pub(super) fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::{mesh, size};

    #[test]
    fn an_error_names_the_values_that_the_option_expects() {
        assert_eq!(size("640x360"), Ok([640, 360]));
        assert_eq!(mesh("48X36"), Ok([48, 36]));
        assert_eq!(size("640").unwrap_err(), "expected WIDTHxHEIGHT, for example 640x360");
        assert_eq!(mesh("48").unwrap_err(), "expected COLUMNSxROWS, for example 48x36");
        let too_large = "8193 is not a number from 1 to 8192; expected COLUMNSxROWS, for example 48x36";
        assert_eq!(mesh("48x8193").unwrap_err(), too_large);
    }
}
