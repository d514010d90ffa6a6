//! The post chain: effects on the mixed picture. Passes that would have no effect are skipped.

use lactea_abi::{Address, Filter};

use super::gpu::Gpu;
use super::pass;
use super::pass::post::ScreenPass;
use super::pass::post_color::{self, ColorUniforms};
use super::pass::post_detail::{self, DetailUniforms};
use super::pass::post_echo::EchoPass;
use super::pass::post_fuse::{self, FuseUniforms};
use super::pass::post_glow::GlowPass;
use super::pass::post_lens::{self, LensUniforms};
use super::render_context::RenderContext;

/// Maximum picture height, in pixels, at which the step of the detail pass is one pixel. Above it, the step grows
/// in proportion, so that the effect does not depend on the picture size.
const DETAIL_LINES: f32 = 540.0;

/// Amounts of the post effects. If all are 0, nothing is drawn and the picture is unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Post {
    /// Strength of the trails, from -1 (subtracted) to 1 (added).
    pub echo: f32,
    /// Strength of local contrast and edges, from -1 (softest) to 1 (sharpest).
    pub detail: f32,
    /// Strength of the rays around bright points, 0 to 1.
    pub glint: f32,
    /// Strength of the glow around bright parts (0 to 1) or of the vignette (0 to -1).
    pub glow: f32,
    /// Hue rotation, in turns.
    pub hue: f32,
    /// Change in saturation: -1 grey, 0 unchanged, 1 doubled.
    pub saturation: f32,
    /// Separation of red and blue, 0 to 1.
    pub split: f32,
    /// Strength of the mirrors, from -1 (left half mirrored to the right) to 1 (six-fold kaleidoscope).
    pub fold: f32,
    /// Natural logarithm of the zoom factor.
    pub zoom: f32,
}

/// Shift of red and blue at full `split`, as a fraction of the distance from the centre.
const MAX_SPLIT: f32 = 0.06;

/// One pass of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PostPass {
    Echo,
    Fuse,
    Lens,
    Color,
    Detail,
    Glow,
}

impl Post {
    /// Returns the active passes, in order; `fused` states whether a second deck is blended in.
    pub(super) fn passes(&self, fused: bool) -> impl Iterator<Item = PostPass> {
        let Self { echo, detail, glint, glow, hue, saturation, split, fold, zoom } = *self;
        [
            (PostPass::Echo, echo != 0.0),
            (PostPass::Fuse, fused),
            (PostPass::Lens, split != 0.0 || fold != 0.0 || zoom != 0.0),
            (PostPass::Color, hue != 0.0 || saturation != 0.0),
            (PostPass::Detail, detail != 0.0),
            (PostPass::Glow, glow != 0.0 || glint != 0.0),
        ]
        .into_iter()
        .filter_map(|(pass, active)| active.then_some(pass))
    }
}

/// The passes and their images.
pub(super) struct PostChain {
    fuse: ScreenPass<FuseUniforms>,
    echo: EchoPass,
    lens: ScreenPass<LensUniforms>,
    color: ScreenPass<ColorUniforms>,
    detail: ScreenPass<DetailUniforms>,
    glow: GlowPass,
    /// Image that alternates with the output picture as render target.
    spare: wgpu::TextureView,
    size: [f32; 2],
}

/// Input of the chain for one frame.
pub(super) struct PostWork<'a> {
    pub post: &'a Post,
    /// Picture of the fused deck, if there is one, and its blend amount, 0 to 1.
    pub second: Option<(&'a wgpu::TextureView, f32)>,
    /// Seconds since the previous frame.
    pub dt: f32,
}

impl PostWork<'_> {
    /// Returns true if no pass is active.
    pub fn is_idle(&self) -> bool {
        self.post.passes(self.second.is_some()).next().is_none()
    }

    /// Returns true if the chain must start from the spare image to end in the output picture.
    fn starts_spare(&self) -> bool {
        self.post.passes(self.second.is_some()).count() % 2 == 1
    }
}

impl PostChain {
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        Self {
            fuse: post_fuse::pass(gpu),
            echo: EchoPass::new(gpu, size),
            lens: post_lens::pass(gpu),
            color: post_color::pass(gpu),
            detail: post_detail::pass(gpu),
            glow: GlowPass::new(gpu, size),
            spare: pass::view(&pass::image(&gpu.device, "post/spare", size)),
            size: size.map(|side| side as f32),
        }
    }

    /// Returns the image that the mixer must draw to so that the chain ends in `picture`: `picture` itself or
    /// the spare image.
    pub fn source<'a>(&'a self, work: &PostWork, picture: &'a wgpu::TextureView) -> &'a wgpu::TextureView {
        if work.starts_spare() { &self.spare } else { picture }
    }

    /// Clears the trails; for frames in which no pass is active.
    pub fn reset_trails(&mut self) {
        self.echo.reset();
    }

    /// Runs the active passes from [`PostChain::source`] to `picture`.
    pub fn draw(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        work: &PostWork,
        picture: &wgpu::TextureView,
    ) {
        let gpu = &render_context.gpu;
        let sampler = render_context.sampler(Filter::Linear, Address::Clamp);
        let post = work.post;
        let [width, height] = self.size;
        if post.echo == 0.0 {
            self.echo.reset();
        }
        let mut ends = if work.starts_spare() { [&self.spare, picture] } else { [picture, &self.spare] };
        for pass in post.passes(work.second.is_some()) {
            let [from, to] = ends;
            match pass {
                PostPass::Fuse => {
                    let Some((second, share)) = work.second else { continue };
                    self.fuse.draw(gpu, encoder, sampler, &[from, second], to, &FuseUniforms { share });
                }
                PostPass::Echo => self.echo.draw(gpu, encoder, sampler, ends, post.echo, work.dt),
                PostPass::Lens => {
                    let lens = LensUniforms {
                        fold: post.fold,
                        zoom: post.zoom.exp(),
                        split: post.split * MAX_SPLIT,
                        aspect: height / width,
                    };
                    self.lens.draw(gpu, encoder, sampler, &[from], to, &lens);
                }
                PostPass::Color => {
                    let color = ColorUniforms {
                        turn: post.hue * std::f32::consts::TAU,
                        saturation: 1.0 + post.saturation,
                    };
                    self.color.draw(gpu, encoder, sampler, &[from], to, &color);
                }
                PostPass::Detail => {
                    let pixel = (height / DETAIL_LINES).max(1.0);
                    let detail = DetailUniforms {
                        step: [pixel / width, pixel / height],
                        amount: post.detail,
                        pad: 0.0,
                    };
                    self.detail.draw(gpu, encoder, sampler, &[from], to, &detail);
                }
                PostPass::Glow => self.glow.draw(gpu, encoder, sampler, ends, post.glow, post.glint),
            }
            ends = [to, from];
        }
    }
}
