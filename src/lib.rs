//! aivj, a VJ application: listens to the room, follows the music, renders MilkDrop presets and learns what to play
//! next.
//!
//! `ARCHITECTURE.md` describes the modules below; `tests/architecture.rs` checks the imports between them.

pub mod activation;
pub mod analysis;
pub mod app;
pub mod archive;
pub mod audio;
pub mod audit;
pub mod breed;
pub mod cli;
pub mod cluster;
pub mod confine;
pub mod desk;
pub mod disk;
pub mod eel;
pub mod embed;
pub mod facts;
#[cfg(feature = "faults")]
pub mod faults;
pub mod find;
pub mod frames;
pub mod handoff;
pub mod hlsl;
mod interpolation;
pub mod jobs;
pub mod layers;
pub mod library;
pub mod listen;
#[cfg(feature = "lora")]
pub mod lora;
pub mod media;
pub mod midi;
pub mod milk;
pub mod mind;
pub mod models;
pub mod night;
pub mod pacing;
pub mod pack;
mod pipelines;
mod preprocess;
pub mod salvage;
pub mod shading;
pub mod shards;
pub mod show;
pub mod stage;
pub mod store;
pub mod training;
pub mod tune;
pub mod units;
pub mod warmup;
pub mod watch;
pub mod watchdog;
