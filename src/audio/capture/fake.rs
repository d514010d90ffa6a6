//! A sound system of the tests: devices are plugged and pulled by hand, and sound only when told to.

use std::sync::{Arc, Mutex, MutexGuard};

use super::host::{Host, Input, InputKind, Opened};
use super::tap::Tap;

#[derive(Default)]
struct Device {
    name: String,
    level: f32,
    refuses: bool,
    dumb: bool,
    stream: Option<Tap>,
}

/// Cheap to clone; all clones are the same computer.
#[derive(Clone, Default)]
pub(crate) struct FakeHost(Arc<Mutex<Vec<Device>>>);

impl FakeHost {
    fn devices(&self) -> MutexGuard<'_, Vec<Device>> {
        self.0.lock().unwrap()
    }

    /// Adds a device that sounds like a square wave of `level`.
    pub(crate) fn plug(&self, name: &str, level: f32) {
        self.devices().push(Device { name: name.into(), level, ..Device::default() });
    }

    /// Takes a device away; its stream is told, unless it dies `quietly`.
    pub(crate) fn pull(&self, name: &str, quietly: bool) {
        self.devices().retain(|device| {
            let stays = device.name != name;
            if let (false, false, Some(tap)) = (stays, quietly, &device.stream) {
                tap.vitals().fail();
            }
            stays
        });
    }

    pub(crate) fn refuse(&self, name: &str, refuses: bool) {
        self.devices().iter_mut().filter(|d| d.name == name).for_each(|d| d.refuses = refuses);
    }

    /// From now on the device opens but never delivers.
    pub(crate) fn mute(&self, name: &str) {
        self.devices().iter_mut().filter(|d| d.name == name).for_each(|d| d.dumb = true);
    }

    /// Lets every open device deliver `frames` mono frames.
    pub(crate) fn sound(&self, frames: usize) {
        for device in self.devices().iter_mut() {
            let level = device.level;
            if let (false, Some(tap)) = (device.dumb, &mut device.stream) {
                tap.take(&vec![level; frames], 1);
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

    fn open(&self, input: &Input, mut tap: Tap) -> Result<Opened, String> {
        let mut devices = self.devices();
        let device = devices.iter_mut().find(|d| d.name == input.name).ok_or("it is gone")?;
        if device.refuses {
            return Err("busy".into());
        }
        if !device.dumb {
            tap.take(&[device.level; 480], 1);
        }
        device.stream = Some(tap);
        Ok(Opened { rate_hz: 48_000, channels: 1, rests_when_quiet: false, stream: Box::new(()) })
    }
}
