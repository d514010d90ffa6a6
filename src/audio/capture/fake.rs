//! A fake audio host, whose devices tests can plug in, unplug and play.

use std::sync::{Arc, Mutex, MutexGuard};

use super::host::{Host, Input, InputError, InputKind, OpenStream};
use super::tap::Tap;

#[derive(Default)]
struct Device {
    name: String,
    level: f32,
    /// Sound that the device plays in a loop; plays `level` if empty.
    sound: Vec<f32>,
    played: usize,
    busy: bool,
    muted: bool,
    stream: Option<Tap>,
}

/// A fake audio host; cheap to clone, and all clones share its devices.
#[derive(Clone, Default)]
pub(crate) struct FakeHost(Arc<Mutex<Vec<Device>>>);

impl FakeHost {
    fn devices(&self) -> MutexGuard<'_, Vec<Device>> {
        self.0.lock().unwrap()
    }

    /// Adds a device that plays a constant `level`.
    pub(crate) fn plug(&self, name: &str, level: f32) {
        self.devices().push(Device { name: name.into(), level, ..Device::default() });
    }

    /// Adds a device that plays `sound` at 48 kHz in a loop.
    pub(crate) fn plug_sound(&self, name: &str, sound: Vec<f32>) {
        self.devices().push(Device { name: name.into(), sound, ..Device::default() });
    }

    /// Removes a device; its stream reports the failure unless `quietly` is true.
    pub(crate) fn pull(&self, name: &str, quietly: bool) {
        self.devices().retain(|device| {
            let keep = device.name != name;
            if let (false, false, Some(tap)) = (keep, quietly, &device.stream) {
                tap.stats().fail();
            }
            keep
        });
    }

    /// Sets whether opening a device fails.
    pub(crate) fn set_busy(&self, name: &str, busy: bool) {
        self.devices().iter_mut().filter(|d| d.name == name).for_each(|d| d.busy = busy);
    }

    /// Makes a device open but deliver nothing.
    pub(crate) fn mute(&self, name: &str) {
        self.devices().iter_mut().filter(|d| d.name == name).for_each(|d| d.muted = true);
    }

    /// Makes every open device deliver `frames` mono frames.
    pub(crate) fn play(&self, frames: usize) {
        for device in self.devices().iter_mut() {
            let sample = |n: usize| match device.sound.len() {
                0 => device.level,
                length => device.sound[(device.played + n) % length],
            };
            let samples: Vec<f32> = (0..frames).map(sample).collect();
            if let (false, Some(tap)) = (device.muted, &mut device.stream) {
                tap.push(&samples, 1);
                device.played += frames;
            }
        }
    }
}

impl Host for FakeHost {
    fn inputs(&self) -> Vec<Input> {
        let describe = |device: &Device| Input {
            name: device.name.clone(),
            host: "fake".into(),
            kind: InputKind::Input,
            preferred: false,
            id: format!("fake:{}", device.name),
        };
        self.devices().iter().map(describe).collect()
    }

    fn open(&self, input: &Input, mut tap: Tap) -> Result<OpenStream, InputError> {
        let mut devices = self.devices();
        let device = devices.iter_mut().find(|d| d.name == input.name).ok_or(InputError::Gone)?;
        if device.busy {
            return Err(InputError::Driver("busy".into()));
        }
        if !device.muted {
            tap.push(&[device.level; 480], 1);
        }
        device.stream = Some(tap);
        Ok(OpenStream { rate_hz: 48_000, channels: 1, idle_when_quiet: false, stream: Box::new(()) })
    }
}
