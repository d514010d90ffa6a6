//! Asynchronous readback of pictures.
//!
//! Uses a ring of staging buffers: the device copies into one while older ones are mapped and read, so the caller gets
//! each picture a few frames later without blocking.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError};

use super::error::StageError;
use super::gpu::Gpu;

/// Number of staging buffers.
const RING: usize = 3;

/// Reads back pictures of one size from one device.
pub struct Readback {
    size: [u32; 2],
    bytes_per_row: u32,
    free: Vec<wgpu::Buffer>,
    pending: VecDeque<PendingReadback>,
    requested: u64,
    pixels: Vec<u8>,
}

/// A copy in flight.
struct PendingReadback {
    number: u64,
    buffer: wgpu::Buffer,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
}

/// A picture read back from the device.
pub struct ReadbackFrame<'a> {
    /// Index of the request, counted from 0 since the readback was created or last reset.
    pub number: u64,
    /// RGBA bytes, row by row.
    pub pixels: &'a [u8],
}

impl Readback {
    /// Creates a readback with staging buffers for pictures of `size` pixels.
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let bytes_per_row = (size[0] * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        Self {
            size,
            bytes_per_row,
            free: (0..RING).map(|_| staging(gpu, bytes_per_row, size)).collect(),
            pending: VecDeque::new(),
            requested: 0,
            pixels: Vec::new(),
        }
    }

    /// Starts reading back `texture`. Returns false if all buffers are in flight or the size differs.
    pub(super) fn request(&mut self, gpu: &Gpu, texture: &wgpu::Texture) -> bool {
        if [texture.width(), texture.height()] != self.size {
            return false;
        }
        let Some(buffer) = self.free.pop() else { return false };
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(self.bytes_per_row),
                    rows_per_image: Some(self.size[1]),
                },
            },
            texture.size(),
        );
        gpu.submit([encoder.finish()]);
        let mapped = gpu.map(&buffer);
        self.pending.push_back(PendingReadback { number: self.requested, buffer, mapped });
        self.requested += 1;
        true
    }

    /// Returns the oldest requested picture, or `None` if none is ready; `wait` determines when to block.
    ///
    /// # Errors
    /// Returns an error if the device is lost or does not finish in time, or if the buffer cannot be mapped. The
    /// picture is then discarded.
    pub fn receive(&mut self, gpu: &Gpu, wait: Wait) -> Result<Option<ReadbackFrame<'_>>, StageError> {
        let full = self.free.is_empty();
        let Some(oldest) = self.pending.front() else { return Ok(None) };
        let mapped = match wait {
            Wait::Never => match gpu.poll().map(|()| oldest.mapped.try_recv()) {
                Ok(Err(TryRecvError::Empty)) => return Ok(None),
                // A dropped callback means that the work is done; see `Gpu::receive`.
                Ok(Ok(Ok(())) | Err(TryRecvError::Disconnected)) => Ok(()),
                Ok(Ok(Err(_))) => Err(StageError::Invalid("the picture could not be mapped".to_owned())),
                Err(error) => Err(error),
            },
            Wait::WhenFull if !full => return Ok(None),
            Wait::WhenFull | Wait::Always => gpu.wait_mapped(&oldest.mapped),
        };
        let Some(PendingReadback { number, buffer, .. }) = self.pending.pop_front() else { return Ok(None) };
        if let Err(error) = mapped {
            // The device may still map this buffer later, so a new one replaces it.
            self.free.push(staging(gpu, self.bytes_per_row, self.size));
            return Err(error);
        }
        let read = buffer.get_mapped_range(..).map(|mapped| {
            self.pixels.clear();
            for line in mapped.chunks_exact(self.bytes_per_row as usize) {
                self.pixels.extend_from_slice(&line[..self.size[0] as usize * 4]);
            }
        });
        buffer.unmap();
        self.free.push(buffer);
        match read {
            Ok(()) => Ok(Some(ReadbackFrame { number, pixels: &self.pixels })),
            Err(error) => Err(StageError::Invalid(error.to_string())),
        }
    }

    /// Discards all pictures in flight and restarts the index at 0. Blocks until each has arrived, failed or
    /// timed out.
    pub fn reset(&mut self, gpu: &Gpu) {
        // Every call removes one picture, whether it has arrived or failed.
        while !self.pending.is_empty() {
            self.receive(gpu, Wait::Always).ok();
        }
        self.requested = 0;
    }
}

/// Creates a staging buffer.
fn staging(gpu: &Gpu, bytes_per_row: u32, size: [u32; 2]) -> wgpu::Buffer {
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size: u64::from(bytes_per_row) * u64::from(size[1]),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    })
}

/// When to block on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Never; for the render thread.
    Never,
    /// If all buffers are in flight; for headless tools that keep drawing.
    WhenFull,
    /// Always, until the oldest picture has arrived.
    Always,
}

/// Reads back `texture`. Blocks until the device is done; not for the render thread.
pub(super) fn read_texture(gpu: &Gpu, texture: &wgpu::Texture) -> Result<image::RgbaImage, StageError> {
    let size = [texture.width(), texture.height()];
    let mut readback = Readback::new(gpu, size);
    readback.request(gpu, texture);
    let frame = readback.receive(gpu, Wait::Always)?;
    let image = frame.and_then(|frame| image::RgbaImage::from_raw(size[0], size[1], frame.pixels.to_vec()));
    image.ok_or_else(|| StageError::Invalid("incomplete picture".to_owned()))
}
