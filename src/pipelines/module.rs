//! Shader modules: those of the built-in passes from WGSL, those of presets from naga's intermediate representation.

use std::borrow::Cow;

use naga::compact::{KeepUnused, compact};
use naga::{Block, Expression, Module, Statement};

use crate::shading;

/// Creates a shader module from built-in WGSL; `software` states whether the device is a software rasteriser.
pub fn module(device: &wgpu::Device, software: bool, label: &str, text: &str) -> wgpu::ShaderModule {
    let module = naga::front::wgsl::parse_str(text).expect("built-in shaders are valid");
    let (module, checks) = prepared(software, module);
    create(device, label, module, checks)
}

/// Creates the shader modules of a pipeline, one for the vertex entry point, if there is one, and one for the fragment
/// entry point. `module` must be valid, its loops must terminate, and its integer divisors must never be 0; `software`
/// states whether the device is a software rasteriser.
///
/// A module with several entry points would be copied, compacted and validated again for each stage of a pipeline
/// (wgpu 30).
pub fn stages(
    device: &wgpu::Device,
    software: bool,
    label: &str,
    module: Module,
    (vertex, fragment): (Option<&str>, &str),
) -> (Option<wgpu::ShaderModule>, wgpu::ShaderModule) {
    let (module, checks) = prepared(software, module);
    let vertex = vertex.map(|entry| create(device, label, only(module.clone(), entry), checks));
    (vertex, create(device, label, only(module, fragment), checks))
}

/// Rewrites a module for the device, and returns it with the checks that it needs at run time.
fn prepared(software: bool, mut module: Module) -> (Module, wgpu::ShaderRuntimeChecks) {
    if software {
        shading::generalise(&mut module);
    }
    let checks = wgpu::ShaderRuntimeChecks {
        bounds_checks: has_computed_index(&module),
        ..wgpu::ShaderRuntimeChecks::unchecked()
    };
    (module, checks)
}

/// Removes everything that an entry point does not need.
fn only(mut module: Module, entry: &str) -> Module {
    module.entry_points.retain(|point| point.name == entry);
    compact(&mut module, KeepUnused::No);
    module
}

/// Creates a shader module from a valid naga module whose loops terminate and whose integer divisors are never 0.
fn create(
    device: &wgpu::Device,
    label: &str,
    module: Module,
    checks: wgpu::ShaderRuntimeChecks,
) -> wgpu::ShaderModule {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_a_stage_contains_only_what_its_entry_point_needs() {
        let text = "
            fn shade() -> vec4<f32> { return vec4(1.0); }
            @vertex fn vs() -> @builtin(position) vec4<f32> { return vec4(0.0); }
            @fragment fn fs() -> @location(0) vec4<f32> { return shade(); }
            @fragment fn fs_other() -> @location(0) vec4<f32> { return shade(); }";
        let module = naga::front::wgsl::parse_str(text).expect("valid WGSL");
        for (entry, functions) in [("vs", 0), ("fs", 1)] {
            let stage = only(module.clone(), entry);
            let names: Vec<_> = stage.entry_points.iter().map(|point| point.name.as_str()).collect();
            assert_eq!((names, stage.functions.len()), (vec![entry], functions));
        }
    }
}
