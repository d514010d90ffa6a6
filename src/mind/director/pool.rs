//! A library indexed so that the director can choose from it quickly: the presets of each arm and the affinity of each
//! cluster to each scene.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::affinity::{Affinity, affinities};
use super::theme::{Theme, ThemedStyle};
use super::{CLUSTER_REST, NO_REPEAT};
use crate::analysis::Scene;
use crate::facts::{Energy, PresetId};
use crate::find::style_key;
use crate::library::Catalogue;
use crate::mind::taste::{Arm, StyleKey};

/// A library indexed so that the director can choose from it quickly. Building the index takes tens of milliseconds for
/// 100,000 presets, so it is done before the show or on another thread.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The catalogue that all preset and cluster indices refer to.
    pub catalogue: Arc<Catalogue>,
    /// Presets that an audit of this library rejected, with reasons. They are not chosen unless the performer rescues
    /// them.
    pub rejected: Arc<BTreeMap<PresetId, String>>,
    /// Catalogue indices of the rejected presets.
    rejected_presets: Vec<u32>,
    /// Hash of the IDs of the rejected presets.
    rejected_hash: [u8; 32],
    /// The theme of the night, if there is one.
    theme: Option<Theme>,
    /// How well each arm fits the theme, 0 to 1, in the order of `arms`; empty without a theme.
    theme_fits: Vec<f64>,
    /// How well each style fits the theme, best first; empty without a theme.
    themed_styles: Arc<[ThemedStyle]>,
    /// Preset indices of each arm, ordered by cluster, then by energy.
    arms: Vec<Vec<u32>>,
    affinity: Vec<Affinity>,
    /// For each scene, the number of non-empty clusters with at least average affinity, and the number of
    /// presets in them.
    suited: [(usize, usize); Scene::ALL.len()],
}

impl Pool {
    /// Builds a pool whose affinities are estimated from the presets.
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        let affinity = affinities(&catalogue);
        Self::with_affinity(catalogue, affinity)
    }

    /// Builds a pool with the given affinities, one per cluster.
    pub fn with_affinity(catalogue: Arc<Catalogue>, affinity: Vec<Affinity>) -> Self {
        let mut arms = vec![Vec::new(); catalogue.clusters.len() * Energy::ALL.len()];
        for (index, entry) in catalogue.entries.iter().enumerate() {
            arms[arm_index(Arm { cluster: entry.cluster, energy: entry.energy })].push(index as u32);
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
        catalogue.prepare();
        let rejected = catalogue.rejected.clone();
        let mut pool = Self {
            rejected: Arc::default(),
            rejected_presets: Vec::new(),
            rejected_hash: [0; 32],
            theme: None,
            theme_fits: Vec::new(),
            themed_styles: Arc::default(),
            catalogue,
            arms,
            affinity,
            suited,
        };
        pool.reject(rejected);
        pool
    }

    /// Sets which presets are rejected.
    fn reject(&mut self, rejected: Arc<BTreeMap<PresetId, String>>) {
        self.rejected_presets = rejected.keys().filter_map(|id| self.index_of(*id)).collect();
        let mut hash = Sha256::new();
        rejected.keys().for_each(|id| hash.update(id.0));
        self.rejected_hash = hash.finalize().into();
        self.rejected = rejected;
    }

    /// Returns a copy of this pool with another theme; `None` removes the theme.
    pub fn with_theme(&self, theme: Option<Theme>) -> Self {
        let theme_fits = theme.as_ref().map(|theme| self.fits_of_arms(theme)).unwrap_or_default();
        let mut pool = Self { theme, theme_fits, ..self.clone() };
        pool.themed_styles = pool.ranked_styles().into();
        pool
    }

    /// Returns how well each arm fits a theme: the fit that the performer set for its style or, if none is set, that of
    /// its presets.
    fn fits_of_arms(&self, theme: &Theme) -> Vec<f64> {
        let set = theme.set_fits();
        if set.is_empty() {
            return self.arms.iter().map(|presets| theme.fit_of_best(presets)).collect();
        }
        let arms = self.catalogue.clusters.iter().zip(self.arms.chunks(Energy::ALL.len()));
        let fits = arms.flat_map(|(cluster, arms)| {
            let own = set.get(&style_key(&cluster.name)).copied();
            arms.iter().map(move |presets| own.unwrap_or_else(|| theme.fit_beside_set(presets)))
        });
        fits.collect()
    }

    /// Returns how well each style fits the theme, best first: the fit of its best arm. Empty without a theme.
    pub fn themed_styles(&self) -> &Arc<[ThemedStyle]> {
        &self.themed_styles
    }

    fn ranked_styles(&self) -> Vec<ThemedStyle> {
        let Some(theme) = &self.theme else { return Vec::new() };
        let set = theme.set_fits();
        let mut best = vec![None; self.catalogue.clusters.len()];
        for arm in self.arms() {
            let best: &mut Option<f64> = &mut best[usize::from(arm.cluster)];
            *best = Some(best.unwrap_or(0.0).max(self.theme_fit(arm)));
        }
        let styles = self.catalogue.clusters.iter().zip(best).filter_map(|(cluster, fit)| {
            let (name, set) = (cluster.name.clone(), set.contains_key(&style_key(&cluster.name)));
            Some(ThemedStyle { name, fit: fit?, set })
        });
        let mut styles: Vec<ThemedStyle> = styles.collect();
        styles.sort_by(|a, b| b.fit.total_cmp(&a.fit));
        styles
    }

    /// Returns whether another pool has the same presets, of which the same ones are rejected, in the same styles.
    pub fn has_same_presets(&self, other: &Self) -> bool {
        self.catalogue.identity() == other.catalogue.identity() && self.rejected_hash == other.rejected_hash
    }

    /// Returns the theme of the night, if there is one.
    pub fn theme(&self) -> Option<&Theme> {
        self.theme.as_ref()
    }

    /// Returns how well an arm fits the theme, from 0 to 1; 1 without a theme.
    pub(super) fn theme_fit(&self, arm: Arm) -> f64 {
        self.theme_fits.get(arm_index(arm)).copied().unwrap_or(1.0)
    }

    /// Returns a copy of this pool as it was in an earlier show: with these affinities, rejected presets and
    /// theme. Affinities are ignored if the number of clusters has changed.
    pub fn as_recorded(&self, affinity: &[Affinity], rejected: &[PresetId], theme: Option<&Theme>) -> Self {
        let affinity = if affinity.len() == self.affinity.len() { affinity } else { &self.affinity };
        let rejected = rejected.iter().map(|id| (*id, String::from("rejected by an audit")));
        let mut pool = Self::with_affinity(self.catalogue.clone(), affinity.to_vec());
        pool.reject(Arc::new(rejected.collect()));
        pool.with_theme(theme.cloned())
    }

    /// Returns the catalogue indices of the presets that an audit rejected.
    pub fn rejected_presets(&self) -> &[u32] {
        &self.rejected_presets
    }

    /// Returns the affinities of all clusters, by cluster index.
    pub fn affinities(&self) -> &[Affinity] {
        &self.affinity
    }

    /// Returns every arm that has presets.
    pub fn arms(&self) -> impl Iterator<Item = Arm> {
        let all = (0..self.affinity.len())
            .flat_map(|cluster| Energy::ALL.map(|energy| Arm { cluster: cluster as u16, energy }));
        all.filter(|arm| !self.presets(*arm).is_empty())
    }

    /// Returns the catalogue indices of an arm's presets.
    pub fn presets(&self, arm: Arm) -> &[u32] {
        &self.arms[arm_index(arm)]
    }

    /// Returns the affinity of a cluster to a scene.
    pub fn affinity(&self, cluster: u16, scene: Scene) -> f64 {
        self.affinity[usize::from(cluster)][scene as usize]
    }

    /// Returns the catalogue index of a preset; `None` if it is not in this library.
    pub fn index_of(&self, id: PresetId) -> Option<u32> {
        self.catalogue.index_of(id).map(|index| index as u32)
    }

    /// Returns the keys by which the taste identifies the clusters.
    pub fn styles(&self) -> Vec<StyleKey<'_>> {
        let space = self.catalogue.space.as_str();
        let clusters = self.catalogue.clusters.iter();
        clusters.map(|cluster| StyleKey { key: &cluster.key, centroid: &cluster.centroid, space }).collect()
    }

    /// Returns the cosine similarity of the centroids of two clusters, -1 to 1; `None` if they cannot be
    /// compared.
    pub(super) fn similarity(&self, one: u16, other: u16) -> Option<f64> {
        let centre = |cluster: u16| self.catalogue.clusters[usize::from(cluster)].centroid.as_slice();
        let (a, b) = (centre(one), centre(other));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let lengths = (dot(a, a) * dot(b, b)).sqrt();
        (a.len() == b.len() && lengths > 0.0).then(|| dot(a, b) / lengths)
    }

    /// Returns for how many cuts a cluster must rest, and how many other presets must be shown before a preset may
    /// return. Both are lower in a small library, so that enough presets that suit the scene remain.
    pub(super) fn rests(&self, scene: Scene) -> (usize, usize) {
        let (clusters, presets) = self.suited[scene as usize];
        (CLUSTER_REST.min(clusters.saturating_sub(1)), NO_REPEAT.min(presets * 3 / 4))
    }
}

fn arm_index(arm: Arm) -> usize {
    usize::from(arm.cluster) * Energy::ALL.len() + arm.energy as usize
}
