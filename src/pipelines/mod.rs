//! Shader modules and render pipelines, created from WGSL or from naga's intermediate representation.

mod module;
mod pipeline;

pub use module::{discards, from_ir, module};
pub use pipeline::{PipelineDesc, pipeline};
