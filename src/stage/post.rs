//! What happens to the finished picture before the crowd sees it: a chain of passes, each left out while it rests.

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

/// Lines of the picture that the reach of details is measured in, so that it looks the same at any size.
const DETAIL_LINES: f32 = 540.0;

/// What is done to the finished picture. Everything 0 leaves it as it is, to the last bit, at no cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Post {
    /// Trails of light: 1 laid in, -1 taken out.
    pub echo: f32,
    /// Local contrast and lit edges: 1 full, -1 soft.
    pub detail: f32,
    /// Rays from bright points, 0 to 1.
    pub glint: f32,
    /// Glow around bright parts to 1, darkness towards the edge to -1.
    pub glow: f32,
    /// Turn of the colour wheel, in turns.
    pub hue: f32,
    /// Strength of colours: -1 grey, 1 twice as strong.
    pub saturation: f32,
    /// How far red and blue move apart, 0 to 1.
    pub split: f32,
    /// Mirrors: 1 six sectors, -1 left onto right.
    pub fold: f32,
    /// How much closer the picture comes, as the logarithm of its scale.
    pub zoom: f32,
}

/// Red and blue move this far apart at most, as a share of the distance from the centre.
const FURTHEST_SPLIT: f32 = 0.06;

/// One link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Echo,
    Fuse,
    Lens,
    Color,
    Detail,
    Glow,
}

impl Post {
    /// The passes that have something to do, in their order.
    fn links(&self, fused: bool) -> impl Iterator<Item = Link> {
        let Self { echo, detail, glint, glow, hue, saturation, split, fold, zoom } = *self;
        [
            (Link::Echo, echo != 0.0),
            (Link::Fuse, fused),
            (Link::Lens, split != 0.0 || fold != 0.0 || zoom != 0.0),
            (Link::Color, hue != 0.0 || saturation != 0.0),
            (Link::Detail, detail != 0.0),
            (Link::Glow, glow != 0.0 || glint != 0.0),
        ]
        .into_iter()
        .filter_map(|(link, wanted)| wanted.then_some(link))
    }
}

/// The chain with everything it has on the device.
pub(super) struct PostChain {
    fuse: ScreenPass<FuseUniforms>,
    echo: EchoPass,
    lens: ScreenPass<LensUniforms>,
    color: ScreenPass<ColorUniforms>,
    detail: ScreenPass<DetailUniforms>,
    glow: GlowPass,
    /// The image that takes turns with the stage's picture.
    spare: wgpu::TextureView,
    size: [f32; 2],
}

/// One frame's work for the chain.
pub(super) struct PostWork<'a> {
    pub post: &'a Post,
    /// The second deck's picture and how much of it is laid in, 0 to 1.
    pub second: Option<(&'a wgpu::TextureView, f32)>,
    /// Seconds since the last frame.
    pub dt: f32,
}

impl PostWork<'_> {
    /// Whether the chain starts from the spare image, so that it ends in the stage's picture.
    fn starts_spare(&self) -> bool {
        self.post.links(self.second.is_some()).count() % 2 == 1
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

    /// Where the mixer draws so that the chain can end in `picture`: there itself while everything rests.
    pub fn source<'a>(&'a self, work: &PostWork, picture: &'a wgpu::TextureView) -> &'a wgpu::TextureView {
        if work.starts_spare() { &self.spare } else { picture }
    }

    /// Runs the passes that have something to do, from [`PostChain::source`] to `picture`.
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
            self.echo.forget();
        }
        let mut ends = if work.starts_spare() { [&self.spare, picture] } else { [picture, &self.spare] };
        for link in post.links(work.second.is_some()) {
            let [from, to] = ends;
            match link {
                Link::Fuse => {
                    let Some((second, share)) = work.second else { continue };
                    self.fuse.draw(gpu, encoder, sampler, &[from, second], to, &FuseUniforms { share });
                }
                Link::Echo => self.echo.draw(gpu, encoder, sampler, ends, post.echo, work.dt),
                Link::Lens => {
                    let lens = LensUniforms {
                        fold: post.fold,
                        zoom: post.zoom.exp(),
                        split: post.split * FURTHEST_SPLIT,
                        aspect: height / width,
                    };
                    self.lens.draw(gpu, encoder, sampler, &[from], to, &lens);
                }
                Link::Color => {
                    let color = ColorUniforms {
                        turn: post.hue * std::f32::consts::TAU,
                        saturation: 1.0 + post.saturation,
                    };
                    self.color.draw(gpu, encoder, sampler, &[from], to, &color);
                }
                Link::Detail => {
                    let pixel = (height / DETAIL_LINES).max(1.0);
                    let detail = DetailUniforms {
                        step: [pixel / width, pixel / height],
                        amount: post.detail,
                        pad: 0.0,
                    };
                    self.detail.draw(gpu, encoder, sampler, &[from], to, &detail);
                }
                Link::Glow => self.glow.draw(gpu, encoder, sampler, ends, post.glow, post.glint),
            }
            ends = [to, from];
        }
    }
}
