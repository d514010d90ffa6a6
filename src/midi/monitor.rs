//! Lists MIDI devices and prints their messages, for `aivj midi`.

use std::time::{Duration, Instant};

use super::event::Event;
use super::hardware::Hardware;
use super::source::{MidiSource as _, PortEvent};

/// Interval between checks for new messages.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Whether monitoring found a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitorEnd {
    /// At least one device was found.
    DeviceFound,
    /// No device was found.
    NoDevice,
}

/// Passes a line for every device and message to `say`, for `seconds` or, if `None`, until the process ends.
pub fn monitor(seconds: Option<f64>, mut say: impl FnMut(&str)) -> MonitorEnd {
    let mut devices = Hardware::watch();
    let started = Instant::now();
    let mut end = MonitorEnd::NoDevice;
    while seconds.is_none_or(|limit| started.elapsed().as_secs_f64() < limit) {
        while let Some(event) = devices.receive() {
            if matches!(event, PortEvent::Connected { .. }) {
                end = MonitorEnd::DeviceFound;
            }
            say(&line(&event));
        }
        std::thread::sleep(CHECK_INTERVAL);
    }
    end
}

fn line(event: &PortEvent) -> String {
    match event {
        PortEvent::Connected { device, leds: true } => format!("port   {device} (in and out)"),
        PortEvent::Connected { device, leds: false } => format!("port   {device} (in)"),
        PortEvent::Disconnected { device } => format!("closed {device}"),
        PortEvent::Unavailable(why) | PortEvent::Message(why) => format!("info   {why}"),
        PortEvent::Bytes { device, bytes } => {
            let raw: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let meant = Event::decode(bytes).map_or_else(
                || "not a control message".into(),
                |event| format!("{} = {}", event.address, event.value),
            );
            format!("event  {device}  {meant}  [{}]", raw.join(" "))
        }
    }
}
