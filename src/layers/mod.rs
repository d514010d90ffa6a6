//! Layers that the performer launches over any preset: sprites, messages and song titles, as in MilkDrop.
//!
//! [`LayerFiles`] reads `MILK_IMG.INI`, `MILK_MSG.INI`, images and fonts from a folder before a show. A
//! [`LayerPlayer`] turns the layers on air into textured triangles, which the stage draws; this module never
//! touches the GPU. No layer is on air unless the performer launched it.

mod files;
mod frame;
mod ini;
mod message;
mod mipmap;
mod on_air;
mod player;
mod sprite;
mod text;

pub use files::LayerFiles;
pub use frame::{Blend, LayerDraw, LayerFrame, LayerInput, LayerVertex};
pub use mipmap::Mipmap;
pub use on_air::{LayerContent, LayerOnAir};
pub use player::LayerPlayer;

/// Maximum number of sprites on air at the same time, as in MilkDrop.
pub const MAX_SPRITES: usize = 16;
/// Maximum length of a title or message, in characters.
pub const MAX_TITLE: usize = 200;
