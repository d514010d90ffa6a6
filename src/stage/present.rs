//! The stage's picture on a window: as large as fits, with black beside it where the shapes differ.

use lactea_abi::{Address, Filter};

use super::Stage;
use super::pass::mix::{self, MixUniforms};
use super::pass::post::ScreenPass;

/// Shows the picture on surfaces of one format.
pub struct Presenter {
    pass: ScreenPass<MixUniforms>,
}

impl Presenter {
    /// A presenter for surfaces of `format`.
    pub fn new(stage: &Stage, format: wgpu::TextureFormat) -> Self {
        Self { pass: mix::pass(&stage.render_context.gpu, format) }
    }

    /// Draws the stage's picture onto `target`, which has `size` pixels.
    pub fn draw(
        &mut self,
        stage: &Stage,
        encoder: &mut wgpu::CommandEncoder,
        target: &wgpu::TextureView,
        size: [u32; 2],
    ) {
        let gpu = &stage.render_context.gpu;
        let sampler = stage.render_context.sampler(Filter::Linear, Address::Clamp);
        let uniforms = MixUniforms { progress: 0.0, style: 0, aspect: 1.0, light: 1.0 };
        let [x, y, width, height] = fitted(stage.size(), size);
        let mut render = super::pass::begin(encoder, "present", target, true);
        render.set_viewport(x, y, width, height, 0.0, 1.0);
        let picture = stage.picture();
        self.pass.fill(gpu, &mut render, sampler, &[picture, picture], &uniforms);
    }
}

/// Left, top, width and height of a picture of `inner` size, as large as fits in `outer`.
fn fitted(inner: [u32; 2], outer: [u32; 2]) -> [f32; 4] {
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
    fn the_picture_keeps_its_shape_on_any_window() {
        assert_eq!(fitted([1920, 1080], [1920, 1200]), [0.0, 60.0, 1920.0, 1080.0]);
        assert_eq!(fitted([1600, 900], [800, 450]), [0.0, 0.0, 800.0, 450.0]);
    }
}
