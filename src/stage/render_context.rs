//! Resources shared by all decks and threads: device, built-in passes, samplers and textures.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use lactea_abi::{Address, Filter};

use super::gpu::{Gpu, GpuError};
use super::pass;
use super::pass::blur::BlurPass;
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

/// Resources that do not depend on a preset. Created once per device.
pub struct RenderContext {
    /// The graphics device.
    pub gpu: Gpu,
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
    pub(super) frame_layout: wgpu::BindGroupLayout,
    /// Pipelines of the presets prepared most recently.
    pub(super) preset_pipelines: PresetPipelines,
    samplers: [wgpu::Sampler; 4],
}

impl RenderContext {
    /// Creates the passes and noise textures, and scans `texture_folders` for user textures.
    pub fn new(gpu: Gpu, texture_folders: &[PathBuf]) -> Self {
        Self::with(gpu, Arc::new(image_files(texture_folders)))
    }

    fn with(gpu: Gpu, images: Arc<BTreeMap<String, PathBuf>>) -> Self {
        let device = &gpu.device;
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
            warp: WarpPass::new(&gpu, &mesh_shader, coordinates.as_ref()),
            composite: CompositePass::new(&gpu, &mesh_shader, coordinates.as_ref()),
            blur: BlurPass::new(&gpu),
            draw: DrawPass::new(&gpu),
            shape: ShapePass::new(&gpu),
            coordinates,
            downsample: DownsamplePass::new(&gpu),
            flash: FlashPipelines::new(&gpu),
            layer: LayerPass::new(&gpu),
            double: OnceLock::new(),
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
            gpu,
        }
    }

    /// Creates the same resources on another device, after the current one was lost. Reads no texture folder.
    ///
    /// # Errors
    /// Returns an error if no device can be opened, or if the new device fails immediately.
    pub fn reopen(&self) -> Result<Self, GpuError> {
        let fresh = Self::with(self.gpu.reopen()?, self.textures.files.clone());
        match fresh.gpu.wait() {
            Ok(()) => Ok(fresh),
            Err(why) => Err(GpuError::NoDevice { name: fresh.gpu.name(), why: why.to_string() }),
        }
    }

    /// Returns the shared sampler for `filter` and `address`.
    pub(super) fn sampler(&self, filter: Filter, address: Address) -> &wgpu::Sampler {
        let point = usize::from(filter == Filter::Point) * 2;
        &self.samplers[point + usize::from(address == Address::Clamp)]
    }
}
