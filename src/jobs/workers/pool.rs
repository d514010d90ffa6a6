//! The pool's side: child processes, their limits, and the outcome of every job.

use std::io::{BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::child;
use super::limits::Limits;
use super::scale::{MemoryMeter, Scale, WorkerCount};
use super::stall::StallTimer;
use super::usage::{self, Usage, UsageMeter};
use crate::confine::Rights;
use crate::jobs::{lossy_lines, show_lock};

/// Interval between checks of a running child, short enough to catch runaway memory in time. Outside Linux a
/// check lists every process of the system, so it runs less often.
pub(super) const CHECK_EVERY: Duration =
    Duration::from_millis(if cfg!(target_os = "linux") { 20 } else { 100 });
/// Time in which a worker that has closed its pipes must exit. A driver may take seconds to free the memory of a process
/// that the system has killed.
const EXIT_TIME: Duration = Duration::from_secs(10);
/// CPU time within which a new worker must become ready, and the minimum time to wait before giving up on one that makes
/// no progress.
const START_TIME: Duration = Duration::from_secs(60);
/// Interval between checks for cancellation.
const STOP_CHECK_EVERY: Duration = Duration::from_millis(100);
/// Interval between checks of whether a worker has to wait.
const WAIT_CHECK_EVERY: Duration = Duration::from_millis(200);
/// Interval between adjustments of the number of workers.
const ADJUST_EVERY: Duration = Duration::from_secs(1);

/// Settings of a pool.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// Number of worker processes.
    pub workers: WorkerCount,
    /// Resource limits of a job.
    pub limits: Limits,
    /// Command-line arguments that make this program a worker.
    pub arguments: Vec<String>,
    /// Files and folders that the workers may access.
    pub rights: Rights,
    /// Extra environment variables of workers.
    pub environment: Vec<(&'static str, &'static str)>,
    /// Pauses before each retry when a process does not become ready, for example because its device is busy. If no
    /// retries are left, the job is skipped.
    pub start_pauses: &'static [Duration],
    /// Path of the lock of a playing show. While the lock is held, only one worker runs, and after each job
    /// it rests for as long as the job took. `None` to ignore shows.
    pub pause_for: Option<PathBuf>,
    /// Set to cancel; running jobs end without an outcome.
    pub stop: Arc<AtomicBool>,
}

/// Outcome of one job.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<Answer> {
    /// The worker answered.
    Done(Answer),
    /// The CPU time limit was exceeded.
    Hang(String),
    /// No progress within the wall-clock limit, with little CPU time used; possibly the computer's fault.
    Stuck(String),
    /// The memory limit was exceeded.
    Memory(String),
    /// The process aborted, crashed or exited, or gave an invalid answer.
    Died(String),
    /// The worker did not become ready or was killed from outside, or the job could not be serialised or was
    /// cancelled.
    Skipped(String),
}

/// Runs every job in worker processes and calls `done` with each outcome in order of completion; see
/// [`WorkerPool::run_all`].
pub fn run_all<Job, Answer>(
    settings: &PoolSettings,
    jobs: impl Iterator<Item = Job> + Send,
    done: impl FnMut(Job, Outcome<Answer>) -> bool,
) where
    Job: Serialize + Send,
    Answer: DeserializeOwned + Send,
{
    WorkerPool::new(settings).run_all(jobs, done);
}

/// Worker processes for consecutive lists of jobs.
pub struct WorkerPool {
    workers: Vec<Worker>,
    /// The number of workers that run at once.
    scale: Scale,
    memory: MemoryMeter,
    started: Instant,
}

impl WorkerPool {
    /// Creates a pool; workers start when needed.
    pub fn new(settings: &PoolSettings) -> Self {
        static WARNED: std::sync::Once = std::sync::Once::new();
        WARNED.call_once(|| {
            if !usage::can_limit() {
                log::warn!(
                    "per-process resource usage is not available on this platform: presets are limited by wall time \
                     only, not by memory and CPU time"
                );
            }
        });
        let mut memory = MemoryMeter::new();
        let scale = Scale::new(settings.workers, settings.limits.recycle_mib, memory.available_mib());
        let workers = (0..settings.workers.most()).map(|_| Worker::new(settings.clone())).collect();
        Self { workers, scale, memory, started: Instant::now() }
    }

    /// Starts the workers now, so that they initialise while the jobs are being prepared.
    pub fn start(&mut self) {
        for worker in self.workers.iter_mut().take(self.scale.running()) {
            match Running::start(&worker.settings) {
                Ok(child) => worker.child = Some(child),
                Err(error) => log::info!("cannot start a worker: {error}; retrying with the first job"),
            }
        }
    }

    /// Runs every job and calls `done` with each outcome in order of completion.
    ///
    /// A job runs once; its worker is replaced if it dies or exceeds a limit. `done` returns `false` to stop
    /// early.
    pub fn run_all<Job, Answer>(
        &mut self,
        jobs: impl Iterator<Item = Job> + Send,
        mut done: impl FnMut(Job, Outcome<Answer>) -> bool,
    ) where
        Job: Serialize + Send,
        Answer: DeserializeOwned + Send,
    {
        let jobs = Mutex::new(jobs);
        let over = AtomicBool::new(false);
        let Self { workers, scale, memory, started } = self;
        scale.restart(started.elapsed());
        let running = AtomicUsize::new(scale.running());
        let stop = workers.first().map_or_else(Arc::default, |worker| worker.settings.stop.clone());
        let (report, reports) = mpsc::sync_channel(workers.len());
        thread::scope(|scope| {
            let mut number = 0;
            for worker in workers.iter_mut() {
                let (jobs, over, running, report) = (&jobs, &over, &running, report.clone());
                let work = move || {
                    let mut took = Duration::ZERO;
                    loop {
                        if !wait_for_turn(worker, number, running, over) {
                            break;
                        }
                        pause_for_show(&worker.settings, number, took, over);
                        let next = jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                        let Some(job) = next else { break };
                        let started = Instant::now();
                        let outcome = worker.run(&job);
                        took = started.elapsed();
                        let stopped = worker.settings.stop.load(Ordering::Relaxed);
                        if stopped && matches!(outcome, Outcome::Skipped(_)) {
                            break; // Cancelled; the job runs in the next bake.
                        }
                        if report.send((job, outcome, worker.used)).is_err() {
                            break; // The caller stopped early.
                        }
                    }
                    // The worker process exits with this thread; the next list of jobs gets new workers.
                    worker.child = None;
                    over.store(true, Ordering::Relaxed);
                };
                let thread = thread::Builder::new().name(format!("worker pool {number}"));
                match thread.spawn_scoped(scope, work) {
                    Ok(_) => number += 1,
                    Err(error) => {
                        log::warn!("could not start a thread ({error}); continuing with fewer workers");
                    }
                }
            }
            drop(report);
            let mut adjusted = started.elapsed();
            while !stop.load(Ordering::Relaxed) {
                match reports.recv_timeout(STOP_CHECK_EVERY) {
                    Ok((job, outcome, used)) => {
                        scale.record(used, started.elapsed());
                        if !done(job, outcome) {
                            break;
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                let now = started.elapsed();
                if now >= adjusted + ADJUST_EVERY {
                    adjusted = now;
                    scale.adjust(now, memory.available_mib());
                    running.store(scale.running(), Ordering::Relaxed);
                }
            }
            over.store(true, Ordering::Relaxed);
            drop(reports);
        });
    }
}

/// Blocks while the worker with this number is not among the first `running` ones, after ending its process. Returns
/// false if the work is `over` before its turn.
fn wait_for_turn(worker: &mut Worker, number: usize, running: &AtomicUsize, over: &AtomicBool) -> bool {
    while number >= running.load(Ordering::Relaxed) {
        worker.child = None;
        if over.load(Ordering::Relaxed) {
            return false;
        }
        thread::sleep(WAIT_CHECK_EVERY);
    }
    true
}

/// While a show is playing, blocks every worker except the first, which rests for as long as its last job
/// `took` and so works half of the time. Returns early when the work is `over`.
fn pause_for_show(settings: &PoolSettings, number: usize, took: Duration, over: &AtomicBool) {
    let Some(lock) = &settings.pause_for else { return };
    let started = Instant::now();
    let resting = || number > 0 || started.elapsed() < took;
    while resting() && !over.load(Ordering::Relaxed) && show_lock::is_locked(lock) {
        thread::sleep(WAIT_CHECK_EVERY);
    }
}

/// One worker process; started when first needed, replaced when it dies or exceeds a limit.
pub struct Worker {
    settings: PoolSettings,
    child: Option<Running>,
    /// Work of the last job: its CPU time or, where that is unknown, a second.
    used: Duration,
}

struct Running {
    process: Child,
    input: ChildStdin,
    answers: Receiver<String>,
    stderr_tail: Arc<Mutex<String>>,
    meter: Option<UsageMeter>,
    /// Job object that, when dropped, ends all processes that the worker has started.
    #[cfg(windows)]
    _job: Option<win32job::Job>,
    /// Memory in use before the first job, in MiB.
    initial_mib: Option<u64>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok(); // It may have exited.
        self.process.wait().ok();
    }
}

impl Worker {
    /// Creates a worker that starts with its first job.
    pub fn new(settings: PoolSettings) -> Self {
        Self { settings, child: None, used: Duration::ZERO }
    }

    /// Returns the process once it can take a job, or why none can. Starts a new process if there is none, or if the
    /// current one does not become ready, as after an answer that made it unfit for another job. Retries after each of
    /// [`PoolSettings::start_pauses`].
    fn ready(&mut self) -> Result<&mut Running, String> {
        let (limits, stop) = (self.settings.limits, self.settings.stop.clone());
        let waiting = self.child.take().and_then(|mut child| {
            let ready = child.wait_until_ready(&limits, &stop).is_ok();
            ready.then_some(child)
        });
        let child = match waiting {
            Some(child) => child,
            None => self.start()?,
        };
        Ok(self.child.insert(child))
    }

    /// Starts a process and waits until it can take a job.
    fn start(&self) -> Result<Running, String> {
        let (limits, stop) = (&self.settings.limits, &self.settings.stop);
        let mut pauses = self.settings.start_pauses.iter();
        loop {
            let started = Running::start(&self.settings);
            let ready = started
                .map_err(|error| format!("cannot start a worker: {error}"))
                .and_then(|mut child| child.wait_until_ready(limits, stop).map(|()| child));
            let why = match ready {
                Ok(child) => return Ok(child),
                Err(why) => why,
            };
            if stop.load(Ordering::Relaxed) {
                return Err(why);
            }
            let Some(&pause) = pauses.next() else { return Err(why) };
            log::warn!("{why}; starting another worker in {:.0} s", pause.as_secs_f64());
            let began = Instant::now();
            while began.elapsed() < pause {
                if stop.load(Ordering::Relaxed) {
                    return Err("cancelled".into());
                }
                thread::sleep(STOP_CHECK_EVERY.min(pause));
            }
        }
    }

    /// Runs one job and blocks until it ends.
    pub fn run<Job: Serialize, Answer: DeserializeOwned>(&mut self, job: &Job) -> Outcome<Answer> {
        let request = match serde_json::to_string(job) {
            Ok(request) => request,
            Err(error) => return Outcome::Skipped(format!("cannot serialise the job: {error}")),
        };
        let limits = self.settings.limits;
        let stop = self.settings.stop.clone();
        self.used = Duration::ZERO;
        let (outcome, used) = match self.ready() {
            Ok(child) => {
                let before = child.usage().cpu;
                let outcome = child.request(&request, &limits, &stop);
                (outcome, child.usage().cpu.saturating_sub(before))
            }
            Err(why) => return Outcome::Skipped(why),
        };
        self.used = if usage::can_limit() { used } else { Duration::from_secs(1) };
        let grown = |child: &mut Running| child.has_grown(&limits);
        if !matches!(outcome, Outcome::Done(_)) || self.child.as_mut().is_some_and(grown) {
            self.child = None;
        }
        outcome
    }
}

impl Running {
    fn start(settings: &PoolSettings) -> std::io::Result<Self> {
        let process = Command::new(std::env::current_exe()?)
            .args(&settings.arguments)
            .envs(settings.environment.iter().copied())
            .env(child::RIGHTS, child::encode(&settings.rights)?)
            .env(usage::SUPERVISOR, std::process::id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Self::of(process)
    }

    /// Takes over a process whose standard streams are pipes.
    fn of(mut process: Child) -> std::io::Result<Self> {
        let missing = || std::io::Error::other("a pipe to the worker is missing");
        let input = process.stdin.take().ok_or_else(missing)?;
        let output = process.stdout.take().ok_or_else(missing)?;
        let errors = process.stderr.take().ok_or_else(missing)?;
        let (send, answers) = mpsc::channel();
        thread::Builder::new().name("worker answers".into()).spawn(move || {
            for line in lossy_lines(BufReader::new(output)) {
                if send.send(line).is_err() {
                    break; // The job was abandoned.
                }
            }
        })?;
        let stderr_tail = Arc::new(Mutex::new(String::new()));
        let kept = stderr_tail.clone();
        thread::Builder::new().name("worker stderr".into()).spawn(move || keep_tail(errors, &kept))?;
        let meter = UsageMeter::of(process.id());
        #[cfg(windows)]
        let _job = super::windows::job_of(&process);
        Ok(Self {
            process,
            input,
            answers,
            stderr_tail,
            meter,
            initial_mib: None,
            #[cfg(windows)]
            _job,
        })
    }

    /// Returns whether the worker has grown so much that it should be replaced before the next job.
    fn has_grown(&mut self, limits: &Limits) -> bool {
        let least = self.initial_mib.unwrap_or(0) + limits.recycle_mib / 2;
        self.usage().memory_mib > limits.recycle_mib.max(least)
    }

    /// Returns the resource usage of the worker; zero if unavailable or after it has exited.
    fn usage(&mut self) -> Usage {
        self.meter.as_mut().and_then(UsageMeter::read).unwrap_or_default()
    }

    /// Waits until the worker can take a job; fails with the reason if it cannot, which is never the fault of a job.
    fn wait_until_ready(&mut self, limits: &Limits, stop: &AtomicBool) -> Result<(), String> {
        let limits = Limits { cpu: START_TIME, wall: limits.wall.max(START_TIME), ..*limits };
        let started = Instant::now();
        let cpu_before = self.usage().cpu;
        let mut stall = StallTimer::new(cpu_before, &limits);
        loop {
            match self.answers.recv_timeout(CHECK_EVERY) {
                Ok(line) if line == child::READY => {
                    let memory_mib = self.usage().memory_mib;
                    self.initial_mib = self.initial_mib.or(Some(memory_mib));
                    return Ok(());
                }
                Ok(_) => {} // Printed by a driver, for example.
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the worker ended before it was ready: {}", self.ending().0));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if stop.load(Ordering::Relaxed) {
                return Err("cancelled".into());
            }
            let cpu = self.usage().cpu;
            stall.record(cpu, started.elapsed());
            if cpu.saturating_sub(cpu_before) > limits.cpu || stall.is_stalled(started.elapsed()) {
                let waited = started.elapsed().as_secs_f64();
                return Err(format!("the worker was not ready after {waited:.0} s"));
            }
        }
    }

    fn request<Answer: DeserializeOwned>(
        &mut self,
        request: &str,
        limits: &Limits,
        stop: &AtomicBool,
    ) -> Outcome<Answer> {
        let started = Instant::now();
        let cpu_before = self.usage().cpu;
        let mut stall = StallTimer::new(cpu_before, limits);
        if writeln!(self.input, "{request}").and_then(|()| self.input.flush()).is_err() {
            return self.died();
        }
        loop {
            match self.answers.recv_timeout(CHECK_EVERY) {
                Ok(line) => {
                    return match serde_json::from_str(&line) {
                        Ok(answer) => Outcome::Done(answer),
                        Err(error) => Outcome::Died(format!("invalid answer from the worker: {error}")),
                    };
                }
                Err(RecvTimeoutError::Disconnected) => return self.died(),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if stop.load(Ordering::Relaxed) {
                return Outcome::Skipped("cancelled".into());
            }
            let now = self.usage();
            stall.record(now.cpu, started.elapsed());
            if now.memory_mib > limits.memory_mib {
                let (used, allowed) = (now.memory_mib, limits.memory_mib);
                return Outcome::Memory(format!("{used} MiB in use, limit {allowed} MiB"));
            }
            let used = now.cpu.saturating_sub(cpu_before);
            if used > limits.cpu {
                return Outcome::Hang(format!("{:.1} s of CPU time", used.as_secs_f64()));
            }
            if stall.is_stalled(started.elapsed()) {
                let (waited, wall) = (started.elapsed().as_secs_f64(), limits.wall.as_secs_f64());
                return Outcome::Stuck(format!("no answer in {waited:.0} s and no progress for {wall:.0} s"));
            }
        }
    }

    fn died<Answer>(&mut self) -> Outcome<Answer> {
        match self.ending() {
            (why, true) => Outcome::Skipped(format!("the worker process was killed ({why})")),
            (why, false) => Outcome::Died(why),
        }
    }

    /// Returns how a worker that has closed its pipes ended, with the last line that it printed to standard error, and
    /// whether it was killed from outside.
    fn ending(&mut self) -> (String, bool) {
        let status = self.exit_status();
        let how = match &status {
            Ok(Some(status)) => status.to_string(),
            Ok(None) => "the worker closed its pipes without exiting".to_owned(),
            Err(error) => error.to_string(),
        };
        let killed = matches!(status, Ok(Some(status)) if killed_from_outside(status));
        // The stderr thread ends with the process; give it a moment to drain the pipe.
        thread::sleep(Duration::from_millis(20));
        let text = self.stderr_tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let tail = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
        (format!("{how} {tail}").trim().to_owned(), killed)
    }

    /// Returns the exit status of a worker that has closed its pipes; `None` if it did not exit in time and was killed.
    fn exit_status(&mut self) -> std::io::Result<Option<ExitStatus>> {
        let closed = Instant::now();
        while closed.elapsed() < EXIT_TIME {
            if let Some(status) = self.process.try_wait()? {
                return Ok(Some(status));
            }
            thread::sleep(CHECK_EVERY);
        }
        self.process.kill()?;
        let status = self.process.wait()?;
        // It may have exited by itself in the meantime.
        Ok(Some(status).filter(|status| !killed_from_outside(*status)))
    }
}

/// Returns whether the system or a person ended a process, for example because the computer ran out of
/// memory. A job never causes one of these signals itself.
fn killed_from_outside(status: ExitStatus) -> bool {
    #[cfg(unix)]
    return matches!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(libc::SIGHUP | libc::SIGINT | libc::SIGKILL | libc::SIGTERM)
    );
    #[cfg(not(unix))]
    {
        let _: ExitStatus = status;
        false
    }
}

/// Keeps the last 4 KiB of a worker's standard error in `kept`.
fn keep_tail(mut errors: impl std::io::Read, kept: &Mutex<String>) {
    const KEPT: usize = 4096;
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        let mut text = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        if text.len() > KEPT {
            let mut cut = text.len() - KEPT;
            while !text.is_char_boundary(cut) {
                cut += 1;
            }
            text.drain(..cut);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Starts a worker that runs this shell script.
    fn started(script: &str) -> Running {
        let process = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        Running::of(process).expect("pipes")
    }

    fn limits() -> Limits {
        let minute = Duration::from_secs(60);
        Limits { cpu: minute, wall: minute, memory_mib: 1000, recycle_mib: 1000 }
    }

    /// Sends a request to a worker that runs this shell script, and returns the outcome.
    fn outcome_of(script: &str) -> Outcome<u8> {
        started(script).request("1", &limits(), &AtomicBool::new(false))
    }

    /// Returns a worker whose process is this test program, which runs no tests and is never ready.
    fn never_ready(start_pauses: &'static [Duration]) -> Worker {
        Worker::new(PoolSettings {
            workers: WorkerCount::Fixed(1),
            limits: limits(),
            arguments: vec!["no such test".into()],
            rights: Rights::default(),
            environment: Vec::new(),
            start_pauses,
            pause_for: None,
            stop: Arc::default(),
        })
    }

    #[test]
    fn another_worker_is_started_after_a_pause_unless_the_work_is_cancelled() {
        const SHORT: [Duration; 2] = [Duration::from_millis(150); 2];
        const LONG: [Duration; 1] = [Duration::from_secs(60)];
        let started = Instant::now();
        assert!(matches!(never_ready(&SHORT).run::<_, u8>(&1), Outcome::Skipped(_)));
        assert!(started.elapsed() >= SHORT.iter().sum::<Duration>());
        let mut worker = never_ready(&LONG);
        let (stop, started) = (worker.settings.stop.clone(), Instant::now());
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(200));
                stop.store(true, Ordering::Relaxed);
            });
            assert!(matches!(worker.run::<_, u8>(&1), Outcome::Skipped(_)));
        });
        assert!(started.elapsed() < LONG[0]);
    }

    #[test]
    fn a_worker_that_is_not_among_the_running_ones_has_no_process() {
        let mut worker = never_ready(&[]);
        worker.child = Some(started("read request"));
        let (running, over) = (AtomicUsize::new(1), AtomicBool::new(true));
        assert!(wait_for_turn(&mut worker, 0, &running, &over) && worker.child.is_some());
        assert!(!wait_for_turn(&mut worker, 1, &running, &over) && worker.child.is_none());
    }

    #[test]
    fn a_worker_that_ends_before_it_is_ready_is_never_blamed_on_a_job() {
        let ready = |script| started(script).wait_until_ready(&limits(), &AtomicBool::new(false));
        assert_eq!(ready("echo a driver; echo ready; read request"), Ok(()));
        let why = ready("echo no device >&2; exit 1").expect_err("no device");
        assert!(why.contains("no device"), "{why}");
        let stopped = started("read request").wait_until_ready(&limits(), &AtomicBool::new(true));
        assert_eq!(stopped, Err("cancelled".to_owned()));
        let mut worker = never_ready(&[]);
        assert!(matches!(worker.run::<_, u8>(&1), Outcome::Skipped(_)));
        worker.child = Some(started("echo ready; read request; echo 7; sleep 0.2"));
        assert_eq!(worker.run::<_, u8>(&1), Outcome::Done(7));
        assert!(matches!(worker.run::<_, u8>(&1), Outcome::Skipped(_)), "it ends after its answer");
    }

    #[test]
    fn a_worker_that_gives_no_answer_but_does_not_exit_is_not_waited_for() {
        assert_eq!(outcome_of("read request; echo 7; read next"), Outcome::Done(7));
        let Outcome::Died(why) = outcome_of(r"read request; printf '\377\n'; read next") else {
            panic!("not text")
        };
        assert!(why.contains("invalid answer"), "{why}");
        let Outcome::Died(why) = outcome_of("read request; exec >&-; read next") else { panic!("no output") };
        assert!(why.contains("without exiting"), "{why}");
        let Outcome::Died(why) = outcome_of("read request; echo failed >&2; exit 3") else { panic!("exits") };
        assert!(why.contains('3') && why.contains("failed"), "{why}");
        assert!(matches!(outcome_of("read request; kill -9 $$"), Outcome::Skipped(_)));
    }
}
