//! The taste as it is kept: under the keys of clusters, with their centres where known, so that it survives both a
//! restart and a new clustering.

use serde::{Deserialize, Serialize};

use super::Taste;
use super::model::{ENERGIES, GaussianBelief, PER_CLUSTER, SCENES};

/// Version of the format.
const VERSION: u32 = 1;
/// Two centres closer than this (cosine) are the same style under another name.
const SAME_STYLE: f32 = 0.6;

/// What identifies a style from one clustering to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StyleKey<'a> {
    /// Its key in the style index.
    pub key: &'a str,
    /// Its centre in the space of embeddings; empty when unknown.
    pub centroid: &'a [f32],
    /// Names that space; centres of different spaces are not comparable.
    pub space: &'a str,
}

/// A taste, ready to be written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TasteState {
    /// Version of the format; anything else than 1 is not read.
    pub version: u32,
    /// Reward of any choice at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<GaussianBelief>,
    /// What the director's own score counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<GaussianBelief>,
    /// What a step of energy beside the target costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<GaussianBelief>,
    /// Energy x scene: calm, groove, peak; ambient, techno, rock, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_scene: Option<[[GaussianBelief; SCENES]; ENERGIES]>,
    /// The clusters that have ever been shown.
    #[serde(default)]
    pub clusters: Vec<ClusterTaste>,
}

/// What is known about one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterTaste {
    /// Its key in the style index: `c07`, an author, a tag.
    pub key: String,
    /// Its centre when this was learnt; empty when unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub centroid: Vec<f32>,
    /// Names the space of the centre.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub space: String,
    /// How many signals it rests on.
    pub signals: u32,
    /// The cluster itself, in each scene, at each energy.
    pub beliefs: [GaussianBelief; PER_CLUSTER],
}

impl TasteState {
    /// Adds another taste: what it says outweighs what was there about the same style.
    pub fn take(&mut self, other: Self) {
        self.version = VERSION;
        self.bias = other.bias.or(self.bias);
        self.base = other.base.or(self.base);
        self.mismatch = other.mismatch.or(self.mismatch);
        self.energy_scene = other.energy_scene.or(self.energy_scene);
        self.clusters.retain(|cluster| other.clusters.iter().all(|new| new.key != cluster.key));
        self.clusters.extend(other.clusters);
    }

    /// Adds what was known `before` about styles of other libraries: those that are neither one of `styles` by key nor
    /// could have been known again as one of them by their centres.
    pub fn keeping(mut self, before: &Self, styles: &[StyleKey]) -> Self {
        let of_this_library = |cluster: &ClusterTaste| {
            styles.iter().any(|style| style.key == cluster.key || comparable(cluster, style))
        };
        self.clusters.extend(before.clusters.iter().filter(|cluster| !of_this_library(cluster)).cloned());
        self
    }
}

impl Taste {
    /// The taste as it is kept. `styles` are the catalogue's clusters in their order.
    pub fn state(&self, styles: &[StyleKey]) -> TasteState {
        let shown = styles.iter().zip(&self.clusters).zip(&self.heard).filter(|(_, heard)| **heard > 0);
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

    /// A kept taste over these clusters. Those it says nothing about start afresh.
    pub fn from_state(state: &TasteState, styles: &[StyleKey]) -> Self {
        let mut taste = Self::new(styles.len());
        if state.version != VERSION {
            return taste;
        }
        taste.bias = state.bias.unwrap_or(taste.bias);
        taste.base = state.base.unwrap_or(taste.base);
        taste.mismatch = state.mismatch.unwrap_or(taste.mismatch);
        taste.energy_scene = state.energy_scene.unwrap_or(taste.energy_scene);
        for (place, style) in styles.iter().enumerate() {
            if let Some(known) = remembered(&state.clusters, style) {
                taste.clusters[place] = known.beliefs;
                taste.heard[place] = known.signals;
            }
        }
        taste
    }
}

/// What was learnt about a style: by its centre where both have one, since a new clustering reuses the old keys for
/// other styles; by its key otherwise.
fn remembered<'a>(known: &'a [ClusterTaste], style: &StyleKey) -> Option<&'a ClusterTaste> {
    let near = known.iter().filter(|cluster| comparable(cluster, style));
    let nearest =
        near.map(|known| (cosine(&known.centroid, style.centroid), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, known)) => (likeness >= SAME_STYLE).then_some(known),
        None => known.iter().find(|cluster| cluster.key == style.key),
    }
}

/// Whether the two have centres in the same space.
fn comparable(cluster: &ClusterTaste, style: &StyleKey) -> bool {
    !style.centroid.is_empty()
        && cluster.centroid.len() == style.centroid.len()
        && cluster.space == style.space
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt().max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Scene;
    use crate::library::Energy;
    use crate::mind::taste::{Arm, Evidence, Signal};

    fn choice(cluster: u16) -> Evidence {
        let arm = Arm { cluster, energy: Energy::Peak };
        Evidence { arm, scene: Scene::Rock, base: 0.0, mismatch: 0.0 }
    }

    fn learnt() -> Taste {
        let mut taste = Taste::new(2);
        (0..4).for_each(|_| taste.learn(&choice(1), Signal::Favourite));
        taste
    }

    fn style<'a>(key: &'a str, centroid: &'a [f32]) -> StyleKey<'a> {
        StyleKey { key, centroid, space: "s" }
    }

    const A: &[f32] = &[1.0, 0.0, 0.0];
    const B: &[f32] = &[0.0, 1.0, 0.0];

    #[test]
    fn it_survives_being_written() {
        let styles = [style("c00", &[]), style("c01", &[])];
        let taste = learnt();
        let text = serde_json::to_string(&taste.state(&styles)).expect("plain data");
        let back: TasteState = serde_json::from_str(&text).expect("what was written");
        let back = Taste::from_state(&back, &styles);
        assert_eq!(back.expected(&choice(1)), taste.expected(&choice(1)));
        assert_eq!(back.expected(&choice(0)), taste.expected(&choice(0)));
    }

    #[test]
    fn a_new_clustering_is_matched_by_centres_not_by_keys() {
        let taste = learnt();
        let old = [style("c00", A), style("c01", B)];
        let new = [style("c00", &[0.1, 0.9, 0.0]), style("c01", &[0.0, 0.0, 1.0])];
        let moved = Taste::from_state(&taste.state(&old), &new);
        assert_eq!(moved.liking(&choice(0)), taste.liking(&choice(1)), "the liked style is c00 now");
        assert!(moved.liking(&choice(1)) < moved.liking(&choice(0)), "a new style starts afresh");
    }

    #[test]
    fn centres_of_another_space_say_nothing_and_the_keys_count() {
        let taste = learnt();
        let old = [style("c00", A), style("c01", B)];
        let new =
            [StyleKey { space: "other", ..style("c00", B) }, StyleKey { space: "other", ..style("c01", A) }];
        let moved = Taste::from_state(&taste.state(&old), &new);
        assert_eq!(moved.liking(&choice(1)), taste.liking(&choice(1)));
    }

    #[test]
    fn what_is_known_about_another_library_stays() {
        let one = learnt().state(&[style("rock", &[]), style("techno", &[])]);
        let styles = [style("c00", A), style("c01", B)];
        let other = learnt().state(&styles).keeping(&one, &styles);
        let keys: Vec<_> = other.clusters.iter().map(|cluster| cluster.key.as_str()).collect();
        assert_eq!(keys, ["c01", "techno"]);
        let again = learnt().state(&styles).keeping(&other, &styles);
        assert_eq!(again, other, "nothing is there twice");
    }

    #[test]
    fn a_state_of_another_version_or_with_nonsense_is_no_taste() {
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
