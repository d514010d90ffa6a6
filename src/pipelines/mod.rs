//! Shader modules, created from WGSL or from naga's intermediate representation; render pipelines and bind groups.

mod binding;
mod module;
mod pipeline;

pub use binding::{SAMPLER, TEXTURE, UNIFORM, bind, layout};
pub use module::{discards, module, stages};
pub use pipeline::{PipelineDesc, pipeline};
