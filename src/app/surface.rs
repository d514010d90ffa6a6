//! A window's surface: configured, reconfigured when it changes, never a reason to stop.

use std::sync::Arc;

use anyhow::Context as _;
use winit::window::Window;

use crate::stage::Gpu;

/// A window one can draw to.
pub(super) struct WindowSurface {
    pub window: Arc<Window>,
    surface: wgpu::Surface<'static>,
    config: wgpu::SurfaceConfiguration,
}

impl WindowSurface {
    /// Prepares `surface` of `window`; `wait` shows each frame in step with the screen.
    pub fn new(
        gpu: &Gpu,
        window: Arc<Window>,
        surface: wgpu::Surface<'static>,
        wait: bool,
    ) -> anyhow::Result<Self> {
        let size = window.inner_size();
        let mut config = surface
            .get_default_config(&gpu.adapter, size.width.max(1), size.height.max(1))
            .context("the graphics device cannot draw to this window")?;
        let capabilities = surface.get_capabilities(&gpu.adapter);
        // Pictures are display values already: a format that converts once more would wash them out.
        if let Some(&plain) = capabilities.formats.iter().find(|format| !format.is_srgb()) {
            config.format = plain;
        }
        config.present_mode =
            if wait { wgpu::PresentMode::AutoVsync } else { wgpu::PresentMode::AutoNoVsync };
        surface.configure(&gpu.device, &config);
        Ok(Self { window, surface, config })
    }

    /// Format of the surface.
    pub fn format(&self) -> wgpu::TextureFormat {
        self.config.format
    }

    /// Width and height, pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.config.width, self.config.height]
    }

    /// Follows the window's size.
    pub fn resize(&mut self, gpu: &Gpu, width: u32, height: u32) {
        if width > 0 && height > 0 && self.size() != [width, height] {
            (self.config.width, self.config.height) = (width, height);
            self.surface.configure(&gpu.device, &self.config);
        }
    }

    /// Lets `draw` fill the next picture and shows it; a surface that is not ready is skipped this frame.
    pub fn show(&mut self, gpu: &Gpu, draw: impl FnOnce(&wgpu::TextureView, &mut wgpu::CommandEncoder)) {
        let picture = match self.surface.get_current_texture() {
            wgpu::CurrentSurfaceTexture::Success(picture)
            | wgpu::CurrentSurfaceTexture::Suboptimal(picture) => picture,
            wgpu::CurrentSurfaceTexture::Outdated | wgpu::CurrentSurfaceTexture::Lost => {
                self.surface.configure(&gpu.device, &self.config);
                return;
            }
            _ => return,
        };
        let view = picture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        draw(&view, &mut encoder);
        gpu.queue.submit([encoder.finish()]);
        self.window.pre_present_notify();
        gpu.queue.present(picture);
    }
}
