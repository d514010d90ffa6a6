//! MIDI devices (midir). A thread polls the ports, because midir has no hot-plug events; a device reconnects
//! when it is plugged in again. A system without MIDI is not an error.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use midir::{MidiInput, MidiInputConnection, MidiInputPort, MidiOutput, MidiOutputConnection};

use super::source::{MidiSource, PortEvent};

/// Client name shown to other programs.
const CLIENT: &str = "aivj";
/// Interval between port scans; a new device is connected within this time.
const CHECK_INTERVAL: Duration = Duration::from_millis(1000);
/// Capacity of the queue to the show, in messages. While it is full, new messages are dropped and counted.
const QUEUE_CAPACITY: usize = 4096;
/// Device file of ALSA's sequencer.
const SEQUENCER: &str = "/dev/snd/seq";
/// Name prefixes of ports that lead back to this program.
const LOOPS: [&str; 2] = ["Midi Through", CLIENT];

/// All MIDI devices on this computer.
pub struct Hardware {
    events: Receiver<PortEvent>,
    dropped: Arc<AtomicU64>,
    reported: u64,
    out: Option<Sender<(String, Vec<u8>)>>,
    thread: Option<JoinHandle<()>>,
}

impl Hardware {
    /// Starts the thread that watches the devices.
    pub fn watch() -> Self {
        let (report, events) = mpsc::sync_channel(QUEUE_CAPACITY);
        let (out, messages) = mpsc::channel();
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = dropped.clone();
        let work = move || Watcher { report, dropped: lost, devices: BTreeMap::new() }.run(&messages);
        let thread = thread::Builder::new().name("midi".into()).spawn(work);
        let thread = thread.inspect_err(|error| log::error!("MIDI is unavailable: {error}")).ok();
        Self { events, dropped, reported: 0, out: Some(out), thread }
    }
}

impl MidiSource for Hardware {
    fn receive(&mut self) -> Option<PortEvent> {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > self.reported {
            let fresh = dropped - self.reported;
            self.reported = dropped;
            return Some(PortEvent::Message(format!("too many MIDI messages: {fresh} were dropped")));
        }
        self.events.try_recv().ok()
    }

    fn send(&mut self, device: &str, bytes: &[u8]) {
        if let Some(out) = &self.out {
            out.send((device.to_owned(), bytes.to_vec())).ok(); // Fails only if the thread did not start.
        }
    }
}

impl Drop for Hardware {
    fn drop(&mut self) {
        self.out.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // The thread ends once its queue is closed.
        }
    }
}

/// A connected device.
struct Connected {
    /// Keeps the callback registered; dropping it closes the port.
    _input: MidiInputConnection<()>,
    output: Option<MidiOutputConnection>,
}

/// State of the thread that watches the devices.
struct Watcher {
    report: SyncSender<PortEvent>,
    dropped: Arc<AtomicU64>,
    devices: BTreeMap<String, Connected>,
}

impl Watcher {
    fn run(mut self, messages: &Receiver<(String, Vec<u8>)>) {
        let mut lister: Option<MidiInput> = None;
        let mut reported = false;
        loop {
            if lister.is_none() {
                match list() {
                    Ok(input) => lister = Some(input),
                    Err(why) if !reported => {
                        reported = true;
                        self.send_event(PortEvent::Unavailable(why));
                    }
                    Err(_) => {}
                }
            }
            if let Some(lister) = &lister {
                self.check_ports(lister);
            }
            let until = std::time::Instant::now() + CHECK_INTERVAL;
            loop {
                let left = until.saturating_duration_since(std::time::Instant::now());
                match messages.recv_timeout(left) {
                    Ok((device, bytes)) => self.light(&device, &bytes),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    /// Connects new devices and removes missing ones.
    fn check_ports(&mut self, lister: &MidiInput) {
        let ports = named(lister.ports(), |port| lister.port_name(port).ok());
        let gone: Vec<String> = self
            .devices
            .keys()
            .filter(|device| !ports.iter().any(|(name, _)| name == *device))
            .cloned()
            .collect();
        for device in gone {
            self.devices.remove(&device);
            self.send_event(PortEvent::Disconnected { device });
        }
        for (name, port) in ports {
            if self.devices.contains_key(&name) {
                continue;
            }
            match self.connect(&name, &port) {
                Ok(connected) => {
                    let leds = connected.output.is_some();
                    self.devices.insert(name.clone(), connected);
                    self.send_event(PortEvent::Connected { device: name, leds });
                }
                // Retried at the next scan.
                Err(error) => log::debug!("cannot open {name}: {error}"),
            }
        }
    }

    fn connect(&self, name: &str, port: &MidiInputPort) -> anyhow::Result<Connected> {
        let mut input = MidiInput::new(CLIENT)?;
        input.ignore(midir::Ignore::All);
        let (report, dropped, device) = (self.report.clone(), self.dropped.clone(), name.to_owned());
        let receive = move |_: u64, bytes: &[u8], (): &mut ()| {
            let event = PortEvent::Bytes { device: device.clone(), bytes: bytes.to_vec() };
            if report.try_send(event).is_err() {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        };
        // The error owns the input; keep only its message.
        let input = input.connect(port, "in", receive, ()).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Connected { _input: input, output: output(name) })
    }

    fn light(&mut self, device: &str, bytes: &[u8]) {
        let output = self.devices.get_mut(device).and_then(|connected| connected.output.as_mut());
        if let Some(output) = output
            && let Err(error) = output.send(bytes)
        {
            log::debug!("could not set an LED of {device}: {error}");
        }
    }

    fn send_event(&self, event: PortEvent) {
        if self.report.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Opens a client for listing ports, or returns why MIDI is unavailable.
fn list() -> Result<MidiInput, String> {
    // ALSA prints an error each time a missing sequencer is opened.
    if cfg!(all(target_os = "linux", not(feature = "jack"))) && !Path::new(SEQUENCER).exists() {
        return Err(format!(
            "this system has no MIDI sequencer ({SEQUENCER}); run 'modprobe snd-seq' to load it"
        ));
    }
    MidiInput::new(CLIENT).map_err(|error| error.to_string())
}

/// Lists the connected devices, or returns why they cannot be listed.
pub fn ports() -> Result<Vec<String>, String> {
    let input = list()?;
    let names = named(input.ports(), |port| input.port_name(port).ok());
    Ok(names.into_iter().map(|(name, _)| name).collect())
}

/// Opens the output port of a device; `None` if there is none or it cannot be opened.
fn output(name: &str) -> Option<MidiOutputConnection> {
    let output = MidiOutput::new(CLIENT).ok()?;
    let ports = named(output.ports(), |port| output.port_name(port).ok());
    let (_, port) = ports.into_iter().find(|(port, _)| port == name)?;
    output.connect(&port, "out").ok()
}

/// Returns ports with device names, except ports that lead back to this program. Repeated names are numbered.
fn named<P>(ports: Vec<P>, name_of: impl Fn(&P) -> Option<String>) -> Vec<(String, P)> {
    let mut named: Vec<(String, P)> = Vec::new();
    for port in ports {
        let Some(full) = name_of(&port) else { continue };
        let name = stable_name(&full);
        if LOOPS.iter().any(|own| name.starts_with(own)) {
            continue;
        }
        let twins = named
            .iter()
            .filter(|(taken, _)| *taken == name || taken.starts_with(&format!("{name} #")))
            .count();
        let name = if twins == 0 { name } else { format!("{name} #{}", twins + 1) };
        named.push((name, port));
    }
    named
}

/// Returns a port's name without the numbers that ALSA assigns anew at each connection.
fn stable_name(name: &str) -> String {
    match name.rsplit_once(' ') {
        Some((rest, end)) if end.contains(':') && end.chars().all(|c| c.is_ascii_digit() || c == ':') => {
            rest.into()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_keeps_its_name_when_reconnected() {
        assert_eq!(stable_name("nanoKONTROL2:nanoKONTROL2 _ CTRL 20:0"), "nanoKONTROL2:nanoKONTROL2 _ CTRL");
        assert_eq!(stable_name("system:midi_capture_1"), "system:midi_capture_1");
        assert_eq!(stable_name("Launch Control 3"), "Launch Control 3");
    }

    #[test]
    fn equal_names_are_numbered_and_own_ports_skipped() {
        let ports = vec!["pad 20:0", "Midi Through:Midi Through 14:0", "pad 24:0", "aivj:in", "knob 28:0"];
        let named = named(ports, |port| Some((*port).to_owned()));
        let names: Vec<_> = named.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["pad", "pad #2", "knob"]);
    }
}
