//! Shader modules: built-in ones from WGSL, those of presets from naga's intermediate representation.

use std::borrow::Cow;

use naga::{Expression, Module};

use super::branches;
use crate::stage::gpu::Gpu;

/// Creates a shader module from built-in WGSL.
pub(in crate::stage) fn module(gpu: &Gpu, label: &str, text: &str) -> wgpu::ShaderModule {
    let module = naga::front::wgsl::parse_str(text);
    from_ir(gpu, label, &module.expect("the program's own shaders are valid"))
}

/// Creates a shader module from a validated module whose loops terminate and whose integer divisors are never 0.
pub(in crate::stage) fn from_ir(gpu: &Gpu, label: &str, module: &Module) -> wgpu::ShaderModule {
    let mut module = module.clone();
    if gpu.software() {
        branches::generalise(&mut module);
    }
    let checks = wgpu::ShaderRuntimeChecks {
        bounds_checks: has_computed_index(&module),
        ..wgpu::ShaderRuntimeChecks::unchecked()
    };
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Naga(Cow::Owned(module)),
    };
    // SAFETY: indices are checked unless all are constants, which validation has compared with the sizes. The caller
    // guarantees that loops terminate and that divisors are nonzero. There are no ray queries, task shaders or mesh
    // shaders.
    unsafe { gpu.device.create_shader_module_trusted(descriptor, checks) }
}

/// Returns true if any index is not a constant.
fn has_computed_index(module: &Module) -> bool {
    let functions = module.functions.iter().map(|(_, function)| function);
    let entries = module.entry_points.iter().map(|entry| &entry.function);
    functions.chain(entries).any(|function| {
        function.expressions.iter().any(|(_, expression)| matches!(expression, Expression::Access { .. }))
    })
}
