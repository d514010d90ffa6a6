//! Selects the presets of a pack: a diverse selection across folders, looks and families, a random sample, or the first
//! presets in path order.

use std::collections::{BTreeMap, BTreeSet};

use crate::pack::spread::{Farthest, Point};
use crate::units::Rng;

/// How the presets of a pack are selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sample {
    /// Spread over folders, looks and families.
    #[default]
    Diverse,
    /// Uniformly at random.
    Reservoir,
    /// The first presets in path order.
    First,
}

impl Sample {
    /// Returns the name used in manifests.
    pub fn label(self) -> &'static str {
        match self {
            Self::Diverse => "diverse",
            Self::Reservoir => "reservoir",
            Self::First => "first",
        }
    }
}

/// A preset that may be selected.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Folder of the preset's file.
    pub folder: String,
    /// ID shared by presets with the same code.
    pub family: u64,
    /// ID shared by presets that look alike.
    pub look_group: usize,
}

/// Selects `size` candidates, or all if there are fewer, and returns their indices in ascending order.
/// `points` are the looks of the candidates.
pub fn choose(
    candidates: &[Candidate],
    points: &[Point],
    size: usize,
    sample: Sample,
    rng: &mut Rng,
) -> Vec<usize> {
    let size = size.min(candidates.len());
    let mut chosen = match sample {
        Sample::First => (0..size).collect(),
        Sample::Reservoir => random_subset(candidates.len(), size, rng),
        Sample::Diverse => diverse(candidates, points, size, rng),
    };
    chosen.sort_unstable();
    chosen
}

/// Selects `size` of `count` indices uniformly at random.
pub fn random_subset(count: usize, size: usize, rng: &mut Rng) -> Vec<usize> {
    let mut all: Vec<usize> = (0..count).collect();
    rng.shuffle(&mut all);
    all.truncate(size);
    all
}

/// Takes one preset from every folder, with the folders in random order, then repeatedly the preset farthest from all
/// those selected so far. A preset that shares its code or look with a selected one is taken only if no other is left,
/// in its folder during the first round and in the whole library afterwards.
fn diverse(candidates: &[Candidate], points: &[Point], size: usize, rng: &mut Rng) -> Vec<usize> {
    let mut folders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        folders.entry(candidate.folder.as_str()).or_default().push(at);
    }
    let mut order: Vec<&Vec<usize>> = folders.values().collect();
    rng.shuffle(&mut order);
    let mut draw = Draw::new(candidates, points);
    for folder in order.into_iter().take(size) {
        // Only presets in the folder are compared; comparing all presets for every folder would take hours in a large
        // library.
        let new = folder.iter().copied().filter(|&at| draw.is_new(at));
        let next = draw.farthest(new).or_else(|| draw.farthest(folder.iter().copied()));
        if let Some(next) = next {
            draw.take(next);
        }
    }
    while draw.chosen.len() < size {
        let all = 0..candidates.len();
        let new = all.clone().filter(|&at| draw.is_new(at));
        let next = draw.farthest(new).or_else(|| draw.farthest(all));
        let Some(next) = next else { break };
        draw.take(next);
    }
    draw.chosen
}

/// A selection in progress.
struct Draw<'a> {
    candidates: &'a [Candidate],
    farthest: Farthest<'a>,
    chosen: Vec<usize>,
    taken: Vec<bool>,
    families: BTreeSet<u64>,
    look_groups: BTreeSet<usize>,
}

impl<'a> Draw<'a> {
    fn new(candidates: &'a [Candidate], points: &'a [Point]) -> Self {
        Self {
            candidates,
            farthest: Farthest::new(points),
            chosen: Vec::new(),
            taken: vec![false; candidates.len()],
            families: BTreeSet::new(),
            look_groups: BTreeSet::new(),
        }
    }

    /// Returns the farthest of these candidates that has not been taken.
    fn farthest(&self, candidates: impl Iterator<Item = usize>) -> Option<usize> {
        self.farthest.farthest(candidates.filter(|&at| !self.taken[at]))
    }

    /// Returns whether no selected preset has the code or look of this candidate.
    fn is_new(&self, at: usize) -> bool {
        let Candidate { family, look_group, .. } = &self.candidates[at];
        !self.families.contains(family) && !self.look_groups.contains(look_group)
    }

    fn take(&mut self, at: usize) {
        self.taken[at] = true;
        self.chosen.push(at);
        self.families.insert(self.candidates[at].family);
        self.look_groups.insert(self.candidates[at].look_group);
        self.farthest.choose(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::probe::Look;
    use crate::pack::spread;

    fn library() -> (Vec<Candidate>, Vec<Point>) {
        let mut rng = Rng::new(5);
        let mut looks = Vec::new();
        let mut candidates = Vec::new();
        for number in 0..300 {
            // Most presets are near-copies in one folder.
            let copy = number % 3 != 0;
            let luma = if copy { 0.5 } else { rng.unit() };
            looks.push(Look { luma, colour: luma, motion: luma, ..Look::default() });
            candidates.push(Candidate {
                folder: if copy { "crowd".into() } else { format!("folder {}", number % 30) },
                family: if copy { 1 } else { 10 + number },
                look_group: number as usize,
            });
        }
        let points = spread::points(&looks.iter().collect::<Vec<_>>());
        (candidates, points)
    }

    #[test]
    fn a_diverse_pack_covers_all_folders_and_repeats_no_family_while_others_are_left() {
        let (candidates, points) = library();
        let folders = |chosen: &[usize]| {
            chosen.iter().map(|&at| candidates[at].folder.as_str()).collect::<BTreeSet<_>>().len()
        };
        let diverse = choose(&candidates, &points, 40, Sample::Diverse, &mut Rng::new(1));
        assert_eq!((diverse.len(), folders(&diverse)), (40, 11));
        let crowd = diverse.iter().filter(|&&at| candidates[at].family == 1).count();
        assert_eq!(crowd, 1);
    }

    #[test]
    fn equal_seeds_select_equal_packs_and_a_small_library_is_taken_whole() {
        let (candidates, points) = library();
        for sample in [Sample::Diverse, Sample::Reservoir, Sample::First] {
            let draw = |size| choose(&candidates, &points, size, sample, &mut Rng::new(9));
            assert_eq!(draw(25), draw(25));
            assert_eq!(draw(1000).len(), 300, "{sample:?}");
        }
    }
}
