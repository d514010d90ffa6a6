//! The settings of a running show: current values, available choices, and the file they are saved to.
//!
//! Files and audio systems are queried on separate threads; the show never waits for them.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use crate::archive::open_store;
use crate::audio;
use crate::desk::SettingsView;
use crate::disk::{self, FileKind};
use crate::handoff::Latest;
use crate::library::pack::MANIFEST_FILE;
use crate::library::{SETTINGS_FILE, Setting, Settings, UserFolders, put_setting};

/// The choices that the Settings page offers.
#[derive(Clone, Debug, Default)]
struct Choices {
    inputs: Vec<String>,
    libraries: Vec<PathBuf>,
    midi: Vec<String>,
    refreshing: bool,
}

/// The settings, the folder of the settings file, and the choices offered on the Settings page.
pub(super) struct Preferences {
    settings: Settings,
    config: Option<PathBuf>,
    choices: Latest<Choices>,
    edits: Option<Sender<Setting>>,
    writer: Option<JoinHandle<()>>,
    problem: Receiver<String>,
}

impl Preferences {
    /// Creates preferences with these `settings`; changes are saved to the file in `config`.
    pub fn open(settings: Settings, config: Option<PathBuf>) -> anyhow::Result<Self> {
        let (edits, waiting) = mpsc::channel::<Setting>();
        let (errors, problem) = mpsc::channel();
        let folder = config.clone();
        let work = move || {
            for setting in waiting {
                if let Some(folder) = &folder
                    && let Err(error) = put_setting(folder, &setting)
                {
                    errors.send(error.to_string()).ok(); // Fails only after the show has ended.
                }
            }
        };
        let writer = std::thread::Builder::new().name("settings".into()).spawn(work)?;
        let choices = Latest::new(Choices::default());
        Ok(Self { settings, config, choices, edits: Some(edits), writer: Some(writer), problem })
    }

    /// Returns the settings currently in effect.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes a setting and saves it in the background.
    pub fn put(&mut self, setting: Setting) {
        setting.apply(&mut self.settings);
        if let Some(edits) = &self.edits {
            edits.send(setting).ok(); // Fails only if the writer has panicked, which was reported.
        }
    }

    /// Returns the folder of the selected set of MIDI profiles; `None` without a settings folder.
    pub fn midi_folder(&self) -> Option<PathBuf> {
        Some(self.settings.midi_folder(self.config.as_deref()?))
    }

    /// Refreshes the lists of inputs, libraries and MIDI profile sets in the background.
    pub fn refresh(&self) {
        let before = self.choices.read();
        if before.refreshing {
            return;
        }
        self.choices.publish(Choices { refreshing: true, ..(*before).clone() });
        let (choices, config) = (self.choices.clone(), self.config.clone());
        let work = move || choices.publish(choices_now(config.as_deref()));
        if let Err(error) = std::thread::Builder::new().name("refresh".into()).spawn(work) {
            log::warn!("could not refresh inputs and libraries: {error}");
            self.choices.publish((*before).clone());
        }
    }

    /// Returns the state of the Settings page, except for fields such as the displays, which the caller fills in.
    pub fn view(&self) -> SettingsView {
        let choices = self.choices.read();
        SettingsView {
            settings: self.settings.clone(),
            inputs: choices.inputs.clone(),
            refreshing: choices.refreshing,
            libraries: choices.libraries.clone(),
            midi: choices.midi.clone(),
            file: self.config.as_ref().map(|folder| folder.join(SETTINGS_FILE).display().to_string()),
            ..SettingsView::default()
        }
    }

    /// Returns the latest write error since the last call, if any.
    pub fn problem(&self) -> Option<String> {
        self.problem.try_iter().last()
    }
}

impl Drop for Preferences {
    /// Waits until all changes are saved.
    fn drop(&mut self) {
        self.edits = None;
        if let Some(writer) = self.writer.take() {
            writer.join().ok(); // If the thread has panicked, nothing more can be saved.
        }
    }
}

fn choices_now(config: Option<&Path>) -> Choices {
    let mut inputs: Vec<String> = Vec::new();
    for input in audio::inputs() {
        if !inputs.contains(&input.name) {
            inputs.push(input.name);
        }
    }
    Choices {
        inputs,
        libraries: libraries(),
        midi: config
            .map_or_else(Vec::new, |config| folders(&config.join("midi")))
            .iter()
            .filter_map(|folder| folder.file_name().map(|name| name.to_string_lossy().into_owned()))
            .collect(),
        refreshing: false,
    }
}

/// Lists the user's packs, and the scanned folders that still exist, sorted by path.
fn libraries() -> Vec<PathBuf> {
    let known = open_store().and_then(|(store, _)| Ok(store.libraries()?));
    let mut found = known.unwrap_or_else(|error| {
        log::warn!("cannot list known libraries: {error:#}");
        Vec::new()
    });
    found.retain(|root| is_kind(root, FileKind::Folder));
    let packs = UserFolders::of_user().map_or_else(Vec::new, |places| folders(&places.data.join("packs")));
    found.extend(packs.into_iter().filter(|pack| is_kind(&pack.join(MANIFEST_FILE), FileKind::Regular)));
    found.sort();
    found.dedup();
    found
}

/// Lists the folders in a folder, sorted by name.
fn folders(within: &Path) -> Vec<PathBuf> {
    let items = disk::list(within).unwrap_or_default(); // A missing folder has none.
    let paths = items.into_iter().map(|item| within.join(item.name));
    paths.filter(|path| is_kind(path, FileKind::Folder)).collect()
}

fn is_kind(path: &Path, kind: FileKind) -> bool {
    disk::kind(path).is_ok_and(|found| found == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_apply_at_once_and_are_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut preferences =
            Preferences::open(Settings::default(), Some(folder.path().to_owned())).expect("starts");
        preferences.put(Setting::Dwell(2.0));
        preferences.put(Setting::Midi(Some("club".into())));
        assert_eq!(preferences.view().settings.dwell, Some(2.0));
        assert_eq!(preferences.midi_folder(), Some(folder.path().join("midi/club")));
        let settings = preferences.view().settings;
        drop(preferences);
        assert_eq!(Settings::read(folder.path()), (settings, Vec::new()));
    }

    #[test]
    fn a_file_that_cannot_be_edited_is_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(SETTINGS_FILE)).expect("made");
        let mut preferences =
            Preferences::open(Settings::default(), Some(folder.path().to_owned())).expect("starts");
        preferences.put(Setting::Guard(false));
        let problem = std::iter::from_fn(|| {
            std::thread::yield_now();
            Some(preferences.problem())
        });
        let problem = problem.flatten().next().expect("problem");
        assert!(problem.contains(SETTINGS_FILE), "{problem}");
    }
}
