//! The flash limiter: counts flashes in the output picture and attenuates a frame that would exceed the limit.
//!
//! Flashes are defined by W3C WCAG 2.2 (general flash and red flash thresholds). Everything runs on the device, so the
//! offending frame itself is attenuated, without a readback. Without flashes the picture is unchanged. This does not
//! certify the output: broadcast still requires a Harding test.

use super::post::{ScreenPass, ScreenPassDesc};
use super::{FORMAT, image, view};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/flash.wgsl");
/// Format of state images, which need more than 8 bits.
const STATE: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
/// Columns and rows of cells; the cells of luminance and red are side by side.
const CELLS: [u32; 2] = [96 * 2, 72];
/// Positions of a window of 32 x 24 cells, again side by side.
const POSITIONS: [u32; 2] = [65 * 2, 49];

/// Matches `Flash` in `shaders/flash.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct FlashUniforms {
    dt: f32,
    fresh: f32,
}

type Pass = ScreenPass<FlashUniforms>;

/// Passes and state of the limiter.
pub(in crate::stage) struct FlashPass {
    reduce: Pass,
    trial: Pass,
    across: Pass,
    windows: Pass,
    row: Pass,
    verdict: Pass,
    limit: Pass,
    commit: Pass,
    shown: Pass,
    light: wgpu::TextureView,
    trial_cells: wgpu::TextureView,
    counted: wgpu::TextureView,
    trial_windows: wgpu::TextureView,
    rows: wgpu::TextureView,
    verdict_image: wgpu::TextureView,
    /// State from frame to frame, double-buffered.
    cells_state: [wgpu::TextureView; 2],
    windows_state: [wgpu::TextureView; 2],
    shown_state: [wgpu::TextureView; 2],
    newest: usize,
    fresh: bool,
    /// The output picture and the previous one.
    pictures: [wgpu::TextureView; 2],
}

impl FlashPass {
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let device = &gpu.device;
        let pass = |label, entry, images, format| {
            Pass::new(gpu, &ScreenPassDesc { label, shader: SHADER, entry, images, format })
        };
        let state = |label: &str, [width, height]: [u32; 2]| {
            view(&device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: STATE,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            }))
        };
        let windows = [POSITIONS[0] * 2, POSITIONS[1]];
        Self {
            reduce: pass("flash/reduce", "fs_reduce", 1, STATE),
            trial: pass("flash/trial", "fs_trial", 2, STATE),
            across: pass("flash/across", "fs_across", 1, STATE),
            windows: pass("flash/windows", "fs_windows", 2, STATE),
            row: pass("flash/row", "fs_row", 4, STATE),
            verdict: pass("flash/verdict", "fs_verdict", 1, STATE),
            limit: pass("flash/limit", "fs_limit", 4, FORMAT),
            commit: pass("flash/commit", "fs_commit", 4, STATE),
            shown: pass("flash/shown", "fs_shown", 4, STATE),
            light: state("flash/light", CELLS),
            trial_cells: state("flash/trial cells", CELLS),
            counted: state("flash/counted", [POSITIONS[0], CELLS[1]]),
            trial_windows: state("flash/trial windows", windows),
            rows: state("flash/rows", [1, CELLS[1]]),
            verdict_image: state("flash/verdict", [1, 1]),
            cells_state: [0, 1].map(|_| state("flash/cells", CELLS)),
            windows_state: [0, 1].map(|_| state("flash/windows", windows)),
            shown_state: [0, 1].map(|_| state("flash/shown", CELLS)),
            newest: 0,
            fresh: true,
            pictures: [0, 1].map(|_| view(&image(device, "flash/picture", size))),
        }
    }

    /// Limits `candidate`, the finished picture, and returns the result; `dt` is the time since the previous frame,
    /// seconds.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        sampler: &wgpu::Sampler,
        candidate: &wgpu::TextureView,
        dt: f32,
    ) -> wgpu::TextureView {
        let uniforms = FlashUniforms { dt, fresh: f32::from(u8::from(self.fresh)) };
        let (old, new) = (self.newest, 1 - self.newest);
        let run = |pass: &mut Pass, images: &[&wgpu::TextureView], target: &wgpu::TextureView| {
            pass.draw(gpu, encoder, sampler, images, target, &uniforms);
        };
        self.passes(run, old, new, candidate);
        self.newest = new;
        self.fresh = false;
        self.pictures[new].clone()
    }

    /// Runs all passes: trial state, verdict, output picture, and the state for the next frame.
    fn passes(
        &mut self,
        mut run: impl FnMut(&mut Pass, &[&wgpu::TextureView], &wgpu::TextureView),
        old: usize,
        new: usize,
        candidate: &wgpu::TextureView,
    ) {
        let Self { light, trial_cells, counted, trial_windows, rows, verdict_image, .. } = self;
        let (cells, windows, shown) = (&self.cells_state, &self.windows_state, &self.shown_state);
        let kept = [&*light, &cells[old], &shown[old], &*verdict_image];
        let pictures = &self.pictures;
        run(&mut self.reduce, &[candidate], light);
        run(&mut self.trial, &[light, &cells[old]], trial_cells);
        run(&mut self.across, &[trial_cells], counted);
        run(&mut self.windows, &[counted, &windows[old]], trial_windows);
        run(&mut self.row, &[light, &cells[old], &shown[old], trial_windows], rows);
        run(&mut self.verdict, &[rows], verdict_image);
        run(&mut self.limit, &[candidate, &pictures[old], light, verdict_image], &pictures[new]);
        run(&mut self.commit, &kept, &cells[new]);
        run(&mut self.shown, &kept, &shown[new]);
        run(&mut self.across, &[&cells[new]], counted);
        run(&mut self.windows, &[counted, &windows[old]], &windows[new]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn both_sides_agree_on_the_block() {
        check_layout!(FlashUniforms { dt, fresh }, SHADER, "Flash");
    }
}
