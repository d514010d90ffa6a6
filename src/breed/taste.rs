//! Chooses the children worth keeping: those that are alive, look like nothing else, and come close to the taste.

use std::collections::{BTreeMap, BTreeSet};

use super::brood::Child;
use crate::audit::probe::Look;
use crate::audit::repeats::{Member, look_groups};
use crate::audit::verdict::{Gates, Record};
use crate::facts::PresetId;
use crate::media::flash::FlashVerdict;
use crate::pack::{Point, points};

/// How much another child of the same parent among the best counts, in usual distances to the taste.
const SAME_PARENT: f32 = 0.2;

/// An audited preset to compare with.
pub(super) struct Known {
    /// Its id.
    pub id: PresetId,
    /// Id shared by presets with the same code.
    pub family: u64,
    /// Its verdict.
    pub record: Record,
}

impl Known {
    fn member(&self) -> Member {
        let evidence = &self.record.evidence;
        Member::new(self.id, self.family, evidence.perceptual_hash, self.look())
    }

    fn look(&self) -> Option<&Look> {
        self.record.evidence.look.as_ref()
    }
}

/// The children, sorted.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Number of children that are not alive, by reason.
    pub dead: BTreeMap<String, usize>,
    /// Number of children that look like another preset or child.
    pub repeats: usize,
    /// Number of children that are less like the favourites than usual presets.
    pub far: usize,
    /// Children worth keeping, with their distance to the nearest favourite, nearest first.
    pub kept: Vec<(usize, f32)>,
    /// Median distance of the library's presets to the nearest favourite.
    pub usual: f32,
}

/// Returns why a child is not alive, if it is not.
fn dead(record: &Record, gates: &Gates) -> Option<String> {
    let alive = record.good(gates)
        && record.flash_verdict() != FlashVerdict::Fail
        && record.evidence.broken.is_empty();
    let why = || record.reasons(gates).into_iter().next().unwrap_or_else(|| "not drawn".into());
    (!alive).then(|| why().split(':').next().unwrap_or_default().to_owned())
}

/// Sorts the children. `library` and `favourites` are the presets with a verdict, `verdicts` the verdicts on the children.
pub(super) fn sort(
    children: &[Child],
    verdicts: &BTreeMap<PresetId, Record>,
    library: &[Known],
    favourites: &[Known],
    gates: &Gates,
) -> Sorted {
    let mut sorted = Sorted::default();
    let mut alive = Vec::new();
    for (index, child) in children.iter().enumerate() {
        let Some(record) = verdicts.get(&child.id) else {
            *sorted.dead.entry("not audited".into()).or_default() += 1;
            continue;
        };
        match dead(record, gates) {
            Some(why) => *sorted.dead.entry(why).or_default() += 1,
            None => {
                alive.push((index, Known { id: child.id, family: child.family, record: record.clone() }));
            }
        }
    }
    let all = favourites.iter().chain(library).chain(alive.iter().map(|(_, known)| known));
    let groups = look_groups(&all.map(Known::member).collect::<Vec<_>>());
    let first_child = favourites.len() + library.len();
    let is_new = |place: usize| groups[first_child + place] == first_child + place;
    let distances =
        Distances::new(library, favourites, &alive.iter().map(|(_, known)| known).collect::<Vec<_>>());
    sorted.usual = distances.usual;
    for (place, (index, _)) in alive.iter().enumerate() {
        let distance = distances.children[place];
        if !is_new(place) {
            sorted.repeats += 1;
        } else if distance > distances.usual {
            sorted.far += 1;
        } else {
            sorted.kept.push((*index, distance));
        }
    }
    sorted.kept.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    sorted
}

/// Distances to the nearest favourite.
struct Distances {
    children: Vec<f32>,
    /// Median of the presets of the library that are no favourites.
    usual: f32,
}

impl Distances {
    fn new(library: &[Known], favourites: &[Known], children: &[&Known]) -> Self {
        let own: BTreeSet<PresetId> = favourites.iter().map(|known| known.id).collect();
        let favourites: Vec<&Look> = favourites.iter().filter_map(Known::look).collect();
        let others = library.iter().filter(|known| !own.contains(&known.id));
        let others: Vec<&Look> = others.filter_map(Known::look).collect();
        let children: Vec<&Look> = children.iter().filter_map(|known| known.look()).collect();
        let points = points(&[&favourites[..], &others, &children].concat());
        let (favourites, rest) = points.split_at(favourites.len());
        let (others, children) = rest.split_at(others.len());
        let nearest = |point: &Point| {
            let distances = favourites.iter().map(|favourite| point.distance(favourite));
            distances.min_by(f32::total_cmp).unwrap_or(0.0)
        };
        let mut usual: Vec<f32> = others.iter().map(nearest).collect();
        usual.sort_by(f32::total_cmp);
        Self {
            children: children.iter().map(nearest).collect(),
            usual: usual.get(usual.len() / 2).copied().unwrap_or(f32::INFINITY),
        }
    }
}

/// Returns the best children in order: near to the taste, but of different parents.
pub(super) fn best(kept: &[(usize, f32)], children: &[Child], usual: f32, count: usize) -> Vec<usize> {
    let (mut left, mut best) = (kept.to_vec(), Vec::new());
    let mut shown: BTreeMap<usize, f32> = BTreeMap::new();
    let again = if usual.is_finite() { SAME_PARENT * usual } else { 0.0 };
    while best.len() < count && !left.is_empty() {
        let score = |&(index, distance): &(usize, f32)| {
            let times: f32 =
                children[index].parents.iter().map(|parent| shown.get(parent).copied().unwrap_or(0.0)).sum();
            distance + again * times
        };
        let Some(next) = (0..left.len()).min_by(|a, b| score(&left[*a]).total_cmp(&score(&left[*b]))) else {
            break;
        };
        let (index, _) = left.remove(next);
        children[index].parents.iter().for_each(|parent| *shown.entry(*parent).or_default() += 1.0);
        best.push(index);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::combine::Origins;
    use super::super::part::Part;
    use super::*;
    use crate::audit::probe::PerceptualHash;
    use crate::audit::verdict::Safety;

    /// A lively record with this luma, and a picture unlike that of any other number.
    fn record(luma: f64, picture: u64) -> Record {
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        record.evidence.perceptual_hash = Some(PerceptualHash([0xffff_u64 << (16 * (picture % 4)); 3]));
        record.evidence.look = Some(Look {
            luma,
            luma_range: [luma; 2],
            highlight: 1.0,
            contrast: 0.3,
            motion: 0.1,
            motion_peak: 0.2,
            ..Look::default()
        });
        record
    }

    fn known(number: u8, luma: f64) -> Known {
        Known {
            id: PresetId([number; 16]),
            family: u64::from(number),
            record: record(luma, u64::from(number)),
        }
    }

    fn child(number: u8, parents: [usize; 2]) -> Child {
        let origins = Origins { parts: [0; Part::COUNT], palette: 0 };
        Child::for_test(PresetId([number; 16]), parents, origins)
    }

    #[test]
    fn only_live_new_children_near_the_taste_are_kept() {
        let children: Vec<Child> = (10..16).map(|number| child(number, [0, 0])).collect();
        let library = [known(0, 0.9), known(1, 0.8), known(2, 0.3)];
        let favourites = [known(2, 0.3)];
        let mut broken = record(0.3, 3);
        broken.evidence.broken.push("warp shader".into());
        let verdicts = [
            record(0.32, 3),                                       // Kept.
            record(0.31, 2),                                       // Looks like the favourite.
            record(0.35, 3),                                       // Looks like the first child.
            Record::without_evidence(Safety::Hang, "20 s".into()), // Dead.
            broken,
        ];
        let verdicts = children.iter().map(|child| child.id).zip(verdicts).collect();
        let sorted = sort(&children, &verdicts, &library, &favourites, &Gates::default());
        assert_eq!(sorted.kept.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0]);
        let dead: Vec<(&str, usize)> =
            sorted.dead.iter().map(|(why, count)| (why.as_str(), *count)).collect();
        assert_eq!((sorted.repeats, sorted.far), (2, 0));
        assert_eq!(dead, [("broken", 1), ("hang", 1), ("not audited", 1)]);
    }

    #[test]
    fn children_unlike_any_favourite_are_far() {
        let children = [child(10, [0, 0])];
        let library = [known(0, 0.4), known(1, 0.5), known(2, 0.3)];
        let verdicts = BTreeMap::from([(children[0].id, record(0.9, 3))]);
        let sorted = sort(&children, &verdicts, &library, &library[2..], &Gates::default());
        assert_eq!((sorted.kept.len(), sorted.far), (0, 1));
    }

    #[test]
    fn the_best_have_different_parents() {
        let children: Vec<Child> =
            [[0, 1], [0, 1], [2, 3]].into_iter().map(|parents| child(10, parents)).collect();
        let kept = [(0, 1.0), (1, 1.1), (2, 1.2)];
        assert_eq!(best(&kept, &children, 2.0, 2), [0, 2]);
        assert_eq!(best(&kept, &children, f32::INFINITY, 5), [0, 1, 2]);
    }
}
