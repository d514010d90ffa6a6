//! The flash limiter: counts flashes of the output picture as `media::flash` does and, before a picture is
//! shown, modifies it if it would exceed the limit. Before that, it softens harmful regular patterns.
//!
//! Everything runs on the device, without readback or delay. A picture is shown only if neither any field nor the
//! whole screen then has more than seven transitions (three and a half flashes) in any second, however long the
//! picture stays on screen. Showing the previous picture again is therefore always safe, and is the last resort.
//! Pictures within the limit are unchanged. `docs/flash-safety.md` gives the proof.

mod pipelines;
#[cfg(test)]
mod tests;

pub(in crate::stage) use pipelines::FlashPipelines;

use super::{begin, bind, image, view};
use crate::media::flash::{self, GRID};
use crate::stage::gpu::Gpu;

/// Number of time units per second, divisible by all common frame rates.
const TICKS: f64 = 7200.0;
/// Range to which the frame rate is clamped for the flash rules, in Hz.
const RATES: [f64; 2] = [1.0, 240.0];
const CELLS: u32 = (GRID[0] * GRID[1]) as u32;
/// Number of 10-degree fields, plus one for the whole screen.
const FIELDS: u64 = 65 * 49 + 1;
/// Sizes of the buffers in `shaders/shared/flash_cells.wgsl`, in bytes.
const CELL_BYTES: u64 = 2 * 32;
const FIELDS_BYTES: u64 = 2 * FIELDS * 32;
const SCRATCH_BYTES: u64 = 4 * (CELLS as u64 + 15 * 72 * 66 + 15 * FIELDS + FIELDS + 96 * 49);
const VERDICT_BYTES: u64 = 4 * (10 + 2 * CELLS as u64);
/// Numbers of lines and samples in `shaders/shared/flash_pattern.wgsl`, and the size of its buffer in bytes.
const LINES: u32 = 96 + 72;
const SAMPLES: u32 = 2 * 4 * CELLS;
const PATTERN_BYTES: u64 = 4 * (4 * LINES + SAMPLES + 2 * CELLS) as u64;
/// Number of cells, lines or samples measured by one workgroup.
const MEASURED_TOGETHER: u32 = 64;
/// Kinds of verdict for which something is drawn; each is also the index of the instance that draws it.
const MIXED: u32 = 1;
const PREVIOUS: u32 = 2;
/// Maximum number of cached bind groups.
const CACHED_BIND_GROUPS: usize = 4;

/// Uniforms of the limiter; matches `Flash` in `shaders/shared/flash_cells.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct FlashBlock {
    now: u32,
    frame: u32,
    passed: u32,
    second: u32,
    together: u32,
    fresh: u32,
}

/// The state of the limiter: what was shown in the last second.
pub(in crate::stage) struct FlashLimiter {
    block: wgpu::Buffer,
    verdict: wgpu::Buffer,
    /// The images that alternate between the newest output picture and the previous one.
    pictures: [wgpu::TextureView; 2],
    newest: usize,
    /// Bind groups for measuring, one per image in `pictures`.
    compute_groups: [wgpu::BindGroup; 2],
    /// Bind groups for drawing, keyed by candidate and previous picture.
    show_groups: Vec<([wgpu::TextureView; 2], wgpu::BindGroup)>,
    /// Time of the newest picture, in units of 1/[`TICKS`] second; wraps around.
    now: u32,
    /// Seconds for which the newest picture has been held without a new frame.
    held_secs: f64,
    fresh: bool,
}

impl FlashLimiter {
    /// Creates a limiter with no history for pictures of `size` pixels. Compiles no shaders.
    pub fn new(gpu: &Gpu, pipelines: &FlashPipelines, size: [u32; 2]) -> Self {
        let device = &gpu.device;
        let buffer = |label, size, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage: usage | wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            })
        };
        let state = |label, size| buffer(label, size, wgpu::BufferUsages::empty());
        let block = buffer("flash/block", size_of::<FlashBlock>() as u64, wgpu::BufferUsages::COPY_DST);
        let edges: Vec<u32> = (size.into_iter().zip(GRID))
            .flat_map(|(length, cells)| flash::edges(length as usize, cells))
            .map(|edge| edge as u32)
            .collect();
        let edge_buffer = buffer("flash/edges", size_of_val(&*edges) as u64, wgpu::BufferUsages::COPY_DST);
        gpu.queue.write_buffer(&edge_buffer, 0, bytemuck::cast_slice(&edges));
        let cells = state("flash/cells", CELL_BYTES * u64::from(CELLS));
        let fields = state("flash/fields", FIELDS_BYTES);
        let scratch = state("flash/scratch", SCRATCH_BYTES);
        let verdict = state("flash/verdict", VERDICT_BYTES);
        let pattern = state("flash/pattern", PATTERN_BYTES);
        let pictures = [0, 1].map(|_| view(&image(device, "flash/picture", size)));
        let compute_groups = [0, 1].map(|picture: usize| {
            let picture = wgpu::BindingResource::TextureView(&pictures[picture]);
            let [block, edges] = [&block, &edge_buffer].map(wgpu::Buffer::as_entire_binding);
            let [cells, fields, scratch, verdict, pattern] =
                [&cells, &fields, &scratch, &verdict, &pattern].map(wgpu::Buffer::as_entire_binding);
            let resources = [block, picture, edges, cells, fields, scratch, verdict, pattern];
            bind(device, "flash", &pipelines.compute_layout, &resources)
        });
        Self {
            block,
            verdict,
            pictures,
            newest: 0,
            compute_groups,
            show_groups: Vec::new(),
            now: 0,
            held_secs: 0.0,
            fresh: true,
        }
    }

    /// Records that the newest picture stays on screen for another `dt` seconds without a new frame.
    pub fn hold(&mut self, dt: f64) {
        self.held_secs += dt;
    }

    /// Limits `candidate`, the finished picture, and returns the result. `dt` is the time in seconds since
    /// the previous picture or call to [`Self::hold`], a multiple of the frame interval; `fps` is the frame
    /// rate in Hz.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        pipelines: &FlashPipelines,
        encoder: &mut wgpu::CommandEncoder,
        candidate: &wgpu::TextureView,
        dt: f64,
        fps: f64,
    ) -> wgpu::TextureView {
        let block = self.advance(dt, fps);
        gpu.queue.write_buffer(&self.block, 0, bytemuck::bytes_of(&block));
        let new = 1 - self.newest;
        let picture = self.pictures[new].clone();
        let [from, to] = [candidate, &picture].map(|view| view.texture().as_image_copy());
        encoder.copy_texture_to_texture(from, to, picture.texture().size());
        let show_group = self.show_group(gpu, pipelines, candidate);
        let mut compute = encoder.begin_compute_pass(&Default::default());
        compute.set_bind_group(0, &self.compute_groups[new], &[]);
        for (kernel, items) in [(&pipelines.sample_lines, SAMPLES), (&pipelines.find_stripes, LINES)] {
            compute.set_pipeline(kernel);
            compute.dispatch_workgroups(items.div_ceil(MEASURED_TOGETHER), 1, 1);
        }
        compute.set_pipeline(&pipelines.soften);
        compute.dispatch_workgroups(1, 1, 1);
        drop(compute);
        let mut render = begin(encoder, "flash/softened", &picture, false);
        render.set_pipeline(&pipelines.softened);
        render.set_bind_group(0, &self.show_groups[show_group].1, &[]);
        render.draw(0..3, 0..1);
        drop(render);
        for (measure, decide, verdict) in [
            (&pipelines.measure, &pipelines.decide, MIXED),
            (&pipelines.measure_limited, &pipelines.verify, PREVIOUS),
        ] {
            let mut compute = encoder.begin_compute_pass(&Default::default());
            compute.set_bind_group(0, &self.compute_groups[new], &[]);
            compute.set_pipeline(measure);
            compute.dispatch_workgroups(CELLS.div_ceil(MEASURED_TOGETHER), 1, 1);
            compute.set_pipeline(decide);
            compute.dispatch_workgroups(1, 1, 1);
            drop(compute);
            let mut render = begin(encoder, "flash/show", &picture, false);
            render.set_pipeline(&pipelines.show);
            render.set_bind_group(0, &self.show_groups[show_group].1, &[]);
            render.draw(0..3, verdict..verdict + 1);
        }
        self.newest = new;
        picture
    }

    /// Advances the time by `dt` plus the time for which the newest picture was held, and returns the uniforms
    /// for the next picture.
    fn advance(&mut self, dt: f64, fps: f64) -> FlashBlock {
        let fps = fps.clamp(RATES[0], RATES[1]);
        let frame = (TICKS / fps).round() as u32;
        // The limit of four seconds keeps `passed * frame` small. It does no harm: after one second without
        // a new frame, no flashes are left to count.
        let passed = (((dt + self.held_secs) * fps).round()).clamp(1.0, 4.0 * fps) as u32;
        self.held_secs = 0.0;
        self.now = self.now.wrapping_add(passed * frame);
        FlashBlock {
            now: self.now,
            frame,
            passed,
            second: flash::frames_per_second(fps) as u32 * frame - frame / 2,
            together: flash::frames_together(fps) as u32,
            fresh: u32::from(std::mem::take(&mut self.fresh)),
        }
    }

    /// Returns the index of the bind group for drawing from `candidate` and the newest picture.
    fn show_group(&mut self, gpu: &Gpu, pipelines: &FlashPipelines, candidate: &wgpu::TextureView) -> usize {
        let views = [candidate.clone(), self.pictures[self.newest].clone()];
        if let Some(known) = self.show_groups.iter().position(|(bound, _)| *bound == views) {
            return known;
        }
        let [candidate, previous] = views.each_ref().map(wgpu::BindingResource::TextureView);
        let resources = [self.verdict.as_entire_binding(), candidate, previous];
        let group = bind(&gpu.device, "flash/show", &pipelines.show_layout, &resources);
        if self.show_groups.len() >= CACHED_BIND_GROUPS {
            self.show_groups.remove(0);
        }
        self.show_groups.push((views, group));
        self.show_groups.len() - 1
    }
}
