//! The parent's side: starts the show, watches its beats, and starts it again.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::child::start;
use super::crashes::{Crashes, Next};
use super::{BEAT, PICTURE, STOP, Start, VARIABLE};

/// Time without a beat after which a show has hung.
const HANG: Duration = Duration::from_secs(2);
/// Time that a show may take until its first beat.
const START_UP: Duration = Duration::from_secs(60);
/// Time that a show may take to end after it was asked to.
const END: Duration = Duration::from_secs(5);
/// Time that a killed process may take to disappear.
const KILLED: Duration = Duration::from_secs(1);
/// Interval between looks at signals and the process.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Pause before a show that crashed before its first picture is started again.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs this program's show under a supervisor until it ends. Returns `None` in the child itself, which then runs the
/// show.
///
/// # Errors
/// Fails if the child cannot be started, or crashes again and again before it shows a picture.
pub fn supervise() -> anyhow::Result<Option<ExitCode>> {
    if start().is_some() {
        return Ok(None);
    }
    let stop = Arc::new(AtomicBool::new(false));
    on_signals(&stop).context("preparing for signals")?;
    let program = std::env::current_exe().context("finding this program")?;
    let began = Instant::now();
    let mut crashes = Crashes::default();
    let mut start = Start { supervisor: std::process::id(), ..Start::default() };
    loop {
        let mut show = Show::start(&program, &start, stop.clone())?;
        let end = show.watch();
        let shown = show.shown;
        drop(show);
        let why = match end {
            End::Closed(code) => return Ok(Some(code)),
            End::Crashed(why) => why,
        };
        match crashes.add(began.elapsed(), shown) {
            Next::Restart => {}
            Next::SafeMode => start.safe_mode = true,
            Next::GiveUp => anyhow::bail!("the show crashes at every start: {why}"),
        }
        let how = if start.safe_mode { " in safe mode" } else { "" };
        eprintln!("aivj: {why}; restarting the show{how}");
        start.restarts += 1;
        start.crash = Some(why);
        if !shown {
            thread::sleep(PAUSE);
        }
    }
}

/// A running show.
struct Show {
    process: Child,
    /// Asks the show to end.
    input: Option<ChildStdin>,
    beats: Receiver<u8>,
    started: Instant,
    /// Whether the show has stepped.
    beating: bool,
    shown: bool,
    restarted: bool,
    /// Set when the supervisor is asked to end.
    stop: Arc<AtomicBool>,
}

/// How a show ended.
enum End {
    /// As it was asked to, or because it could not start.
    Closed(ExitCode),
    /// It has to be started again.
    Crashed(String),
}

impl Show {
    fn start(program: &Path, start: &Start, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        let mut process = Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(VARIABLE, serde_json::to_string(start)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the show")?;
        let input = process.stdin.take();
        let output = process.stdout.take().context("a pipe to the show is missing")?;
        let (beat, beats) = mpsc::channel();
        thread::Builder::new().name("beats".into()).spawn(move || read_beats(output, &beat))?;
        Ok(Self {
            process,
            input,
            beats,
            started: Instant::now(),
            beating: false,
            shown: false,
            restarted: start.restarts > 0,
            stop,
        })
    }

    /// Watches the show until it ends, and ends it if it hangs or the supervisor is asked to.
    fn watch(&mut self) -> End {
        // Counted in looks, not by the clock: when the computer is suspended or has no time for anybody, the supervisor stands
        // still, too.
        let mut silent = Duration::ZERO;
        loop {
            match self.beats.recv_timeout(LOOK_EVERY) {
                Ok(BEAT) => (self.beating, silent) = (true, Duration::ZERO),
                Ok(PICTURE) => {
                    if self.restarted {
                        let took = self.started.elapsed().as_millis();
                        eprintln!("aivj: picture back {took} ms after the restart");
                    }
                    self.shown = true;
                }
                Ok(_) => {}
                // Programs that the show started may keep its output open after its end.
                Err(RecvTimeoutError::Timeout) => {
                    silent += LOOK_EVERY;
                    if let Ok(Some(status)) = self.process.try_wait() {
                        return self.ended(status);
                    }
                }
                // It has ended, or closed its output; then it cannot be watched any longer.
                Err(RecvTimeoutError::Disconnected) => return self.wait_for_end(),
            }
            if self.stop.load(Ordering::Relaxed) {
                self.input.as_mut().map(|input| writeln!(input, "{STOP}"));
                return self.wait_for_end();
            }
            let limit = if self.beating { HANG } else { START_UP };
            if silent > limit {
                self.kill();
                let secs = limit.as_secs();
                return End::Crashed(format!("the show hung for more than {secs} s"));
            }
        }
    }

    /// Waits for the end of the process, but not for ever.
    fn wait_for_end(&mut self) -> End {
        let since = Instant::now();
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) => return self.ended(status),
                Ok(None) if since.elapsed() < END => thread::sleep(LOOK_EVERY / 10),
                Ok(None) | Err(_) => {
                    self.kill();
                    return if self.stop.load(Ordering::Relaxed) {
                        End::Closed(ExitCode::FAILURE)
                    } else {
                        End::Crashed("the show closed its output without ending".into())
                    };
                }
            }
        }
    }

    fn ended(&self, status: ExitStatus) -> End {
        match status.code() {
            _ if self.stop.load(Ordering::Relaxed) => End::Closed(ExitCode::SUCCESS),
            Some(0) => End::Closed(ExitCode::SUCCESS),
            // It reported an error and could not even start.
            Some(1) if !self.beating => End::Closed(ExitCode::FAILURE),
            _ => End::Crashed(format!("the show crashed ({status})")),
        }
    }

    /// Ends the process. One that a driver keeps from ending is left behind.
    fn kill(&mut self) {
        self.process.kill().ok(); // It may have ended.
        let since = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && since.elapsed() < KILLED {
            thread::sleep(LOOK_EVERY / 10);
        }
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sets `stop` when the system or the terminal asks the program to end.
fn on_signals(stop: &Arc<AtomicBool>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    #[cfg(unix)]
    let signals = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
    #[cfg(not(unix))]
    let signals = [SIGINT, SIGTERM];
    signals.into_iter().try_for_each(|signal| signal_hook::flag::register(signal, stop.clone()).map(drop))
}

/// Passes the bytes of the child on until it closes its output.
fn read_beats(mut output: ChildStdout, beat: &mpsc::Sender<u8>) {
    let mut bytes = [0; 64];
    while let Ok(count @ 1..) = output.read(&mut bytes) {
        if bytes[..count].iter().any(|byte| beat.send(*byte).is_err()) {
            return; // The show is no longer watched.
        }
    }
}
