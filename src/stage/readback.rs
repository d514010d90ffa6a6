//! Asynchronous readback of pictures.
//!
//! A ring of staging buffers: the device copies into one while older ones are mapped and read, so the caller gets each
//! picture a few frames later without blocking.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver};

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
    submission: wgpu::SubmissionIndex,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
}

/// A picture read back from the device.
pub struct ReadbackFrame<'a> {
    /// Index of the request, from 0.
    pub number: u64,
    /// RGBA bytes, row by row.
    pub pixels: &'a [u8],
}

impl Readback {
    /// Allocates staging buffers for pictures of `size` pixels.
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let bytes_per_row = (size[0] * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = |_| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("readback"),
                size: u64::from(bytes_per_row) * u64::from(size[1]),
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            })
        };
        Self {
            size,
            bytes_per_row,
            free: (0..RING).map(buffer).collect(),
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
        let submission = gpu.queue.submit([encoder.finish()]);
        let (done, mapped) = mpsc::sync_channel(1);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            done.send(result).ok(); // The readback was dropped.
        });
        self.pending.push_back(PendingReadback { number: self.requested, buffer, submission, mapped });
        self.requested += 1;
        true
    }

    /// Returns the oldest requested picture, or `None` if there is none yet; `wait` sets when to block.
    ///
    /// # Errors
    /// Fails if the device was lost or the buffer cannot be mapped. The picture is discarded.
    pub fn receive(&mut self, gpu: &Gpu, wait: Wait) -> Result<Option<ReadbackFrame<'_>>, StageError> {
        let full = self.free.is_empty();
        let Some(oldest) = self.pending.front() else { return Ok(None) };
        let poll = match wait {
            Wait::Never => wgpu::PollType::Poll,
            Wait::WhenFull if !full => return Ok(None),
            Wait::WhenFull | Wait::Always => {
                wgpu::PollType::Wait { submission_index: Some(oldest.submission.clone()), timeout: None }
            }
        };
        gpu.device.poll(poll).map_err(|error| StageError::Readback(error.to_string()))?;
        let result = match wait {
            Wait::Never => match oldest.mapped.try_recv() {
                Err(mpsc::TryRecvError::Empty) => return Ok(None),
                result => result.map_err(|_| mpsc::RecvError),
            },
            // The copy is done, but another polling thread may be about to run the callback.
            Wait::WhenFull | Wait::Always => oldest.mapped.recv(),
        };
        let result = match result {
            Ok(result) => result.map_err(|error| StageError::Readback(error.to_string())),
            Err(mpsc::RecvError) => Err(StageError::Readback("the mapping callback was dropped".to_owned())),
        };
        let Some(PendingReadback { number, buffer, .. }) = self.pending.pop_front() else { return Ok(None) };
        let read = result.and_then(|()| {
            let mapped =
                buffer.get_mapped_range(..).map_err(|error| StageError::Readback(error.to_string()))?;
            self.pixels.clear();
            for line in mapped.chunks_exact(self.bytes_per_row as usize) {
                self.pixels.extend_from_slice(&line[..self.size[0] as usize * 4]);
            }
            Ok(())
        });
        buffer.unmap();
        self.free.push(buffer);
        read.map(|()| Some(ReadbackFrame { number, pixels: &self.pixels }))
    }

    /// Discards all pictures in flight and restarts the index at 0. Blocks until the device is done with them.
    pub fn reset(&mut self, gpu: &Gpu) {
        while matches!(self.receive(gpu, Wait::Always), Ok(Some(_)) | Err(_)) && !self.pending.is_empty() {}
        self.requested = 0;
    }
}

/// When to block on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Never; for the render thread.
    Never,
    /// If all buffers are in flight; for headless tools that keep drawing.
    WhenFull,
    /// Until the oldest picture has arrived.
    Always,
}

/// Reads back `texture`. Blocks until the device is done; not for the render thread.
pub(super) fn read_texture(gpu: &Gpu, texture: &wgpu::Texture) -> Result<image::RgbaImage, StageError> {
    let size = [texture.width(), texture.height()];
    let mut readback = Readback::new(gpu, size);
    readback.request(gpu, texture);
    let frame = readback.receive(gpu, Wait::Always)?;
    let image = frame.and_then(|frame| image::RgbaImage::from_raw(size[0], size[1], frame.pixels.to_vec()));
    image.ok_or_else(|| StageError::Readback("incomplete picture".to_owned()))
}
