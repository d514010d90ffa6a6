//! Opens the graphics device and the stage of a show. A standby process does so in advance, before it has windows, so
//! that it can replace a crashed show at once.

use std::path::PathBuf;
use std::sync::Arc;

use winit::event_loop::OwnedDisplayHandle;

use super::{FULL_SIZE, SOFTWARE_SIZE};
use crate::library::Settings;
use crate::stage::{Gpu, RenderContext, RenderOptions, Stage, StageOptions};

/// An open graphics device and a stage whose passes are compiled.
pub(super) struct OpenStage {
    pub stage: Stage,
    textures: Vec<PathBuf>,
}

impl OpenStage {
    /// Opens a graphics device without a window, and builds a stage on it.
    ///
    /// # Errors
    /// Returns an error if no device can be opened.
    pub fn open(display: &OwnedDisplayHandle, settings: &Settings) -> anyhow::Result<Self> {
        let gpu = Gpu::open(instance(display), None)?;
        let size = render_size(settings, gpu.software());
        let render_options = render_options(settings, &gpu);
        let render_context = Arc::new(RenderContext::with(gpu, &settings.textures, render_options));
        let stage = stage(render_context, size, options(settings), true);
        Ok(Self { stage, textures: settings.textures.clone() })
    }

    /// Returns the device's wgpu instance, which creates surfaces.
    pub fn instance(&self) -> wgpu::Instance {
        self.stage.render_context().gpu.instance.clone()
    }

    /// Returns the stage if it matches `settings` and its device is not lost and can draw to `surface`.
    pub fn fit(self, settings: &Settings, surface: &wgpu::Surface) -> Option<Stage> {
        let gpu = &self.stage.render_context().gpu;
        // A device that was lost in the meantime reports that only when work is submitted.
        gpu.submit([]);
        let fits = gpu.wait().is_ok()
            && gpu.adapter.is_surface_supported(surface)
            && self.stage.size() == render_size(settings, gpu.software())
            && self.stage.options() == options(settings)
            && self.stage.render_context().options == render_options(settings, gpu)
            && self.textures == settings.textures;
        fits.then_some(self.stage)
    }
}

/// Creates the wgpu instance for a program with windows.
pub(super) fn instance(display: &OwnedDisplayHandle) -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_with_display_handle_from_env(Box::new(display.clone())))
}

/// Builds a stage; compiles its shaders in advance if `preload` is set.
pub(super) fn stage(
    render_context: Arc<RenderContext>,
    size: [u32; 2],
    options: StageOptions,
    preload: bool,
) -> Stage {
    let mut stage = Stage::with(render_context, size, options);
    if preload && let Err(error) = stage.preload() {
        log::warn!("could not compile the shaders of the stage ahead of time: {error}");
    }
    stage
}

/// Returns the width and height at which a show is rendered, in pixels.
pub(super) fn render_size(settings: &Settings, software: bool) -> [u32; 2] {
    settings.size.unwrap_or(if software { SOFTWARE_SIZE } else { FULL_SIZE })
}

/// Returns the options of a live show's stage.
pub(super) fn options(settings: &Settings) -> StageOptions {
    StageOptions { limiter: settings.limit_flashes.unwrap_or(true), meter: true, layer_threads: true }
}

/// Returns how the decks of a live show are drawn.
pub(super) fn render_options(settings: &Settings, gpu: &Gpu) -> RenderOptions {
    RenderOptions { deep_color: settings.deep_color.unwrap_or(false), ..RenderOptions::of(gpu) }
}
