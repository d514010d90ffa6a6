//! Shader modules and render pipelines, created from WGSL or from naga's intermediate representation.

mod module;
mod pipeline;

pub use module::{discards, module, stages};
pub use pipeline::{PipelineDesc, pipeline};
