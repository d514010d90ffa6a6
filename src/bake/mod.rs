//! The night's work: audit, pack, frames, embeddings, clusters, index. A client of the same stage.

pub mod animation;
pub mod audit;
pub mod cluster;
mod date;
pub mod embed;
mod figures;
mod files;
pub mod flash;
pub mod frames;
mod lock;
pub mod overnight;
mod parallel;
pub mod probe;
pub mod progress;
pub mod render;
pub mod scene;
mod solo;
pub mod verdict;
mod wire;
pub mod workers;

pub use date::{iso, now};
