//! The graphics device, and the errors it reports.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::error::StageError;

/// Advice shown if no graphics device is found.
const DRIVER_HINT: &str = if cfg!(windows) {
    "install the driver from the graphics card's manufacturer"
} else {
    "install a Vulkan driver, for example mesa-vulkan-drivers"
};

/// Why no graphics device could be opened.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// No adapter was found.
    #[error("no graphics device was found ({0}); {DRIVER_HINT}")]
    NoAdapter(String),
    /// The adapter could not be opened.
    #[error("the graphics device {name} could not be opened: {why}")]
    NoDevice {
        /// Name of the adapter.
        name: String,
        /// Reason, such as an error message from the driver.
        why: String,
    },
}

/// Maximum wait for the device, in seconds. The caller gives up on a device that hangs for longer.
const TIMEOUT_SECS: u64 = 20;
/// Shortest and longest pause between two polls of the device while a thread waits for it.
const WAIT_PAUSE: [Duration; 2] = [Duration::from_micros(100), Duration::from_millis(2)];
/// The pause before the next poll is the time waited so far divided by this, so that a busy device is polled less
/// and less often.
const WAIT_SLACK: u32 = 16;

/// Returns the fastest adapter, or a software adapter if there is no other. If `surface` is given, the
/// adapter supports it.
fn adapter(instance: &wgpu::Instance, surface: Option<&wgpu::Surface>) -> Result<wgpu::Adapter, GpuError> {
    let request = |force_fallback_adapter| {
        pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            force_fallback_adapter,
            compatible_surface: surface,
            ..Default::default()
        }))
    };
    request(false).or_else(|_| request(true)).map_err(|e| GpuError::NoAdapter(e.to_string()))
}

/// Returns the names of the preferred adapter, its driver and its backend, or an empty string if there is no adapter.
/// They are queried once per process, which takes about 100 ms.
pub fn driver() -> &'static str {
    static DRIVER: OnceLock<String> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        let info = adapter(&wgpu::Instance::new(descriptor), None).map(|adapter| adapter.get_info());
        info.map_or_else(
            |_| String::new(),
            |info| format!("{} {} {} ({:?})", info.name, info.driver, info.driver_info, info.backend),
        )
    })
}

/// An open graphics device.
///
/// wgpu panics in some calls once the device is lost, and reports errors from others to callbacks.
/// Submitting, waiting, mapping and configuring surfaces therefore go through the methods of this type, which
/// report a [`StageError`] instead.
pub struct Gpu {
    /// The wgpu instance, which creates surfaces.
    pub instance: wgpu::Instance,
    /// The adapter of the device.
    pub adapter: wgpu::Adapter,
    /// The wgpu device.
    pub device: wgpu::Device,
    /// The queue of the device, for writes only; submit with [`Gpu::submit`].
    pub queue: wgpu::Queue,
    errors: Arc<DeviceErrors>,
}

/// Uncaptured device errors, and the loss of the device.
#[derive(Default)]
struct DeviceErrors {
    count: AtomicU64,
    lost: OnceLock<String>,
    out_of_memory: AtomicBool,
    /// Number of times that memory ran out.
    shortages: AtomicU64,
    newest: Mutex<Option<String>>,
    /// Number of upcoming calls to [`Gpu::checked`] that fail as out of memory, in tests.
    #[cfg(feature = "faults")]
    failing: AtomicU64,
    /// Number of upcoming surface acquisitions that report a lost surface, in tests.
    #[cfg(feature = "faults")]
    lost_surfaces: AtomicU64,
}

impl Gpu {
    /// Opens a device without a window.
    ///
    /// # Errors
    /// Returns an error if there is no adapter or it cannot be opened.
    pub fn headless() -> Result<Self, GpuError> {
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        Self::open(wgpu::Instance::new(descriptor), None)
    }

    /// Returns a device for a test, or `None` if `AIVJ_NO_GPU=1` is set; the test is then skipped. Every test that
    /// draws, or that starts a program that draws, calls this first, so that a missing device fails them all unless
    /// the variable is set.
    ///
    /// # Panics
    /// Panics when no device opens, unless `AIVJ_NO_GPU=1` is set.
    pub fn for_test() -> Option<Self> {
        if std::env::var("AIVJ_NO_GPU").is_ok_and(|value| value == "1") {
            println!("skipped: AIVJ_NO_GPU=1 is set");
            return None;
        }
        let gpu = Self::headless();
        Some(gpu.expect("tests need a graphics device (mesa-vulkan-drivers is enough), or AIVJ_NO_GPU=1"))
    }

    /// Returns a software device for a test that compares its picture with one from the software rasteriser, or `None`
    /// if `AIVJ_NO_GPU=1` is set; the test is then skipped.
    ///
    /// # Panics
    /// Panics when no software device opens, unless `AIVJ_NO_GPU=1` is set.
    pub fn software_for_test() -> Option<Self> {
        let preferred = Self::for_test()?;
        if preferred.software() {
            return Some(preferred);
        }
        let all = pollster::block_on(preferred.instance.enumerate_adapters(wgpu::Backends::all()));
        let software =
            all.into_iter().find(|adapter| adapter.get_info().device_type == wgpu::DeviceType::Cpu);
        let software = software.map(|adapter| Self::on(preferred.instance.clone(), adapter));
        let software =
            software.expect("this test needs a software rasteriser (mesa-vulkan-drivers), or AIVJ_NO_GPU=1");
        Some(software.expect("the software rasteriser opens"))
    }

    /// Opens a device of `instance` that supports `surface`, if given. Tries the fastest adapter first, then
    /// the others.
    ///
    /// # Errors
    /// Returns an error if there is no adapter, or the error of the preferred adapter if none can be opened.
    pub fn open(instance: wgpu::Instance, surface: Option<&wgpu::Surface>) -> Result<Self, GpuError> {
        let adapter = adapter(&instance, surface)?;
        let preferred = adapter.get_info();
        Self::on(instance.clone(), adapter).or_else(|error| {
            let others = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
            let fits = |adapter: &wgpu::Adapter| {
                adapter.get_info() != preferred
                    && surface.is_none_or(|surface| adapter.is_surface_supported(surface))
            };
            let opened =
                others.into_iter().filter(fits).find_map(|other| Self::on(instance.clone(), other).ok());
            opened.inspect(|gpu| log::warn!("{error}; using {}", gpu.name())).ok_or(error)
        })
    }

    /// Opens another device after this one was lost, preferably on the same adapter. The new device has completed a
    /// first submission.
    ///
    /// # Errors
    /// Returns an error if no device can be opened, or if the new device fails immediately.
    pub fn reopen(&self) -> Result<Self, GpuError> {
        let again = Self::on(self.instance.clone(), self.adapter.clone()).and_then(Self::verified);
        again.or_else(|_| Self::open(self.instance.clone(), None).and_then(Self::verified))
    }

    /// Opens a device on `adapter`.
    fn on(instance: wgpu::Instance, adapter: wgpu::Adapter) -> Result<Self, GpuError> {
        let limits = wgpu::Limits {
            max_texture_dimension_2d: adapter.limits().max_texture_dimension_2d,
            ..wgpu::Limits::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("aivj"),
            required_limits: limits,
            ..Default::default()
        }))
        .map_err(|e| GpuError::NoDevice { name: adapter.get_info().name, why: e.to_string() })?;
        let errors = Arc::new(DeviceErrors::default());
        let sink = errors.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| sink.add(&error)));
        let sink = errors.clone();
        device.set_device_lost_callback(move |_, why| sink.lose(&why));
        Ok(Self { instance, adapter, device, queue, errors })
    }

    /// Waits for an empty submission to finish, so that a failing driver is detected before the device is used.
    fn verified(self) -> Result<Self, GpuError> {
        self.submit([]);
        match self.wait() {
            Ok(()) => Ok(self),
            Err(why) => Err(GpuError::NoDevice { name: self.name(), why: why.to_string() }),
        }
    }

    /// Returns the names of the adapter and its backend.
    pub fn name(&self) -> String {
        let info = self.adapter.get_info();
        format!("{} ({:?})", info.name, info.backend)
    }

    /// Returns the name and version of the driver.
    pub fn driver(&self) -> String {
        let info = self.adapter.get_info();
        format!("{} {}", info.driver, info.driver_info).trim().to_owned()
    }

    /// Returns true if the device is a software rasteriser.
    pub fn software(&self) -> bool {
        self.adapter.get_info().device_type == wgpu::DeviceType::Cpu
    }

    /// Checks that the device can draw pictures of `size` pixels with a warp mesh of `mesh` cells.
    ///
    /// # Errors
    /// Returns an error if the picture or the mesh is too large.
    pub fn check_size(&self, size: [u32; 2], mesh: [u32; 2]) -> Result<(), StageError> {
        let limits = self.device.limits();
        let limit = limits.max_texture_dimension_2d;
        if size.iter().any(|side| *side > limit) {
            return Err(StageError::PictureTooLarge { size, limit });
        }
        let limit = limits.max_buffer_size / size_of::<lactea_abi::MeshVertex>() as u64;
        let vertices: u64 = mesh.iter().map(|count| u64::from(*count) + 1).product();
        if vertices > limit { Err(StageError::MeshTooLarge { mesh, limit }) } else { Ok(()) }
    }

    /// Returns true once the device is lost. Everything created with it must be recreated.
    pub fn lost(&self) -> bool {
        self.errors.lost.get().is_some()
    }

    /// Marks the device as lost because it did not finish a frame.
    pub fn abandon(&self) {
        self.errors.lose("it did not finish a frame");
    }

    /// Returns true if the device has run out of memory since the last call.
    pub fn take_out_of_memory(&self) -> bool {
        self.errors.out_of_memory.swap(false, Ordering::Relaxed)
    }

    /// Returns the number of times that the device has run out of memory so far.
    pub fn shortage_count(&self) -> u64 {
        self.errors.shortages.load(Ordering::Relaxed)
    }

    fn loss(&self) -> Option<StageError> {
        self.errors.lost.get().map(|why| StageError::Lost(why.clone()))
    }

    /// Returns the number of uncaptured errors so far; the loss of the device counts as one.
    pub fn error_count(&self) -> u64 {
        self.errors.count.load(Ordering::Relaxed)
    }

    /// Takes the message of the latest uncaptured error or of the loss of the device, if any.
    pub fn take_error(&self) -> Option<String> {
        self.errors.newest().take()
    }

    /// Runs `work` in error scopes for validation, memory and internal errors.
    ///
    /// # Errors
    /// Returns a device error that `work` caused on this thread, or an error if the device is lost.
    pub fn checked<T>(&self, work: impl FnOnce() -> T) -> Result<T, StageError> {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        #[cfg(feature = "faults")]
        if take_one(&self.errors.failing) {
            self.errors.starve();
            return Err(StageError::OutOfMemory);
        }
        let scopes = [Validation, OutOfMemory, Internal].map(|kind| self.device.push_error_scope(kind));
        let result = work();
        let mut scopes = scopes.map(Some);
        let errors = scopes.iter_mut().rev().filter_map(Option::take);
        let errors: Vec<_> = errors.filter_map(|scope| pollster::block_on(scope.pop())).collect();
        // Error scopes do not report the loss of the device. Calls on a lost device report invalid objects
        // instead, possibly before wgpu calls the device-lost callback. Polling makes it do so.
        if !errors.is_empty() {
            self.poll().ok();
        }
        if let Some(loss) = self.loss() {
            return Err(loss);
        }
        errors.first().map_or(Ok(result), |error| Err(self.errors.typed(error)))
    }

    /// Runs code that may panic if the device is lost, such as a library call, and returns the loss as an error. Other
    /// panics are propagated.
    ///
    /// # Errors
    /// Returns a device error that `work` caused, or an error if the device is lost.
    pub fn shielded<T>(&self, work: impl FnOnce() -> T) -> Result<T, StageError> {
        if let Some(loss) = self.loss() {
            return Err(loss);
        }
        match catch_unwind(AssertUnwindSafe(|| self.checked(work))) {
            Ok(result) => result,
            Err(panic) => match self.loss() {
                Some(loss) => Err(loss),
                None => std::panic::resume_unwind(panic),
            },
        }
    }

    /// Submits command buffers. Errors are reported by [`Gpu::lost`], [`Gpu::take_error`] or the wait for the
    /// submission.
    pub fn submit(&self, commands: impl IntoIterator<Item = wgpu::CommandBuffer>) {
        self.queue.submit(commands);
    }

    /// Runs the callbacks of finished work. Never blocks.
    ///
    /// # Errors
    /// Returns an error if the device is lost.
    pub fn poll(&self) -> Result<(), StageError> {
        if let Some(loss) = self.loss() {
            return Err(loss);
        }
        // If the device is lost during a poll, wgpu panics, but only once its own state is consistent again.
        // wgpu's blocking polls are not used: they hold a lock that submissions need, and panic if another
        // thread's poll finishes the same work.
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(wgpu::PollType::Poll))) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.loss().unwrap_or_else(|| StageError::Invalid(error.to_string()))),
            Err(_) => {
                self.errors.lose("the driver failed during a wait");
                Err(self.loss().unwrap_or(StageError::Timeout(TIMEOUT_SECS)))
            }
        }
    }

    /// Blocks until the device has finished everything submitted so far; not for the render thread. Other threads can
    /// use the device meanwhile.
    ///
    /// # Errors
    /// Returns an error if the device is lost or does not finish in time.
    pub fn wait(&self) -> Result<(), StageError> {
        if let Some(loss) = self.loss() {
            return Err(loss);
        }
        let (done, finished) = mpsc::sync_channel(1);
        self.queue.on_submitted_work_done(move || {
            done.send(()).ok(); // Fails if the waiting thread has given up.
        });
        self.receive(&finished).map(drop)
    }

    /// Polls the device until one of its callbacks sends a value through `answer`, and returns the value, or `None` if
    /// wgpu dropped the callback without calling it.
    ///
    /// Configuring a surface waits for all submitted work and then drops the callbacks of that work (wgpu 30), so a
    /// dropped callback means that the work is done.
    fn receive<T>(&self, answer: &Receiver<T>) -> Result<Option<T>, StageError> {
        let began = Instant::now();
        loop {
            self.poll()?;
            let [shortest, longest] = WAIT_PAUSE;
            match answer.recv_timeout((began.elapsed() / WAIT_SLACK).clamp(shortest, longest)) {
                Ok(value) => return Ok(Some(value)),
                Err(RecvTimeoutError::Disconnected) => return self.poll().map(|()| None),
                Err(RecvTimeoutError::Timeout) if began.elapsed().as_secs() < TIMEOUT_SECS => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.loss().unwrap_or(StageError::Timeout(TIMEOUT_SECS)));
                }
            }
        }
    }

    /// Starts mapping `buffer` for reading; the result arrives after a later [`Gpu::poll`] or [`Gpu::wait`], or never
    /// if the device is lost.
    #[inline(never)] // `tests/allocations.rs` finds it by name.
    pub fn map(&self, buffer: &wgpu::Buffer) -> Receiver<Result<(), wgpu::BufferAsyncError>> {
        let (done, mapped) = mpsc::sync_channel(1);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            done.send(result).ok(); // Fails if the receiver was dropped.
        });
        mapped
    }

    /// Blocks until a buffer is mapped; not for the render thread.
    ///
    /// # Errors
    /// Returns an error if the device is lost, or cannot map the buffer in time.
    pub(super) fn wait_mapped(
        &self,
        mapped: &Receiver<Result<(), wgpu::BufferAsyncError>>,
    ) -> Result<(), StageError> {
        match self.receive(mapped)? {
            None | Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.loss().unwrap_or_else(|| StageError::Invalid(error.to_string()))),
        }
    }

    /// Creates a buffer with `contents`, padded with zeros to wgpu's copy alignment. Unlike wgpu's
    /// `create_buffer_init`, does not panic if memory runs out.
    pub fn buffer(&self, label: &str, contents: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: (contents.len() as u64).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT),
            usage: usage | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut padded = contents.to_vec();
        padded.resize(contents.len().next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT as usize), 0);
        self.queue.write_buffer(&buffer, 0, &padded);
        buffer
    }

    /// Configures a surface.
    ///
    /// # Errors
    /// Returns an error if the device is lost or busy on another thread; the surface then keeps its configuration, and
    /// the caller retries later.
    pub fn configure(
        &self,
        surface: &wgpu::Surface,
        config: &wgpu::SurfaceConfiguration,
    ) -> Result<(), StageError> {
        self.checked(|| surface.configure(&self.device, config))
    }

    /// Returns the next texture of a configured surface, or the reason why there is none.
    ///
    /// # Errors
    /// Returns an error if the device is lost or reports an error.
    pub fn acquire(&self, surface: &wgpu::Surface) -> Result<wgpu::CurrentSurfaceTexture, StageError> {
        #[cfg(feature = "faults")]
        if take_one(&self.errors.lost_surfaces) {
            return Ok(wgpu::CurrentSurfaceTexture::Lost);
        }
        self.checked(|| surface.get_current_texture())
    }
}

#[cfg(feature = "faults")]
impl Gpu {
    /// Simulates the loss of the device.
    pub fn lose(&self) {
        self.errors.lose("lost by a test");
        self.device.destroy();
    }

    /// Makes the next `count` calls to [`Gpu::checked`] fail as out of memory.
    pub fn fail_allocations(&self, count: u64) {
        self.errors.failing.store(count, Ordering::Relaxed);
    }

    /// Simulates the loss of both windows' surfaces.
    pub fn lose_surfaces(&self) {
        self.errors.lost_surfaces.store(2, Ordering::Relaxed);
    }
}

/// Consumes one injected fault; returns false if none is left.
#[cfg(feature = "faults")]
fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

impl DeviceErrors {
    /// Records that memory ran out.
    fn starve(&self) {
        self.out_of_memory.store(true, Ordering::Relaxed);
        self.shortages.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that the device is lost.
    fn lose(&self, why: &str) {
        // wgpu reports most failed allocations as the loss of the device.
        if why.to_ascii_lowercase().contains("memory") {
            self.starve();
        }
        if self.lost.set(why.to_owned()).is_ok() {
            self.note(&format!("the graphics device was lost: {why}"));
        }
    }

    /// Records an error that no scope caught.
    fn add(&self, error: &wgpu::Error) {
        let error = self.typed(error);
        self.note(&error.to_string());
    }

    /// Converts a device error to a [`StageError`] and records whether memory ran out.
    fn typed(&self, error: &wgpu::Error) -> StageError {
        match error {
            wgpu::Error::OutOfMemory { .. } => {
                self.starve();
                StageError::OutOfMemory
            }
            error => StageError::Invalid(error.to_string()),
        }
    }

    /// Stores `message` as the latest error and logs it if it is the first.
    fn note(&self, message: &str) {
        if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
            log::error!("graphics device error: {message}");
        }
        *self.newest() = Some(message.to_owned());
    }

    fn newest(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.newest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abandoned_device_counts_as_lost() {
        let Some(gpu) = Gpu::for_test() else { return };
        gpu.abandon();
        assert!(gpu.lost() && matches!(gpu.poll(), Err(StageError::Lost(_))));
    }

    #[test]
    fn a_dropped_callback_means_that_the_work_is_done() {
        let Some(gpu) = Gpu::for_test() else { return };
        let (done, finished) = mpsc::sync_channel::<()>(1);
        drop(done);
        assert_eq!(gpu.receive(&finished), Ok(None));
        let (_kept, unfinished) = mpsc::sync_channel::<()>(1);
        gpu.errors.lose("lost by a test");
        assert!(matches!(gpu.receive(&unfinished), Err(StageError::Lost(_))));
    }
}
