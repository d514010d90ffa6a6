//! One picture from the device to memory, at once.

use super::camera::{Camera, Wait};
use super::gpu::Gpu;

/// Copies `texture` out and waits for it: for headless tools and tests, never for the render thread.
pub(super) fn read(gpu: &Gpu, texture: &wgpu::Texture) -> Result<image::RgbaImage, String> {
    let size = [texture.width(), texture.height()];
    let mut camera = Camera::new(gpu, size);
    camera.shoot_texture(gpu, texture);
    let shot = camera.develop(gpu, Wait::All)?.ok_or("the device gave no picture")?;
    image::RgbaImage::from_raw(size[0], size[1], shot.pixels.to_vec())
        .ok_or_else(|| "the picture came back short".into())
}
