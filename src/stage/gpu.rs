//! The graphics device, and the errors it reports.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::error::StageError;

/// What to try without a graphics device.
const DRIVER_HINT: &str = if cfg!(windows) {
    "install the driver of the graphics card's maker"
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
        /// Error of the driver.
        why: String,
    },
}

/// An open graphics device.
pub struct Gpu {
    /// Instance; creates surfaces.
    pub instance: wgpu::Instance,
    /// Adapter.
    pub adapter: wgpu::Adapter,
    /// Device.
    pub device: wgpu::Device,
    /// Queue.
    pub queue: wgpu::Queue,
    errors: Arc<DeviceErrors>,
}

/// Uncaptured errors of the device.
#[derive(Default)]
struct DeviceErrors {
    count: AtomicU64,
    lost: AtomicBool,
    newest: Mutex<Option<String>>,
}

impl Gpu {
    /// Opens a device without a window.
    ///
    /// # Errors
    /// Fails if there is no adapter or it cannot be opened.
    pub fn headless() -> Result<Self, GpuError> {
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        Self::open(wgpu::Instance::new(descriptor), None)
    }

    /// Returns a device for a test. Every test that draws gets its device here, or asks here before it starts the
    /// program, so that one rule holds for all of them: without a device a test fails. `AIVJ_NO_GPU=1` states that the
    /// machine has none; then this returns `None` and the test ends without checking anything.
    ///
    /// # Panics
    /// Panics when no device opens, unless `AIVJ_NO_GPU=1` is set.
    pub fn for_test() -> Option<Self> {
        if std::env::var("AIVJ_NO_GPU").is_ok_and(|value| value == "1") {
            println!("skipped: AIVJ_NO_GPU=1 states that there is no graphics device");
            return None;
        }
        let gpu = Self::headless();
        Some(gpu.expect("tests need a graphics device (mesa-vulkan-drivers is enough), or AIVJ_NO_GPU=1"))
    }

    /// Opens a device of `instance` that supports `surface`, if one is given. Falls back to a software adapter.
    ///
    /// # Errors
    /// Fails if there is no adapter or it cannot be opened.
    pub fn open(instance: wgpu::Instance, surface: Option<&wgpu::Surface>) -> Result<Self, GpuError> {
        let request = |force_fallback_adapter| {
            pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions {
                power_preference: wgpu::PowerPreference::HighPerformance,
                force_fallback_adapter,
                compatible_surface: surface,
                ..Default::default()
            }))
        };
        let adapter =
            request(false).or_else(|_| request(true)).map_err(|e| GpuError::NoAdapter(e.to_string()))?;
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
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| sink.add(error.to_string())));
        let sink = errors.clone();
        device.set_device_lost_callback(move |_, why| {
            sink.lost.store(true, Ordering::Relaxed);
            sink.add(format!("the graphics device was lost: {why}"));
        });
        Ok(Self { instance, adapter, device, queue, errors })
    }

    /// Returns the name of the adapter and its backend.
    pub fn name(&self) -> String {
        let info = self.adapter.get_info();
        format!("{} ({:?})", info.name, info.backend)
    }

    /// Returns true for a software rasteriser.
    pub fn software(&self) -> bool {
        self.adapter.get_info().device_type == wgpu::DeviceType::Cpu
    }

    /// Returns true once the device is lost. Everything created with it must be recreated.
    pub fn lost(&self) -> bool {
        self.errors.lost.load(Ordering::Relaxed)
    }

    /// Returns the number of uncaptured errors so far.
    pub fn error_count(&self) -> u64 {
        self.errors.count.load(Ordering::Relaxed)
    }

    /// Takes the newest uncaptured error.
    pub fn take_error(&self) -> Option<String> {
        self.errors.newest().take()
    }

    /// Runs `work` in error scopes for validation, memory and internal errors.
    ///
    /// # Errors
    /// Returns the first device error that `work` caused.
    pub fn checked<T>(&self, work: impl FnOnce() -> T) -> Result<T, StageError> {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let scopes = [Validation, OutOfMemory, Internal].map(|kind| self.device.push_error_scope(kind));
        let result = work();
        let mut scopes = scopes.map(Some);
        let errors = scopes.iter_mut().rev().filter_map(Option::take);
        let errors: Vec<_> = errors.filter_map(|scope| pollster::block_on(scope.pop())).collect();
        errors.first().map_or(Ok(result), |error| Err(StageError::Device(error.to_string())))
    }
}

impl DeviceErrors {
    /// Stores an error and logs the first one.
    fn add(&self, message: String) {
        if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
            log::error!("graphics device error: {message}");
        }
        *self.newest() = Some(message);
    }

    fn newest(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.newest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
