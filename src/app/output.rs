//! The output window: a separate thread presents the newest picture, so that a slow display delays nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use super::live::Pictures;
use super::surface::{AFTER_PANIC, WindowSurface, caught};

/// Pause before another attempt after a picture could not be presented.
const RETRY: Duration = Duration::from_millis(15);
/// How long the thread sleeps if nothing wakes it.
const IDLE: Duration = Duration::from_secs(1);

/// State shared by the window and the output thread.
#[derive(Default)]
struct Shared {
    /// Size of the window, in pixels: width in the upper 32 bits, height in the lower 32 bits.
    size: AtomicU64,
    /// Increases whenever the current picture has to be presented again.
    exposed: AtomicU64,
    hidden: AtomicBool,
    stop: AtomicBool,
}

/// Presents the show's pictures in the output window.
pub(super) struct Output {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Output {
    /// Starts the output thread; `size` is the size of the window, in pixels.
    pub fn start(surface: WindowSurface, pictures: Pictures, size: [u32; 2]) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let work = move || present(surface, &pictures, &of_thread);
        let thread = thread::Builder::new().name("output".into()).spawn(work)?;
        let output = Self { shared, thread: Some(thread) };
        output.resize(size);
        Ok(output)
    }

    /// Returns the output thread, which must be unparked for each new picture.
    pub fn thread(&self) -> Option<Thread> {
        self.thread.as_ref().map(|thread| thread.thread().clone())
    }

    /// Applies a new window size, in pixels.
    pub fn resize(&self, [width, height]: [u32; 2]) {
        self.shared.size.store(u64::from(width) << 32 | u64::from(height), Ordering::Relaxed);
        self.wake();
    }

    /// Presents the current picture again, because the window has lost its contents.
    pub fn expose(&self) {
        self.shared.exposed.fetch_add(1, Ordering::Relaxed);
        self.wake();
    }

    /// Pauses presenting if the window is `hidden`; otherwise resumes it.
    pub fn hide(&self, hidden: bool) {
        self.shared.hidden.store(hidden, Ordering::Relaxed);
        self.expose();
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panic has already been printed, and the window is closing.
        }
    }
}

impl Shared {
    fn size(&self) -> [u32; 2] {
        let size = self.size.load(Ordering::Relaxed);
        [(size >> 32) as u32, size as u32]
    }
}

fn present(mut surface: WindowSurface, pictures: &Pictures, shared: &Shared) {
    let mut presented = None;
    while !shared.stop.load(Ordering::Relaxed) {
        let picture = pictures.newest.read();
        let size = shared.size();
        let wanted = Some((picture.number, size, shared.exposed.load(Ordering::Relaxed)));
        if presented == wanted || shared.hidden.load(Ordering::Relaxed) {
            thread::park_timeout(IDLE);
            continue;
        }
        match caught(|| surface.show(&picture, size)) {
            Some(true) => presented = wanted,
            Some(false) => thread::park_timeout(RETRY),
            None => {
                log::error!("could not present a picture because of an internal error; retrying");
                surface.reset();
                thread::sleep(AFTER_PANIC);
            }
        }
    }
}
