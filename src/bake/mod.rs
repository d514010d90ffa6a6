//! The night's work: audit, pack, frames, embeddings, clusters, index. A client of the same stage.

pub mod animation;
pub mod audit;
mod date;
mod figures;
pub mod flash;
mod lock;
pub mod probe;
pub mod render;
mod solo;
pub mod verdict;
mod wire;
pub mod workers;

pub use date::now;
