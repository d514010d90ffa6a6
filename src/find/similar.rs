//! The similarity of all presets to one: by embeddings or, without them, by code, style and author.

use std::sync::OnceLock;

use crate::facts::PresetId;
use crate::library::Entry;
use crate::library::looks::{Looks, Sketch};
use crate::library::style::author_key;

/// The preset of a similarity query, and the similarity of all presets to it.
pub(super) struct Similarity {
    /// The preset.
    pub preset: PresetId,
    /// Similarity of every preset, with `None` for presets without an embedding.
    pub values: Vec<Option<f32>>,
    /// Whether the values are approximate.
    pub is_rough: bool,
}

impl Similarity {
    /// Returns the given presets that have an embedding, with their similarities.
    pub fn values_of(&self, presets: &[u32]) -> Vec<(u32, f32)> {
        presets.iter().filter_map(|&preset| Some((preset, self.values[preset as usize]?))).collect()
    }
}

/// Makes a sketch of the embeddings, if there are many.
pub(super) fn sketch_embeddings(looks: &Looks, sketch: &OnceLock<Sketch>) {
    match looks.sketch() {
        Ok(Some(made)) => {
            sketch.set(made).ok(); // Another thread may have set it first.
        }
        Ok(None) => {}
        Err(why) => log::warn!("cannot prepare similarity queries: {why}"),
    }
}

/// Returns a function that computes the similarity of a preset to `a` without embeddings: shared code counts most, then
/// style, then author, energy and tags.
pub(super) fn similarity_to(a: &Entry) -> impl Fn(&Entry) -> u32 {
    let author = author_key(a.name());
    move |b| {
        let shared = (a.tags.0 & b.tags.0).count_ones();
        let different = (a.tags.0 ^ b.tags.0).count_ones();
        16 + 12 * u32::from(a.family == b.family)
            + 8 * u32::from(a.cluster == b.cluster)
            + 2 * u32::from(a.energy == b.energy)
            + 2 * u32::from(author == author_key(b.name()))
            + shared
            - different.min(16)
    }
}
