//! Brightness and change of the output picture, measured without blocking.
//!
//! The picture is downsampled on the device and read back a few calls later.

use super::gpu::Gpu;
use super::pass::{self, PipelineDesc};
use super::readback::{Readback, Wait};

/// Size of the downsampled picture; matches `PARTS` in `shaders/picture_stats.wgsl`.
const SIZE: [u32; 2] = [32, 18];

/// Statistics of one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PictureStats {
    /// Mean luma, 0 to 1 (Rec. 709).
    pub luma: f32,
    /// Luma of the darkest part, 0 to 1.
    pub darkest: f32,
    /// Brightest channel of any sample, 0 to 1.
    pub brightest: f32,
    /// Mean absolute change of all channels since the previous measurement, 0 to 1; 1 for the first.
    pub change: f32,
}

/// Measures one picture repeatedly.
pub(super) struct PictureMeter {
    pipeline: wgpu::RenderPipeline,
    group: wgpu::BindGroup,
    small: wgpu::Texture,
    view: wgpu::TextureView,
    readback: Readback,
    last: Vec<u8>,
}

impl PictureMeter {
    /// Creates a meter for `picture`.
    pub fn new(gpu: &Gpu, picture: &wgpu::TextureView) -> Self {
        let device = &gpu.device;
        let shader = pass::module(gpu, "picture_stats", include_str!("../../shaders/picture_stats.wgsl"));
        let layout = pass::layout(gpu, "picture_stats", &[pass::TEXTURE]);
        let pipeline = pass::pipeline(
            device,
            &PipelineDesc {
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
            readback: Readback::new(gpu, SIZE),
            small,
            last: Vec::new(),
        }
    }

    /// Starts a measurement; skipped if all readback buffers are in flight.
    pub fn request(&mut self, gpu: &Gpu) {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut render = pass::begin(&mut encoder, "picture_stats", &self.view, true);
        render.set_pipeline(&self.pipeline);
        render.set_bind_group(0, &self.group, &[]);
        render.draw(0..3, 0..1);
        drop(render);
        gpu.submit([encoder.finish()]);
        self.readback.request(gpu, &self.small);
    }

    /// Returns the next finished measurement.
    pub fn receive(&mut self, gpu: &Gpu) -> Option<PictureStats> {
        // Errors only mean that the device was lost, which is reported elsewhere.
        let frame = self.readback.receive(gpu, Wait::Never).ok().flatten()?;
        let stats = measure(frame.pixels, &self.last);
        self.last.clear();
        self.last.extend_from_slice(frame.pixels);
        Some(stats)
    }
}

/// Returns whether a picture is black, nearly empty, or white all over. `pixels` are RGBA bytes.
pub(super) fn shows_nothing(pixels: &[u8]) -> bool {
    /// Brightest channel of a pixel that counts as lit.
    const LIT: u8 = 20;
    /// Darkest channel of a pixel that counts as white.
    const WHITE: u8 = 250;
    let count = (pixels.len() / 4).max(1);
    let share = |counts: fn(&[u8]) -> bool| {
        pixels.chunks_exact(4).filter(|pixel| counts(&pixel[..3])).count() as f64 / count as f64
    };
    share(|pixel| pixel.iter().any(|channel| *channel > LIT)) < 0.003
        || share(|pixel| pixel.iter().all(|channel| *channel > WHITE)) > 0.97
}

/// Computes the statistics of a downsampled picture and the previous one.
fn measure(pixels: &[u8], last: &[u8]) -> PictureStats {
    let (mut luma, mut darkest, mut brightest) = (0.0, 1.0_f32, 0);
    for pixel in pixels.chunks_exact(4) {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
        let pixel_luma = (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255.0;
        luma += pixel_luma;
        darkest = darkest.min(pixel_luma);
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
    fn one_bright_sample_is_detected_and_a_still_picture_has_no_change() {
        let mut pixels = vec![0; 32 * 18 * 4];
        pixels[3] = 230; // one sample of one part
        let first = measure(&pixels, &[]);
        assert_eq!((first.luma, first.change), (0.0, 1.0));
        assert!(first.brightest > 0.9);
        assert_eq!(measure(&pixels, &pixels).change, 0.0);
    }

    #[test]
    fn black_white_and_nearly_empty_pictures_show_nothing_and_a_thin_line_does() {
        let picture = |lit: usize, value: u8| -> Vec<u8> {
            (0..1000).flat_map(|i| if i < lit { [value; 4] } else { [0, 0, 0, 255] }).collect()
        };
        assert!(shows_nothing(&picture(0, 0)) && shows_nothing(&picture(2, 255)));
        assert!(shows_nothing(&picture(1000, 255)) && shows_nothing(&picture(1000, 12)));
        assert!(!shows_nothing(&picture(10, 120)) && !shows_nothing(&picture(900, 255)));
    }

    #[test]
    fn the_shader_uses_the_same_size() {
        let text = include_str!("../../shaders/picture_stats.wgsl");
        assert!(text.contains(&format!("vec2<u32>({}u, {}u)", SIZE[0], SIZE[1])));
    }
}
