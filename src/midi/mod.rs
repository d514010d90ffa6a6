//! MIDI: hot-plugged devices, learnt bindings for each device, and the actions that their events trigger.
//!
//! Slow work (ports, files) runs on separate threads. The code here processes incoming events once per frame,
//! so turning a knob changes the picture in the next frame.

mod binding;
mod encoding;
mod event;
mod hardware;
mod learn;
mod leds;
mod monitor;
mod profile;
mod profile_store;
mod relative;
mod soft_takeover;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::desk::{Action, Dial, MidiDevice, MidiRequest, MidiRow, MidiView, resolve};
use crate::mind::Control;
use crate::show::{Command, Snapshot};
use crate::units::Unipolar;

use binding::{Binding, Bound, Moved};
use encoding::Encoding;
use event::{Address, Event, Kind};
use hardware::Hardware;
pub use hardware::ports;
use learn::{Learning, REST_SECS};
pub use monitor::{MonitorEnd, monitor};
pub use profile::MidiProfile;
pub use profile_store::profile_problems;
use profile_store::{Fetched, ProfileStore};
use relative::ENOUGH;
pub use source::{MidiSource, PortEvent};

/// Number of knobs that Auto-map binds.
const BANK: usize = Control::ALL.len();

/// A device, connected or not.
#[derive(Default)]
struct Device {
    connected: bool,
    leds: bool,
    /// Whether the profile is still being loaded; until then, its file is not overwritten.
    fetching: bool,
    controls: Vec<Bound>,
    /// Last brightness sent to the LED of each binding.
    lit: Vec<Option<u8>>,
}

/// A knob that Auto-map may bind.
#[derive(Clone)]
struct Knob {
    device: String,
    address: Address,
    /// The first values that it sent, at most [`ENOUGH`].
    values: Vec<u16>,
    /// When it was last moved, in seconds.
    last: f64,
    /// Whether Auto-map has dealt with it, so that what the performer unbinds meanwhile stays unbound.
    mapped: bool,
}

impl Knob {
    /// Returns whether its encoding can be determined at `now` seconds.
    fn decided(&self, now: f64) -> bool {
        self.values.len() >= ENOUGH || now - self.last >= REST_SECS
    }
}

/// MIDI input and output of the program.
pub struct Midi {
    source: Box<dyn MidiSource>,
    profiles: ProfileStore,
    devices: BTreeMap<String, Device>,
    arrived: Vec<(String, Event)>,
    learning: Option<Learning>,
    /// The first knobs that were moved, in that order, at most [`BANK`].
    seen: Vec<Knob>,
    /// Whether Auto-map is waiting for more knobs, or for more values of a knob.
    mapping: bool,
    last_event: String,
    /// Why MIDI is unavailable, if it is.
    unavailable: Option<String>,
    message: Option<String>,
    locked: bool,
    /// The state that the MIDI page shows; `None` if it has changed since it was last requested.
    view: Option<Arc<MidiView>>,
}

impl Midi {
    /// Opens the devices of this computer; `folder` is where profiles are saved, if anywhere.
    pub fn open(folder: Option<PathBuf>) -> Self {
        Self::over(Box::new(Hardware::watch()), folder)
    }

    /// Switches to the profiles in another folder.
    pub fn switch_to(&mut self, folder: Option<PathBuf>) {
        self.view = None;
        let old = std::mem::replace(&mut self.profiles, ProfileStore::open(folder));
        // The old store's thread may still be writing; the show does not wait for it.
        if let Err(error) = std::thread::Builder::new().name("retire".into()).spawn(move || drop(old)) {
            log::debug!("could not start a thread to join the old profile thread ({error}); joined it here");
        }
        for (name, device) in &mut self.devices {
            device.controls.clear();
            device.lit.clear();
            device.fetching = true;
            self.profiles.fetch(name);
        }
    }

    /// Opens the devices of `source`; `folder` is where profiles are saved, if anywhere.
    pub fn over(source: Box<dyn MidiSource>, folder: Option<PathBuf>) -> Self {
        Self {
            source,
            profiles: ProfileStore::open(folder),
            devices: BTreeMap::new(),
            arrived: Vec::new(),
            learning: None,
            seen: Vec::new(),
            mapping: false,
            last_event: String::new(),
            unavailable: None,
            message: None,
            locked: false,
            view: None,
        }
    }

    /// Collects events up to `now`, in seconds; returns whether controls were moved, so that
    /// [`Midi::process`] has work.
    pub fn gather(&mut self, now: f64) -> bool {
        while let Some(fetched) = self.profiles.receive() {
            self.fetched(fetched);
        }
        while let Some(event) = self.source.receive() {
            self.port_event(event, now);
        }
        if let Some((device, binding)) = self.learning.as_mut().and_then(|learning| learning.rest(now)) {
            self.bind(&device, Bound::new(binding));
        }
        if self.mapping {
            self.map_bank(now);
        }
        !self.arrived.is_empty()
    }

    /// Adds the commands for the collected events to `commands`. Returns the actions of pressed buttons.
    pub fn process(&mut self, snapshot: &Snapshot, commands: &mut Vec<Command>) -> Vec<Action> {
        let mut pressed = Vec::new();
        for (name, event) in std::mem::take(&mut self.arrived) {
            let Some(device) = self.devices.get_mut(&name) else { continue };
            let mut resolved = false;
            for bound in device.controls.iter_mut().filter(|bound| bound.matches(event.address)) {
                let current = |dial| resolve::value(dial, snapshot, commands).get();
                let encoding = bound.binding.encoding;
                let moved = bound.moved(&event, current);
                resolved |= bound.binding.encoding != encoding;
                match moved {
                    Some(Moved::Pressed(action)) => pressed.push(action),
                    Some(Moved::To(dial, value)) => commands.push(dial.set(Unipolar::new(value))),
                    Some(Moved::By(dial, by)) => commands.push(resolve::moved(dial, by, snapshot, commands)),
                    None => {}
                }
            }
            if resolved {
                self.edit(&name, |_| ()); // Saves the encoding.
            }
        }
        pressed
    }

    /// Adds a command when the macro lock changes; it is on while every macro is bound to a connected device.
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
            self.view = None;
            commands.push(Command::MidiLock(locked));
        }
    }

    /// Updates the LEDs of all connected devices.
    pub fn light(&mut self, snapshot: &Snapshot) {
        for (name, device) in self.devices.iter_mut().filter(|(_, device)| device.connected && device.leds) {
            for (bound, lit) in device.controls.iter().zip(&mut device.lit) {
                let wanted = leds::brightness(&bound.binding, snapshot);
                if let Some(brightness) = wanted.filter(|_| wanted != *lit) {
                    *lit = wanted;
                    if let Some(message) = leds::message(&bound.binding, brightness) {
                        self.source.send(name, &message);
                    }
                }
            }
        }
    }

    /// Returns the latest message for the performer, if any.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Handles a request from the MIDI page.
    pub fn handle(&mut self, request: MidiRequest) {
        self.view = None;
        match request {
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
                self.seen.iter_mut().for_each(|knob| knob.mapped = false);
            }
            MidiRequest::Unbind { device, at } => self.edit(&device, |controls| {
                if at < controls.len() {
                    controls.remove(at);
                }
            }),
            MidiRequest::Clear { device } => self.edit(&device, Vec::clear),
            MidiRequest::Encoding { device, at, encoding } => self.edit(&device, |controls| {
                if let (Some(bound), Some(encoding)) = (controls.get_mut(at), Encoding::named(encoding)) {
                    *bound = Bound::new(Binding { encoding, ..bound.binding.clone() });
                }
            }),
            MidiRequest::SoftTakeover { device, at } => self.edit(&device, |controls| {
                if let Some(bound) = controls.get_mut(at) {
                    let soft_takeover = !bound.binding.soft_takeover;
                    *bound = Bound::new(Binding { soft_takeover, ..bound.binding.clone() });
                }
            }),
        }
    }

    /// Returns the state that the MIDI page shows.
    pub fn view(&mut self) -> Arc<MidiView> {
        let view = self.view.take().unwrap_or_else(|| Arc::new(self.new_view()));
        self.view = Some(view.clone());
        view
    }

    fn new_view(&self) -> MidiView {
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
                    soft_takeover: (matches!(binding.action, Action::Turn(_))
                        && !binding.encoding.relative()
                        && binding.address.kind != Kind::Note)
                        .then_some(binding.soft_takeover),
                    conflict: (!conflicts.is_empty()).then(|| conflicts.join(", ")),
                });
            }
        }
        let devices = self.devices.iter().map(|(name, device)| MidiDevice {
            name: name.clone(),
            connected: device.connected,
            leds: device.leds,
            bindings: device.controls.len(),
        });
        MidiView {
            devices: devices.collect(),
            encodings: Encoding::ALL.map(|encoding| (encoding.word(), encoding.title())).to_vec(),
            rows,
            learning: self.learning.as_ref().map(|learning| learning.action.clone()),
            mapping: self.mapping,
            unavailable: self.unavailable.clone().filter(|_| self.devices.is_empty()),
            last_message: self.last_event.clone(),
            locked: self.locked,
        }
    }

    fn fetched(&mut self, fetched: Fetched) {
        self.view = None;
        match fetched {
            Fetched::MidiProfile(MidiProfile { device, bindings }) => {
                let name = device;
                let device = self.devices.entry(name.clone()).or_default();
                device.fetching = false;
                // Bindings learnt while the file loaded are newer and replace those for the same actions.
                let learnt = std::mem::take(&mut device.controls);
                let known = bindings.into_iter().map(Bound::new);
                let same = |one: &Bound| learnt.iter().any(|new| new.binding.action == one.binding.action);
                device.controls = known.filter(|bound| !same(bound)).collect();
                device.lit = vec![None; device.controls.len()];
                if !learnt.is_empty() {
                    self.edit(&name, |controls| controls.extend(learnt));
                }
            }
            Fetched::Message(why) => self.message = Some(why),
        }
    }

    fn port_event(&mut self, event: PortEvent, now: f64) {
        self.view = None;
        match event {
            PortEvent::Connected { device: name, leds } => {
                let device = self.devices.entry(name.clone()).or_default();
                let known = !device.controls.is_empty();
                device.connected = true;
                device.leds = leds;
                device.lit.fill(None);
                // Knobs may have been moved while the device was unplugged.
                for bound in &mut device.controls {
                    *bound = Bound::new(bound.binding.clone());
                }
                if known {
                    self.message = Some(format!("MIDI device '{name}' reconnected"));
                } else {
                    device.fetching = true;
                    self.profiles.fetch(&name);
                }
            }
            PortEvent::Disconnected { device: name } => {
                if let Some(device) = self.devices.get_mut(&name) {
                    device.connected = false;
                }
                self.message = Some(format!(
                    "MIDI device '{name}' disconnected; it will reconnect when plugged in again"
                ));
            }
            PortEvent::Bytes { device, bytes } => {
                if let Some(event) = Event::decode(&bytes) {
                    self.handle_event(device, event, now);
                }
            }
            PortEvent::Unavailable(why) => self.unavailable = Some(why),
            PortEvent::Message(why) => self.message = Some(why),
        }
    }

    fn handle_event(&mut self, device: String, event: Event, now: f64) {
        self.last_event = format!("{device}: {} = {}", event.address, event.value);
        if event.address.kind == Kind::Cc {
            self.see(&device, &event, now);
        }
        match &mut self.learning {
            // While an action is being learnt, controls have no other effect.
            Some(learning) => {
                if let Some((device, binding)) = learning.handle(&device, &event, now) {
                    self.bind(&device, Bound::new(binding));
                }
            }
            None => self.arrived.push((device, event)),
        }
    }

    /// Keeps the value for Auto-map if it is among the first values of one of the first knobs.
    fn see(&mut self, device: &str, event: &Event, now: f64) {
        let same = |knob: &Knob| knob.device == device && knob.address == event.address;
        match self.seen.iter().position(same) {
            Some(at) => {
                let knob = &mut self.seen[at];
                knob.last = now;
                if knob.values.len() < ENOUGH {
                    knob.values.push(event.value);
                }
            }
            None if self.seen.len() < BANK => self.seen.push(Knob {
                device: device.to_owned(),
                address: event.address,
                values: vec![event.value],
                last: now,
                mapped: false,
            }),
            None => {}
        }
    }

    /// Binds the first eight knobs to the macros, in the order in which the knobs were first moved, as soon as their
    /// encoding can be determined. Macros that are already bound keep their knobs.
    fn map_bank(&mut self, now: f64) {
        let mut decided = 0;
        for (control, at) in Control::ALL.into_iter().zip(0..self.seen.len()) {
            let knob = &mut self.seen[at];
            if !knob.decided(now) {
                continue;
            }
            decided += 1;
            if std::mem::replace(&mut knob.mapped, true) {
                continue;
            }
            let Knob { device, address, values, .. } = knob.clone();
            let action = Action::Turn(Dial::Macro(control));
            let bound = self.devices.values().flat_map(|device| &device.controls);
            if !bound.into_iter().any(|bound| bound.binding.action == action) {
                self.bind(&device, Bound::guessed(address, action, values));
            }
        }
        if decided >= BANK {
            self.mapping = false;
            self.view = None;
        }
    }

    /// Adds a binding, in place of any other binding of the same action on the device.
    fn bind(&mut self, device: &str, bound: Bound) {
        self.learning = None;
        let Binding { action, address, .. } = &bound.binding;
        self.message = Some(format!("bound {} to {address} on {device}", action.title()));
        self.edit(device, |controls| {
            controls.retain(|other| other.binding.action != bound.binding.action);
            controls.push(bound);
        });
    }

    /// Changes a device's bindings and saves them.
    fn edit(&mut self, name: &str, change: impl FnOnce(&mut Vec<Bound>)) {
        self.view = None;
        let device = self.devices.entry(name.to_owned()).or_default();
        change(&mut device.controls);
        device.lit = vec![None; device.controls.len()];
        if device.fetching {
            return; // Once the profile is loaded, it is saved with these bindings.
        }
        let bindings = device.controls.iter().map(|bound| bound.binding.clone()).collect();
        self.profiles.save(MidiProfile { device: name.to_owned(), bindings });
    }
}
