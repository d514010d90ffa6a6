//! Pipelines of the flash limiter.

use super::super::{FORMAT, PipelineDesc, TEXTURE, layout, module, pipeline};
use crate::stage::gpu::Gpu;

/// The compute kernels that measure pictures and decide what to show.
pub(super) const SHADER: &str = concat!(
    include_str!("../../../../shaders/shared/flash_cells.wgsl"),
    include_str!("../../../../shaders/shared/flash_fields.wgsl"),
    include_str!("../../../../shaders/shared/flash_pattern.wgsl"),
    include_str!("../../../../shaders/flash.wgsl"),
);
const SHOW_SHADER: &str = include_str!("../../../../shaders/flash_show.wgsl");

/// The pipelines, compiled once per device.
pub(in crate::stage) struct FlashPipelines {
    pub(super) compute_layout: wgpu::BindGroupLayout,
    pub(super) sample_lines: wgpu::ComputePipeline,
    pub(super) find_stripes: wgpu::ComputePipeline,
    pub(super) soften: wgpu::ComputePipeline,
    pub(super) measure: wgpu::ComputePipeline,
    pub(super) decide: wgpu::ComputePipeline,
    pub(super) measure_limited: wgpu::ComputePipeline,
    pub(super) verify: wgpu::ComputePipeline,
    pub(super) show_layout: wgpu::BindGroupLayout,
    pub(super) softened: wgpu::RenderPipeline,
    pub(super) show: wgpu::RenderPipeline,
}

impl FlashPipelines {
    /// Compiles the pipelines. The device reports errors through its error scopes.
    pub fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let [reads, writes] = [true, false].map(storage);
        let bindings = [reads, TEXTURE, reads, writes, writes, writes, writes, writes];
        let entries: Vec<_> = (0..).zip(bindings).map(|(binding, ty)| compute_entry(binding, ty)).collect();
        let compute_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("flash"),
            entries: &entries,
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("flash"),
            bind_group_layouts: &[Some(&compute_layout)],
            immediate_size: 0,
        });
        let shader = module(gpu, "flash", SHADER);
        let compute = |entry| {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some("flash"),
                layout: Some(&pipeline_layout),
                module: &shader,
                entry_point: Some(entry),
                compilation_options: Default::default(),
                cache: None,
            })
        };
        let show_layout = layout(gpu, "flash/show", &[reads, TEXTURE, TEXTURE]);
        let show_shader = module(gpu, "flash/show", SHOW_SHADER);
        let show = |vertex, fragment| {
            pipeline(
                device,
                &PipelineDesc {
                    label: "flash/show",
                    layouts: &[&show_layout],
                    vertex: (&show_shader, vertex),
                    buffers: &[],
                    fragment: (&show_shader, fragment),
                    constants: &[],
                    format: FORMAT,
                    blend: None,
                    topology: wgpu::PrimitiveTopology::TriangleList,
                },
            )
        };
        let [softened, show] = [show("vs_softened", "fs_softened"), show("vs_verdict", "fs_verdict")];
        Self {
            sample_lines: compute("sample_lines"),
            find_stripes: compute("find_stripes"),
            soften: compute("soften"),
            measure: compute("measure"),
            decide: compute("decide"),
            measure_limited: compute("measure_limited"),
            verify: compute("verify"),
            compute_layout,
            show_layout,
            softened,
            show,
        }
    }
}

fn storage(read_only: bool) -> wgpu::BindingType {
    wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Storage { read_only },
        has_dynamic_offset: false,
        min_binding_size: None,
    }
}

fn compute_entry(binding: u32, ty: wgpu::BindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::COMPUTE, ty, count: None }
}
