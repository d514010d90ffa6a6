//! Buffers whose contents may change every frame: growable buffers for vertices, instances and uniforms, and
//! buffers for a single uniform block.

/// A buffer that grows when its contents no longer fit.
pub(super) struct GrowableBuffer {
    label: &'static str,
    buffer: wgpu::Buffer,
    usage: wgpu::BufferUsages,
}

/// Initial size of a growable buffer, in bytes.
const INITIAL_SIZE: u64 = 16 * 1024;

impl GrowableBuffer {
    pub fn new(device: &wgpu::Device, label: &'static str, usage: wgpu::BufferUsages) -> Self {
        let usage = usage | wgpu::BufferUsages::COPY_DST;
        Self { label, buffer: create(device, label, usage, INITIAL_SIZE), usage }
    }

    /// Replaces the contents with `items`, reallocating if they do not fit. Does nothing if there are no
    /// items.
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

/// A buffer for one uniform block, written only when the block changes.
pub(super) struct UniformBuffer<T> {
    buffer: wgpu::Buffer,
    /// The contents last written to the device; `None` before the first write.
    block: Option<T>,
}

impl<T: bytemuck::Pod> UniformBuffer<T> {
    pub fn new(device: &wgpu::Device, label: &str) -> Self {
        // Uniform blocks are padded to a multiple of 16 bytes.
        let size = (size_of::<T>() as u64).next_multiple_of(16);
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        Self { buffer: create(device, label, usage, size), block: None }
    }

    /// Writes the block if it differs bitwise from the last one; returns true if it was written.
    pub fn set(&mut self, queue: &wgpu::Queue, block: T) -> bool {
        let bytes = bytemuck::bytes_of(&block);
        let changed = self.block.as_ref().is_none_or(|known| bytemuck::bytes_of(known) != bytes);
        if changed {
            queue.write_buffer(&self.buffer, 0, bytes);
            self.block = Some(block);
        }
        changed
    }

    pub fn binding(&self) -> wgpu::BindingResource<'_> {
        self.buffer.as_entire_binding()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::gpu::Gpu;

    #[test]
    fn a_block_is_written_when_its_bits_change() {
        let Some(gpu) = Gpu::for_test() else { return };
        let mut uniforms = UniformBuffer::<[f32; 4]>::new(&gpu.device, "test");
        let blocks = [[0.0; 4], [0.0; 4], [-0.0; 4], [f32::NAN; 4], [f32::NAN; 4]];
        assert_eq!(blocks.map(|block| uniforms.set(&gpu.queue, block)), [true, false, true, true, false]);
    }
}
