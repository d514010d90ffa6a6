//! MIDI: devices come and go, controls are learnt, kept per device, and turned into the performer's actions.
//!
//! Everything slow (ports, files) happens on threads of its own; what is here runs once a frame on what has arrived,
//! so that a knob moves the picture in the next frame.

mod binding;
mod event;
mod hardware;
mod lamps;
mod learn;
mod monitor;
mod pickup;
mod profile;
mod profile_store;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::actions;
use crate::desk::{Action, Dial, MidiDevice, MidiRequest, MidiRow, MidiView};
use crate::mind::Control;
use crate::show::{Command, Snapshot};
use crate::units::Unipolar;

use binding::{Binding, Bound, Encoding, Moved};
use event::{Address, Event, Kind};
use hardware::Hardware;
pub use hardware::ports;
use learn::Learning;
pub use monitor::{MonitorEnd, monitor};
pub use profile::MidiProfile;
use profile_store::{Fetched, ProfileStore};
use source::{MidiSource, PortEvent};

/// Controls that the desk's "auto-map" gives to the bank.
const BANK: usize = Control::ALL.len();

/// One device, there or not.
#[derive(Default)]
struct Device {
    connected: bool,
    lamps: bool,
    /// Its profile is on its way from the disk; nothing is written over it meanwhile.
    fetching: bool,
    controls: Vec<Bound>,
    /// What its lamps last showed, control by control.
    lit: Vec<Option<u8>>,
}

/// MIDI as the window sees it.
pub(super) struct Midi {
    source: Box<dyn MidiSource>,
    shelf: ProfileStore,
    devices: BTreeMap<String, Device>,
    arrived: Vec<(String, Event)>,
    learning: Option<Learning>,
    /// Controllers heard since the start, in the order they were first moved.
    seen: Vec<(String, Address)>,
    /// The bank takes the first eight controllers as they are moved.
    mapping: bool,
    last_heard: String,
    /// Why there is no MIDI at all.
    absent: Option<String>,
    message: Option<String>,
    locked: bool,
}

impl Midi {
    /// The devices of this machine, with profiles in `folder`.
    pub fn open(folder: Option<PathBuf>) -> Self {
        Self::over(Box::new(Hardware::watch()), ProfileStore::open(folder))
    }

    /// Takes the profiles in another folder from now on.
    pub fn turn_to(&mut self, folder: Option<PathBuf>) {
        let old = std::mem::replace(&mut self.shelf, ProfileStore::open(folder));
        // Its thread may still be writing; the show does not wait for it.
        if let Err(error) = std::thread::Builder::new().name("retire".into()).spawn(move || drop(old)) {
            log::debug!("the old profiles were put away at once: {error}");
        }
        for (name, device) in &mut self.devices {
            device.controls.clear();
            device.lit.clear();
            device.fetching = true;
            self.shelf.fetch(name);
        }
    }

    fn over(source: Box<dyn MidiSource>, shelf: ProfileStore) -> Self {
        Self {
            source,
            shelf,
            devices: BTreeMap::new(),
            arrived: Vec::new(),
            learning: None,
            seen: Vec::new(),
            mapping: false,
            last_heard: String::new(),
            absent: None,
            message: None,
            locked: false,
        }
    }

    /// Takes in what has happened; true when controls were moved and [`Midi::obey`] has something to do.
    pub fn gather(&mut self, now: f64) -> bool {
        while let Some(fetched) = self.shelf.receive() {
            self.fetched(fetched);
        }
        while let Some(news) = self.source.receive() {
            self.news(news, now);
        }
        if let Some((device, binding)) = self.learning.as_mut().and_then(|learning| learning.rest(now)) {
            self.bind(&device, binding);
        }
        !self.arrived.is_empty()
    }

    /// Turns what arrived into commands, which are added to `commands`, and the actions of pressed buttons.
    pub fn obey(&mut self, snapshot: &Snapshot, commands: &mut Vec<Command>) -> Vec<Action> {
        let mut pressed = Vec::new();
        for (name, event) in std::mem::take(&mut self.arrived) {
            let Some(device) = self.devices.get_mut(&name) else { continue };
            for bound in device.controls.iter_mut().filter(|bound| bound.hears(event.address)) {
                let current = |dial| actions::value(dial, snapshot, commands).get();
                match bound.moved(&event, current) {
                    Some(Moved::Pressed(action)) => pressed.push(action),
                    Some(Moved::To(dial, value)) => commands.push(dial.set(Unipolar::new(value))),
                    Some(Moved::By(dial, by)) => commands.push(actions::moved(dial, by, snapshot, commands)),
                    None => {}
                }
            }
        }
        pressed
    }

    /// Tells the show when the whole bank comes to lie under MIDI knobs, and when it no longer does.
    pub fn lock(&mut self, commands: &mut Vec<Command>) {
        let bound = |control| {
            self.devices.values().filter(|device| device.connected).any(|device| {
                let action = Action::Turn(Dial::Macro(control));
                device.controls.iter().any(|bound| bound.binding.action == action)
            })
        };
        let locked = Control::ALL.into_iter().all(bound);
        if locked != self.locked {
            self.locked = locked;
            commands.push(Command::MidiLock(locked));
        }
    }

    /// Lights the lamps of all devices as the show stands.
    pub fn light(&mut self, snapshot: &Snapshot) {
        for (name, device) in self.devices.iter_mut().filter(|(_, device)| device.connected && device.lamps) {
            for (bound, lit) in device.controls.iter().zip(&mut device.lit) {
                let wanted = lamps::brightness(&bound.binding, snapshot);
                if let Some(brightness) = wanted.filter(|_| wanted != *lit) {
                    *lit = wanted;
                    if let Some(message) = lamps::message(&bound.binding, brightness) {
                        self.source.send(name, &message);
                    }
                }
            }
        }
    }

    /// The newest message for the performer.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Does what was asked at the desk.
    pub fn asked(&mut self, ask: MidiRequest) {
        match ask {
            MidiRequest::Learn(action) => {
                self.mapping = false;
                self.learning = Some(Learning::new(action));
            }
            MidiRequest::Stop => {
                self.learning = None;
                self.mapping = false;
            }
            MidiRequest::AutoMap => {
                self.learning = None;
                self.mapping = true;
                self.map_bank();
            }
            MidiRequest::Unbind { device, at } => self.edit(&device, |controls| {
                if at < controls.len() {
                    controls.remove(at);
                }
            }),
            MidiRequest::Clear { device } => self.edit(&device, Vec::clear),
            MidiRequest::Encoding { device, at } => self.edit(&device, |controls| {
                if let Some(bound) = controls.get_mut(at) {
                    let encoding = bound.binding.encoding.after();
                    *bound = Bound::new(Binding { encoding, ..bound.binding.clone() });
                }
            }),
            MidiRequest::Pickup { device, at } => self.edit(&device, |controls| {
                if let Some(bound) = controls.get_mut(at) {
                    let pickup = !bound.binding.pickup;
                    *bound = Bound::new(Binding { pickup, ..bound.binding.clone() });
                }
            }),
        }
    }

    /// What the desk shows.
    pub fn view(&self) -> MidiView {
        let mut rows = Vec::new();
        for (name, device) in &self.devices {
            for (at, Bound { binding, .. }) in device.controls.iter().enumerate() {
                let others = device
                    .controls
                    .iter()
                    .enumerate()
                    .filter(|(other, bound)| *other != at && bound.binding.address == binding.address);
                let conflicts: Vec<String> = others.map(|(_, bound)| bound.binding.action.title()).collect();
                rows.push(MidiRow {
                    device: name.clone(),
                    at,
                    action: binding.action.clone(),
                    control: binding.address.to_string(),
                    encoding: binding.encoding.word(),
                    pickup: binding.pickup
                        && !binding.encoding.relative()
                        && binding.address.kind != Kind::Note,
                    conflict: (!conflicts.is_empty()).then(|| conflicts.join(", ")),
                });
            }
        }
        let devices = self.devices.iter().map(|(name, device)| MidiDevice {
            name: name.clone(),
            connected: device.connected,
            lamps: device.lamps,
            bindings: device.controls.len(),
        });
        MidiView {
            devices: devices.collect(),
            rows,
            learning: self.learning.as_ref().map(|learning| learning.action.clone()),
            mapping: self.mapping,
            absent: self.absent.clone().filter(|_| self.devices.is_empty()),
            heard: self.last_heard.clone(),
            locked: self.locked,
        }
    }

    fn fetched(&mut self, fetched: Fetched) {
        match fetched {
            Fetched::MidiProfile(MidiProfile { device, bindings }) => {
                let name = device;
                let device = self.devices.entry(name.clone()).or_default();
                device.fetching = false;
                // What was learnt while the file was on its way is newer than the file, and added to it.
                let learnt = std::mem::take(&mut device.controls);
                let known = bindings.into_iter().map(Bound::new);
                let same = |one: &Bound| learnt.iter().any(|new| new.binding.action == one.binding.action);
                device.controls = known.filter(|bound| !same(bound)).collect();
                device.lit = vec![None; device.controls.len()];
                if !learnt.is_empty() {
                    self.edit(&name, |controls| controls.extend(learnt));
                }
            }
            Fetched::Trouble(why) => self.message = Some(why),
        }
    }

    fn news(&mut self, news: PortEvent, now: f64) {
        match news {
            PortEvent::Came { device: name, lamps } => {
                let device = self.devices.entry(name.clone()).or_default();
                let known = !device.controls.is_empty();
                device.connected = true;
                device.lamps = lamps;
                device.lit.fill(None);
                // Knobs may stand elsewhere than when they were unplugged.
                for bound in &mut device.controls {
                    *bound = Bound::new(bound.binding.clone());
                }
                if known {
                    self.message = Some(format!("{name} is back"));
                } else {
                    device.fetching = true;
                    self.shelf.fetch(&name);
                }
            }
            PortEvent::Gone { device: name } => {
                if let Some(device) = self.devices.get_mut(&name) {
                    device.connected = false;
                }
                self.message = Some(format!(
                    "{name} is gone; keys work as ever, and it is heard again when it comes back"
                ));
            }
            PortEvent::Bytes { device, bytes } => {
                if let Some(event) = Event::decode(&bytes) {
                    self.heard(device, event, now);
                }
            }
            PortEvent::Absent(why) => self.absent = Some(why),
            PortEvent::Trouble(why) => self.message = Some(why),
        }
    }

    fn heard(&mut self, device: String, event: Event, now: f64) {
        self.last_heard = format!("{device}: {} = {}", event.address, event.value);
        let controller = (device.clone(), event.address);
        if event.address.kind == Kind::Cc && !self.seen.contains(&controller) {
            self.seen.push(controller);
            if self.mapping {
                self.map_bank();
            }
        }
        match &mut self.learning {
            // A control that is being learnt does nothing else.
            Some(learning) => {
                if let Some((device, binding)) = learning.hear(&device, &event, now) {
                    self.bind(&device, binding);
                }
            }
            None => self.arrived.push((device, event)),
        }
    }

    /// Gives the first eight controllers to the bank, in the order they were moved.
    fn map_bank(&mut self) {
        for (control, (device, address)) in Control::ALL.into_iter().zip(self.seen.clone()) {
            let action = Action::Turn(Dial::Macro(control));
            let bound = self.devices.values().flat_map(|device| &device.controls);
            if !bound.into_iter().any(|bound| bound.binding.action == action) {
                self.bind(&device, Binding::new(address, action, Encoding::Absolute));
            }
        }
        self.mapping = self.seen.len() < BANK;
    }

    /// One more binding; an action has one control on each device.
    fn bind(&mut self, device: &str, binding: Binding) {
        self.learning = None;
        let told = format!("{}: {} of {device}", binding.action.title(), binding.address);
        self.message = Some(told);
        self.edit(device, |controls| {
            controls.retain(|bound| bound.binding.action != binding.action);
            controls.push(Bound::new(binding));
        });
    }

    /// Changes a device's bindings and saves them.
    fn edit(&mut self, name: &str, change: impl FnOnce(&mut Vec<Bound>)) {
        let device = self.devices.entry(name.to_owned()).or_default();
        change(&mut device.controls);
        device.lit = vec![None; device.controls.len()];
        if device.fetching {
            return; // Saved together with what comes from the disk.
        }
        let bindings = device.controls.iter().map(|bound| bound.binding.clone()).collect();
        self.shelf.save(MidiProfile { device: name.to_owned(), bindings });
    }
}
