//! Store errors.

use std::path::PathBuf;

/// Why the store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder cannot be created or used.
    #[error("cannot use the data folder {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// SQLite reported an error.
    #[error("store error: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored value is not valid JSON of the expected type.
    #[error("invalid value in the store: {0}")]
    Json(#[from] serde_json::Error),
    /// The store was written by a newer version of the program, so this version must not change it.
    #[error("{0}")]
    Newer(String),
    /// Another program is opening or repairing the store.
    #[error("another program is opening the store")]
    Busy,
}

/// Returns whether this is an SQLite error that indicates a damaged store.
pub fn is_damage(error: &(dyn std::error::Error + 'static)) -> bool {
    let code = error.downcast_ref().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
}

impl StoreError {
    /// Returns whether another program has locked the store, or is opening or repairing it.
    pub fn is_locked(&self) -> bool {
        let Self::Sqlite(error) = self else { return matches!(self, Self::Busy) };
        matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
        )
    }

    /// Returns whether the store rejected the value itself, so that retrying does not help.
    pub(super) fn is_refusal(&self) -> bool {
        use rusqlite::ErrorCode::{ConstraintViolation, ParameterOutOfRange, TooBig, TypeMismatch};
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(ConstraintViolation | ParameterOutOfRange | TooBig | TypeMismatch)
            ),
            Self::Json(_) => true,
            Self::Folder(..) | Self::Newer(_) | Self::Busy => false,
        }
    }

    /// Returns a short description for the performer.
    pub fn cause(&self) -> String {
        use rusqlite::ErrorCode::{DiskFull, ReadOnly};
        let code = match self {
            Self::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        };
        match code {
            _ if self.is_locked() => "another program has locked the store".into(),
            Some(DiskFull) => "the disk is full".into(),
            Some(ReadOnly) => "the store is read-only".into(),
            _ => self.to_string(),
        }
    }
}
