//! Layers of the performer over any preset: MilkDrop's sprites, messages and song titles, as plain data.
//!
//! [`LayerFiles`] reads `MILK_IMG.INI`, `MILK_MSG.INI` and their images from a folder, before a show; a
//! [`LayerPlayer`] turns the layers on air into textured triangles, which the stage draws. Never touches the GPU. No
//! layer is on air unless the performer launched it.

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

/// Maximum number of sprites on air at a time, as in MilkDrop.
pub const MAX_SPRITES: usize = 16;
/// Maximum length of a title or message, in characters.
pub const MAX_TITLE: usize = 200;
