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
mod kin;
pub mod lock;
pub mod models;
pub mod overnight;
pub mod pack;
mod parallel;
pub mod probe;
pub mod progress;
pub mod render;
pub mod report;
pub mod scene;
pub mod show_sign;
mod solo;
mod spread;
pub mod verdict;
pub mod video;
mod wire;
pub mod workers;

pub use date::{iso, now};
