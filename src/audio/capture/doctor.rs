//! The audio doctor: measures every input and picks the loudest one that has a signal.
//!
//! Silence is the most common problem, so a diagnosis without a signal includes a next step.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::devices::Devices;
use super::host::{Host, Input, InputError, InputKind};
use super::tap::{Chunk, StreamStats, tap};
use crate::analysis::{Analyser, Hearing, RoomCheck};
use crate::audio::{Frame, Level, Resampler, SAMPLE_RATE_HZ, dbfs};
use crate::handoff::Inbox;
use crate::units::{SampleIndex, Seconds};

/// Level below which an input counts as silent: above the noise of an open line, below that of a cheap microphone in a
/// quiet room.
pub const SILENCE_DBFS: f32 = -60.0;
/// Polling interval of a measurement; far shorter than the audio that fits into the queue.
const POLL: Duration = Duration::from_millis(10);
/// Extra time for a slow sound server to deliver the first sample.
const FIRST_SAMPLE: Duration = Duration::from_millis(2_500);

/// Result of measuring one input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputReport {
    /// The input that was measured.
    pub input: Input,
    /// Sample rate in Hz, 0 if the input did not open.
    pub rate_hz: u32,
    /// Number of channels, 0 if the input did not open.
    pub channels: u16,
    /// Measured level, or the reason there is none.
    pub level: Result<Level, InputError>,
}

impl InputReport {
    /// Returns whether the level is above [`SILENCE_DBFS`].
    pub fn has_signal(&self) -> bool {
        matches!(self.level, Ok(level) if level.rms_dbfs > SILENCE_DBFS)
    }
}

impl std::fmt::Display for InputReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.input.kind {
            InputKind::Input => "input",
            InputKind::Loopback => "loopback",
        };
        write!(f, "{} ({}, {kind}): ", self.input.name, self.input.host)?;
        match &self.level {
            Ok(level) => write!(
                f,
                "{:.1} dBFS rms, {:.1} dBFS peak, {} Hz, {} ch",
                level.rms_dbfs, level.peak_dbfs, self.rate_hz, self.channels
            ),
            Err(reason) => write!(f, "failed to open: {reason}"),
        }
    }
}

/// The doctor's conclusion.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// Index of the report of the recommended input; `None` if no input has a signal.
    pub picked: Option<usize>,
    /// One line for the performer: the choice and its reason, or the problem and a next step.
    pub message: String,
}

/// Measures all inputs of this computer in parallel for `listen`, clamped to 0.05 to 10 s. With slow drivers,
/// takes up to about nine seconds longer.
pub fn examine(listen: Seconds) -> Vec<InputReport> {
    examine_host(&(Arc::new(Devices) as Arc<dyn Host>), listen, None)
}

/// Picks the loudest input that has a signal.
pub fn diagnose(reports: &[InputReport]) -> Diagnosis {
    let loudness = |report: &InputReport| report.level.as_ref().map_or(f32::MIN, |level| level.rms_dbfs);
    let loudest = (0..reports.len())
        .filter(|&index| reports[index].has_signal())
        .max_by(|&a, &b| loudness(&reports[a]).total_cmp(&loudness(&reports[b])));
    if let Some(index) = loudest {
        let report = &reports[index];
        let others = reports.iter().filter(|r| r.has_signal()).count() - 1;
        let why = match (others, reports.len()) {
            (_, 1) => "it is the only input".to_owned(),
            (0, all) => format!("the only one of {all} inputs"),
            (_, all) => format!("the loudest of {all} inputs"),
        };
        let message = format!("'{}' has a signal ({:.1} dBFS); {why}", report.input.name, loudness(report));
        return Diagnosis { picked: Some(index), message };
    }
    let opened = reports.iter().filter(|report| report.level.is_ok()).count();
    let message = if reports.is_empty() {
        format!("no audio input found; {}", hint())
    } else if opened == 0 {
        let failed = match reports.len() {
            1 => "the only input could not be opened".to_owned(),
            all => format!("none of the {all} inputs could be opened"),
        };
        format!("{failed}; {}", hint())
    } else {
        let silent = match opened {
            1 => "the only open input is silent".to_owned(),
            all => format!("all {all} open inputs are silent"),
        };
        format!("{silent}: play something, raise the input level or unmute it; {}", hint())
    };
    Diagnosis { picked: None, message }
}

/// Listens to an input for `listen`, and judges whether it sounds like a line or a room, and whether the beat can be
/// trusted; `None` if it cannot be opened or stays silent.
pub fn hear(input: &Input, listen: Seconds) -> Option<Hearing> {
    let (tap, mut inbox, stats) = tap();
    let opened = Devices.open(input, tap).ok()?;
    let mut listener = Listener::new(opened.rate_hz);
    let polls =
        (Duration::from_secs_f64(listen.0.clamp(0.0, 60.0)) + FIRST_SAMPLE).as_millis() / POLL.as_millis();
    for _ in 0..polls {
        if listener.heard() >= listen || stats.failed() {
            break;
        }
        std::thread::sleep(POLL);
        listener.drain(&mut inbox);
    }
    drop(opened.stream);
    listener.hearing()
}

/// Analyses the sound of an input.
struct Listener {
    resampler: Resampler,
    frames: Vec<Frame>,
    count: u64,
    analyser: Analyser,
    check: RoomCheck,
}

impl Listener {
    /// Builds a listener for an input at this sample rate.
    fn new(rate_hz: u32) -> Self {
        Self {
            resampler: Resampler::new(rate_hz, SAMPLE_RATE_HZ),
            frames: Vec::new(),
            count: 0,
            analyser: Analyser::new(),
            check: RoomCheck::new(),
        }
    }

    /// Analyses the sound received since the last call.
    fn drain(&mut self, inbox: &mut Inbox<Chunk>) {
        while let Some(chunk) = inbox.receive() {
            self.frames.clear();
            self.resampler.push(chunk.frames(), &mut self.frames);
            self.analyser.push(&self.frames);
            self.check.push(&self.frames);
            self.count += self.frames.len() as u64;
        }
    }

    /// Returns the duration of the sound.
    fn heard(&self) -> Seconds {
        SampleIndex(self.count).at(SAMPLE_RATE_HZ)
    }

    fn hearing(&self) -> Option<Hearing> {
        self.check.hearing(self.analyser.features().beat.trusted())
    }
}

/// Returns troubleshooting advice for this platform.
fn hint() -> &'static str {
    if cfg!(windows) {
        "see Settings > System > Sound > Input and Privacy > Microphone; system audio is available as a loopback input"
    } else if cfg!(target_os = "macos") {
        "see System Settings > Privacy & Security > Microphone and Audio Recording; loopback needs macOS 14.6"
    } else {
        "see pavucontrol > Input Devices and Recording (choose 'Monitor of …' to capture system audio), \
         or run `pactl list short sources`; without a sound server: `arecord -l`, and add your user to the `audio` group"
    }
}

/// Measures the inputs of `host` except the one with the ID `except`, which is already open.
pub(crate) fn examine_host(host: &Arc<dyn Host>, listen: Seconds, except: Option<&str>) -> Vec<InputReport> {
    let listen = Duration::from_secs_f64(listen.0.clamp(0.05, 10.0));
    let inputs: Vec<Input> = host.inputs().into_iter().filter(|i| except != Some(i.id.as_str())).collect();
    let (sender, receiver) = mpsc::channel();
    for (index, input) in inputs.iter().cloned().enumerate() {
        let (host, sender) = (host.clone(), sender.clone());
        let task = move || drop(sender.send((index, measure_input(&*host, input, listen))));
        // If the thread cannot be started, the default report below remains.
        std::thread::Builder::new().name("audio doctor".into()).spawn(task).ok();
    }
    drop(sender);
    let no_report = |input| InputReport { input, rate_hz: 0, channels: 0, level: Err(InputError::Timeout) };
    let mut reports: Vec<InputReport> = inputs.into_iter().map(no_report).collect();
    // Wait in slices of 50 ms. Each report uses up one slice, but all arrive at about the same time.
    let slices = (listen + FIRST_SAMPLE + Duration::from_secs(3)).as_millis() / 50;
    for _ in 0..slices {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok((index, report)) => reports[index] = report,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    reports
}

fn measure_input(host: &dyn Host, input: Input, listen: Duration) -> InputReport {
    let (tap, mut inbox, stats) = tap();
    let opened = match host.open(&input, tap) {
        Ok(opened) => opened,
        Err(error) => return InputReport { input, rate_hz: 0, channels: 0, level: Err(error) },
    };
    let level = measure(&mut inbox, &stats, listen);
    let level =
        if stats.frames() == 0 && !opened.idle_when_quiet { Err(InputError::NoAudio) } else { Ok(level) };
    drop(opened.stream);
    InputReport { input, rate_hz: opened.rate_hz, channels: opened.channels, level }
}

fn measure(inbox: &mut Inbox<Chunk>, stats: &StreamStats, listen: Duration) -> Level {
    let (mut square, mut count, mut peak) = (0.0f64, 0u64, 0.0f32);
    let (mut waited, mut measured) = (Duration::ZERO, Duration::ZERO);
    while measured < listen && waited < FIRST_SAMPLE && !stats.failed() {
        std::thread::sleep(POLL);
        if stats.frames() == 0 {
            waited += POLL;
        } else {
            measured += POLL;
        }
        while let Some(chunk) = inbox.receive() {
            let frames: &[Frame] = chunk.frames();
            for sample in frames.iter().flatten() {
                square += f64::from(sample * sample);
                peak = peak.max(sample.abs());
            }
            count += 2 * frames.len() as u64;
        }
    }
    let rms = (square / count.max(1) as f64).sqrt() as f32;
    Level { rms_dbfs: dbfs(rms), peak_dbfs: dbfs(peak) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::capture::fake::FakeHost;
    use crate::units::Rng;

    fn examine_fake(host: &FakeHost) -> Vec<InputReport> {
        examine_host(&(Arc::new(host.clone()) as Arc<dyn Host>), Seconds(0.1), None)
    }

    #[test]
    fn the_loudest_input_is_picked_with_the_reason() {
        let host = FakeHost::default();
        host.plug("built-in microphone", 0.0);
        host.plug("mixer", 0.5);
        host.plug("webcam", 0.01);
        let reports = examine_fake(&host);
        let diagnosis = diagnose(&reports);
        assert_eq!(diagnosis.picked, Some(1), "{diagnosis:?}");
        assert!(
            diagnosis.message.contains("'mixer' has a signal (-6.0 dBFS); the loudest of 3 inputs"),
            "{}",
            diagnosis.message
        );
        let Ok(level) = reports[1].level.clone() else { panic!("{:?}", reports[1]) };
        assert!((level.rms_dbfs + 6.0).abs() < 0.1 && (level.peak_dbfs + 6.0).abs() < 0.1, "{level:?}");
    }

    #[test]
    fn silence_and_missing_inputs_are_reported() {
        let host = FakeHost::default();
        assert!(diagnose(&examine_fake(&host)).message.starts_with("no audio input found"));
        host.plug("line", 0.0);
        let message = diagnose(&examine_fake(&host)).message;
        assert!(message.starts_with("the only open input is silent"), "{message}");
        host.set_busy("line", true);
        assert!(diagnose(&examine_fake(&host)).message.starts_with("the only input could not be opened"));
    }

    /// Sample rate of the fake host, in Hz.
    const RATE: f32 = 48_000.0;

    /// Returns 16 s of a house groove at 125 BPM.
    fn groove() -> Vec<f32> {
        let step = (RATE * 0.24) as usize;
        let mut out: Vec<f32> = (0..16 * RATE as usize)
            .map(|n| 0.01 * (std::f32::consts::TAU * 220.0 * (n % 4_800) as f32 / RATE).sin())
            .collect();
        let mut rng = Rng::new(5);
        for (number, start) in (0..out.len()).step_by(step).enumerate() {
            for (n, out) in out[start..].iter_mut().take((0.3 * RATE) as usize).enumerate() {
                let since = n as f32 / RATE;
                let noise = rng.normal() as f32;
                let kick = (std::f32::consts::TAU * (50.0 * since - 3.3 * (-since / 0.03).exp())).sin();
                *out += match number % 4 {
                    0 => 0.4 * kick * (-since / 0.12).exp(),
                    2 => 0.4 * kick * (-since / 0.12).exp() + 0.1 * noise * (-since / 0.07).exp(),
                    _ => 0.08 * noise * (-since / 0.03).exp(),
                };
            }
        }
        out
    }

    /// Adds reverberation that decays by 60 dB in `secs` seconds: parallel comb filters and two all-pass filters
    /// (Schroeder, 1962).
    fn in_room(sound: &[f32], secs: f32) -> Vec<f32> {
        let mut combs = [1_687, 1_601, 2_053, 2_251].map(|delay| vec![0.0_f32; delay]);
        let mut passes = [341, 113].map(|delay| vec![0.0_f32; delay]);
        let echo = |(n, dry): (usize, &f32)| {
            let mut wet = 0.0;
            for line in &mut combs {
                let (length, at) = (line.len(), n % line.len());
                let out = line[at];
                line[at] = dry + out * 10.0_f32.powf(-3.0 * length as f32 / RATE / secs);
                wet += 0.5 * out;
            }
            for line in &mut passes {
                let at = n % line.len();
                let out = line[at] - 0.7 * wet;
                line[at] = wet + 0.7 * out;
                wet = out;
            }
            0.5 * dry + wet
        };
        sound.iter().enumerate().map(echo).collect()
    }

    /// Returns as much of the murmur of a crowd, at an RMS of 1.
    fn crowd(length: usize) -> Vec<f32> {
        let (mut rng, mut low) = (Rng::new(9), 0.0);
        let murmur = |_| {
            low += (rng.normal() as f32 - low) * 0.2;
            3.0 * low
        };
        (0..length).map(murmur).collect()
    }

    fn hear_fake(sound: Vec<f32>) -> Option<Hearing> {
        let host = FakeHost::default();
        host.plug_sound("microphone", sound);
        let (tap, mut inbox, _) = tap();
        let opened = host.open(&host.inputs()[0], tap).expect("opens");
        let mut listener = Listener::new(opened.rate_hz);
        while listener.heard() < Seconds(16.0) {
            host.play(4_800);
            listener.drain(&mut inbox);
        }
        listener.hearing()
    }

    #[test]
    fn a_groove_is_heard_on_a_line_in_a_room_and_in_a_crowd() {
        let line = hear_fake(groove()).expect("sound");
        assert!(line.room == Some(false) && line.trusted && line.above_db > 15.0, "{line:?}");
        let reverberant = in_room(&groove(), 0.8);
        let room = hear_fake(reverberant.clone()).expect("sound");
        assert!(room.room == Some(true) && room.above_db > 6.0, "{room:?}");
        let rms = (reverberant.iter().map(|s| s * s).sum::<f32>() / reverberant.len() as f32).sqrt();
        let noise = crowd(reverberant.len());
        let mixed = reverberant.iter().zip(&noise).map(|(music, noise)| music + 0.3 * rms * noise).collect();
        let crowded = hear_fake(mixed).expect("sound");
        assert!(crowded.room == Some(true) && (4.0..14.0).contains(&crowded.above_db), "{crowded:?}");
        let alone = hear_fake(noise.iter().map(|noise| 0.05 * noise).collect()).expect("sound");
        assert!(!alone.trusted && alone.above_db < 6.0, "{alone:?}");
        assert_eq!(hear_fake(vec![0.0; 48_000]), None, "silence");
    }
}
