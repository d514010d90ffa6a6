//! A picture_stats at the picture on air: how light it is and how much it changed, without waiting for the device.
//!
//! A small copy of the picture is drawn and comes back through the camera's ring a few glances later.

use super::camera::{Camera, Wait};
use super::gpu::Gpu;
use super::pass::{self, PipelinePlan};

/// Pixels of the small copy; twin of `PARTS` in `shaders/picture_stats.wgsl`.
const SIZE: [u32; 2] = [32, 18];

/// What one picture_stats told.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PictureStats {
    /// Mean light, 0..1 (Rec. 709).
    pub luma: f32,
    /// Light of the darkest part, 0..1.
    pub darkest: f32,
    /// Light of the brightest sample, 0..1.
    pub brightest: f32,
    /// Mean change of all channels since the last picture_stats, 0..1; 1 on the first.
    pub change: f32,
}

/// Looks at a picture now and then.
pub(super) struct PictureMeter {
    pipeline: wgpu::RenderPipeline,
    group: wgpu::BindGroup,
    small: wgpu::Texture,
    view: wgpu::TextureView,
    camera: Camera,
    last: Vec<u8>,
}

impl PictureMeter {
    /// Looks at `picture`.
    pub fn new(gpu: &Gpu, picture: &wgpu::TextureView) -> Self {
        let device = &gpu.device;
        let shader = pass::module(gpu, "picture_stats", include_str!("../../shaders/picture_stats.wgsl"));
        let layout = pass::layout(gpu, "picture_stats", &[pass::TEXTURE]);
        let pipeline = pass::pipeline(
            device,
            &PipelinePlan {
                label: "picture_stats",
                layouts: &[&layout],
                vertex: (&shader, "vs_screen"),
                buffers: &[],
                fragment: (&shader, "fs_picture_stats"),
                format: pass::FORMAT,
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            },
        );
        let small = pass::image(device, "picture_stats", SIZE);
        Self {
            group: pass::bind(
                device,
                "picture_stats",
                &layout,
                &[wgpu::BindingResource::TextureView(picture)],
            ),
            pipeline,
            view: pass::view(&small),
            camera: Camera::new(gpu, SIZE),
            small,
            last: Vec::new(),
        }
    }

    /// Asks for another picture_stats. One that finds all its buffers on their way is left out.
    pub fn look(&mut self, gpu: &Gpu) {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut render = pass::begin(&mut encoder, "picture_stats", &self.view, true);
        render.set_pipeline(&self.pipeline);
        render.set_bind_group(0, &self.group, &[]);
        render.draw(0..3, 0..1);
        drop(render);
        gpu.queue.submit([encoder.finish()]);
        self.camera.shoot_texture(gpu, &self.small);
    }

    /// The next picture_stats that has come back.
    pub fn collect(&mut self, gpu: &Gpu) -> Option<PictureStats> {
        // A picture_stats that was lost with its device is not missed.
        let shot = self.camera.develop(gpu, Wait::Never).ok().flatten()?;
        let picture_stats = picture_stats(shot.pixels, &self.last);
        self.last.clear();
        self.last.extend_from_slice(shot.pixels);
        Some(picture_stats)
    }
}

/// The figures of a small copy and the one before it.
fn picture_stats(pixels: &[u8], last: &[u8]) -> PictureStats {
    let (mut luma, mut darkest, mut brightest) = (0.0, 1.0_f32, 0);
    for pixel in pixels.chunks_exact(4) {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
        let light = (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255.0;
        luma += light;
        darkest = darkest.min(light);
        brightest = brightest.max(pixel[3]);
    }
    let count = (pixels.len() / 4).max(1) as f32;
    let change = if last.len() == pixels.len() {
        let change: u32 = pixels.iter().zip(last).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        change as f32 / (pixels.len().max(1) as f32 * 255.0)
    } else {
        1.0
    };
    PictureStats { luma: luma / count, darkest, brightest: f32::from(brightest) / 255.0, change }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thin_bright_line_is_seen_and_a_still_picture_does_not_change() {
        let mut pixels = vec![0; 32 * 18 * 4];
        pixels[3] = 230; // one sample of one part
        let first = picture_stats(&pixels, &[]);
        assert_eq!((first.luma, first.change), (0.0, 1.0));
        assert!(first.brightest > 0.9);
        assert_eq!(picture_stats(&pixels, &pixels).change, 0.0);
    }

    #[test]
    fn the_shader_and_its_twin_have_the_same_size() {
        let text = include_str!("../../shaders/picture_stats.wgsl");
        assert!(text.contains(&format!("vec2<u32>({}u, {}u)", SIZE[0], SIZE[1])));
    }
}
