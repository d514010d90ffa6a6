//! Draws the output picture to a window, letterboxed.

use lactea_abi::{Address, Filter};

use super::pass::mix::{self, MixUniforms};
use super::pass::post::ScreenPass;
use super::renderer::Stage;

/// Draws the output picture to surfaces of one format.
pub struct Presenter {
    pass: ScreenPass<MixUniforms>,
}

impl Presenter {
    /// Creates a presenter for surfaces of `format`.
    pub fn new(stage: &Stage, format: wgpu::TextureFormat) -> Self {
        Self { pass: mix::pass(&stage.render_context().gpu, format) }
    }

    /// Draws the output picture to `target`, which is `size` pixels large.
    pub fn draw(
        &mut self,
        stage: &Stage,
        encoder: &mut wgpu::CommandEncoder,
        target: &wgpu::TextureView,
        size: [u32; 2],
    ) {
        let gpu = &stage.render_context().gpu;
        let sampler = stage.render_context().sampler(Filter::Linear, Address::Clamp);
        let uniforms = MixUniforms { progress: 0.0, style: 0, aspect: 1.0, light: 1.0 };
        let [x, y, width, height] = fit(stage.size(), size);
        let mut render = super::pass::begin(encoder, "present", target, true);
        render.set_viewport(x, y, width, height, 0.0, 1.0);
        let picture = stage.picture();
        self.pass.fill(gpu, &mut render, sampler, &[picture, picture], &uniforms);
    }
}

/// Returns left, top, width and height of the largest centred rectangle in `outer` with the aspect ratio of `inner`.
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
