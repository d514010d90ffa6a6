//! Everything about a library that a choice needs, worked out once: the presets of every arm, and what suits what.

use std::sync::Arc;

use super::affinity::affinities;
use super::{CLUSTER_REST, NO_REPEAT};
use crate::analysis::Scene;
use crate::library::{Catalogue, Energy, PresetId};
use crate::mind::taste::{Arm, StyleKey};

/// How much a cluster stands out for each scene, in the order of [`Scene::ALL`]: 0 like any other, 1 by a deviation.
pub type Affinity = [f64; Scene::ALL.len()];

/// A library, ready to be chosen from. Building one takes tens of milliseconds for a hundred thousand presets, so it
/// is done before the show or beside it.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The presets.
    pub catalogue: Arc<Catalogue>,
    /// Places of the presets of each arm, cluster by cluster.
    arms: Vec<Vec<u32>>,
    affinity: Vec<Affinity>,
    /// Clusters and presets that suit each scene at least as well as the average.
    suited: [(usize, usize); Scene::ALL.len()],
}

impl Pool {
    /// A library with affinities judged by its presets.
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        let affinity = affinities(&catalogue);
        Self::with_affinity(catalogue, affinity)
    }

    /// A library with given affinities, one for each cluster.
    pub fn with_affinity(catalogue: Arc<Catalogue>, affinity: Vec<Affinity>) -> Self {
        let mut arms = vec![Vec::new(); catalogue.clusters.len() * Energy::ALL.len()];
        for (place, entry) in catalogue.entries.iter().enumerate() {
            arms[arm_place(Arm { cluster: entry.cluster, energy: entry.energy })].push(place as u32);
        }
        let size = |cluster: usize| {
            arms[cluster * Energy::ALL.len()..][..Energy::ALL.len()].iter().map(Vec::len).sum::<usize>()
        };
        let suited = std::array::from_fn(|scene| {
            let fitting = (0..affinity.len()).filter(|&cluster| affinity[cluster][scene] >= 0.0).map(size);
            fitting
                .filter(|size| *size > 0)
                .fold((0, 0), |(clusters, presets), size| (clusters + 1, presets + size))
        });
        Self { catalogue, arms, affinity, suited }
    }

    /// How much each cluster stands out for each scene.
    pub fn affinities(&self) -> &[Affinity] {
        &self.affinity
    }

    /// Every arm that holds presets.
    pub fn arms(&self) -> impl Iterator<Item = Arm> {
        let all = (0..self.affinity.len())
            .flat_map(|cluster| Energy::ALL.map(|energy| Arm { cluster: cluster as u16, energy }));
        all.filter(|arm| !self.presets(*arm).is_empty())
    }

    /// Places in the catalogue of an arm's presets.
    pub fn presets(&self, arm: Arm) -> &[u32] {
        &self.arms[arm_place(arm)]
    }

    /// How much a cluster stands out for a scene.
    pub fn affinity(&self, cluster: u16, scene: Scene) -> f64 {
        self.affinity[usize::from(cluster)][scene as usize]
    }

    /// The place of a preset in the catalogue.
    pub fn place(&self, id: PresetId) -> Option<u32> {
        self.catalogue.place(id).map(|place| place as u32)
    }

    /// The clusters as the taste knows them.
    pub fn styles(&self) -> Vec<StyleKey<'_>> {
        let space = self.catalogue.space.as_str();
        let clusters = self.catalogue.clusters.iter();
        clusters.map(|cluster| StyleKey { key: &cluster.key, centroid: &cluster.centroid, space }).collect()
    }

    /// How alike two styles are by the angle between their centres, -1 to 1; nothing where a centre is not known.
    pub(super) fn likeness(&self, one: u16, other: u16) -> Option<f64> {
        let centre = |cluster: u16| self.catalogue.clusters[usize::from(cluster)].centroid.as_slice();
        let (a, b) = (centre(one), centre(other));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let lengths = (dot(a, a) * dot(b, b)).sqrt();
        (a.len() == b.len() && lengths > 0.0).then(|| dot(a, b) / lengths)
    }

    /// Switches a cluster rests, and presets that pass before one comes again: the full rule where the library has
    /// enough that suits the scene, less in a small one, so that variety never costs the style.
    pub(super) fn rests(&self, scene: Scene) -> (usize, usize) {
        let (clusters, presets) = self.suited[scene as usize];
        (CLUSTER_REST.min(clusters.saturating_sub(1)), NO_REPEAT.min(presets * 3 / 4))
    }
}

fn arm_place(arm: Arm) -> usize {
    usize::from(arm.cluster) * Energy::ALL.len() + arm.energy as usize
}
