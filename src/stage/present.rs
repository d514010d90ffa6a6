//! Draws the output picture to a window, letterboxed.

use lactea_abi::{Address, Filter};

use super::pass;
use super::pass::blit::BlitPass;
use super::render_context::RenderContext;

/// Draws pictures to surfaces of one format.
pub struct Presenter {
    blit: BlitPass,
}

impl Presenter {
    /// Creates a presenter for surfaces of `format`.
    pub fn new(render_context: &RenderContext, format: wgpu::TextureFormat) -> Self {
        Self { blit: BlitPass::opaque(&render_context.gpu, format) }
    }

    /// Records the pass that draws `picture` (of `size` pixels) letterboxed to `target` (of `target_size` pixels).
    pub fn draw(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        (picture, size): (&wgpu::TextureView, [u32; 2]),
        (target, target_size): (&wgpu::TextureView, [u32; 2]),
    ) {
        let [x, y, width, height] = fit(size, target_size);
        let same_size = [width, height] == size.map(|side| side as f32);
        let filter = if same_size { Filter::Point } else { Filter::Linear };
        let sampler = render_context.sampler(filter, Address::Clamp);
        let mut render = pass::begin(encoder, "present", target, true);
        render.set_viewport(x, y, width, height, 0.0, 1.0);
        self.blit.fill(&render_context.gpu, &mut render, sampler, picture);
    }
}

/// Returns the left edge, top edge, width and height of the largest centred rectangle in `outer` with the
/// aspect ratio of `inner`.
fn fit(inner: [u32; 2], outer: [u32; 2]) -> [f32; 4] {
    let [inner_width, inner_height] = inner.map(|side| side.max(1) as f32);
    let [outer_width, outer_height] = outer.map(|side| side.max(1) as f32);
    let scale = (outer_width / inner_width).min(outer_height / inner_height);
    let (width, height) = (inner_width * scale, inner_height * scale);
    [(outer_width - width) / 2.0, (outer_height - height) / 2.0, width, height]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_keeps_its_aspect_ratio() {
        assert_eq!(fit([1920, 1080], [1920, 1200]), [0.0, 60.0, 1920.0, 1080.0]);
        assert_eq!(fit([1600, 900], [800, 450]), [0.0, 0.0, 800.0, 450.0]);
    }
}
