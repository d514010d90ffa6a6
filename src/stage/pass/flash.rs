//! The flash limiter: counts the flashes of what the crowd is about to see, and holds back what would be too many.
//!
//! Definitions of W3C WCAG 2.2 (general flash and red flash thresholds). Everything stays on the device, so that the
//! frame that would flash once too often is held back itself, without waiting for a reading. While nothing flashes the
//! picture passes unchanged. It is no certificate: for broadcast a Harding test is still needed.

use super::post::{ScreenPass, ScreenPlan};
use super::{FORMAT, image, view};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/flash.wgsl");
/// States need more than eight bits.
const STATE: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
/// Cells across, for light and red side by side, and down.
const CELLS: [u32; 2] = [96 * 2, 72];
/// Places of a window of 32 x 24 cells, for light and red side by side.
const PLACES: [u32; 2] = [65 * 2, 49];

/// Twin of `Flash` in `shaders/flash.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct FlashUniforms {
    dt: f32,
    fresh: f32,
}

type Pass = ScreenPass<FlashUniforms>;

/// The limiter with everything it remembers.
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
    /// Remembered from frame to frame; two of each take turns.
    cells_state: [wgpu::TextureView; 2],
    windows_state: [wgpu::TextureView; 2],
    shown_state: [wgpu::TextureView; 2],
    newest: usize,
    fresh: bool,
    /// The finished picture, before it is limited.
    candidate: wgpu::TextureView,
    /// What was shown last.
    last: wgpu::Texture,
    last_view: wgpu::TextureView,
}

impl FlashPass {
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let device = &gpu.device;
        let pass = |label, entry, images, format| {
            Pass::new(gpu, &ScreenPlan { label, shader: SHADER, entry, images, format })
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
        let windows = [PLACES[0] * 2, PLACES[1]];
        let last = image(device, "flash/last", size);
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
            counted: state("flash/counted", [PLACES[0], CELLS[1]]),
            trial_windows: state("flash/trial windows", windows),
            rows: state("flash/rows", [1, CELLS[1]]),
            verdict_image: state("flash/verdict", [1, 1]),
            cells_state: [0, 1].map(|_| state("flash/cells", CELLS)),
            windows_state: [0, 1].map(|_| state("flash/windows", windows)),
            shown_state: [0, 1].map(|_| state("flash/shown", CELLS)),
            newest: 0,
            fresh: true,
            candidate: view(&image(device, "flash/candidate", size)),
            last_view: view(&last),
            last,
        }
    }

    /// Where the finished picture is drawn to be limited.
    pub fn candidate(&self) -> &wgpu::TextureView {
        &self.candidate
    }

    /// From the candidate to `picture`, an image and its view, `dt` seconds after the last frame.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        sampler: &wgpu::Sampler,
        (picture, picture_view): (&wgpu::Texture, &wgpu::TextureView),
        dt: f32,
    ) {
        let uniforms = FlashUniforms { dt, fresh: f32::from(u8::from(self.fresh)) };
        let (old, new) = (self.newest, 1 - self.newest);
        let run = |pass: &mut Pass, images: &[&wgpu::TextureView], target: &wgpu::TextureView| {
            pass.draw(gpu, encoder, sampler, images, target, &uniforms);
        };
        self.passes(run, old, new, picture_view);
        encoder.copy_texture_to_texture(picture.as_image_copy(), self.last.as_image_copy(), picture.size());
        self.newest = new;
        self.fresh = false;
    }

    /// Every pass in order: on trial, the verdict, the picture, and what is remembered of it.
    fn passes(
        &mut self,
        mut run: impl FnMut(&mut Pass, &[&wgpu::TextureView], &wgpu::TextureView),
        old: usize,
        new: usize,
        picture: &wgpu::TextureView,
    ) {
        let Self { light, trial_cells, counted, trial_windows, rows, verdict_image, .. } = self;
        let (cells, windows, shown) = (&self.cells_state, &self.windows_state, &self.shown_state);
        let kept = [&*light, &cells[old], &shown[old], &*verdict_image];
        run(&mut self.reduce, &[&self.candidate], light);
        run(&mut self.trial, &[light, &cells[old]], trial_cells);
        run(&mut self.across, &[trial_cells], counted);
        run(&mut self.windows, &[counted, &windows[old]], trial_windows);
        run(&mut self.row, &[light, &cells[old], &shown[old], trial_windows], rows);
        run(&mut self.verdict, &[rows], verdict_image);
        run(&mut self.limit, &[&self.candidate, &self.last_view, light, verdict_image], picture);
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
