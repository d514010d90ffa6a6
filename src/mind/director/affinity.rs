//! How well each style suits each scene, judged by what its presets look like: their tags, energies and folders.
//!
//! Only where a taste starts from; the performer's signals soon outweigh it.

use super::pool::Affinity;
use crate::analysis::Scene;
use crate::library::{Catalogue, Energy, Entry, Tag};

/// What a tag says for ambient, techno and rock.
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
/// What the energy says for ambient, techno and rock.
const ENERGIES: [[f32; 3]; 3] = [[0.5, -0.5, -0.5], [0.0, 0.1, 0.2], [-0.5, 0.4, 0.3]];
/// What it says when a preset was made for this very scene, as its first folder tells.
const MADE_FOR: f32 = 2.0;
/// Furthest a style can stand out.
const FURTHEST: f32 = 2.0;

/// For every cluster, how much it stands out for each scene: mean 0 and deviation 1 over the clusters. No
/// style suits speech, noise or silence better than others; there the energy alone decides.
pub(super) fn affinities(catalogue: &Catalogue) -> Vec<Affinity> {
    let clusters = catalogue.clusters.len();
    let mut sums = vec![[0.0_f32; 3]; clusters];
    let mut counts = vec![0_u32; clusters];
    for entry in &catalogue.entries {
        let cluster = usize::from(entry.cluster);
        counts[cluster] += 1;
        sums[cluster].iter_mut().zip(says(entry)).for_each(|(sum, score)| *sum += score);
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
            continue; // All the same to this scene.
        }
        for &cluster in &filled {
            let standing_out = (sums[cluster][scene] - mean) / deviation;
            table[cluster][scene] = f64::from(standing_out.clamp(-FURTHEST, FURTHEST));
        }
    }
    table
}

fn says(entry: &Entry) -> [f32; 3] {
    let mut score = ENERGIES[entry.energy as usize];
    for (_, says) in TAGS.iter().filter(|(tag, _)| entry.tags.has(*tag)) {
        score.iter_mut().zip(says).for_each(|(score, says)| *score += says);
    }
    let folder = entry.path.split('/').next().unwrap_or_default();
    if let Some(scene) = Scene::ALL[..3].iter().position(|scene| scene.label() == folder) {
        score[scene] += MADE_FOR;
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
    fn one_style_alone_is_all_the_same() {
        let mut catalogue = Catalogue::built_in();
        catalogue.entries.iter_mut().for_each(|entry| entry.cluster = 0);
        assert_eq!(affinities(&catalogue)[0], [0.0; 4]);
    }
}
