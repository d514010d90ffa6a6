//! Estimates how well each cluster suits each scene from the tags, energies and folders of its presets.
//!
//! The affinity is only a starting point for the taste model; the performer's signals soon outweigh it.

use crate::analysis::Scene;
use crate::facts::{Energy, Tag};
use crate::library::{Catalogue, Entry};

/// Affinity of a cluster to each scene, in the order of [`Scene::ALL`]: 0 is the average over the clusters, 1
/// is one standard deviation above it.
pub type Affinity = [f64; Scene::ALL.len()];

/// Contribution of each tag to the affinities to ambient, techno and rock, before normalisation.
const TAGS: &[(Tag, [f32; 3])] = &[
    (Tag::Liquid, [0.6, 0.0, 0.0]),
    (Tag::Abstract, [0.4, 0.0, 0.1]),
    (Tag::Dark, [0.3, 0.1, 0.0]),
    (Tag::LowMotion, [0.6, -0.5, -0.5]),
    (Tag::Wave, [-0.1, 0.3, 0.5]),
    (Tag::Line, [-0.1, 0.3, 0.5]),
    (Tag::Dots, [0.0, 0.4, 0.1]),
    (Tag::Vectors, [-0.2, 0.5, 0.1]),
    (Tag::Geometric, [-0.2, 0.6, 0.1]),
    (Tag::Bright, [-0.1, 0.1, 0.3]),
    (Tag::BandLow, [0.0, 0.2, 0.1]),
    (Tag::BandMid, [0.2, 0.0, 0.1]),
    (Tag::BandHigh, [-0.1, 0.1, 0.1]),
];
/// Contribution of each energy (calm, groove, peak) to the affinities to ambient, techno and rock, before
/// normalisation.
const ENERGIES: [[f32; 3]; 3] = [[0.5, -0.5, -0.5], [0.0, 0.1, 0.2], [-0.5, 0.4, 0.3]];
/// Amount that a preset in a top-level folder named after a scene contributes to the affinity to that scene,
/// before normalisation; such presets were made for the scene.
const SCENE_FOLDER: f32 = 2.0;
/// Maximum absolute value of an affinity, in standard deviations.
const MAX_AFFINITY: f32 = 2.0;

/// Returns the affinity of each cluster to each scene, normalised to mean 0 and standard deviation 1 over the
/// clusters that have presets, then limited to [`MAX_AFFINITY`]. All affinities to the `none` scene are 0;
/// only the energy matters there.
pub(super) fn affinities(catalogue: &Catalogue) -> Vec<Affinity> {
    let clusters = catalogue.clusters.len();
    let mut sums = vec![[0.0_f32; 3]; clusters];
    let mut counts = vec![0_u32; clusters];
    for entry in &catalogue.entries {
        let cluster = usize::from(entry.cluster);
        counts[cluster] += 1;
        sums[cluster].iter_mut().zip(contributions(entry)).for_each(|(sum, score)| *sum += score);
    }
    for (sum, &count) in sums.iter_mut().zip(&counts) {
        sum.iter_mut().for_each(|score| *score /= count.max(1) as f32);
    }
    let mut table = vec![[0.0; Scene::ALL.len()]; clusters];
    let filled: Vec<usize> = (0..clusters).filter(|&cluster| counts[cluster] > 0).collect();
    for scene in 0..3 {
        let count = filled.len().max(1) as f32;
        let mean = filled.iter().map(|&cluster| sums[cluster][scene]).sum::<f32>() / count;
        let squares = filled.iter().map(|&cluster| (sums[cluster][scene] - mean).powi(2)).sum::<f32>();
        let deviation = (squares / count).sqrt();
        if deviation < 1e-3 {
            continue; // All clusters suit this scene equally.
        }
        for &cluster in &filled {
            let affinity = (sums[cluster][scene] - mean) / deviation;
            table[cluster][scene] = f64::from(affinity.clamp(-MAX_AFFINITY, MAX_AFFINITY));
        }
    }
    table
}

fn contributions(entry: &Entry) -> [f32; 3] {
    let mut score = ENERGIES[entry.energy as usize];
    for (_, contribution) in TAGS.iter().filter(|(tag, _)| entry.tags.has(*tag)) {
        score.iter_mut().zip(contribution).for_each(|(score, contribution)| *score += contribution);
    }
    let folder = entry.path.split('/').next().unwrap_or_default();
    if let Some(scene) = Scene::ALL[..3].iter().position(|scene| scene.label() == folder) {
        score[scene] += SCENE_FOLDER;
    }
    score
}

const _: () = assert!(Energy::ALL.len() == ENERGIES.len());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_styles_suit_the_scene_they_were_made_for() {
        let catalogue = Catalogue::built_in();
        let table = affinities(&catalogue);
        for (cluster, row) in catalogue.clusters.iter().zip(&table) {
            let made_for = catalogue
                .entries
                .iter()
                .find(|entry| catalogue.clusters[usize::from(entry.cluster)] == *cluster);
            let folder = made_for.expect("no empty cluster").path.split('/').next().expect("a folder");
            for scene in &Scene::ALL[..3] {
                assert_eq!(
                    row[*scene as usize] > 0.3,
                    scene.label() == folder,
                    "{} in {}",
                    cluster.key,
                    scene.label()
                );
            }
        }
    }

    #[test]
    fn a_single_cluster_has_no_affinities() {
        let mut catalogue = Catalogue::built_in();
        catalogue.entries.iter_mut().for_each(|entry| entry.cluster = 0);
        assert_eq!(affinities(&catalogue)[0], [0.0; 4]);
    }
}
