//! The night's work: audit, pack, frames, embeddings, clusters, index. A client of the same stage.

pub mod animation;
mod figures;
pub mod render;
pub mod workers;
