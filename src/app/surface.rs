//! A window's surface: configured again when its size changes, when it is lost, and after a failure; never stops the show.

use std::sync::Arc;

use anyhow::Context as _;

use super::live::{NewestPicture, Pause, Paused};
use crate::stage::{Gpu, Presenter, RenderContext};

/// Attempts to configure a surface for which the show pauses; further ones are made while it draws.
const PAUSED_ATTEMPTS: u32 = 20;

/// The surface of a window.
pub(super) struct WindowSurface {
    surface: wgpu::Surface<'static>,
    config: wgpu::SurfaceConfiguration,
    /// Whether the surface has the size in `config`.
    configured: bool,
    pause: Pause,
    /// Held until the surface is configured.
    paused: Option<Paused>,
    /// Failed attempts in a row.
    attempts: u32,
    /// Draws pictures that cannot be copied.
    presenter: Option<(Arc<RenderContext>, Presenter)>,
}

impl WindowSurface {
    /// Prepares `surface` for pictures of `gpu`; `wait` selects vertical sync.
    ///
    /// # Errors
    /// Fails if the device cannot draw to the surface.
    pub fn new(gpu: &Gpu, surface: wgpu::Surface<'static>, wait: bool, pause: Pause) -> anyhow::Result<Self> {
        let mut config = surface
            .get_default_config(&gpu.adapter, 1, 1)
            .context("the graphics device cannot draw to this window")?;
        let capabilities = surface.get_capabilities(&gpu.adapter);
        // Pictures hold display values already; an sRGB format would convert them twice and wash them out.
        if let Some(&plain) = capabilities.formats.iter().find(|format| !format.is_srgb()) {
            config.format = plain;
        }
        config.usage |= capabilities.usages & wgpu::TextureUsages::COPY_DST;
        config.present_mode =
            if wait { wgpu::PresentMode::AutoVsync } else { wgpu::PresentMode::AutoNoVsync };
        Ok(Self { surface, config, configured: false, pause, paused: None, attempts: 0, presenter: None })
    }

    /// Returns the surface format.
    pub fn format(&self) -> wgpu::TextureFormat {
        self.config.format
    }

    /// Presents a picture scaled to a surface of `size` pixels. Returns false if the surface is not ready; try again
    /// later. May block until the display takes the picture, up to a second.
    pub fn show(&mut self, picture: &NewestPicture, size: [u32; 2]) -> bool {
        let context = &picture.context;
        let format = self.config.format;
        let same = self.presenter.take().filter(|(before, _)| Arc::ptr_eq(before, context));
        let mut presenter = same.unwrap_or_else(|| (context.clone(), Presenter::new(context, format)));
        let shown = self.present(&context.gpu, size, |surface, encoder| {
            let view = surface.create_view(&Default::default());
            presenter.1.draw(context, encoder, (&picture.view, picture.size), (&view, size));
        });
        self.presenter = Some(presenter);
        shown
    }

    /// Presents a picture of the same format and size, like [`Self::show`].
    pub fn show_copy(&mut self, context: &Arc<RenderContext>, texture: &wgpu::Texture) -> bool {
        let size = [texture.width(), texture.height()];
        if !self.config.usage.contains(wgpu::TextureUsages::COPY_DST) {
            let view = texture.create_view(&Default::default());
            return self.show(&NewestPicture { context: context.clone(), view, size, number: 0 }, size);
        }
        self.present(&context.gpu, size, |surface, encoder| {
            encoder.copy_texture_to_texture(texture.as_image_copy(), surface.as_image_copy(), texture.size());
        })
    }

    fn present(
        &mut self,
        gpu: &Gpu,
        size: [u32; 2],
        draw: impl FnOnce(&wgpu::Texture, &mut wgpu::CommandEncoder),
    ) -> bool {
        if size.contains(&0) || !self.configure(gpu, size) {
            return false;
        }
        let picture = match self.surface.get_current_texture() {
            wgpu::CurrentSurfaceTexture::Success(picture)
            | wgpu::CurrentSurfaceTexture::Suboptimal(picture) => picture,
            wgpu::CurrentSurfaceTexture::Outdated | wgpu::CurrentSurfaceTexture::Lost => {
                self.configured = false;
                return false;
            }
            _ => return false,
        };
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        draw(&picture.texture, &mut encoder);
        gpu.queue.submit([encoder.finish()]);
        gpu.queue.present(picture);
        true
    }

    /// Gives the surface this size, unless it has it. Fails while other threads keep the device busy.
    fn configure(&mut self, gpu: &Gpu, size: [u32; 2]) -> bool {
        if self.configured && [self.config.width, self.config.height] == size {
            return true;
        }
        if self.paused.is_none() && self.attempts < PAUSED_ATTEMPTS {
            self.paused = Some(self.pause.ask());
        }
        [self.config.width, self.config.height] = size;
        match gpu.checked(|| self.surface.configure(&gpu.device, &self.config)) {
            Ok(()) => {
                (self.configured, self.attempts, self.paused) = (true, 0, None);
                true
            }
            Err(error) => {
                self.configured = false;
                self.attempts += 1;
                if self.attempts == PAUSED_ATTEMPTS {
                    log::warn!("could not resize a window: {error}; still trying");
                    self.paused = None;
                }
                false
            }
        }
    }
}
