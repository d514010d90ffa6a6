//! aivj: hears the room, understands the music, draws MilkDrop presets and learns what to play next.
//!
//! The rooms and who may import whom stand in `ARCHITECTURE.md`; `tests/architecture.rs` checks them.

pub mod analysis;
pub mod app;
pub mod audio;
pub mod bake;
pub mod cli;
pub mod desk;
pub mod handoff;
pub mod library;
pub mod milk;
pub mod mind;
pub mod show;
pub mod stage;
pub mod units;
