//! The pool's side: children, their limits, and what became of every job.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::patience::Patience;
use super::vitals::{self, Gauge, Vitals};
use crate::jobs::show_lock;

/// How often a child at work is looked at: a flood of memory is caught before it drowns the machine. Elsewhere than on
/// Linux a look lists every process of the system, and has to be rarer.
pub(super) const LOOK_EVERY: Duration =
    Duration::from_millis(if cfg!(target_os = "linux") { 20 } else { 100 });
/// How often the pool looks whether it should stop.
const STOP_LOOK_EVERY: Duration = Duration::from_millis(100);

/// What one job may cost before its child is ended.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Processor time; what a hang is judged by, so that a busy machine is never blamed on a preset.
    pub cpu: Duration,
    /// Time without an answer or work worth speaking of after which a job is given up.
    pub wall: Duration,
    /// Resident memory of the child, MiB.
    pub memory_mib: u64,
    /// Resident memory above which a child is replaced between two jobs, MiB: what earlier jobs left behind is not
    /// blamed on the next one.
    pub recycle_mib: u64,
}

/// How the pool runs.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// Children at work at the same time.
    pub workers: usize,
    /// Limits of each job.
    pub limits: Limits,
    /// Arguments that make this program a worker.
    pub arguments: Vec<String>,
    /// Environment variables that are set for workers.
    pub environment: Vec<(&'static str, &'static str)>,
    /// The sign of a show: while it is up one child works at a time, and rests between jobs as long as the last took.
    pub pause_for: Option<PathBuf>,
    /// Somebody asks the work to stop: jobs under way end without an outcome.
    pub stop: Arc<AtomicBool>,
}

/// What became of one job.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<Answer> {
    /// The child answered.
    Done(Answer),
    /// It used more processor time than allowed.
    Hang(String),
    /// It slept past the wall limit without using much processor time; the machine may be at fault.
    Stuck(String),
    /// It needed more memory than allowed.
    Memory(String),
    /// It died: abort, crash, exit.
    Died(String),
    /// The child could not be started at all; the job was never tried.
    NotTried(String),
}

/// Runs every job in children and hands each outcome to `done`, in the order they end; see [`WorkerPool::run_all`].
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

/// Workers for one list of jobs after the other.
pub struct WorkerPool(Vec<Worker>);

impl WorkerPool {
    /// Nobody is started yet.
    pub fn new(settings: &PoolSettings) -> Self {
        static SAID: std::sync::Once = std::sync::Once::new();
        SAID.call_once(|| {
            if !vitals::can_limit() {
                log::warn!(
                    "this system does not tell what a process uses: presets are limited by the clock alone, not by \
                     memory and processor time"
                );
            }
        });
        Self((0..settings.workers.max(1)).map(|_| Worker::new(settings.clone())).collect())
    }

    /// Starts all children now: they make themselves ready while their jobs are still being written down.
    pub fn wake(&mut self) {
        for worker in &mut self.0 {
            if let Err(why) = worker.wake() {
                log::info!("{why}; it is tried again with the first job");
            }
        }
    }

    /// Runs every job and hands each outcome to `done`, in the order they end.
    ///
    /// A job is tried once; its child is replaced when it dies or breaks a limit. `done` returns false to stop early.
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
        let stop = self.0.first().map_or_else(Arc::default, |worker| worker.settings.stop.clone());
        let (report, reports) = mpsc::sync_channel(self.0.len());
        thread::scope(|scope| {
            for (number, worker) in self.0.iter_mut().enumerate() {
                let (jobs, over, report) = (&jobs, &over, report.clone());
                let work = move || {
                    let mut took = Duration::ZERO;
                    loop {
                        make_way(&worker.settings, number, took, over);
                        let next = jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                        let Some(job) = next else { break };
                        let started = Instant::now();
                        let outcome = worker.run(&job);
                        took = started.elapsed();
                        let stopped = worker.settings.stop.load(Ordering::Relaxed);
                        if stopped && matches!(outcome, Outcome::NotTried(_)) {
                            break; // Its job waits for the next start.
                        }
                        if report.send((job, outcome)).is_err() {
                            break; // The caller stopped early.
                        }
                    }
                    // A child ends with the thread that started it; the next list of jobs gets fresh ones.
                    worker.child = None;
                    over.store(true, Ordering::Relaxed);
                };
                let thread = thread::Builder::new().name(format!("worker pool {number}"));
                if let Err(error) = thread.spawn_scoped(scope, work) {
                    log::warn!("the work goes on with fewer processes: {error}");
                }
            }
            drop(report);
            while !stop.load(Ordering::Relaxed) {
                match reports.recv_timeout(STOP_LOOK_EVERY) {
                    Ok((job, outcome)) => {
                        if !done(job, outcome) {
                            break;
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            over.store(true, Ordering::Relaxed);
            drop(reports);
        });
    }
}

/// While a show plays, every child but the first waits, and the first rests as long as its last job `took`; not after
/// the work is `over`.
fn make_way(settings: &PoolSettings, number: usize, took: Duration, over: &AtomicBool) {
    const LOOK_EVERY: Duration = Duration::from_millis(200);
    let Some(sign) = &settings.pause_for else { return };
    let started = Instant::now();
    let resting = || number > 0 || started.elapsed() < took;
    while resting() && !over.load(Ordering::Relaxed) && show_lock::is_up(sign) {
        thread::sleep(LOOK_EVERY);
    }
}

/// One child and whoever talks to it; started when first needed, replaced when it dies or breaks a limit.
pub struct Worker {
    settings: PoolSettings,
    child: Option<Running>,
}

struct Running {
    process: Child,
    input: ChildStdin,
    answers: Receiver<String>,
    last_words: Arc<Mutex<String>>,
    gauge: Option<Gauge>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok(); // Already dead is fine.
        self.process.wait().ok();
    }
}

impl Worker {
    /// A worker that has not been started yet.
    pub fn new(settings: PoolSettings) -> Self {
        Self { settings, child: None }
    }

    /// Starts the child if none is running. One may have ended after its last answer, because it was no longer fit.
    fn wake(&mut self) -> Result<&mut Running, String> {
        let fit = self.child.take().and_then(|mut child| {
            let running = child.process.try_wait().is_ok_and(|status| status.is_none());
            running.then_some(child)
        });
        let child = match fit {
            Some(child) => child,
            None => Running::start(&self.settings)
                .map_err(|error| format!("no worker could be started: {error}"))?,
        };
        Ok(self.child.insert(child))
    }

    /// Runs one job and waits for it.
    pub fn run<Job: Serialize, Answer: DeserializeOwned>(&mut self, job: &Job) -> Outcome<Answer> {
        let request = match serde_json::to_string(job) {
            Ok(request) => request,
            Err(error) => return Outcome::NotTried(format!("the job cannot be written: {error}")),
        };
        let limits = self.settings.limits;
        let stop = self.settings.stop.clone();
        let outcome = match self.wake() {
            Ok(child) => child.ask(&request, &limits, &stop),
            Err(why) => return Outcome::NotTried(why),
        };
        let grown = |child: &mut Running| child.vitals().memory_mib > limits.recycle_mib;
        if !matches!(outcome, Outcome::Done(_)) || self.child.as_mut().is_some_and(grown) {
            self.child = None;
        }
        outcome
    }
}

impl Running {
    fn start(settings: &PoolSettings) -> std::io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(&settings.arguments)
            .envs(settings.environment.iter().copied())
            .env(vitals::SUPERVISOR, std::process::id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || std::io::Error::other("a pipe to the worker is missing");
        let input = process.stdin.take().ok_or_else(missing)?;
        let output = process.stdout.take().ok_or_else(missing)?;
        let complaints = process.stderr.take().ok_or_else(missing)?;
        let (send, answers) = mpsc::channel();
        thread::Builder::new().name("worker answers".into()).spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break; // The job was given up.
                }
            }
        })?;
        let last_words = Arc::new(Mutex::new(String::new()));
        let kept = last_words.clone();
        thread::Builder::new()
            .name("worker complaints".into())
            .spawn(move || keep_tail(complaints, &kept))?;
        let gauge = Gauge::of(process.id());
        Ok(Self { process, input, answers, last_words, gauge })
    }

    /// What the child costs now; nothing where that cannot be seen, and when it has ended.
    fn vitals(&mut self) -> Vitals {
        self.gauge.as_mut().and_then(Gauge::read).unwrap_or_default()
    }

    fn ask<Answer: DeserializeOwned>(
        &mut self,
        request: &str,
        limits: &Limits,
        stop: &AtomicBool,
    ) -> Outcome<Answer> {
        let started = Instant::now();
        let cpu_before = self.vitals().cpu;
        let mut patience = Patience::new(cpu_before, limits);
        if writeln!(self.input, "{request}").and_then(|()| self.input.flush()).is_err() {
            return self.died();
        }
        loop {
            match self.answers.recv_timeout(LOOK_EVERY) {
                Ok(line) => {
                    return match serde_json::from_str(&line) {
                        Ok(answer) => Outcome::Done(answer),
                        Err(error) => Outcome::Died(format!("the worker answered nonsense: {error}")),
                    };
                }
                Err(RecvTimeoutError::Disconnected) => return self.died(),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if stop.load(Ordering::Relaxed) {
                return Outcome::NotTried("it was asked to stop".into());
            }
            let now = self.vitals();
            patience.saw(now.cpu, started.elapsed());
            if now.memory_mib > limits.memory_mib {
                let (used, allowed) = (now.memory_mib, limits.memory_mib);
                return Outcome::Memory(format!("{used} MiB in use, {allowed} MiB allowed"));
            }
            let used = now.cpu.saturating_sub(cpu_before);
            if used > limits.cpu {
                return Outcome::Hang(format!("{:.1} s of processor time", used.as_secs_f64()));
            }
            if patience.is_over(started.elapsed()) {
                let (waited, wall) = (started.elapsed().as_secs_f64(), limits.wall.as_secs_f64());
                return Outcome::Stuck(format!("no answer in {waited:.0} s, and no work for {wall:.0} s"));
            }
        }
    }

    fn died<Answer>(&mut self) -> Outcome<Answer> {
        let how = match self.process.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        // The complaints thread ends with the process; give it a moment to drain the pipe.
        thread::sleep(Duration::from_millis(20));
        let words = self.last_words.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let tail = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
        Outcome::Died(format!("{how} {tail}").trim().to_owned())
    }
}

/// Keeps the end of what the child wrote to standard error.
fn keep_tail(mut complaints: impl std::io::Read, kept: &Mutex<String>) {
    const KEPT: usize = 4096;
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = complaints.read(&mut buffer) {
        let mut words = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        words.push_str(&String::from_utf8_lossy(&buffer[..count]));
        if words.len() > KEPT {
            let mut cut = words.len() - KEPT;
            while !words.is_char_boundary(cut) {
                cut += 1;
            }
            words.drain(..cut);
        }
    }
}
