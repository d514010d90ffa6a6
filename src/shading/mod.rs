//! Rewrites shaders, in naga's intermediate representation, so that Mesa's software rasteriser runs them faster.

mod branches;
mod hoist;
mod operands;
mod rewrite;
#[cfg(test)]
mod tests;
mod uniform_values;
mod vertex;

pub use branches::generalise;
pub use hoist::hoist;
pub use vertex::VERTEX_ENTRY;
