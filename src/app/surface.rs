//! The surface of a window: reconfigured when the window's size changes and replaced when it is lost.
//! Failures are retried and never stop the show.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use winit::window::Window;

use super::live::{NewestPicture, Pause, Paused};
use crate::stage::{Gpu, Presenter, RenderContext};

/// Pause before another attempt to present a picture after the graphics library panicked.
pub(super) const AFTER_PANIC: Duration = Duration::from_millis(500);
/// Number of attempts to configure a surface during which drawing is paused. Later attempts are made without a pause.
const PAUSED_ATTEMPTS: u32 = 20;

/// The surface of a window, with its configuration.
pub(super) struct WindowSurface {
    window: Arc<Window>,
    /// `None` after the surface was lost, until it is replaced.
    surface: Option<wgpu::Surface<'static>>,
    /// The device that the surface belongs to.
    device: wgpu::Device,
    /// Whether presenting waits for the display's vertical sync.
    wait: bool,
    config: wgpu::SurfaceConfiguration,
    /// Whether the surface is configured as in `config`.
    configured: bool,
    pause: Pause,
    /// Pauses drawing while the surface is being configured.
    paused: Option<Paused>,
    /// Number of consecutive failed attempts to configure the surface.
    attempts: u32,
    /// Draws pictures that cannot be copied to the surface.
    presenter: Option<(Arc<RenderContext>, Presenter)>,
}

impl WindowSurface {
    /// Prepares the `surface` of `window` for pictures drawn by `gpu`; `wait` selects vertical sync.
    ///
    /// # Errors
    /// Fails if the device cannot draw to the surface.
    pub fn new(
        gpu: &Gpu,
        window: Arc<Window>,
        surface: wgpu::Surface<'static>,
        wait: bool,
        pause: Pause,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            config: configuration(gpu, &surface, wait)?,
            window,
            surface: Some(surface),
            device: gpu.device.clone(),
            wait,
            configured: false,
            pause,
            paused: None,
            attempts: 0,
            presenter: None,
        })
    }

    /// Replaces the surface if it was lost or, except on macOS, if the device has changed.
    fn renew(&mut self, gpu: &Gpu) -> anyhow::Result<()> {
        self.configured = false;
        // On macOS, a surface works with any device, and may only be created on the main thread.
        if !cfg!(target_os = "macos") || self.surface.is_none() {
            self.remove(); // A window can have only one surface at a time.
            let surface = gpu.instance.create_surface(self.window.clone())?;
            self.config = configuration(gpu, &surface, self.wait)?;
            self.surface = Some(surface);
        }
        self.device = gpu.device.clone();
        Ok(())
    }

    /// Removes the surface after a panic; the next picture is presented on a new one.
    pub fn reset(&mut self) {
        self.paused = None;
        self.remove();
    }

    /// Removes the surface, if there is one.
    fn remove(&mut self) {
        if let Some(surface) = self.surface.take() {
            release(surface);
        }
    }

    /// Returns the pixel format of the surface.
    pub fn format(&self) -> wgpu::TextureFormat {
        self.config.format
    }

    /// Presents a picture scaled to a surface of `size` pixels. Returns false if the surface is not ready
    /// yet. May block for up to a second, until the display accepts the picture.
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

    /// Like [`Self::show`], but for a texture that has the format and size of the surface.
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
        let other = self.surface.is_none() || self.device != gpu.device;
        if other && let Err(why) = self.renew(gpu) {
            log::debug!("cannot present to a window ({why:#}); retrying");
            return false;
        }
        if size.contains(&0) || !self.configure(gpu, size) {
            return false;
        }
        let Some(surface) = &self.surface else { return false };
        let picture = match gpu.acquire(surface) {
            Ok(
                wgpu::CurrentSurfaceTexture::Success(picture)
                | wgpu::CurrentSurfaceTexture::Suboptimal(picture),
            ) => picture,
            Ok(wgpu::CurrentSurfaceTexture::Outdated) => {
                self.configured = false;
                return false;
            }
            Ok(wgpu::CurrentSurfaceTexture::Lost) => {
                self.remove();
                return false;
            }
            _ => return false,
        };
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        draw(&picture.texture, &mut encoder);
        gpu.submit([encoder.finish()]);
        gpu.queue.present(picture);
        true
    }

    /// Configures the surface if necessary. Returns false on failure, for example because the device is busy.
    fn configure(&mut self, gpu: &Gpu, size: [u32; 2]) -> bool {
        if self.configured && [self.config.width, self.config.height] == size {
            return true;
        }
        if self.paused.is_none() && self.attempts < PAUSED_ATTEMPTS {
            self.paused = Some(self.pause.ask());
        }
        [self.config.width, self.config.height] = size;
        let Some(surface) = &self.surface else { return false };
        match gpu.configure(surface, &self.config) {
            Ok(()) => {
                (self.configured, self.attempts, self.paused) = (true, 0, None);
                true
            }
            Err(error) => {
                self.configured = false;
                self.attempts += 1;
                if self.attempts == PAUSED_ATTEMPTS {
                    log::warn!("could not resize a window: {error}; retrying");
                    self.paused = None;
                }
                false
            }
        }
    }
}

impl Drop for WindowSurface {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Releases a surface. wgpu-hal 30 panics if the lost device still holds a semaphore of the surface, which is then
/// leaked.
fn release<S>(surface: S) {
    if caught(|| drop(surface)).is_none() {
        log::warn!("could not release all resources of a window's surface");
    }
}

/// Runs code that calls the graphics library, and returns its result, or `None` if it panicked.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Returns the configuration of a surface, with a placeholder size.
fn configuration(
    gpu: &Gpu,
    surface: &wgpu::Surface,
    wait: bool,
) -> anyhow::Result<wgpu::SurfaceConfiguration> {
    let mut config = surface
        .get_default_config(&gpu.adapter, 1, 1)
        .context("the graphics device cannot draw to this window")?;
    let capabilities = surface.get_capabilities(&gpu.adapter);
    // Pictures already contain sRGB-encoded values; an sRGB format would encode them twice and wash them out.
    if let Some(&plain) = capabilities.formats.iter().find(|format| !format.is_srgb()) {
        config.format = plain;
    }
    config.usage |= capabilities.usages & wgpu::TextureUsages::COPY_DST;
    config.present_mode = if wait { wgpu::PresentMode::AutoVsync } else { wgpu::PresentMode::AutoNoVsync };
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics when it is dropped, like the surface of a lost device.
    struct Unreleasable;

    impl Drop for Unreleasable {
        fn drop(&mut self) {
            panic!("a semaphore is still in use");
        }
    }

    #[test]
    fn a_surface_that_panics_when_it_is_released_does_not_stop_the_show() {
        release(Unreleasable);
    }

    #[test]
    fn a_panic_while_presenting_is_a_failed_attempt() {
        assert_eq!(caught(|| true), Some(true));
        assert_eq!(caught(|| -> bool { panic!("the device was lost") }), None);
    }
}
