//! The folders for the program's data and the performer's settings.

use std::env;
use std::path::PathBuf;

/// The folders that the program uses besides the preset library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFolders {
    /// Store, set logs and bakes, written by the program.
    pub data: PathBuf,
    /// Settings and MIDI profiles, also edited by hand.
    pub config: PathBuf,
}

impl UserFolders {
    /// Returns the platform's standard folders. `AIVJ_DATA` and `AIVJ_CONFIG` override them; if only
    /// `AIVJ_DATA` is set, it applies to both. Returns `None` if the user has no home folder.
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
