//! Everything on the GPU: decks, passes, mixer, readback.
//!
//! This module never imports `mind` or `audio`. Its only per-frame input is a [`Cue`].

mod buffer;
mod clip;
mod cue;
mod deck;
mod deck_images;
mod error;
mod gpu;
mod layer_painter;
mod mesh_pass;
mod pass;
mod picture;
mod picture_stats;
mod post;
mod preload;
mod present;
mod preset_pass;
mod preset_pipeline;
mod primitives;
mod readback;
mod render_context;
mod renderer;
#[cfg(test)]
mod same_pictures;
mod settings;
mod textures;
mod upload;

pub use clip::limit_clip;
pub use cue::{Cue, DeckId, Fade, FadeStyle, FusedDeck, OnAirDeck, OutputMode};
pub use deck::Deck;
pub use error::StageError;
pub use gpu::{Gpu, GpuError, driver};
pub use picture_stats::PictureStats;
pub use post::Post;
pub use present::Presenter;
pub use readback::{Readback, ReadbackFrame, Wait};
pub use render_context::{RenderContext, RenderOptions};
pub use renderer::{Stage, StageOptions};
pub use settings::DeckSettings;
pub use textures::{Textures, texture_folders};

pub use crate::media::DeckLook;
