//! The graphics device: found, opened, and listened to when it complains.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Why there is no graphics device.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// No adapter at all.
    #[error("no graphics device was found ({0}); install a Vulkan driver, for example mesa-vulkan-drivers")]
    NoAdapter(String),
    /// An adapter that refuses.
    #[error("the graphics device {name} could not be opened: {why}")]
    NoDevice {
        /// Name of the adapter.
        name: String,
        /// What it said.
        why: String,
    },
}

/// An open graphics device.
pub struct Gpu {
    /// The instance, for surfaces.
    pub instance: wgpu::Instance,
    /// The adapter.
    pub adapter: wgpu::Adapter,
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    complaints: Arc<DeviceErrors>,
}

/// What the device complained about, kept until somebody reads it.
#[derive(Default)]
struct DeviceErrors {
    count: AtomicU64,
    lost: AtomicBool,
    newest: Mutex<Option<String>>,
}

impl Gpu {
    /// A device for work without a window.
    pub fn headless() -> Result<Self, GpuError> {
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        Self::open(wgpu::Instance::new(descriptor), None)
    }

    /// A device of `instance` that can draw to `surface`, if one is given.
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
        let complaints = Arc::new(DeviceErrors::default());
        let heard = complaints.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| heard.note(error.to_string())));
        let heard = complaints.clone();
        device.set_device_lost_callback(move |_, why| {
            heard.lost.store(true, Ordering::Relaxed);
            heard.note(format!("the graphics device was lost: {why}"));
        });
        Ok(Self { instance, adapter, device, queue, complaints })
    }

    /// Name and kind of the device in words.
    pub fn name(&self) -> String {
        let info = self.adapter.get_info();
        format!("{} ({:?})", info.name, info.backend)
    }

    /// True when the processor does the drawing.
    pub fn software(&self) -> bool {
        self.adapter.get_info().device_type == wgpu::DeviceType::Cpu
    }

    /// True once the device is gone; everything made with it must be made anew.
    pub fn lost(&self) -> bool {
        self.complaints.lost.load(Ordering::Relaxed)
    }

    /// How often the device complained so far.
    pub fn complaints(&self) -> u64 {
        self.complaints.count.load(Ordering::Relaxed)
    }

    /// The newest complaint, told once.
    pub fn newest_complaint(&self) -> Option<String> {
        self.complaints.newest().take()
    }

    /// Runs `work` and returns the first error it caused: against the rules, out of memory, or the driver's own.
    pub fn checked<T>(&self, work: impl FnOnce() -> T) -> Result<T, String> {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let scopes = [Validation, OutOfMemory, Internal].map(|kind| self.device.push_error_scope(kind));
        let result = work();
        let mut scopes = scopes.map(Some);
        let errors = scopes.iter_mut().rev().filter_map(Option::take);
        let errors: Vec<_> = errors.filter_map(|scope| pollster::block_on(scope.pop())).collect();
        errors.first().map_or(Ok(result), |error| Err(error.to_string()))
    }
}

impl DeviceErrors {
    fn note(&self, what: String) {
        if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
            log::error!("the graphics device complained: {what}");
        }
        *self.newest() = Some(what);
    }

    fn newest(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.newest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
