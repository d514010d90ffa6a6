//! The parts of a preset pass that decks with the same shader share.

use lactea_abi::PassKind;

use crate::handoff::Recent;

/// Maximum number of pipelines kept for later decks. Presets of one folder often have a shader in common.
pub(super) const KEPT: usize = 32;

/// Pipelines of one device, by the kind of the pass and the hash of its shader.
pub(super) type PresetPipelines = Recent<(PassKind, [u8; 32]), PresetPipeline>;

/// The parts of a preset pass that depend only on its shader and the device.
#[derive(Clone)]
pub(super) struct PresetPipeline {
    pub pipeline: wgpu::RenderPipeline,
    pub layout: wgpu::BindGroupLayout,
    /// Whether the pass is drawn as one triangle and reads the interpolated attributes of its mesh from
    /// textures.
    pub reads_images: bool,
    /// Whether the shader may leave pixels unwritten.
    pub discards: bool,
}
