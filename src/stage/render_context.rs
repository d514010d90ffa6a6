//! Resources shared by all decks and threads: device, built-in passes, samplers and textures.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use lactea_abi::{Address, Filter};

use super::gpu::{Gpu, GpuError};
use super::pass;
use super::pass::blur::BlurPass;
use super::pass::clamp::ClampPass;
use super::pass::composite::CompositePass;
use super::pass::coordinates::CoordinatesPass;
use super::pass::double::DoubleUniforms;
use super::pass::draw::DrawPass;
use super::pass::flash::FlashPipelines;
use super::pass::layer::LayerPass;
use super::pass::post::ScreenPass;
use super::pass::shape::ShapePass;
use super::pass::warp::WarpPass;
use super::picture_stats::DownsamplePass;
use super::preset_pipeline::{self, PresetPipelines};
use super::textures::{Textures, image_files};

/// How decks are drawn on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderOptions {
    /// Whether the feedback images of presets have 16 bits per channel instead of 8.
    pub deep_color: bool,
    /// Whether the edges of lines, dots, polygons and borders are antialiased.
    pub smooth_edges: bool,
}

impl RenderOptions {
    /// Returns the default options for a device: edges are antialiased unless it is a software rasteriser.
    pub fn of(gpu: &Gpu) -> Self {
        Self { deep_color: false, smooth_edges: !gpu.software() }
    }
}

/// Resources that do not depend on a preset. Created once per device.
pub struct RenderContext {
    /// The graphics device.
    pub gpu: Gpu,
    /// How decks are drawn.
    pub options: RenderOptions,
    /// Noise textures and user textures.
    pub textures: Textures,
    pub(super) mesh_shader: wgpu::ShaderModule,
    pub(super) warp: WarpPass,
    pub(super) composite: CompositePass,
    pub(super) blur: BlurPass,
    pub(super) draw: DrawPass,
    pub(super) shape: ShapePass,
    /// Draws the textures from which mesh passes read interpolated attributes; `None` unless the device is a
    /// software rasteriser.
    pub(super) coordinates: Option<CoordinatesPass>,
    pub(super) downsample: DownsamplePass,
    pub(super) flash: FlashPipelines,
    pub(super) layer: LayerPass,
    /// The blend of double presets, created for the first of them.
    pub(super) double: OnceLock<ScreenPass<DoubleUniforms>>,
    /// Limits the values of feedback images with 16 bits per channel; `None` if they have 8.
    pub(super) clamp: Option<ClampPass>,
    pub(super) frame_layout: wgpu::BindGroupLayout,
    /// Pipelines of the presets prepared most recently.
    pub(super) preset_pipelines: PresetPipelines,
    samplers: [wgpu::Sampler; 4],
}

impl RenderContext {
    /// Creates the passes and noise textures with the default options, and scans `texture_folders` for user textures.
    pub fn new(gpu: Gpu, texture_folders: &[PathBuf]) -> Self {
        let options = RenderOptions::of(&gpu);
        Self::with(gpu, texture_folders, options)
    }

    /// Creates the passes and noise textures, and scans `texture_folders` for user textures.
    pub fn with(gpu: Gpu, texture_folders: &[PathBuf], options: RenderOptions) -> Self {
        Self::build(gpu, Arc::new(image_files(texture_folders)), options)
    }

    fn build(gpu: Gpu, images: Arc<BTreeMap<String, PathBuf>>, options: RenderOptions) -> Self {
        let device = &gpu.device;
        let format = feedback_format(options);
        let mesh_shader = pass::module(&gpu, "mesh", include_str!("../../shaders/mesh.wgsl"));
        let coordinates = gpu.software().then(|| CoordinatesPass::new(&gpu, &mesh_shader));
        let sampler = |filter, address| {
            device.create_sampler(&wgpu::SamplerDescriptor {
                label: Some("sampler"),
                address_mode_u: address,
                address_mode_v: address,
                address_mode_w: address,
                mag_filter: filter,
                min_filter: filter,
                ..Default::default()
            })
        };
        let (linear, point) = (wgpu::FilterMode::Linear, wgpu::FilterMode::Nearest);
        let (wrap, clamp) = (wgpu::AddressMode::Repeat, wgpu::AddressMode::ClampToEdge);
        Self {
            warp: WarpPass::new(&gpu, &mesh_shader, coordinates.as_ref(), format),
            composite: CompositePass::new(&gpu, &mesh_shader, coordinates.as_ref()),
            blur: BlurPass::new(&gpu, format),
            draw: DrawPass::new(&gpu, format, options.smooth_edges),
            shape: ShapePass::new(&gpu, format, options.smooth_edges),
            coordinates,
            downsample: DownsamplePass::new(&gpu),
            flash: FlashPipelines::new(&gpu),
            layer: LayerPass::new(&gpu, format),
            double: OnceLock::new(),
            clamp: options.deep_color.then(|| ClampPass::new(&gpu)),
            frame_layout: pass::layout(&gpu, "frame", &[pass::UNIFORM, pass::UNIFORM]),
            preset_pipelines: PresetPipelines::new(preset_pipeline::KEPT),
            samplers: [
                sampler(linear, wrap),
                sampler(linear, clamp),
                sampler(point, wrap),
                sampler(point, clamp),
            ],
            textures: Textures::new(&gpu, images),
            mesh_shader,
            options,
            gpu,
        }
    }

    /// Creates the same resources on another device, after the current one was lost. Reads no texture folder.
    ///
    /// # Errors
    /// Returns an error if no device can be opened, or if the new device fails immediately.
    pub fn reopen(&self) -> Result<Self, GpuError> {
        let gpu = self.gpu.reopen()?;
        let options = RenderOptions { deep_color: self.options.deep_color, ..RenderOptions::of(&gpu) };
        let fresh = Self::build(gpu, self.textures.files.clone(), options);
        match fresh.gpu.wait() {
            Ok(()) => Ok(fresh),
            Err(why) => Err(GpuError::NoDevice { name: fresh.gpu.name(), why: why.to_string() }),
        }
    }

    /// Returns the format of the feedback images of presets.
    pub(super) fn feedback_format(&self) -> wgpu::TextureFormat {
        feedback_format(self.options)
    }

    /// Returns the shared sampler for `filter` and `address`.
    pub(super) fn sampler(&self, filter: Filter, address: Address) -> &wgpu::Sampler {
        let point = usize::from(filter == Filter::Point) * 2;
        &self.samplers[point + usize::from(address == Address::Clamp)]
    }
}

fn feedback_format(options: RenderOptions) -> wgpu::TextureFormat {
    if options.deep_color { pass::DEEP_FORMAT } else { pass::FORMAT }
}
