//! Audio devices through cpal: enumerating inputs and opening one.
//!
//! Every driver call runs on its own thread with a timeout, because drivers and sound servers are known to
//! hang. A call that hangs is not repeated until it returns, so that a hung driver costs one thread, not one
//! per attempt.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{BufferSize, ErrorKind, SampleFormat, StreamConfig, SupportedBufferSize, SupportedStreamConfig};

use super::host::{Host, Input, InputError, InputKind, OpenStream};
use super::tap::{StreamStats, Tap};

/// Timeout for listing the inputs of an audio host.
const LIST_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Timeout for opening a device.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);
/// Requested callback length in seconds: half of the 10 ms within which sound and light seem simultaneous.
const BUFFER_SECS: f64 = 0.005;
/// Buffer length on PulseAudio in seconds, large enough for late blocks; see [`open_pacer`].
const PULSE_BUFFER_SECS: f64 = 0.085;

/// All audio hosts that cpal was built with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Devices;

/// Calls that list the inputs of an audio host, by the host's name.
static LISTS: Calls<Vec<Input>> = Calls::new("audio list");
/// Calls that open an input, by its ID.
static OPENS: Calls<Result<OpenStream, InputError>> = Calls::new("audio open");

impl Host for Devices {
    fn inputs(&self) -> Vec<Input> {
        let (servers, plain): (Vec<_>, Vec<_>) =
            cpal::available_hosts().into_iter().partition(|id| !matches!(id.name(), "ALSA"));
        let list = |hosts: Vec<cpal::HostId>| -> Vec<Input> {
            let pending: Vec<_> =
                hosts.into_iter().map(|id| LISTS.start(id.name(), move || inputs_of(id))).collect();
            pending.into_iter().filter_map(|call| LISTS.finish(call, LIST_TIMEOUT)).flatten().collect()
        };
        let found = list(servers);
        // A sound server lists the same cards as plain ALSA and prevents ALSA from opening them.
        if found.is_empty() { list(plain) } else { found }
    }

    fn open(&self, input: &Input, tap: Tap) -> Result<OpenStream, InputError> {
        let wanted = input.clone();
        let call = OPENS.start(&input.id, move || open(&wanted, tap));
        OPENS.finish(call, OPEN_TIMEOUT).unwrap_or(Err(InputError::Timeout))
    }
}

/// Calls that may hang, by key. While one hangs, further calls with the same key are not made.
struct Calls<T> {
    name: &'static str,
    hanging: Mutex<BTreeMap<String, mpsc::Receiver<T>>>,
}

/// A call; `result` is `None` if it was not started because an earlier one with the same key is still
/// hanging.
struct Call<T> {
    key: String,
    result: Option<mpsc::Receiver<T>>,
}

impl<T: Send + 'static> Calls<T> {
    const fn new(name: &'static str) -> Self {
        Self { name, hanging: Mutex::new(BTreeMap::new()) }
    }

    /// Starts a call on its own thread, unless an earlier call with this key is still hanging. If an earlier
    /// call has since returned, its result is dropped.
    fn start(&self, key: &str, call: impl FnOnce() -> T + Send + 'static) -> Call<T> {
        let mut hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs = hanging
            .get(key)
            .is_some_and(|earlier| matches!(earlier.try_recv(), Err(mpsc::TryRecvError::Empty)));
        let key = key.to_owned();
        if hangs {
            return Call { key, result: None };
        }
        hanging.remove(&key);
        let (sender, receiver) = mpsc::sync_channel(1);
        // Sending fails if the receiver has been dropped, which discards an outdated result.
        let send = move || drop(sender.send(call()));
        // If the thread cannot be started, the sender is dropped and the receiver disconnects.
        std::thread::Builder::new().name(self.name.into()).spawn(send).ok();
        Call { key, result: Some(receiver) }
    }

    /// Returns the result of a call; `None` if it was not started, failed, or has not returned within
    /// `timeout`. In the last case, it counts as hanging.
    fn finish(&self, call: Call<T>, timeout: Duration) -> Option<T> {
        let result = call.result?;
        match result.recv_timeout(timeout) {
            Ok(result) => Some(result),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.hanging.lock().unwrap_or_else(PoisonError::into_inner).insert(call.key, result);
                None
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
        }
    }
}

fn inputs_of(id: cpal::HostId) -> Vec<Input> {
    let Ok(host) = cpal::host_from_id(id) else { return Vec::new() };
    let default = host.default_input_device().and_then(|device| device.id().ok());
    let Ok(devices) = host.devices() else { return Vec::new() };
    let mut inputs: Vec<Input> = devices.filter_map(|device| describe(&device, default.as_ref())).collect();
    inputs.sort_by_key(|input| (!input.preferred, input.kind == InputKind::Loopback));
    inputs
}

fn describe(device: &cpal::Device, default: Option<&cpal::DeviceId>) -> Option<Input> {
    let id = device.id().ok()?;
    let description = device.description().ok()?;
    let is_output = description.direction() == cpal::DeviceDirection::Output;
    let has_input = device.supports_input();
    let is_converter = id.host().name() == "ALSA" && !is_alsa_device(id.id());
    if is_converter || !(has_input || (is_output && output_has_loopback())) {
        return None;
    }
    let kind =
        if is_output || id.id().ends_with(".monitor") { InputKind::Loopback } else { InputKind::Input };
    Some(Input {
        name: description.name().to_owned(),
        host: id.host().name().to_owned(),
        kind,
        preferred: default == Some(&id),
        id: id.to_string(),
    })
}

/// Returns whether an ALSA name refers to a card, the default device or a sound server; ALSA also lists converters
/// and every speaker layout.
fn is_alsa_device(id: &str) -> bool {
    matches!(id, "default" | "pulse" | "pipewire") || id.starts_with("sysdefault:") || id.starts_with("hw:")
}

/// Returns whether output devices can be recorded (WASAPI and CoreAudio loopback).
const fn output_has_loopback() -> bool {
    cfg!(any(windows, target_os = "macos"))
}

fn open(input: &Input, tap: Tap) -> Result<OpenStream, InputError> {
    let driver =
        |e: cpal::Error| InputError::Driver(e.message().map_or_else(|| e.to_string(), ToOwned::to_owned));
    let id: cpal::DeviceId = input.id.parse().map_err(driver)?;
    let host = cpal::host_from_id(id.host()).map_err(driver)?;
    let device = host.device_by_id(&id).ok_or(InputError::Gone)?;
    // An output device reports only its output format, which is also the format of its loopback.
    let config = device.default_input_config().or_else(|_| device.default_output_config()).map_err(driver)?;
    let stats = tap.stats();
    let pulse = id.host().name() == "PulseAudio";
    let buffer_secs = if pulse { PULSE_BUFFER_SECS } else { BUFFER_SECS };
    let stream = build(&device, &config, buffer_secs, tap, stats).map_err(driver)?;
    stream.play().map_err(driver)?;
    let pacer = if pulse { open_pacer(&device, &config) } else { None };
    Ok(OpenStream {
        rate_hz: config.sample_rate(),
        channels: config.channels(),
        idle_when_quiet: cfg!(windows) && input.kind == InputKind::Loopback,
        stream: Box::new((stream, pacer)),
    })
}

/// Opens a second stream with short blocks whose audio is discarded.
///
/// PulseAudio runs a source at the shortest block length any client requests but buffers only one block for that
/// client: blocks that are slightly late are lost (measured: up to half of all audio). This stream therefore makes
/// the source run at blocks of 5 ms, while the stream that is read has a larger buffer and loses nothing.
fn open_pacer(device: &cpal::Device, supported: &SupportedStreamConfig) -> Option<cpal::Stream> {
    let (tap, _discarded, stats) = super::tap::tap();
    let stream = build(device, supported, BUFFER_SECS, tap, stats).ok()?;
    stream.play().ok()?;
    Some(stream)
}

fn build(
    device: &cpal::Device,
    supported: &SupportedStreamConfig,
    buffer_secs: f64,
    tap: Tap,
    stats: std::sync::Arc<StreamStats>,
) -> Result<cpal::Stream, cpal::Error> {
    let mut config = supported.config();
    config.buffer_size = match *supported.buffer_size() {
        SupportedBufferSize::Range { min, max } => {
            let wanted = (f64::from(config.sample_rate) * buffer_secs).round() as u32;
            BufferSize::Fixed(wanted.clamp(min, max.max(min)))
        }
        SupportedBufferSize::Unknown => BufferSize::Default,
    };
    match supported.sample_format() {
        SampleFormat::I8 => stream::<i8>(device, config, tap, stats),
        SampleFormat::I16 => stream::<i16>(device, config, tap, stats),
        SampleFormat::I24 => stream::<cpal::I24>(device, config, tap, stats),
        SampleFormat::I32 => stream::<i32>(device, config, tap, stats),
        SampleFormat::I64 => stream::<i64>(device, config, tap, stats),
        SampleFormat::U8 => stream::<u8>(device, config, tap, stats),
        SampleFormat::U16 => stream::<u16>(device, config, tap, stats),
        SampleFormat::U24 => stream::<cpal::U24>(device, config, tap, stats),
        SampleFormat::U32 => stream::<u32>(device, config, tap, stats),
        SampleFormat::U64 => stream::<u64>(device, config, tap, stats),
        SampleFormat::F64 => stream::<f64>(device, config, tap, stats),
        // For other formats (such as one-bit), the audio host converts to `f32` or reports an error.
        _ => stream::<f32>(device, config, tap, stats),
    }
}

fn stream<T>(
    device: &cpal::Device,
    config: StreamConfig,
    mut tap: Tap,
    stats: std::sync::Arc<StreamStats>,
) -> Result<cpal::Stream, cpal::Error>
where
    T: cpal::SizedSample,
    f32: cpal::FromSample<T>,
{
    let channels = usize::from(config.channels);
    let data = move |samples: &[T], _: &cpal::InputCallbackInfo| tap.push(samples, channels);
    let failed = move |e: cpal::Error| match e.kind() {
        // The stream continues after these errors.
        ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {}
        _ => stats.fail(),
    };
    device.build_input_stream::<T, _, _>(config, data, failed, Some(OPEN_TIMEOUT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_hanging_call_is_not_repeated_until_it_returns() {
        let calls: Calls<u32> = Calls::new("test");
        let made = Arc::new(AtomicU32::new(0));
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let try_once = |timeout| {
            let (made, held) = (made.clone(), held.clone());
            let call = calls.start("server", move || {
                let number = made.fetch_add(1, Ordering::Relaxed);
                if number == 0 {
                    held.lock().expect("free").recv().ok();
                }
                number
            });
            calls.finish(call, timeout)
        };
        for _ in 0..20 {
            assert_eq!(try_once(Duration::from_millis(5)), None);
        }
        assert!(made.load(Ordering::Relaxed) <= 1);
        release.send(()).expect("it hangs");
        let again = std::iter::repeat_with(|| try_once(Duration::from_secs(60)));
        assert_eq!(again.flatten().next(), Some(1), "the result of the call that hung is outdated");
        let other = calls.start("another", || 7);
        assert_eq!(calls.finish(other, Duration::from_secs(60)), Some(7));
    }
}
