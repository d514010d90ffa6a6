//! How varied a pack is: beside random packs of its size, and by itself, as a light to look at before a show.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::choose::{Candidate, at_random};
use crate::pack::spread::{Point, mean_nearest};
use crate::units::Rng;

/// Random packs a pack is compared with.
const RANDOM_PACKS: usize = 5;

/// Whether a pack is fit for a night.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PackGrade {
    /// Varied.
    Green,
    /// Somewhat uniform.
    Yellow,
    /// Too uniform: draw it anew or from more presets.
    Red,
}

/// What one pack holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Variety {
    /// Folders of the library it draws from.
    pub folders: f64,
    /// Different codes.
    pub families: f64,
    /// Different looks.
    pub looks: f64,
    /// Mean distance of a preset to the one most like it.
    pub mean_nearest: f64,
}

/// Traits of presets that a pack may have too much or too little of.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// What it is called.
    pub name: &'static str,
    /// Share of the pack that has it.
    pub pack: f64,
    /// Share of the library.
    pub library: f64,
}

/// The comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackReport {
    /// The light.
    pub light: PackGrade,
    /// What it stands for, in words.
    pub reasons: Vec<String>,
    /// Presets in the pack.
    pub size: usize,
    /// Presets it could have been drawn from.
    pub eligible: usize,
    /// The pack.
    pub pack: Variety,
    /// Mean of random packs of the same size.
    pub random: Variety,
    /// Distance of the pack over that of random packs.
    pub nearest_ratio: f64,
}

impl Variety {
    /// Measures a choice.
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

/// Compares a choice with random ones.
pub fn measure(
    candidates: &[Candidate],
    points: &[Point],
    chosen: &[usize],
    traits: &[Traits],
    rng: &mut Rng,
) -> PackReport {
    let pack = Variety::of(candidates, points, chosen);
    let mut random = Variety::default();
    for _ in 0..RANDOM_PACKS {
        let other = at_random(candidates.len(), chosen.len(), rng);
        let Variety { folders, families, looks, mean_nearest } = Variety::of(candidates, points, &other);
        let share = |value: f64| value / RANDOM_PACKS as f64;
        random.folders += share(folders);
        random.families += share(families);
        random.looks += share(looks);
        random.mean_nearest += share(mean_nearest);
    }
    let nearest_ratio = pack.mean_nearest / random.mean_nearest.max(1e-9);
    let (light, reasons) = judge(&pack, &random, candidates, chosen, traits);
    PackReport { light, reasons, size: chosen.len(), eligible: candidates.len(), pack, random, nearest_ratio }
}

fn judge(
    pack: &Variety,
    random: &Variety,
    candidates: &[Candidate],
    chosen: &[usize],
    traits: &[Traits],
) -> (PackGrade, Vec<String>) {
    let size = chosen.len().max(1) as f64;
    let (mut light, mut reasons) = (PackGrade::Green, Vec::new());
    let mut worse = |to: PackGrade, why: String| {
        if to == PackGrade::Red || light == PackGrade::Green {
            light = to;
        }
        reasons.push(why);
    };
    if chosen.len() < 24 {
        worse(PackGrade::Yellow, format!("{} presets are few for a night", chosen.len()));
    }
    let unlike = pack.mean_nearest / random.mean_nearest.max(1e-9);
    if chosen.len() < candidates.len() && unlike < 0.9 {
        worse(
            PackGrade::Red,
            format!("its presets are more alike than random ones: {unlike:.2} of their distance"),
        );
    }
    for (what, count) in [("code", pack.families), ("look", pack.looks)] {
        let share = count / size;
        let light = if share < 0.5 { PackGrade::Red } else { PackGrade::Yellow };
        if share < 0.8 {
            worse(light, format!("only {:.0} % of its presets have a {what} of their own", share * 100.0));
        }
    }
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    chosen.iter().for_each(|&at| *folders.entry(candidates[at].folder.as_str()).or_default() += 1);
    let all: BTreeSet<&str> = candidates.iter().map(|candidate| candidate.folder.as_str()).collect();
    if let Some((folder, count)) = folders.iter().max_by_key(|(_, count)| **count)
        && all.len() >= 4
        && *count as f64 > 0.4 * size
    {
        worse(PackGrade::Yellow, format!("{:.0} % of it come from {folder}", *count as f64 / size * 100.0));
    }
    for Traits { name, pack, library } in traits {
        let uniform = *pack < 0.02 || *pack > 0.98;
        if uniform && (0.1..=0.9).contains(library) {
            let (pack, library) = (pack * 100.0, library * 100.0);
            worse(PackGrade::Yellow, format!("{pack:.0} % of it {name}, {library:.0} % of the library do"));
        }
    }
    if reasons.is_empty() {
        reasons.push(format!("varied: {unlike:.2} times the distance of random packs"));
    }
    (light, reasons)
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
    fn a_pack_of_siblings_is_red_and_a_varied_one_green() {
        let chosen: Vec<usize> = (0..40).collect();
        let light = |families, chosen: &[usize]| {
            let (candidates, points) = library(families);
            measure(&candidates, &points, chosen, &[], &mut Rng::new(1)).light
        };
        assert_eq!(light(2, &chosen), PackGrade::Red);
        assert_eq!(light(200, &chosen), PackGrade::Green);
        assert_eq!(light(200, &chosen[..10]), PackGrade::Yellow);
    }

    #[test]
    fn a_trait_all_have_or_none_has_is_told_when_the_library_is_mixed() {
        let (candidates, points) = library(200);
        let chosen: Vec<usize> = (0..40).collect();
        let none = Traits { name: "bring shaders", pack: 0.0, library: 0.6 };
        let report = measure(&candidates, &points, &chosen, &[none], &mut Rng::new(1));
        assert_eq!(report.light, PackGrade::Yellow);
        assert!(report.reasons[0].contains("bring shaders"), "{:?}", report.reasons);
    }
}
