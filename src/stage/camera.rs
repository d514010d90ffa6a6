//! A camera on the stage's picture: frames come back to memory a few frames later, so that nobody waits for the device.
//!
//! A ring of buffers takes turns. The device copies into one while older ones are read.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver};

use super::Stage;
use super::gpu::Gpu;

/// Pictures on their way at the same time.
const RING: usize = 3;

/// Takes pictures of a stage; bound to the device and the size it was made for.
pub struct Camera {
    size: [u32; 2],
    row: u32,
    free: Vec<wgpu::Buffer>,
    waiting: VecDeque<PendingReadback>,
    taken: u64,
    pixels: Vec<u8>,
}

/// A picture the device is still working on.
struct PendingReadback {
    number: u64,
    buffer: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
}

/// A picture in memory.
pub struct Shot<'a> {
    /// Which picture of this camera, from 0.
    pub number: u64,
    /// RGBA bytes, row by row.
    pub pixels: &'a [u8],
}

impl Camera {
    /// A camera for a stage whose picture has `size` pixels.
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let row = (size[0] * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = |_| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("camera"),
                size: u64::from(row) * u64::from(size[1]),
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            })
        };
        Self {
            size,
            row,
            free: (0..RING).map(buffer).collect(),
            waiting: VecDeque::new(),
            taken: 0,
            pixels: Vec::new(),
        }
    }

    /// Asks for the picture the stage drew last. False when the ring is full: develop one first.
    pub fn shoot(&mut self, stage: &Stage) -> bool {
        self.shoot_texture(&stage.render_context.gpu, &stage.picture)
    }

    /// Asks for what a texture of this camera's size holds.
    pub(super) fn shoot_texture(&mut self, gpu: &Gpu, texture: &wgpu::Texture) -> bool {
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
                    bytes_per_row: Some(self.row),
                    rows_per_image: Some(self.size[1]),
                },
            },
            texture.size(),
        );
        let submission = gpu.queue.submit([encoder.finish()]);
        let (done, mapped) = mpsc::sync_channel(1);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            done.send(result).ok(); // Nobody waits any more.
        });
        self.waiting.push_back(PendingReadback { number: self.taken, buffer, submission, mapped });
        self.taken += 1;
        true
    }

    /// The oldest picture on its way, once it is there. With `wait` the device is waited for when the ring is full or
    /// `all` pictures are wanted; never on the render thread.
    pub fn develop(&mut self, gpu: &Gpu, wait: Wait) -> Result<Option<Shot<'_>>, String> {
        let full = self.free.is_empty();
        let Some(oldest) = self.waiting.front() else { return Ok(None) };
        let patience = match wait {
            Wait::Never => wgpu::PollType::Poll,
            Wait::WhenFull if !full => return Ok(None),
            Wait::WhenFull | Wait::All => {
                wgpu::PollType::Wait { submission_index: Some(oldest.submission.clone()), timeout: None }
            }
        };
        gpu.device.poll(patience).map_err(|error| error.to_string())?;
        let result = match wait {
            Wait::Never => match oldest.mapped.try_recv() {
                Err(mpsc::TryRecvError::Empty) => return Ok(None),
                result => result.map_err(|_| mpsc::RecvError),
            },
            // The work is done, yet another thread that polled may be the one to say so, a moment later.
            Wait::WhenFull | Wait::All => oldest.mapped.recv(),
        };
        let result = match result {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(mpsc::RecvError) => Err("the device never gave the picture back".to_owned()),
        };
        let Some(PendingReadback { number, buffer, .. }) = self.waiting.pop_front() else { return Ok(None) };
        let read = result.and_then(|()| {
            let mapped = buffer.get_mapped_range(..).map_err(|error| error.to_string())?;
            self.pixels.clear();
            for line in mapped.chunks_exact(self.row as usize) {
                self.pixels.extend_from_slice(&line[..self.size[0] as usize * 4]);
            }
            Ok(())
        });
        buffer.unmap();
        self.free.push(buffer);
        read.map(|()| Some(Shot { number, pixels: &self.pixels }))
    }

    /// Forgets pictures on their way and counts from 0 again.
    pub fn reset(&mut self, gpu: &Gpu) {
        while matches!(self.develop(gpu, Wait::All), Ok(Some(_)) | Err(_)) && !self.waiting.is_empty() {}
        self.taken = 0;
    }
}

/// Whether to wait for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Take what is there: for the render thread.
    Never,
    /// Only when every buffer is on its way: for headless tools that go on drawing.
    WhenFull,
    /// Until the oldest picture is there.
    All,
}
