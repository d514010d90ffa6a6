//! The store and the library as the program opens them.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use crate::library::{self, Catalogue, LibraryPlace, Places, Store, UnixSecs};

/// Seconds since 1970.
pub fn unix_now() -> UnixSecs {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as UnixSecs)
}

/// The performer's store, and what they should know about how it was opened.
pub fn open_store() -> anyhow::Result<(Store, Option<String>)> {
    let Some(places) = Places::of_user() else {
        let notice = "this user has no home folder; set AIVJ_DATA to a folder, or nothing is remembered";
        return Ok((Store::in_memory()?, Some(notice.into())));
    };
    let opened = Store::open(&places.data, unix_now()).context("opening the store")?;
    Ok((opened.store, opened.notice))
}

/// The presets to play, those of a folder or pack or the built-in ones, and what the performer should know about them.
pub fn catalogue(store: &Store, presets: Option<&Path>) -> anyhow::Result<(Catalogue, Vec<String>)> {
    let Some(presets) = presets else { return Ok((Catalogue::built_in(), Vec::new())) };
    let opened = library::open(store, &LibraryPlace::of(presets), unix_now(), |_| ())?;
    Ok((opened.catalogue, opened.messages))
}
