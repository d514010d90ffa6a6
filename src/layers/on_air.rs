//! A layer that the performer has launched.

use std::sync::Arc;

/// A layer on air.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerOnAir {
    /// Number of the launch, unique within the show.
    pub id: u64,
    /// Seconds since the launch.
    pub age_secs: f64,
    /// Random seed, which determines all random values of the layer.
    pub seed: u64,
    /// Content of the layer.
    pub content: LayerContent,
}

/// The content of a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerContent {
    /// A sprite, by its number in `MILK_IMG.INI`.
    Sprite(u8),
    /// A message, by its number in `MILK_MSG.INI`.
    Message(u8),
    /// A song title.
    Title(Arc<str>),
}
