//! Measures the delay of an input: plays clicks through the default output, and records them.
//!
//! The delay lasts from the moment at which a click leaves the output, as far as the driver knows it, until its samples
//! arrive here, as those of a show do.

use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{FromSample, SampleFormat, SizedSample, SupportedStreamConfig};

use super::devices::Devices;
use super::host::{DeviceChoice, Host, Input, InputError};
use super::tap::tap;
use crate::audio::clicks::{CLICKS, InputDelay, SPACING_SECS, click, input_delay};
use crate::handoff::{Inbox, Outbox, queue};

/// Interval between reads of the input, as in a show.
const POLL: Duration = Duration::from_millis(4);
/// Length of the recording, in seconds: the clicks, and some time for the output to start.
const RECORDED_SECS: f64 = (CLICKS + 1) as f64 * SPACING_SECS + 2.0;
/// Amplitude of the clicks.
const LOUDNESS: f32 = 0.5;
/// Timeout for opening the output.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the delay of an input could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// There is no input.
    #[error("no audio input found; connect one, or run `aivj doctor`")]
    NoInput,
    /// No input has this name.
    #[error("no input matches '{0}'; `aivj doctor` lists the inputs")]
    Unmatched(String),
    /// The input cannot be used.
    #[error("could not record from '{name}': {error}")]
    Input {
        /// Name of the input.
        name: String,
        /// Why it cannot be used.
        error: InputError,
    },
    /// There is no output.
    #[error("no audio output found; connect loudspeakers and make them the system's default output")]
    NoOutput,
    /// The output cannot be used.
    #[error("could not play through the default output: {0}")]
    Output(String),
    /// Too few clicks were heard.
    #[error("heard {heard} of {CLICKS} clicks through '{name}'; turn up the loudspeakers or the input level")]
    Unheard {
        /// Name of the input.
        name: String,
        /// Number of clicks heard at about the same delay.
        heard: usize,
    },
}

/// Measures the delay of an input, which takes about eleven seconds; also returns the name of the input.
///
/// # Errors
/// Returns an error if there is no such input or no output, if one of them cannot be used, or if too few clicks are
/// heard.
pub fn measure_input_delay(choice: &DeviceChoice) -> Result<(String, InputDelay), CalibrationError> {
    let input = chosen(Devices.inputs(), choice)?;
    let failed = |error| CalibrationError::Input { name: input.name.clone(), error };
    let (tap, mut inbox, _) = tap();
    let opened = Devices.open(&input, tap).map_err(failed)?;
    let rate = f64::from(opened.rate_hz);
    let epoch = Instant::now();
    let mut speaker = Speaker::start(epoch)?;
    let (mut recording, mut starts) = (Vec::new(), Vec::new());
    while epoch.elapsed().as_secs_f64() < RECORDED_SECS {
        std::thread::sleep(POLL);
        let before = recording.len();
        while let Some(chunk) = inbox.receive() {
            // Lost frames are replaced by silence.
            recording.resize(recording.len().max(chunk.start as usize), 0.0);
            recording.extend(chunk.frames().iter().map(|[left, right]| 0.5 * (left + right)));
        }
        if recording.len() > before {
            starts.push(epoch.elapsed().as_secs_f64() - recording.len() as f64 / rate);
        }
    }
    drop(opened.stream);
    starts.sort_unstable_by(f64::total_cmp);
    let start = *starts.get(starts.len() / 2).ok_or_else(|| failed(InputError::NoAudio))?;
    let played: Vec<f64> = speaker.played().into_iter().map(|at| at - start).collect();
    let delay = input_delay(&recording, opened.rate_hz, &played);
    let delay = delay.map_err(|heard| CalibrationError::Unheard { name: input.name.clone(), heard })?;
    Ok((input.name, delay))
}

/// Returns the input that a show would open first.
fn chosen(inputs: Vec<Input>, choice: &DeviceChoice) -> Result<Input, CalibrationError> {
    if inputs.is_empty() {
        return Err(CalibrationError::NoInput);
    }
    let wanted = |input: &Input| match choice {
        DeviceChoice::Automatic => true,
        DeviceChoice::Named(pattern) => input.matches(pattern),
    };
    inputs.into_iter().find(wanted).ok_or_else(|| match choice {
        DeviceChoice::Named(pattern) => CalibrationError::Unmatched(pattern.clone()),
        DeviceChoice::Automatic => CalibrationError::NoInput,
    })
}

/// The default output while it plays the clicks.
struct Speaker {
    played: Inbox<f64>,
    _stream: cpal::Stream,
}

impl Speaker {
    /// Starts to play the clicks; the times at which they leave the output are counted from `epoch`.
    fn start(epoch: Instant) -> Result<Self, CalibrationError> {
        let failed = |error: cpal::Error| CalibrationError::Output(error.to_string());
        // As for inputs, sound servers come before plain ALSA.
        let mut hosts = cpal::available_hosts();
        hosts.sort_by_key(|id| id.name() == "ALSA");
        let device = hosts.into_iter().find_map(|id| cpal::host_from_id(id).ok()?.default_output_device());
        let device = device.ok_or(CalibrationError::NoOutput)?;
        let config = device.default_output_config().map_err(failed)?;
        let (out, played) = queue(CLICKS);
        let stream = match config.sample_format() {
            SampleFormat::I16 => stream::<i16>(&device, &config, epoch, out),
            SampleFormat::I32 => stream::<i32>(&device, &config, epoch, out),
            SampleFormat::U16 => stream::<u16>(&device, &config, epoch, out),
            // For other formats, the audio host converts from `f32` or reports an error.
            _ => stream::<f32>(&device, &config, epoch, out),
        };
        let stream = stream.map_err(failed)?;
        stream.play().map_err(failed)?;
        Ok(Self { played, _stream: stream })
    }

    /// Returns when each click has left the output, in seconds.
    fn played(&mut self) -> Vec<f64> {
        std::iter::from_fn(|| self.played.receive()).collect()
    }
}

fn stream<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: &SupportedStreamConfig,
    epoch: Instant,
    mut out: Outbox<f64>,
) -> Result<cpal::Stream, cpal::Error> {
    let (rate_hz, channels) = (config.sample_rate(), usize::from(config.channels()).max(1));
    let click = click(rate_hz);
    let spacing = (SPACING_SECS * f64::from(rate_hz)) as usize;
    let mut position = 0;
    let write = move |data: &mut [T], info: &cpal::OutputCallbackInfo| {
        let times = info.timestamp();
        let ahead = times.playback.duration_since(times.callback);
        let leaves = (epoch.elapsed() + ahead).as_secs_f64();
        for (number, frame) in data.chunks_mut(channels).enumerate() {
            let (place, since) = (position / spacing, position % spacing);
            let plays = (1..=CLICKS).contains(&place);
            if plays && since == 0 {
                // The queue has room for every click.
                out.send(leaves + number as f64 / f64::from(rate_hz)).ok();
            }
            let sample = if plays { click.get(since).copied().unwrap_or(0.0) } else { 0.0 };
            frame.fill(<T as FromSample<f32>>::from_sample_(LOUDNESS * sample));
            position += 1;
        }
    };
    device.build_output_stream::<T, _, _>(config.config(), write, |_| {}, Some(OPEN_TIMEOUT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::capture::fake::FakeHost;

    #[test]
    fn a_missing_input_is_an_error_with_advice() {
        let host = FakeHost::default();
        let choose = |name: Option<&str>| {
            let choice = name.map_or(DeviceChoice::Automatic, |name| DeviceChoice::Named(name.into()));
            chosen(host.inputs(), &choice).map(|input| input.name).map_err(|error| error.to_string())
        };
        assert_eq!(choose(None), Err("no audio input found; connect one, or run `aivj doctor`".into()));
        host.plug("microphone", 0.1);
        assert_eq!(choose(None), Ok("microphone".into()));
        assert_eq!(choose(Some("MICRO")), Ok("microphone".into()));
        let unmatched = choose(Some("USB"));
        assert!(unmatched.is_err_and(|error| error.starts_with("no input matches 'USB'")));
    }
}
