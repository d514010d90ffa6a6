//! Argument values shared by several commands.

/// Parses `WIDTHxHEIGHT`, each from 1 to 8192.
pub(super) fn size(text: &str) -> Result<[u32; 2], String> {
    let sides = text.split_once(['x', 'X']).ok_or("expected WIDTHxHEIGHT, for example 640x360")?;
    let side = |text: &str| match text.trim().parse::<u32>() {
        Ok(side @ 1..=8192) => Ok(side),
        _ => {
            Err(format!("{text} is not a number from 1 to 8192; expected WIDTHxHEIGHT, for example 640x360"))
        }
    };
    Ok([side(sides.0)?, side(sides.1)?])
}

/// Returns the number of CPU cores.
pub(super) fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
