//! The serialised taste, keyed by cluster key and centroid; survives both restarts and re-clustering.

use serde::{Deserialize, Serialize};

use super::Taste;
use super::model::{ENERGIES, GaussianBelief, PER_CLUSTER, SCENES};

/// Format version of the saved taste.
const VERSION: u32 = 1;
/// Minimum cosine similarity of the centroids of two clusters for them to count as the same style.
const SAME_STYLE: f32 = 0.6;

/// Identity of a style across clusterings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StyleKey<'a> {
    /// Key in the style index.
    pub key: &'a str,
    /// Centroid in embedding space; empty if unknown.
    pub centroid: &'a [f32],
    /// Name of the embedding space; centroids of different spaces are not comparable.
    pub space: &'a str,
}

/// A serialisable taste.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TasteState {
    /// Format version; only version 1 is read.
    pub version: u32,
    /// Belief about the mean reward of all choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<GaussianBelief>,
    /// Belief about the weight of the director's base score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<GaussianBelief>,
    /// Belief about the change in the expected reward per energy step away from the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<GaussianBelief>,
    /// Beliefs about each energy (calm, groove, peak) in each scene (ambient, techno, rock, none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_scene: Option<[[GaussianBelief; SCENES]; ENERGIES]>,
    /// The clusters that have received signals.
    #[serde(default)]
    pub clusters: Vec<ClusterTaste>,
}

/// What was learnt about one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterTaste {
    /// Key in the style index, such as `c07`, an author or a tag.
    pub key: String,
    /// Centroid at the time of saving; empty if unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub centroid: Vec<f32>,
    /// Embedding space of the centroid.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub space: String,
    /// Number of signals received.
    pub signals: u32,
    /// Beliefs about the cluster itself, then per scene, then per energy.
    pub beliefs: [GaussianBelief; PER_CLUSTER],
}

impl TasteState {
    /// Merges `other` into this taste; `other` takes precedence.
    pub fn merge(&mut self, other: Self) {
        self.version = VERSION;
        self.bias = other.bias.or(self.bias);
        self.base = other.base.or(self.base);
        self.mismatch = other.mismatch.or(self.mismatch);
        self.energy_scene = other.energy_scene.or(self.energy_scene);
        self.clusters.retain(|cluster| other.clusters.iter().all(|new| new.key != cluster.key));
        self.clusters.extend(other.clusters);
    }

    /// Adds the beliefs of `before` about styles of other libraries: clusters whose key is not among `styles`
    /// and whose centroid cannot be compared with any of theirs.
    pub fn keep_other_libraries(mut self, before: &Self, styles: &[StyleKey]) -> Self {
        self.clusters.extend(before.others(styles).map(|(_, cluster)| cluster.clone()));
        self
    }

    /// Returns the clusters that [`Self::keep_other_libraries`] keeps, with their indices.
    fn others<'a>(&'a self, styles: &'a [StyleKey]) -> impl Iterator<Item = (usize, &'a ClusterTaste)> {
        let of_this_library = move |cluster: &ClusterTaste| {
            styles.iter().any(|style| style.key == cluster.key || comparable(&cluster.style(), style))
        };
        self.clusters.iter().enumerate().filter(move |(_, cluster)| !of_this_library(cluster))
    }
}

impl ClusterTaste {
    fn style(&self) -> StyleKey<'_> {
        StyleKey { key: &self.key, centroid: &self.centroid, space: &self.space }
    }
}

/// The similarities of the styles of a new library to all styles that a taste may contain. Computing them takes up to a
/// tenth of a second, so they are computed in advance on another thread.
#[derive(Clone, Debug)]
pub struct StyleSimilarities {
    /// One row per known style, one column per new style; `None` if they cannot be compared.
    values: Vec<Option<f32>>,
    columns: usize,
}

impl StyleSimilarities {
    /// Compares the styles of a new library with those of the current library and those of the taste `before`.
    pub fn of(styles: &[StyleKey], current: &[StyleKey], before: &TasteState) -> Self {
        let mut values = Vec::with_capacity((current.len() + before.clusters.len()) * styles.len());
        for known in current.iter().copied().chain(before.clusters.iter().map(ClusterTaste::style)) {
            values.extend(styles.iter().map(|style| similarity(&known, style)));
        }
        Self { values, columns: styles.len() }
    }

    fn get(&self, row: usize, column: usize) -> Option<f32> {
        self.values.get(row * self.columns + column).copied().flatten()
    }
}

impl Taste {
    /// Returns the serialisable state. `styles` are the catalogue's clusters in order.
    pub fn state(&self, styles: &[StyleKey]) -> TasteState {
        let shown = styles.iter().zip(&self.clusters).zip(&self.signals).filter(|(_, signals)| **signals > 0);
        let clusters = shown.map(|((style, beliefs), &signals)| ClusterTaste {
            key: style.key.to_owned(),
            centroid: style.centroid.to_vec(),
            space: style.space.to_owned(),
            signals,
            beliefs: *beliefs,
        });
        TasteState {
            version: VERSION,
            bias: Some(self.bias),
            base: Some(self.base),
            mismatch: Some(self.mismatch),
            energy_scene: Some(self.energy_scene),
            clusters: clusters.collect(),
        }
    }

    /// Returns the rows in [`StyleSimilarities`] of the clusters of [`Self::state`], followed by those of the clusters
    /// that [`TasteState::keep_other_libraries`] adds from `before`.
    pub fn rows(&self, before: &TasteState, styles: &[StyleKey]) -> Vec<usize> {
        let shown = self.signals.iter().enumerate().filter(|(_, signals)| **signals > 0);
        let others = before.others(styles).map(|(index, _)| styles.len() + index);
        shown.map(|(index, _)| index).chain(others).collect()
    }

    /// Restores a taste for these clusters. Styles that are missing from `state` start from the prior, as do all styles
    /// if its version is not supported.
    pub fn from_state(state: &TasteState, styles: &[StyleKey]) -> Self {
        let known: Vec<StyleKey> = state.clusters.iter().map(ClusterTaste::style).collect();
        Self::restore(state, styles, |cluster, style| similarity(&known[cluster], &styles[style]))
    }

    /// Restores a taste like [`Self::from_state`], but with precomputed similarities. `rows` are the rows of the
    /// clusters of `state` in `similarities`.
    pub fn from_prepared(
        state: &TasteState,
        styles: &[StyleKey],
        similarities: &StyleSimilarities,
        rows: &[usize],
    ) -> Self {
        Self::restore(state, styles, |cluster, style| similarities.get(*rows.get(cluster)?, style))
    }

    /// Restores a taste; `similarity` compares a cluster of `state` with a style, both given by index.
    fn restore(
        state: &TasteState,
        styles: &[StyleKey],
        similarity: impl Fn(usize, usize) -> Option<f32>,
    ) -> Self {
        let mut taste = Self::new(styles.len());
        if state.version != VERSION {
            return taste;
        }
        taste.bias = state.bias.unwrap_or(taste.bias);
        taste.base = state.base.unwrap_or(taste.base);
        taste.mismatch = state.mismatch.unwrap_or(taste.mismatch);
        taste.energy_scene = state.energy_scene.unwrap_or(taste.energy_scene);
        for (index, style) in styles.iter().enumerate() {
            if let Some(known) = find_known(&state.clusters, style.key, |known| similarity(known, index)) {
                taste.clusters[index] = known.beliefs;
                taste.signals[index] = known.signals;
            }
        }
        taste
    }
}

/// Finds what was learnt about the style with this key: by centroid if comparable ones exist, since a new clustering
/// reuses keys for other styles; otherwise by key.
fn find_known<'a>(
    known: &'a [ClusterTaste],
    key: &str,
    similarity: impl Fn(usize) -> Option<f32>,
) -> Option<&'a ClusterTaste> {
    let near = known.iter().enumerate().filter_map(|(index, known)| Some((similarity(index)?, known)));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((similarity, known)) => (similarity >= SAME_STYLE).then_some(known),
        None => known.iter().find(|cluster| cluster.key == key),
    }
}

/// Returns whether both have centroids in the same space.
fn comparable(known: &StyleKey, style: &StyleKey) -> bool {
    !style.centroid.is_empty() && known.centroid.len() == style.centroid.len() && known.space == style.space
}

/// Returns the cosine similarity of the centroids; `None` if they cannot be compared.
fn similarity(known: &StyleKey, style: &StyleKey) -> Option<f32> {
    comparable(known, style).then(|| cosine(known.centroid, style.centroid))
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt().max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Scene;
    use crate::facts::Energy;
    use crate::mind::taste::{Arm, Evidence, Signal};

    fn choice(cluster: u16) -> Evidence {
        let arm = Arm { cluster, energy: Energy::Peak };
        Evidence { arm, scene: Scene::Rock, base: 0.0, mismatch: 0.0 }
    }

    fn trained() -> Taste {
        let mut taste = Taste::new(2);
        (0..4).for_each(|_| _ = taste.learn(&choice(1), Signal::Favourite));
        taste
    }

    fn style<'a>(key: &'a str, centroid: &'a [f32]) -> StyleKey<'a> {
        StyleKey { key, centroid, space: "s" }
    }

    const A: &[f32] = &[1.0, 0.0, 0.0];
    const B: &[f32] = &[0.0, 1.0, 0.0];

    #[test]
    fn a_taste_survives_a_round_trip() {
        let styles = [style("c00", &[]), style("c01", &[])];
        let taste = trained();
        let text = serde_json::to_string(&taste.state(&styles)).expect("plain data");
        let back: TasteState = serde_json::from_str(&text).expect("what was written");
        let back = Taste::from_state(&back, &styles);
        assert_eq!(back.expected(&choice(1)), taste.expected(&choice(1)));
        assert_eq!(back.expected(&choice(0)), taste.expected(&choice(0)));
    }

    #[test]
    fn a_new_clustering_is_matched_by_centroids_not_by_keys() {
        let taste = trained();
        let old = [style("c00", A), style("c01", B)];
        let new = [style("c00", &[0.1, 0.9, 0.0]), style("c01", &[0.0, 0.0, 1.0])];
        let moved = Taste::from_state(&taste.state(&old), &new);
        assert_eq!(moved.liking(&choice(0)), taste.liking(&choice(1)), "the liked style is now c00");
        assert!(moved.liking(&choice(1)) < moved.liking(&choice(0)), "a new style starts from the prior");
    }

    #[test]
    fn centroids_of_another_space_are_matched_by_key() {
        let taste = trained();
        let old = [style("c00", A), style("c01", B)];
        let new =
            [StyleKey { space: "other", ..style("c00", B) }, StyleKey { space: "other", ..style("c01", A) }];
        let moved = Taste::from_state(&taste.state(&old), &new);
        assert_eq!(moved.liking(&choice(1)), taste.liking(&choice(1)));
    }

    #[test]
    fn the_taste_for_another_library_is_kept() {
        let one = trained().state(&[style("rock", &[]), style("techno", &[])]);
        let styles = [style("c00", A), style("c01", B)];
        let other = trained().state(&styles).keep_other_libraries(&one, &styles);
        let keys: Vec<_> = other.clusters.iter().map(|cluster| cluster.key.as_str()).collect();
        assert_eq!(keys, ["c01", "techno"]);
        let again = trained().state(&styles).keep_other_libraries(&other, &styles);
        assert_eq!(again, other, "a cluster is duplicated");
    }

    #[test]
    fn similarities_computed_in_advance_give_the_same_taste() {
        let elsewhere = |key, centroid| StyleKey { space: "other", ..style(key, centroid) };
        let before = trained().state(&[elsewhere("x", A), elsewhere("y", B)]);
        let old = [style("c00", A), style("c01", B)];
        let new = [style("c00", &[0.1, 0.9, 0.0]), elsewhere("c02", B), style("c01", A)];
        let taste = trained();
        let state = taste.state(&old).keep_other_libraries(&before, &old);
        let moved = Taste::from_state(&state, &new);
        assert_eq!(moved.signals, [4, 4, 0]);
        let similarities = StyleSimilarities::of(&new, &old, &before);
        assert_eq!(Taste::from_prepared(&state, &new, &similarities, &taste.rows(&before, &old)), moved);
    }

    #[test]
    fn other_versions_are_ignored_and_invalid_numbers_clamped() {
        let styles = [style("c00", &[])];
        let state = TasteState {
            version: 9,
            bias: Some(GaussianBelief { mean: 3.0, variance: 1.0 }),
            ..TasteState::default()
        };
        assert_eq!(Taste::from_state(&state, &styles), Taste::new(1));
        let odd: TasteState =
            serde_json::from_str(r#"{"version":1,"bias":[1e300,-5.0]}"#).expect("it parses");
        let bias = odd.bias.expect("given");
        assert!(bias.mean.abs() <= 4.0 && bias.variance > 0.0, "{bias:?}");
    }
}
