//! A vertex buffer that is rewritten every frame and grows to the next power of two.

/// A buffer that grows as needed.
pub(super) struct GrowableBuffer {
    label: &'static str,
    buffer: wgpu::Buffer,
    usage: wgpu::BufferUsages,
}

/// Initial size, bytes.
const INITIAL_SIZE: u64 = 16 * 1024;

impl GrowableBuffer {
    pub fn new(device: &wgpu::Device, label: &'static str, usage: wgpu::BufferUsages) -> Self {
        let usage = usage | wgpu::BufferUsages::COPY_DST;
        Self { label, buffer: create(device, label, usage, INITIAL_SIZE), usage }
    }

    /// Replaces the contents, reallocating if they do not fit.
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

    /// Returns the current buffer; [`Self::fill`] may replace it.
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// Returns the whole buffer as a slice.
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
