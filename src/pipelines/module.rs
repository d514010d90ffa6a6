//! Shader modules: those of the built-in passes from WGSL, those of presets from naga's intermediate representation.

use std::borrow::Cow;

use naga::{Block, Expression, Module, Statement};

use crate::shading;

/// Creates a shader module from built-in WGSL; `software` states whether the device is a software rasteriser.
pub fn module(device: &wgpu::Device, software: bool, label: &str, text: &str) -> wgpu::ShaderModule {
    let module = naga::front::wgsl::parse_str(text);
    from_ir(device, software, label, module.expect("built-in shaders are valid"))
}

/// Creates a shader module from a validated naga module whose loops terminate and whose integer divisors are
/// never 0; `software` states whether the device is a software rasteriser.
pub fn from_ir(device: &wgpu::Device, software: bool, label: &str, mut module: Module) -> wgpu::ShaderModule {
    if software {
        shading::generalise(&mut module);
    }
    let checks = wgpu::ShaderRuntimeChecks {
        bounds_checks: has_computed_index(&module),
        ..wgpu::ShaderRuntimeChecks::unchecked()
    };
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Naga(Cow::Owned(module)),
    };
    // SAFETY: validation has checked constant indices; if any index is computed, indices are also checked at run time.
    // The caller guarantees that loops terminate and that divisors are nonzero. There are no ray queries,
    // task shaders or mesh shaders.
    unsafe { device.create_shader_module_trusted(descriptor, checks) }
}

/// Returns true if any index is not a constant.
fn has_computed_index(module: &Module) -> bool {
    let functions = module.functions.iter().map(|(_, function)| function);
    let entries = module.entry_points.iter().map(|entry| &entry.function);
    functions.chain(entries).any(|function| {
        function.expressions.iter().any(|(_, expression)| matches!(expression, Expression::Access { .. }))
    })
}

/// Returns true if a shader may leave pixels unwritten.
pub fn discards(module: &Module) -> bool {
    fn in_block(block: &Block) -> bool {
        block.iter().any(|statement| match statement {
            Statement::Kill => true,
            Statement::Block(inner) => in_block(inner),
            Statement::If { accept, reject, .. } => in_block(accept) || in_block(reject),
            Statement::Switch { cases, .. } => cases.iter().any(|case| in_block(&case.body)),
            Statement::Loop { body, continuing, .. } => in_block(body) || in_block(continuing),
            _ => false,
        })
    }
    let functions = module.functions.iter().map(|(_, function)| function);
    let entries = module.entry_points.iter().map(|entry| &entry.function);
    functions.chain(entries).any(|function| in_block(&function.body))
}
