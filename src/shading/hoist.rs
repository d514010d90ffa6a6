//! Computes what is the same for every pixel of a preset shader in its vertex shader.
//!
//! Mesa's software rasteriser runs a pixel shader for eight pixels at a time. Every time, it computes even with
//! uniforms, and checks the bounds of each number that it reads from a block. Three vertices per pass cost nothing, and
//! flat outputs of a vertex shader are there when a block of pixels begins. Both stages compute alike, so the results
//! are the same to the last bit.

use std::collections::HashMap;

use naga::{Expression, Handle, Module, ShaderStage};

use super::rewrite::Replacements;
use super::same::{Same, Uniforms};
use super::vertex::Vertex;

/// Moves computation to a new vertex entry point, [`VERTEX_ENTRY`](super::VERTEX_ENTRY), which draws one triangle over
/// the picture. `entry` is the fragment entry point that is used with it; the others are removed. Returns false, and
/// changes no shader, if there is nothing to move.
pub fn hoist(module: &mut Module, entry: &str) -> bool {
    let uniforms = Uniforms::of(module);
    let mut vertex = Vertex::new(module);
    let mut replaced: Vec<HashMap<Handle<Expression>, usize>> = Vec::new();
    for (_, function) in module.functions.iter() {
        let same = Same::of(module, function, &uniforms);
        let (mut of_function, mut copied) = (HashMap::new(), HashMap::new());
        for wanted in same.wanted() {
            if let Some(number) = vertex.add(function, &same, &wanted, &mut copied) {
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
