//! Vertex data that changes every frame: one buffer that is refilled and grows by doubling.

/// A growing vertex buffer.
pub(super) struct GrowableBuffer {
    label: &'static str,
    buffer: wgpu::Buffer,
    usage: wgpu::BufferUsages,
}

/// Bytes of a buffer nothing was written to yet.
const FIRST_SIZE: u64 = 16 * 1024;

impl GrowableBuffer {
    pub fn new(device: &wgpu::Device, label: &'static str, usage: wgpu::BufferUsages) -> Self {
        let usage = usage | wgpu::BufferUsages::COPY_DST;
        Self { label, buffer: create(device, label, usage, FIRST_SIZE), usage }
    }

    /// Replaces the content.
    pub fn fill<T: bytemuck::NoUninit>(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, items: &[T]) {
        let bytes: &[u8] = bytemuck::cast_slice(items);
        if bytes.is_empty() {
            return;
        }
        if bytes.len() as u64 > self.buffer.size() {
            let size = (bytes.len() as u64).next_power_of_two();
            self.buffer = create(device, self.label, self.usage, size);
        }
        queue.write_buffer(&self.buffer, 0, bytes);
    }

    /// The buffer itself, until the next time it grows.
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// All of it.
    pub fn slice(&self) -> wgpu::BufferSlice<'_> {
        self.buffer.slice(..)
    }
}

fn create(device: &wgpu::Device, label: &str, usage: wgpu::BufferUsages, size: u64) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage,
        mapped_at_creation: false,
    })
}
