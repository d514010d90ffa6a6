//! Render pipelines.

/// Descriptor of a render pipeline.
pub struct PipelineDesc<'a> {
    pub label: &'a str,
    pub layouts: &'a [&'a wgpu::BindGroupLayout],
    pub vertex: (&'a wgpu::ShaderModule, &'a str),
    pub buffers: &'a [wgpu::VertexBufferLayout<'a>],
    pub fragment: (&'a wgpu::ShaderModule, &'a str),
    /// Values of the fragment shader's `override` constants.
    pub constants: &'a [(&'a str, f64)],
    pub format: wgpu::TextureFormat,
    pub blend: Option<wgpu::BlendState>,
    pub topology: wgpu::PrimitiveTopology,
}

/// Creates a pipeline. The device reports errors through its error scopes.
pub fn pipeline(device: &wgpu::Device, desc: &PipelineDesc) -> wgpu::RenderPipeline {
    let layouts: Vec<_> = desc.layouts.iter().map(|&layout| Some(layout)).collect();
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(desc.label),
        bind_group_layouts: &layouts,
        immediate_size: 0,
    });
    let buffers: Vec<_> = desc.buffers.iter().cloned().map(Some).collect();
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(desc.label),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module: desc.vertex.0,
            entry_point: Some(desc.vertex.1),
            compilation_options: Default::default(),
            buffers: &buffers,
        },
        primitive: wgpu::PrimitiveState { topology: desc.topology, ..Default::default() },
        depth_stencil: None,
        multisample: Default::default(),
        fragment: Some(wgpu::FragmentState {
            module: desc.fragment.0,
            entry_point: Some(desc.fragment.1),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: desc.constants,
                ..Default::default()
            },
            targets: &[Some(wgpu::ColorTargetState {
                format: desc.format,
                blend: desc.blend,
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}
