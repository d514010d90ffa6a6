//! Measures how diverse a pack is, compared with random packs of the same size, and grades it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::choose::{Candidate, random_subset};
use crate::pack::spread::{Point, mean_nearest};
use crate::units::Rng;
use crate::units::counted;

/// Number of random packs to compare with.
const RANDOM_PACKS: usize = 5;

/// Grade of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PackGrade {
    /// The pack is diverse.
    Green,
    /// The pack is somewhat uniform.
    Yellow,
    /// The pack is too uniform: select again, or from more presets.
    Red,
}

/// Diversity of one pack, or the mean over several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diversity {
    /// Number of source folders.
    pub folders: f64,
    /// Number of distinct code families.
    pub families: f64,
    /// Number of distinct looks.
    pub looks: f64,
    /// Mean distance between a preset's look and the nearest other look in the pack.
    pub mean_nearest: f64,
}

/// How common a trait is in the pack and in the library.
#[derive(Clone, Copy, Debug)]
pub struct TraitShare {
    /// Verb phrase for messages, such as `draw shapes`.
    pub name: &'static str,
    /// Share of the pack's presets with the trait, 0 to 1.
    pub pack: f64,
    /// Share of presets with the trait among those that the pack was selected from, 0 to 1.
    pub library: f64,
}

/// Result of comparing a pack with random packs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackReport {
    /// Grade of the pack.
    #[serde(rename = "light")]
    pub grade: PackGrade,
    /// Reasons for the grade.
    pub reasons: Vec<String>,
    /// Number of presets in the pack.
    pub size: usize,
    /// Number of presets that the pack was selected from.
    pub eligible: usize,
    /// Diversity of the pack.
    pub pack: Diversity,
    /// Mean diversity of random packs of the same size.
    pub random: Diversity,
    /// Mean nearest-neighbour distance of the pack divided by that of random packs.
    pub nearest_ratio: f64,
}

impl Diversity {
    /// Measures the diversity of a selection.
    pub fn of(candidates: &[Candidate], points: &[Point], chosen: &[usize]) -> Self {
        let picked = || chosen.iter().map(|&at| &candidates[at]);
        Self {
            folders: picked().map(|c| c.folder.as_str()).collect::<BTreeSet<_>>().len() as f64,
            families: picked().map(|c| c.family).collect::<BTreeSet<_>>().len() as f64,
            looks: picked().map(|c| c.look_group).collect::<BTreeSet<_>>().len() as f64,
            mean_nearest: mean_nearest(points, chosen),
        }
    }
}

/// Compares a selection with random ones and grades it.
pub fn measure(
    candidates: &[Candidate],
    points: &[Point],
    chosen: &[usize],
    traits: &[TraitShare],
    rng: &mut Rng,
) -> PackReport {
    let pack = Diversity::of(candidates, points, chosen);
    let mut random = Diversity::default();
    for _ in 0..RANDOM_PACKS {
        let other = random_subset(candidates.len(), chosen.len(), rng);
        let Diversity { folders, families, looks, mean_nearest } = Diversity::of(candidates, points, &other);
        let share = |value: f64| value / RANDOM_PACKS as f64;
        random.folders += share(folders);
        random.families += share(families);
        random.looks += share(looks);
        random.mean_nearest += share(mean_nearest);
    }
    let nearest_ratio = pack.mean_nearest / random.mean_nearest.max(1e-9);
    let (grade, reasons) = grade(&pack, &random, candidates, chosen, traits);
    PackReport { grade, reasons, size: chosen.len(), eligible: candidates.len(), pack, random, nearest_ratio }
}

impl PackReport {
    /// Returns the grade with its reasons, such as
    /// `good (mean nearest-neighbour distance 1.20x that of a random pack)`.
    pub fn summary(&self) -> String {
        let grade = match self.grade {
            PackGrade::Green => "good",
            PackGrade::Yellow => "fair",
            PackGrade::Red => "poor",
        };
        format!("{grade} ({})", self.reasons.join("; "))
    }
}

fn grade(
    pack: &Diversity,
    random: &Diversity,
    candidates: &[Candidate],
    chosen: &[usize],
    traits: &[TraitShare],
) -> (PackGrade, Vec<String>) {
    let size = chosen.len().max(1) as f64;
    let (mut grade, mut reasons) = (PackGrade::Green, Vec::new());
    let mut worse = |to: PackGrade, why: String| {
        if to == PackGrade::Red || grade == PackGrade::Green {
            grade = to;
        }
        reasons.push(why);
    };
    if chosen.len() < 24 {
        worse(
            PackGrade::Yellow,
            format!("only {}, too few for a whole show", counted(chosen.len(), "preset")),
        );
    }
    let unlike = pack.mean_nearest / random.mean_nearest.max(1e-9);
    if chosen.len() < candidates.len() && unlike < 0.9 {
        worse(
            PackGrade::Red,
            format!(
                "presets are more alike than in a random pack, at {unlike:.2}x its mean nearest-neighbour distance"
            ),
        );
    }
    for (what, count) in [("code", pack.families), ("look", pack.looks)] {
        let share = count / size;
        let to = if share < 0.5 { PackGrade::Red } else { PackGrade::Yellow };
        if share < 0.8 {
            worse(to, format!("only {:.0}% of the presets have a unique {what}", share * 100.0));
        }
    }
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    chosen.iter().for_each(|&at| *folders.entry(candidates[at].folder.as_str()).or_default() += 1);
    let all: BTreeSet<&str> = candidates.iter().map(|candidate| candidate.folder.as_str()).collect();
    if let Some((folder, count)) = folders.iter().max_by_key(|(_, count)| **count)
        && all.len() >= 4
        && *count as f64 > 0.4 * size
    {
        worse(
            PackGrade::Yellow,
            format!("{:.0}% of the presets are from {folder}", *count as f64 / size * 100.0),
        );
    }
    for TraitShare { name, pack, library } in traits {
        let uniform = *pack < 0.02 || *pack > 0.98;
        if uniform && (0.1..=0.9).contains(library) {
            let (pack, library) = (pack * 100.0, library * 100.0);
            worse(
                PackGrade::Yellow,
                format!("{pack:.0}% of the presets {name}, compared with {library:.0}% of the library"),
            );
        }
    }
    if reasons.is_empty() {
        reasons.push(format!("mean nearest-neighbour distance {unlike:.2}x that of a random pack"));
    }
    (grade, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::probe::Look;
    use crate::pack::spread;

    fn library(families: u64) -> (Vec<Candidate>, Vec<Point>) {
        let mut rng = Rng::new(2);
        let looks: Vec<Look> =
            (0..200).map(|_| Look { luma: rng.unit(), colour: rng.unit(), ..Look::default() }).collect();
        let candidates = (0..200).map(|n| Candidate {
            folder: format!("{}", n % 10),
            family: n % families,
            look_group: n as usize,
        });
        (candidates.collect(), spread::points(&looks.iter().collect::<Vec<_>>()))
    }

    #[test]
    fn a_pack_of_one_family_is_red_and_a_diverse_one_green() {
        let chosen: Vec<usize> = (0..40).collect();
        let grade = |families, chosen: &[usize]| {
            let (candidates, points) = library(families);
            measure(&candidates, &points, chosen, &[], &mut Rng::new(1)).grade
        };
        assert_eq!(grade(2, &chosen), PackGrade::Red);
        assert_eq!(grade(200, &chosen), PackGrade::Green);
        assert_eq!(grade(200, &chosen[..10]), PackGrade::Yellow);
    }

    #[test]
    fn a_trait_missing_from_the_pack_is_reported_if_the_library_is_mixed() {
        let (candidates, points) = library(200);
        let chosen: Vec<usize> = (0..40).collect();
        let none = TraitShare { name: "use shaders", pack: 0.0, library: 0.6 };
        let report = measure(&candidates, &points, &chosen, &[none], &mut Rng::new(1));
        assert_eq!(report.grade, PackGrade::Yellow);
        assert!(report.reasons[0].contains("use shaders"), "{:?}", report.reasons);
        assert!(report.summary().starts_with("fair (") && report.summary().contains("use shaders"));
    }
}
