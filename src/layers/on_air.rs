//! A layer that the performer has launched.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A layer on air.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerOnAir {
    /// Number of the launch, unique within the show.
    pub id: u64,
    /// Seconds since the launch.
    pub age_secs: f64,
    /// Seed of all random values of the layer.
    pub seed: u64,
    /// Content of the layer.
    pub content: LayerContent,
}

/// The content of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LayerContent {
    /// A sprite, by its number in `MILK_IMG.INI`.
    Sprite(u8),
    /// A message, by its number in `MILK_MSG.INI`.
    Message(u8),
    /// A song title.
    Title(#[serde(serialize_with = "save_title", deserialize_with = "read_title")] Arc<str>),
}

fn save_title<S: Serializer>(title: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(title)
}

fn read_title<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(from).map(Arc::from)
}
