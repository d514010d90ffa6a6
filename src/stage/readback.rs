//! Pictures from the device to memory.

use super::gpu::Gpu;

/// Copies `texture` out and waits for it: for headless tools and tests, never for the render thread.
pub(super) fn read(gpu: &Gpu, texture: &wgpu::Texture) -> Result<image::RgbaImage, String> {
    let (width, height) = (texture.width(), texture.height());
    let row = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size: u64::from(row) * u64::from(height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    encoder.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(row),
                rows_per_image: Some(height),
            },
        },
        texture.size(),
    );
    gpu.queue.submit([encoder.finish()]);
    let (done, wait) = std::sync::mpsc::sync_channel(1);
    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
        done.send(result).ok(); // Nobody waits any more: the device was lost.
    });
    gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| error.to_string())?;
    wait.recv().map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let mapped = buffer.get_mapped_range(..).map_err(|error| error.to_string())?;
    let mut pixels = Vec::with_capacity((width * height * 4) as usize);
    for line in mapped.chunks_exact(row as usize) {
        pixels.extend_from_slice(&line[..(width * 4) as usize]);
    }
    drop(mapped);
    buffer.unmap();
    buffer.destroy();
    image::RgbaImage::from_raw(width, height, pixels).ok_or_else(|| "the picture came back short".into())
}
