//! The blend of a double preset's two pictures.

use super::FORMAT;
use super::post::{ScreenPass, ScreenPassDesc};
use crate::milk::DoubleBlend;
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/double.wgsl");

/// Uniforms of the pass; matches `Double` in `shaders/double.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct DoubleUniforms {
    random: [f32; 4],
    share: f32,
    pattern: u32,
    reversed: u32,
    aspect: f32,
    seed: f32,
    pad: [f32; 3],
}

impl DoubleUniforms {
    /// Creates the uniforms; `size` is the size of the pictures in pixels.
    pub fn new(blend: &DoubleBlend, size: [u32; 2]) -> Self {
        let [random @ .., seed] = blend.random;
        Self {
            random,
            share: blend.share,
            pattern: blend.pattern as u32,
            reversed: u32::from(blend.reversed),
            aspect: size[0] as f32 / size[1] as f32,
            seed,
            pad: [0.0; 3],
        }
    }
}

/// Creates the pass, which reads the first and the second picture.
pub(in crate::stage) fn pass(gpu: &Gpu) -> ScreenPass<DoubleUniforms> {
    let desc =
        ScreenPassDesc { label: "double", shader: SHADER, entry: "fs_double", images: 2, format: FORMAT };
    ScreenPass::new(gpu, &desc)
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;
    use crate::milk::Pattern;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(
            DoubleUniforms { random, share, pattern, reversed, aspect, seed, pad },
            SHADER,
            "Double"
        );
    }

    #[test]
    fn the_shader_numbers_the_patterns_as_in_rust() {
        for &pattern in Pattern::ALL {
            let case = format!("case {}u: {{ // {}", pattern as u32, pattern.name());
            assert!(pattern == Pattern::Zoom || SHADER.contains(&format!("{case}\n")), "{case}");
        }
    }
}
