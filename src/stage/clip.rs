//! Limits the flashes of short clips, which players loop without a pause.

use image::RgbaImage;

use super::error::StageError;
use super::pass;
use super::pass::flash::FlashLimiter;
use super::readback;
use super::render_context::RenderContext;

/// Maximum number of rounds through the limiter; each is as long as the clip plus two seconds. Random clips need up to
/// six.
const ROUNDS: usize = 16;

/// Limits the flashes of a clip with `fps` frames per second, so that it stays within the limit however often it is
/// repeated. If that takes too many rounds, the clip becomes a still of its first frame. All frames must have the same
/// size. Blocks until the device is done; not for the render thread.
///
/// # Errors
/// Returns an error if a frame cannot be read back, for example because the device was lost.
pub fn limit_clip(
    render_context: &RenderContext,
    frames: &mut [RgbaImage],
    fps: u32,
) -> Result<(), StageError> {
    let Some(first) = frames.first() else { return Ok(()) };
    let size = [first.width(), first.height()];
    let RenderContext { gpu, flash, .. } = render_context;
    let candidate = pass::view(&pass::image(&gpu.device, "clip", size));
    let mut limiter = FlashLimiter::new(gpu, flash, size);
    // Once the clip and two more seconds of it have passed unchanged, every further second repeats one that passed.
    let enough = frames.len() + 2 * fps as usize;
    let fps = f64::from(fps);
    let mut unchanged = 0;
    for index in (0..frames.len()).cycle().take(ROUNDS * enough) {
        let frame = &mut frames[index];
        gpu.queue.write_texture(
            candidate.texture().as_image_copy(),
            frame.as_raw(),
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(size[0] * 4), rows_per_image: None },
            candidate.texture().size(),
        );
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let limited = limiter.draw(gpu, flash, &mut encoder, &candidate, 1.0 / fps, fps);
        gpu.submit([encoder.finish()]);
        let limited = readback::read_texture(gpu, limited.texture())?;
        unchanged = if limited == *frame { unchanged + 1 } else { 0 };
        *frame = limited;
        if unchanged == enough {
            return Ok(());
        }
    }
    if let Some((first, others)) = frames.split_first_mut() {
        others.fill(first.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::flash::{Cells, FlashMeter, FlashVerdict};
    use crate::stage::gpu::Gpu;

    const FPS: u32 = 15;
    const SIZE: [u32; 2] = [48, 36];

    /// Returns a clip of plain white or black frames.
    fn clip(frames: usize, white: impl Fn(usize) -> bool) -> Vec<RgbaImage> {
        let frame = |index| {
            let light = if white(index) { 255 } else { 0 };
            RgbaImage::from_pixel(SIZE[0], SIZE[1], image::Rgba([light, light, light, 255]))
        };
        (0..frames).map(frame).collect()
    }

    /// Returns the verdict on a clip that is repeated for more than two seconds.
    fn repeated(clip: &[RgbaImage]) -> FlashVerdict {
        let (mut meter, mut cells) = (FlashMeter::new(f64::from(FPS)), Cells::default());
        for frame in clip.iter().cycle().take(clip.len() + 2 * FPS as usize) {
            cells.update(frame.as_raw(), SIZE.map(|side| side as usize));
            meter.push(&cells);
        }
        meter.score().verdict()
    }

    #[test]
    fn a_clip_is_within_the_limit_when_it_is_repeated() {
        let Some(gpu) = Gpu::for_test() else { return };
        let render_context = RenderContext::new(gpu, &[]);
        for (name, mut frames) in [
            ("strobe", clip(30, |index| index.is_multiple_of(3))),
            ("one white frame of three", clip(3, |index| index == 0)),
            ("three flashes at each end", clip(45, |index| matches!(index, 1 | 3 | 5 | 39 | 41 | 43))),
        ] {
            assert_eq!(repeated(&frames), FlashVerdict::Fail, "{name}");
            limit_clip(&render_context, &mut frames, FPS).expect("limited");
            assert_ne!(repeated(&frames), FlashVerdict::Fail, "{name}");
        }
    }

    #[test]
    fn a_clip_within_the_limit_is_unchanged() {
        let Some(gpu) = Gpu::for_test() else { return };
        let render_context = RenderContext::new(gpu, &[]);
        let mut frames = clip(30, |index| index % 15 < 7);
        limit_clip(&render_context, &mut frames, FPS).expect("limited");
        assert_eq!(frames, clip(30, |index| index % 15 < 7));
        limit_clip(&render_context, &mut [], FPS).expect("nothing to limit");
    }
}
