//! A window's surface: configured again when it changes or is lost; never stops the show.

use std::sync::Arc;

use anyhow::Context as _;
use winit::window::Window;

use crate::stage::Gpu;

/// A window with its surface.
pub(super) struct WindowSurface {
    pub window: Arc<Window>,
    surface: wgpu::Surface<'static>,
    config: wgpu::SurfaceConfiguration,
}

impl WindowSurface {
    /// Configures `surface` of `window`; `wait` selects vertical sync.
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
        // Pictures hold display values already; an sRGB format would convert them twice and wash them out.
        if let Some(&plain) = capabilities.formats.iter().find(|format| !format.is_srgb()) {
            config.format = plain;
        }
        config.present_mode =
            if wait { wgpu::PresentMode::AutoVsync } else { wgpu::PresentMode::AutoNoVsync };
        gpu.configure(&surface, &config)?;
        Ok(Self { window, surface, config })
    }

    /// Returns the surface format.
    pub fn format(&self) -> wgpu::TextureFormat {
        self.config.format
    }

    /// Returns width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.config.width, self.config.height]
    }

    /// Applies a new window size.
    pub fn resize(&mut self, gpu: &Gpu, width: u32, height: u32) {
        if width > 0 && height > 0 && self.size() != [width, height] {
            (self.config.width, self.config.height) = (width, height);
            if let Err(why) = gpu.configure(&self.surface, &self.config) {
                log::debug!("could not configure a window: {why}");
            }
        }
    }

    /// Presents the picture drawn by `draw`; skips the frame if the surface is not ready.
    pub fn show(&mut self, gpu: &Gpu, draw: impl FnOnce(&wgpu::TextureView, &mut wgpu::CommandEncoder)) {
        let picture = match gpu.acquire(&self.surface) {
            Ok(
                wgpu::CurrentSurfaceTexture::Success(picture)
                | wgpu::CurrentSurfaceTexture::Suboptimal(picture),
            ) => picture,
            Ok(wgpu::CurrentSurfaceTexture::Outdated | wgpu::CurrentSurfaceTexture::Lost) => {
                if let Err(why) = gpu.configure(&self.surface, &self.config) {
                    log::debug!("could not configure a window: {why}");
                }
                return;
            }
            _ => return,
        };
        let view = picture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        draw(&view, &mut encoder);
        gpu.submit([encoder.finish()]);
        self.window.pre_present_notify();
        gpu.queue.present(picture);
    }
}
