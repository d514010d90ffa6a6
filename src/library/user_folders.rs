//! Where the program keeps what it remembers, and where the performer's settings lie.

use std::env;
use std::path::PathBuf;

/// Folders outside the library itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFolders {
    /// The store, set logs, bakes: written by the program.
    pub data: PathBuf,
    /// Settings and MIDI profiles: written by hand as well.
    pub config: PathBuf,
}

impl UserFolders {
    /// The platform's own folders. `AIVJ_DATA` and `AIVJ_CONFIG` override them; with `AIVJ_DATA` alone both are there.
    /// Nothing on a machine that has no home for its user.
    pub fn of_user() -> Option<Self> {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = set("AIVJ_DATA");
        let config = set("AIVJ_CONFIG").or_else(|| data.clone());
        if let (Some(data), Some(config)) = (&data, &config) {
            return Some(Self { data: data.clone(), config: config.clone() });
        }
        let own = directories::ProjectDirs::from("", "", "aivj")?;
        Some(Self {
            data: data.unwrap_or_else(|| own.data_dir().to_owned()),
            config: config.unwrap_or_else(|| own.config_dir().to_owned()),
        })
    }
}
