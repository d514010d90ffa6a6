//! The audio doctor: listens to every input for a moment and says which one carries sound.
//!
//! Silence is the failure most often met in this kind of program, so the answer always says what to do next.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::devices::Devices;
use super::host::{Host, Input, InputKind};
use super::tap::{Vitals, tap};
use crate::audio::{Frame, Level, dbfs};
use crate::handoff::Inbox;
use crate::units::Seconds;

/// Below this an input counts as silent: under the noise of a cheap microphone in a quiet room it is not,
/// under that of an open line it is.
pub const SILENCE_DBFS: f32 = -60.0;
/// How often a measurement looks into its queue; the queue holds far more.
const LOOK: Duration = Duration::from_millis(10);
/// What a slow sound server may take to send its first sample, beyond the time listened.
const FIRST_SOUND: Duration = Duration::from_millis(2_500);

/// What one input delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct InputReport {
    /// The input.
    pub input: Input,
    /// Its rate in Hz; 0 when it did not open.
    pub rate_hz: u32,
    /// Its channels; 0 when it did not open.
    pub channels: u16,
    /// How loud it was, or what the driver said instead.
    pub heard: Result<Level, String>,
}

impl InputReport {
    /// Whether it carries sound.
    pub fn carries_sound(&self) -> bool {
        matches!(self.heard, Ok(level) if level.rms_dbfs > SILENCE_DBFS)
    }
}

impl std::fmt::Display for InputReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.input.kind {
            InputKind::Input => "input",
            InputKind::Loopback => "loopback",
        };
        write!(f, "{} ({}, {kind}): ", self.input.name, self.input.host)?;
        match &self.heard {
            Ok(level) => write!(
                f,
                "{:.1} dBFS rms, {:.1} dBFS peak, {} Hz, {} ch",
                level.rms_dbfs, level.peak_dbfs, self.rate_hz, self.channels
            ),
            Err(reason) => write!(f, "does not open: {reason}"),
        }
    }
}

/// What the doctor says in the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// Index of the report whose input should be used.
    pub picked: Option<usize>,
    /// One line: which and why, or what is wrong and what to do.
    pub line: String,
}

/// Listens to every input of this computer for `listen`, all at once; takes at most five seconds longer.
pub fn examine(listen: Seconds) -> Vec<InputReport> {
    examine_host(&(Arc::new(Devices) as Arc<dyn Host>), listen, None)
}

/// Picks the input that carries sound.
pub fn diagnose(reports: &[InputReport]) -> Diagnosis {
    let loudness = |report: &InputReport| report.heard.as_ref().map_or(f32::MIN, |level| level.rms_dbfs);
    let loudest = (0..reports.len())
        .filter(|&index| reports[index].carries_sound())
        .max_by(|&a, &b| loudness(&reports[a]).total_cmp(&loudness(&reports[b])));
    if let Some(index) = loudest {
        let report = &reports[index];
        let others = reports.iter().filter(|r| r.carries_sound()).count() - 1;
        let why = if others == 0 { "the only one" } else { "the loudest one" };
        let line = format!(
            "'{}' carries sound ({:.1} dBFS), {why} of {} inputs that does",
            report.input.name,
            loudness(report),
            reports.len()
        );
        return Diagnosis { picked: Some(index), line };
    }
    let opened = reports.iter().filter(|report| report.heard.is_ok()).count();
    let line = if reports.is_empty() {
        format!("no audio input was found; {}", hint())
    } else if opened == 0 {
        format!("none of {} inputs opens; {}", reports.len(), hint())
    } else {
        format!(
            "all {opened} inputs that open are silent: play something, raise the input level, or unmute; {}",
            hint()
        )
    };
    Diagnosis { picked: None, line }
}

/// What to try on this system.
fn hint() -> &'static str {
    if cfg!(windows) {
        "see Settings > System > Sound > Input and Privacy > Microphone; what the computer plays is offered as loopback"
    } else if cfg!(target_os = "macos") {
        "see System Settings > Privacy & Security > Microphone and Audio Recording; loopback needs macOS 14.6"
    } else {
        "see pavucontrol > Input Devices and Recording (choose 'Monitor of ..' to hear what the computer plays), \
         or run `pactl list short sources`; without a sound server: `arecord -l`, and be in the group audio"
    }
}

/// Examines the inputs of `host`, but for the one with the identity `except` (it is being listened to already).
pub(crate) fn examine_host(host: &Arc<dyn Host>, listen: Seconds, except: Option<&str>) -> Vec<InputReport> {
    let listen = Duration::from_secs_f64(listen.0.clamp(0.05, 10.0));
    let inputs: Vec<Input> = host.inputs().into_iter().filter(|i| except != Some(i.id.as_str())).collect();
    let (sender, receiver) = mpsc::channel();
    for (index, input) in inputs.iter().cloned().enumerate() {
        let (host, sender) = (host.clone(), sender.clone());
        let deed = move || drop(sender.send((index, listen_to(&*host, input, listen))));
        // Without a thread the report stays the one below.
        std::thread::Builder::new().name("audio doctor".into()).spawn(deed).ok();
    }
    drop(sender);
    let unheard = |input| InputReport { input, rate_hz: 0, channels: 0, heard: Err("no answer".into()) };
    let mut reports: Vec<InputReport> = inputs.into_iter().map(unheard).collect();
    // Reports come in about the same moment; each further one shortens what is left by a slice at most.
    let slices = (listen + FIRST_SOUND + Duration::from_secs(3)).as_millis() / 50;
    for _ in 0..slices {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok((index, report)) => reports[index] = report,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    reports
}

fn listen_to(host: &dyn Host, input: Input, listen: Duration) -> InputReport {
    let (tap, mut inbox, vitals) = tap();
    let opened = match host.open(&input, tap) {
        Ok(opened) => opened,
        Err(reason) => return InputReport { input, rate_hz: 0, channels: 0, heard: Err(reason) },
    };
    let level = measure(&mut inbox, &vitals, listen);
    let heard = if vitals.frames() == 0 && !opened.rests_when_quiet {
        Err("it opened, but no sound arrived".into())
    } else {
        Ok(level)
    };
    drop(opened.stream);
    InputReport { input, rate_hz: opened.rate_hz, channels: opened.channels, heard }
}

fn measure(inbox: &mut Inbox<super::tap::Chunk>, vitals: &Vitals, listen: Duration) -> Level {
    let (mut square, mut count, mut peak) = (0.0f64, 0u64, 0.0f32);
    let (mut waited, mut heard) = (Duration::ZERO, Duration::ZERO);
    while heard < listen && waited < FIRST_SOUND && !vitals.failed() {
        std::thread::sleep(LOOK);
        if vitals.frames() == 0 {
            waited += LOOK;
        } else {
            heard += LOOK;
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

    fn examine_fake(host: &FakeHost) -> Vec<InputReport> {
        examine_host(&(Arc::new(host.clone()) as Arc<dyn Host>), Seconds(0.1), None)
    }

    #[test]
    fn the_loudest_input_is_picked_and_the_reason_said() {
        let host = FakeHost::default();
        host.plug("built-in microphone", 0.0);
        host.plug("mixer", 0.5);
        host.plug("webcam", 0.01);
        let reports = examine_fake(&host);
        let diagnosis = diagnose(&reports);
        assert_eq!(diagnosis.picked, Some(1), "{diagnosis:?}");
        assert!(
            diagnosis.line.contains("'mixer' carries sound (-6.0 dBFS), the loudest"),
            "{}",
            diagnosis.line
        );
        let Ok(level) = reports[1].heard.clone() else { panic!("{:?}", reports[1]) };
        assert!((level.rms_dbfs + 6.0).abs() < 0.1 && (level.peak_dbfs + 6.0).abs() < 0.1, "{level:?}");
    }

    #[test]
    fn silence_and_absence_are_said_plainly() {
        let host = FakeHost::default();
        assert!(diagnose(&examine_fake(&host)).line.starts_with("no audio input was found"));
        host.plug("line", 0.0);
        let line = diagnose(&examine_fake(&host)).line;
        assert!(line.starts_with("all 1 inputs that open are silent"), "{line}");
        host.refuse("line", true);
        assert!(diagnose(&examine_fake(&host)).line.starts_with("none of 1 inputs opens"));
    }
}
