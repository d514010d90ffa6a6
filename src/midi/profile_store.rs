//! MIDI profiles on disk, loaded and saved by a separate thread so that the show never waits for a file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use super::profile::MidiProfile;
use crate::disk;
use crate::library::edited;

/// A result from the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched {
    /// A device's profile; it has no bindings if none was saved or the file cannot be read.
    MidiProfile(MidiProfile),
    /// A message for the performer.
    Message(String),
}

enum StoreRequest {
    Fetch(String),
    Save(MidiProfile),
}

/// Handle to the thread that loads and saves profiles. Each device has one profile.
pub struct ProfileStore {
    requests: Option<Sender<StoreRequest>>,
    fetched: Receiver<Fetched>,
    thread: Option<JoinHandle<()>>,
}

impl ProfileStore {
    /// Opens the store in `folder`. Without a folder, profiles are neither loaded nor saved.
    pub fn open(folder: Option<PathBuf>) -> Self {
        let (requests, waiting) = mpsc::channel();
        let (report, fetched) = mpsc::channel();
        let work = move || {
            for request in waiting {
                let done = match (request, &folder) {
                    (StoreRequest::Fetch(device), Some(folder)) => fetch(folder, device),
                    (StoreRequest::Fetch(device), None) => {
                        vec![Fetched::MidiProfile(MidiProfile { device, bindings: Vec::new() })]
                    }
                    (StoreRequest::Save(profile), Some(folder)) => save(folder, &profile),
                    (StoreRequest::Save(_), None) => Vec::new(),
                };
                for result in done {
                    report.send(result).ok(); // The receiver outlives this thread.
                }
            }
        };
        let thread = thread::Builder::new().name("midi profiles".into()).spawn(work);
        let thread = thread
            .inspect_err(|error| {
                log::error!("could not start a thread ({error}); MIDI profiles will not be saved");
            })
            .ok();
        Self { requests: Some(requests), fetched, thread }
    }

    /// Requests the profile of a device.
    pub fn fetch(&self, device: &str) {
        self.request(StoreRequest::Fetch(device.to_owned()));
    }

    /// Saves a device's profile.
    pub fn save(&self, profile: MidiProfile) {
        self.request(StoreRequest::Save(profile));
    }

    /// Returns the next result, if one has arrived.
    pub fn receive(&self) -> Option<Fetched> {
        self.fetched.try_recv().ok()
    }

    /// Waits for the next result.
    #[cfg(test)]
    pub fn wait(&self) -> Option<Fetched> {
        self.fetched.recv().ok()
    }

    fn request(&self, request: StoreRequest) {
        if let Some(requests) = &self.requests {
            requests.send(request).ok(); // Fails only if the thread did not start, which was reported.
        }
    }
}

impl Drop for ProfileStore {
    /// Waits until everything is saved.
    fn drop(&mut self) {
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panic has already been reported.
        }
    }
}

/// Returns the path of a device's profile; the file name contains only characters that file systems accept.
fn path(folder: &Path, device: &str) -> PathBuf {
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = device.chars().map(plain).take(100).collect();
    folder.join(format!("{name}.toml"))
}

fn fetch(folder: &Path, device: String) -> Vec<Fetched> {
    let path = path(folder, &device);
    let none = || Fetched::MidiProfile(MidiProfile { device: device.clone(), bindings: Vec::new() });
    match disk::read_text(&path, disk::limit::TEXT) {
        Ok(text) => {
            let (profile, problems) = MidiProfile::read(&text);
            let messages = edited::messages(&path, &problems);
            let message = edited::summary(&messages, "aivj doctor").map(Fetched::Message);
            [Fetched::MidiProfile(MidiProfile { device, ..profile })].into_iter().chain(message).collect()
        }
        Err(error) if error.kind() == ErrorKind::NotFound => vec![none()],
        Err(error) => {
            let why = format!("cannot read {} ({error}); {device} starts without bindings", path.display());
            vec![none(), Fetched::Message(why)]
        }
    }
}

/// Returns a message for each problem with the profiles in `folder`, which is the standard set, and in its
/// subfolders, which are the named sets.
pub fn profile_problems(folder: &Path) -> Vec<String> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let items = disk::list(folder).unwrap_or_default(); // A missing folder has no profiles.
        items.into_iter().map(|item| folder.join(item.name)).collect()
    };
    let is_profile = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let (mut profiles, sets): (Vec<_>, Vec<_>) = entries(folder).into_iter().partition(is_profile);
    profiles.extend(sets.iter().flat_map(|set| entries(set)).filter(is_profile));
    let problems = |path: &PathBuf| match disk::read_text(path, disk::limit::TEXT) {
        Ok(text) => edited::messages(path, &MidiProfile::read(&text).1),
        Err(error) => vec![format!("cannot read {} ({error}); the device has no bindings", path.display())],
    };
    profiles.iter().flat_map(problems).collect()
}

/// Returns an unused path next to the file at `path`.
fn backup_path(path: &Path) -> PathBuf {
    let name = |count: u32| match count {
        0 => path.with_extension("toml.before"),
        count => path.with_extension(format!("toml.before-{count}")),
    };
    (0..).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(0))
}

fn save(folder: &Path, profile: &MidiProfile) -> Vec<Fetched> {
    let path = path(folder, &profile.device);
    let mut results = Vec::new();
    // A file with errors may contain the performer's edits, so it is renamed instead of overwritten.
    let readable = match disk::read_text(&path, disk::limit::TEXT) {
        Ok(text) => MidiProfile::read(&text).1.is_empty(),
        Err(error) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    };
    if !readable {
        let backup = backup_path(&path);
        match std::fs::rename(&path, &backup) {
            Ok(()) => {
                let why = format!(
                    "the previous file could not be read completely and was renamed to {}",
                    backup.display()
                );
                results.push(Fetched::Message(why));
            }
            Err(error) => {
                let why = format!(
                    "cannot read or rename {} ({error}); new bindings are kept only until the program exits",
                    path.display()
                );
                return vec![Fetched::Message(why)];
            }
        }
    }
    if let Err(error) = disk::write(&path, profile.written().as_bytes()) {
        let device = &profile.device;
        results.push(Fetched::Message(format!(
            "could not save the bindings of {device} ({error}); they are kept only until the program exits"
        )));
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Action;
    use crate::midi::binding::Binding;
    use crate::midi::encoding::Encoding;
    use crate::midi::event::{Address, Kind};
    use crate::show::Command;

    fn pads() -> MidiProfile {
        let pad = Address { kind: Kind::Note, channel: 10, number: 36 };
        let next = Binding::new(pad, Action::Show(Command::Next), Encoding::Absolute);
        MidiProfile { device: "Pads: one/two".into(), bindings: vec![next] }
    }

    #[test]
    fn a_saved_profile_is_loaded() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = ProfileStore::open(Some(folder.path().join("midi")));
        store.fetch("Pads: one/two");
        let none = MidiProfile { bindings: Vec::new(), ..pads() };
        assert_eq!(store.wait(), Some(Fetched::MidiProfile(none)));
        store.save(pads());
        store.fetch("Pads: one/two");
        assert_eq!(store.wait(), Some(Fetched::MidiProfile(pads())));
    }

    #[test]
    fn a_file_with_errors_is_backed_up_before_it_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = path(folder.path(), &pads().device);
        std::fs::write(&file, "[[control]]\naction = \"my own\"\n").expect("written");
        let store = ProfileStore::open(Some(folder.path().to_owned()));
        store.save(pads());
        assert!(matches!(store.wait(), Some(Fetched::Message(_))));
        drop(store);
        let backup = std::fs::read_to_string(file.with_extension("toml.before")).expect("kept");
        assert!(backup.contains("my own"));
        // A file that is not valid UTF-8 is backed up as well.
        std::fs::write(&file, b"\xc3\x28").expect("written");
        let store = ProfileStore::open(Some(folder.path().to_owned()));
        store.save(pads());
        drop(store);
        let second = std::fs::read(file.with_extension("toml.before-1")).expect("kept");
        assert_eq!(second, b"\xc3\x28");
        assert_eq!(MidiProfile::read(&std::fs::read_to_string(file).expect("saved")), (pads(), vec![]));
    }

    #[test]
    fn the_problems_of_all_profiles_are_listed() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(profile_problems(&folder.path().join("midi")), Vec::<String>::new());
        let set = folder.path().join("club");
        std::fs::create_dir(&set).expect("made");
        std::fs::write(folder.path().join("pads.toml"), "device = \"pads\"\nbad line\n").expect("written");
        std::fs::write(set.join("knobs.toml"), "colour = 1\nsize = 2\n").expect("written");
        std::fs::write(set.join("knobs.toml.before"), "bad line").expect("written");
        std::fs::write(set.join("good.toml"), pads().written()).expect("written");
        let problems = profile_problems(folder.path());
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].contains("pads.toml: line 2: "), "{problems:?}");
    }

    #[test]
    fn an_unwritable_folder_is_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a file");
        std::fs::write(&file, "").expect("written");
        let store = ProfileStore::open(Some(file));
        store.save(pads());
        let fetched = store.wait();
        assert!(
            matches!(&fetched, Some(Fetched::Message(why)) if why.contains("could not save")),
            "{fetched:?}"
        );
    }
}
