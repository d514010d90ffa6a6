//! Describes the computer, for reports of measurements.

use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// Returns the CPU's name, or its architecture if the name is unknown, and the number of cores.
pub fn name() -> String {
    let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()));
    let brand = system.ok().and_then(|system| Some(system.cpus().first()?.brand().trim().to_owned()));
    let brand = brand.filter(|brand| !brand.is_empty()).unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{brand} ({cores} {})", if cores == 1 { "core" } else { "cores" })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_ends_with_the_number_of_cores() {
        let name = super::name();
        assert!(name.ends_with("cores)") || name.ends_with("(1 core)"), "{name}");
    }
}
