//! Moves computations whose result is the same for every pixel from a preset's fragment shader to a vertex
//! shader.
//!
//! Mesa's software rasteriser runs a fragment shader for eight pixels at a time. Each time, it repeats the
//! computations that depend only on uniforms, and checks the bounds of every scalar that it reads from a
//! uniform block. Running a vertex shader for three vertices per pass costs next to nothing, and its flat
//! outputs are available at the start of each block of pixels. Both stages use the same arithmetic, so the
//! results are identical bit for bit.

use std::collections::HashMap;

use naga::{Expression, Handle, Module, ShaderStage};

use super::rewrite::Replacements;
use super::uniform_values::{UniformValues, Uniforms};
use super::vertex::Vertex;

/// Moves computations whose result is the same for every pixel to a new vertex entry point,
/// [`VERTEX_ENTRY`](super::VERTEX_ENTRY), which emits a full-screen triangle. `entry` is the fragment
/// entry point to use with it; the other entry points are removed. Returns false, and changes no shader, if
/// there is nothing to move.
pub fn hoist(module: &mut Module, entry: &str) -> bool {
    let uniforms = Uniforms::of(module);
    let mut vertex = Vertex::new(module);
    let mut replaced: Vec<HashMap<Handle<Expression>, usize>> = Vec::new();
    for (_, function) in module.functions.iter() {
        let values = UniformValues::of(module, function, &uniforms);
        let (mut of_function, mut copied) = (HashMap::new(), HashMap::new());
        for wanted in values.wanted() {
            if let Some(number) = vertex.add(function, &values, &wanted, &mut copied) {
                of_function.insert(wanted.expression, number);
            }
        }
        replaced.push(of_function);
    }
    if vertex.is_empty() {
        return false;
    }
    let replacements = Replacements::declare(module, &vertex);
    let replaced: HashMap<_, _> = module.functions.iter().map(|(handle, _)| handle).zip(replaced).collect();
    for (handle, function) in module.functions.iter_mut() {
        replacements.apply(function, &replaced[&handle]);
    }
    module.entry_points.retain(|point| point.stage == ShaderStage::Fragment && point.name == entry);
    let (types, points) = (&mut module.types, &mut module.entry_points);
    for point in points.iter_mut() {
        replacements.set(types, &mut point.function, &vertex);
    }
    points.push(vertex.finish(types));
    true
}
