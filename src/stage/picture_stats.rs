//! Brightness and motion statistics of a deck's picture.
//!
//! The picture is downsampled on the device. [`PictureMeter`] reads the result back a few calls later, without
//! blocking.

use std::collections::VecDeque;

use super::error::StageError;
use super::gpu::Gpu;
use super::pass::{self, PipelineDesc};
use super::readback::{self, Readback, Wait};
use crate::media::DeckLook;

/// Size of the downsampled picture, in pixels; matches `PARTS` in `shaders/picture_stats.wgsl`.
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
    /// Mean absolute difference of all channels from the reference, 0 to 1. The reference is the last picture for
    /// which [`Self::moves`] was true; for the first picture of a deck, the change is 1.
    pub change: f32,
}

/// Maximum change of a still picture: eleven channel values of the downsampled picture that differ by one level
/// each.
const STILL: f32 = 0.00002;
/// Maximum mean luma and maximum brightest channel of a black picture.
const BLACK: (f32, f32) = (0.02, 0.05);
/// Minimum luma of the darkest part of a white picture.
const WHITE: f32 = 0.98;

impl PictureStats {
    /// Returns true if the picture looks black on a screen.
    pub fn black(&self) -> bool {
        self.luma <= BLACK.0 && self.brightest <= BLACK.1
    }

    /// Returns true if the whole picture is white.
    pub fn white(&self) -> bool {
        self.darkest >= WHITE
    }

    /// Returns true if `change` exceeds that of a still picture.
    pub fn moves(&self) -> bool {
        self.change > STILL
    }
}

/// The pass that downsamples a picture. Shared by all meters of a device.
pub(super) struct DownsamplePass {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
}

impl DownsamplePass {
    pub fn new(gpu: &Gpu) -> Self {
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
                constants: &[],
                format: pass::FORMAT,
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            },
        );
        Self { layout, pipeline }
    }

    /// Measures the look of `picture`. Blocks until the device is done; not for the render thread.
    ///
    /// # Errors
    /// Returns an error if the picture cannot be read back.
    pub fn measure_once(&self, gpu: &Gpu, picture: &wgpu::TextureView) -> Result<DeckLook, StageError> {
        let small = Downsampled::new(gpu);
        small.draw(gpu, self, &self.bind(gpu, picture));
        let image = readback::read_texture(gpu, &small.texture)?;
        Ok(DeckLook::of(image.as_raw()))
    }

    fn bind(&self, gpu: &Gpu, picture: &wgpu::TextureView) -> wgpu::BindGroup {
        let picture = wgpu::BindingResource::TextureView(picture);
        pass::bind(&gpu.device, "picture_stats", &self.layout, &[picture])
    }
}

/// The texture that pictures are downsampled to.
struct Downsampled {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
}

impl Downsampled {
    fn new(gpu: &Gpu) -> Self {
        let texture = pass::image(&gpu.device, "picture_stats", SIZE);
        Self { view: pass::view(&texture), texture }
    }

    /// Downsamples the picture that `group` binds.
    fn draw(&self, gpu: &Gpu, pass: &DownsamplePass, group: &wgpu::BindGroup) {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut render = pass::begin(&mut encoder, "picture_stats", &self.view, true);
        render.set_pipeline(&pass.pipeline);
        render.set_bind_group(0, group, &[]);
        render.draw(0..3, 0..1);
        drop(render);
        gpu.submit([encoder.finish()]);
    }
}

/// Maximum number of cached bind groups: for the measured picture and the one measured before it.
const GROUPS: usize = 2;

/// Measures the picture of a deck repeatedly.
pub(super) struct PictureMeter {
    /// Bind groups of the pictures measured most recently.
    groups: Vec<(wgpu::TextureView, wgpu::BindGroup)>,
    small: Downsampled,
    readback: Readback,
    /// Deck IDs of the measurements in flight, oldest first.
    in_flight: VecDeque<u64>,
    /// ID of the deck whose measurement was requested last, if any.
    deck: Option<u64>,
    /// The downsampled picture that changes are measured against; empty until the first measurement of a deck.
    reference: Vec<u8>,
}

impl PictureMeter {
    /// Creates a meter that has measured nothing yet.
    pub fn new(gpu: &Gpu) -> Self {
        Self {
            groups: Vec::new(),
            small: Downsampled::new(gpu),
            readback: Readback::new(gpu, SIZE),
            in_flight: VecDeque::with_capacity(4),
            deck: None,
            reference: Vec::new(),
        }
    }

    /// Starts a measurement of the picture of deck `deck`; skipped if all readback buffers are in flight.
    pub fn request(&mut self, gpu: &Gpu, pass: &DownsamplePass, deck: u64, picture: &wgpu::TextureView) {
        let known = self.groups.iter().position(|(view, _)| view == picture);
        let index = known.unwrap_or_else(|| {
            self.groups.truncate(GROUPS - 1);
            self.groups.insert(0, (picture.clone(), pass.bind(gpu, picture)));
            0
        });
        self.small.draw(gpu, pass, &self.groups[index].1);
        if self.readback.request(gpu, &self.small.texture) {
            self.in_flight.push_back(deck);
        }
        if self.deck != Some(deck) {
            self.deck = Some(deck);
            self.reference.clear();
        }
    }

    /// Returns the next finished measurement. Returns `None` if there is none, or if it is of a deck other than the one
    /// last passed to [`Self::request`].
    pub fn receive(&mut self, gpu: &Gpu) -> Option<PictureStats> {
        // An error only means that the device was lost, which is reported elsewhere.
        let frame = self.readback.receive(gpu, Wait::Never).transpose()?;
        let deck = self.in_flight.pop_front();
        let frame = frame.ok().filter(|_| deck == self.deck)?; // Measurements of earlier decks are dropped.
        let stats = measure(frame.pixels, &self.reference);
        if stats.moves() {
            self.reference.clear();
            self.reference.extend_from_slice(frame.pixels);
        }
        Some(stats)
    }
}

/// Computes the statistics of a downsampled picture, and its change since the one in `reference`.
fn measure(pixels: &[u8], reference: &[u8]) -> PictureStats {
    let (mut luma, mut darkest, mut brightest) = (0.0, 1.0_f32, 0);
    for pixel in pixels.chunks_exact(4) {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
        let pixel_luma = (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255.0;
        luma += pixel_luma;
        darkest = darkest.min(pixel_luma);
        brightest = brightest.max(pixel[3]);
    }
    let count = (pixels.len() / 4).max(1) as f32;
    let change = if reference.len() == pixels.len() {
        let change: u32 = pixels.iter().zip(reference).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
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
    fn the_shader_uses_the_same_size() {
        let text = include_str!("../../shaders/picture_stats.wgsl");
        assert!(text.contains(&format!("vec2<u32>({}u, {}u)", SIZE[0], SIZE[1])));
    }
}
