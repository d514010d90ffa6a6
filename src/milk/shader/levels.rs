//! Lookups in the largest image: no texture of a preset has smaller ones (mipmaps), so that the level that a lookup
//! asks for, or derives from its neighbours, changes nothing and only costs time.

use naga::{Expression, Module, SampleLevel};

/// Makes every lookup of `module` read level 0.
pub(super) fn read_level_zero(module: &mut Module) {
    let functions = module.functions.iter_mut().map(|(_, function)| function);
    let entries = module.entry_points.iter_mut().map(|entry| &mut entry.function);
    for function in functions.chain(entries) {
        for (_, expression) in function.expressions.iter_mut() {
            if let Expression::ImageSample { level, .. } = expression {
                *level = SampleLevel::Zero;
            }
        }
    }
}
