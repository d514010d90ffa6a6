//! The real sound systems, through cpal: which inputs exist, and how one is opened.
//!
//! Every question to a driver is asked on a thread of its own and given up after a while, because drivers and
//! sound servers are known to hang; a hung thread is left behind and costs nothing but its stack.

use std::sync::mpsc;
use std::time::Duration;

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{BufferSize, ErrorKind, SampleFormat, StreamConfig, SupportedBufferSize, SupportedStreamConfig};

use super::host::{Host, Input, InputKind, Opened};
use super::tap::{Tap, Vitals};

/// How long a sound system may take to list its inputs.
const LIST_PATIENCE: Duration = Duration::from_millis(1_500);
/// How long a device may take to open.
const OPEN_PATIENCE: Duration = Duration::from_secs(3);
/// Callbacks asked for, in seconds: half of the 10 ms within which sound and light seem one.
const BUFFER_SECS: f64 = 0.005;
/// Room for late blocks on PulseAudio, in seconds; see [`pilot`].
const PULSE_ROOM_SECS: f64 = 0.085;

/// The sound systems this program was built with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Devices;

impl Host for Devices {
    fn inputs(&self) -> Vec<Input> {
        let (servers, plain): (Vec<_>, Vec<_>) =
            cpal::available_hosts().into_iter().partition(|id| !matches!(id.name(), "ALSA"));
        let ask = |hosts: Vec<cpal::HostId>| -> Vec<Input> {
            let asked: Vec<_> =
                hosts.into_iter().map(|id| ask("audio list", move || inputs_of(id))).collect();
            asked.into_iter().filter_map(|answer| answer.recv_timeout(LIST_PATIENCE).ok()).flatten().collect()
        };
        let found = ask(servers);
        // A sound server shows the same cards as plain ALSA, and would keep ALSA from opening them.
        if found.is_empty() { ask(plain) } else { found }
    }

    fn open(&self, input: &Input, tap: Tap) -> Result<Opened, String> {
        let wanted = input.clone();
        ask("audio open", move || open(&wanted, tap))
            .recv_timeout(OPEN_PATIENCE)
            .unwrap_or_else(|_| Err("the driver does not answer".into()))
    }
}

/// Runs `question` on its own thread; the answer may never come.
fn ask<T: Send + 'static>(name: &str, question: impl FnOnce() -> T + Send + 'static) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let deed = move || drop(sender.send(question())); // receiver gone means the patience is at its end
    // Without a thread the sender is dropped, which the receiver sees as no answer.
    std::thread::Builder::new().name(name.into()).spawn(deed).ok();
    receiver
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
    let plays = description.direction() == cpal::DeviceDirection::Output;
    let records = device.supports_input();
    let useless = id.host().name() == "ALSA" && !is_alsa_device(id.id());
    if useless || !(records || (plays && loopback_by_output())) {
        return None;
    }
    let kind = if plays || id.id().ends_with(".monitor") { InputKind::Loopback } else { InputKind::Input };
    Some(Input {
        name: description.name().to_owned(),
        host: id.host().name().to_owned(),
        kind,
        preferred: default == Some(&id),
        id: id.to_string(),
    })
}

/// True for a card or the user's default; ALSA also lists its converters and every speaker layout.
fn is_alsa_device(id: &str) -> bool {
    matches!(id, "default" | "pulse" | "pipewire") || id.starts_with("sysdefault:") || id.starts_with("hw:")
}

/// True where listening to an output device gives what it plays (WASAPI, CoreAudio).
const fn loopback_by_output() -> bool {
    cfg!(any(windows, target_os = "macos"))
}

fn open(input: &Input, tap: Tap) -> Result<Opened, String> {
    let said = |e: cpal::Error| e.message().map_or_else(|| e.to_string(), ToOwned::to_owned);
    let id: cpal::DeviceId = input.id.parse().map_err(said)?;
    let host = cpal::host_from_id(id.host()).map_err(said)?;
    let device = host.device_by_id(&id).ok_or("it is not there any more")?;
    // A render device knows only how it plays; its loopback delivers the same.
    let config = device.default_input_config().or_else(|_| device.default_output_config()).map_err(said)?;
    let vitals = tap.vitals();
    let pulse = id.host().name() == "PulseAudio";
    let buffer_secs = if pulse { PULSE_ROOM_SECS } else { BUFFER_SECS };
    let stream = build(&device, &config, buffer_secs, tap, vitals).map_err(said)?;
    stream.play().map_err(said)?;
    let pilot = if pulse { pilot(&device, &config) } else { None };
    Ok(Opened {
        rate_hz: config.sample_rate(),
        channels: config.channels(),
        rests_when_quiet: cfg!(windows) && input.kind == InputKind::Loopback,
        stream: Box::new((stream, pilot)),
    })
}

/// A second stream of short blocks whose sound is thrown away.
///
/// PulseAudio runs a source at the shortest block any client asks for, but keeps no more than one block for the
/// client that asked: whatever comes a moment late is lost (measured: up to half of all sound). So this stream
/// sets the pace of 5 ms, and the one that is listened to has room and loses nothing.
fn pilot(device: &cpal::Device, supported: &SupportedStreamConfig) -> Option<cpal::Stream> {
    let (tap, _unheard, vitals) = super::tap::tap();
    let stream = build(device, supported, BUFFER_SECS, tap, vitals).ok()?;
    stream.play().ok()?;
    Some(stream)
}

fn build(
    device: &cpal::Device,
    supported: &SupportedStreamConfig,
    buffer_secs: f64,
    tap: Tap,
    vitals: std::sync::Arc<Vitals>,
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
        SampleFormat::I8 => stream::<i8>(device, config, tap, vitals),
        SampleFormat::I16 => stream::<i16>(device, config, tap, vitals),
        SampleFormat::I24 => stream::<cpal::I24>(device, config, tap, vitals),
        SampleFormat::I32 => stream::<i32>(device, config, tap, vitals),
        SampleFormat::I64 => stream::<i64>(device, config, tap, vitals),
        SampleFormat::U8 => stream::<u8>(device, config, tap, vitals),
        SampleFormat::U16 => stream::<u16>(device, config, tap, vitals),
        SampleFormat::U24 => stream::<cpal::U24>(device, config, tap, vitals),
        SampleFormat::U32 => stream::<u32>(device, config, tap, vitals),
        SampleFormat::U64 => stream::<u64>(device, config, tap, vitals),
        SampleFormat::F64 => stream::<f64>(device, config, tap, vitals),
        // Anything else (one-bit formats) is left to the sound system to convert, or to refuse.
        _ => stream::<f32>(device, config, tap, vitals),
    }
}

fn stream<T>(
    device: &cpal::Device,
    config: StreamConfig,
    mut tap: Tap,
    vitals: std::sync::Arc<Vitals>,
) -> Result<cpal::Stream, cpal::Error>
where
    T: cpal::SizedSample,
    f32: cpal::FromSample<T>,
{
    let channels = usize::from(config.channels);
    let data = move |samples: &[T], _: &cpal::InputCallbackInfo| tap.take(samples, channels);
    let failed = move |e: cpal::Error| match e.kind() {
        // The stream goes on.
        ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {}
        _ => vitals.fail(),
    };
    device.build_input_stream::<T, _, _>(config, data, failed, Some(OPEN_PATIENCE))
}
