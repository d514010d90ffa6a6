//! The profiles on disk, read and written by a thread of their own: the show never waits for a file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use super::profile::MidiProfile;
use crate::app::edited;

/// What came from the shelf.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched {
    /// A device's profile; an empty one when none was saved yet.
    MidiProfile(MidiProfile),
    /// Something the performer should know.
    Trouble(String),
}

enum Order {
    Fetch(String),
    Save(MidiProfile),
}

/// The profiles of all devices, one file each.
pub struct ProfileStore {
    orders: Option<Sender<Order>>,
    fetched: Receiver<Fetched>,
    thread: Option<JoinHandle<()>>,
}

impl ProfileStore {
    /// The shelf in this folder; without one, profiles last as long as the program runs.
    pub fn open(folder: Option<PathBuf>) -> Self {
        let (orders, waiting) = mpsc::channel();
        let (report, fetched) = mpsc::channel();
        let work = move || {
            for order in waiting {
                let done = match (order, &folder) {
                    (Order::Fetch(device), Some(folder)) => fetch(folder, device),
                    (Order::Fetch(device), None) => {
                        vec![Fetched::MidiProfile(MidiProfile { device, bindings: Vec::new() })]
                    }
                    (Order::Save(profile), Some(folder)) => save(folder, &profile),
                    (Order::Save(_), None) => Vec::new(),
                };
                for news in done {
                    report.send(news).ok(); // Nobody listens any more: the program is closing.
                }
            }
        };
        let thread = thread::Builder::new().name("midi profiles".into()).spawn(work);
        let thread = thread.inspect_err(|error| log::error!("MIDI profiles are not kept: {error}")).ok();
        Self { orders: Some(orders), fetched, thread }
    }

    /// Asks for a device's profile.
    pub fn fetch(&self, device: &str) {
        self.order(Order::Fetch(device.to_owned()));
    }

    /// Saves a device's profile.
    pub fn save(&self, profile: MidiProfile) {
        self.order(Order::Save(profile));
    }

    /// What has come since the last call.
    pub fn receive(&self) -> Option<Fetched> {
        self.fetched.try_recv().ok()
    }

    /// Waits for what comes next.
    #[cfg(test)]
    pub fn wait(&self) -> Option<Fetched> {
        self.fetched.recv().ok()
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            orders.send(order).ok(); // The thread did not start, which was reported then.
        }
    }
}

impl Drop for ProfileStore {
    /// Everything asked for is written before the program ends.
    fn drop(&mut self) {
        self.orders.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panic there was reported by its own message.
        }
    }
}

/// The file of a device: its name in letters that every file system takes.
fn path(folder: &Path, device: &str) -> PathBuf {
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = device.chars().map(plain).take(100).collect();
    folder.join(format!("{name}.toml"))
}

fn fetch(folder: &Path, device: String) -> Vec<Fetched> {
    let path = path(folder, &device);
    let none = || Fetched::MidiProfile(MidiProfile { device: device.clone(), bindings: Vec::new() });
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let (profile, problems) = MidiProfile::read(&text);
            let told = edited::told(&path, &problems).map(Fetched::Trouble);
            [Fetched::MidiProfile(MidiProfile { device, ..profile })].into_iter().chain(told).collect()
        }
        Err(error) if error.kind() == ErrorKind::NotFound => vec![none()],
        Err(error) => {
            let why =
                format!("{} cannot be read ({error}); {device} starts without bindings", path.display());
            vec![none(), Fetched::Trouble(why)]
        }
    }
}

/// A name beside the file that is not taken yet.
fn aside(path: &Path) -> PathBuf {
    let name = |count: u32| match count {
        0 => path.with_extension("toml.before"),
        count => path.with_extension(format!("toml.before-{count}")),
    };
    (0..).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(0))
}

fn save(folder: &Path, profile: &MidiProfile) -> Vec<Fetched> {
    let path = path(folder, &profile.device);
    let mut news = Vec::new();
    // What could not be read is the performer's work too: it is not written over.
    let readable = match std::fs::read_to_string(&path) {
        Ok(text) => MidiProfile::read(&text).1.is_empty(),
        Err(error) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    };
    if !readable {
        let aside = aside(&path);
        match std::fs::rename(&path, &aside) {
            Ok(()) => {
                let why = format!("the file with lines that cannot be read is kept as {}", aside.display());
                news.push(Fetched::Trouble(why));
            }
            Err(error) => {
                let why = format!(
                    "{} cannot be read and not be moved away ({error}); the bindings last until the program ends",
                    path.display()
                );
                return vec![Fetched::Trouble(why)];
            }
        }
    }
    let fresh = path.with_extension("toml.new");
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&fresh, profile.written()))
        .and_then(|()| std::fs::rename(&fresh, &path));
    if let Err(error) = written {
        let device = &profile.device;
        news.push(Fetched::Trouble(format!(
            "the bindings of {device} could not be saved in {} ({error}); they last until the program ends",
            path.display()
        )));
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::midi::binding::{Binding, Encoding};
    use crate::app::midi::event::{Address, Kind};
    use crate::desk::Action;
    use crate::show::Command;

    fn pads() -> MidiProfile {
        let pad = Address { kind: Kind::Note, channel: 10, number: 36 };
        let next = Binding::new(pad, Action::Show(Command::Next), Encoding::Absolute);
        MidiProfile { device: "Pads: one/two".into(), bindings: vec![next] }
    }

    #[test]
    fn a_profile_comes_back_from_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = ProfileStore::open(Some(folder.path().join("midi")));
        shelf.fetch("Pads: one/two");
        let none = MidiProfile { bindings: Vec::new(), ..pads() };
        assert_eq!(shelf.wait(), Some(Fetched::MidiProfile(none)));
        shelf.save(pads());
        shelf.fetch("Pads: one/two");
        assert_eq!(shelf.wait(), Some(Fetched::MidiProfile(pads())));
    }

    #[test]
    fn a_file_with_errors_is_kept_aside_before_it_is_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = path(folder.path(), &pads().device);
        std::fs::write(&file, "[[control]]\naction = \"my own\"\n").expect("written");
        let shelf = ProfileStore::open(Some(folder.path().to_owned()));
        shelf.save(pads());
        assert!(matches!(shelf.wait(), Some(Fetched::Trouble(_))));
        drop(shelf);
        let aside = std::fs::read_to_string(file.with_extension("toml.before")).expect("kept");
        assert!(aside.contains("my own"));
        // Bytes that are no text, in another edit: kept as well, beside the first.
        std::fs::write(&file, b"\xff\xfe").expect("written");
        let shelf = ProfileStore::open(Some(folder.path().to_owned()));
        shelf.save(pads());
        drop(shelf);
        let second = std::fs::read(file.with_extension("toml.before-1")).expect("kept");
        assert_eq!(second, b"\xff\xfe");
        assert_eq!(MidiProfile::read(&std::fs::read_to_string(file).expect("saved")), (pads(), vec![]));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a file");
        std::fs::write(&file, "").expect("written");
        let shelf = ProfileStore::open(Some(file));
        shelf.save(pads());
        let told = shelf.wait();
        assert!(
            matches!(&told, Some(Fetched::Trouble(why)) if why.contains("could not be saved")),
            "{told:?}"
        );
    }
}
