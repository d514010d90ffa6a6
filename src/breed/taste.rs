//! Chooses the children worth keeping: those that pass the audit, look like no other preset, and come close
//! to the favourites.

use std::collections::{BTreeMap, BTreeSet};

use super::brood::Child;
use crate::audit::probe::Look;
use crate::audit::repeats::{Member, look_groups};
use crate::audit::verdict::{Gates, Record};
use crate::facts::PresetId;
use crate::media::flash::FlashVerdict;
use crate::pack::{Point, points};

/// Penalty per earlier pick with the same parent, as a share of the median distance.
const SAME_PARENT: f32 = 0.2;
/// Penalty for flashing too often, as a share of the median distance.
const FLASHES: f32 = 0.5;

/// An audited preset that the children are compared with.
pub(super) struct AuditedPreset {
    /// ID of the preset.
    pub id: PresetId,
    /// ID shared by presets with the same code.
    pub family: u64,
    /// Verdict on the preset.
    pub record: Record,
}

impl AuditedPreset {
    fn member(&self) -> Member {
        let evidence = &self.record.evidence;
        Member::new(self.id, self.family, evidence.perceptual_hash, self.look())
    }

    /// Returns whether the preset flashes too often, or shows a harmful regular pattern, without the limiter.
    pub fn flashes(&self) -> bool {
        self.record.flash_verdict() == Some(FlashVerdict::Fail)
    }

    fn look(&self) -> Option<&Look> {
        self.record.measured_look()
    }
}

/// What the children are compared with.
pub(super) struct Comparison<'a> {
    /// The presets of the library that have a verdict.
    pub library: &'a [AuditedPreset],
    /// The parents that have a verdict.
    pub favourites: &'a [AuditedPreset],
    /// Indices of the parents that flash too often; their children may flash as well.
    pub flashing: &'a BTreeSet<usize>,
    /// The audit's gates for the library.
    pub gates: &'a Gates,
}

/// A child worth keeping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kept {
    /// Index of the child.
    pub index: usize,
    /// Distance to the nearest favourite.
    pub distance: f32,
    /// Whether the child flashes too often without the limiter.
    pub flashes: bool,
}

/// Result of the selection: which children are kept, and how many are not, by reason.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Number of rejected children, by reason.
    pub rejected: BTreeMap<String, usize>,
    /// Number of children that look like another preset or child.
    pub repeats: usize,
    /// Number of children farther from the favourites than the nearest quarter of the library.
    pub far: usize,
    /// Children worth keeping, the nearest to a favourite first.
    pub kept: Vec<Kept>,
    /// Median distance from the library's other presets to the nearest favourite; infinite if there are no
    /// other presets.
    pub median: f32,
}

/// Returns the reason to reject a child; `None` if it passes.
fn rejected(record: &Record, gates: &Gates, may_flash: bool) -> Option<String> {
    let passed = record.good(gates)
        && (may_flash || record.flash_verdict() != Some(FlashVerdict::Fail))
        && record.evidence.broken.is_empty()
        && record.evidence.look.is_some();
    let why = || record.reasons(gates).into_iter().next().unwrap_or_else(|| "not drawn".into());
    (!passed).then(|| why().split(':').next().unwrap_or_default().to_owned())
}

/// Selects the children worth keeping, and counts the others by reason.
pub(super) fn select(
    children: &[Child],
    verdicts: &BTreeMap<PresetId, Record>,
    comparison: &Comparison,
) -> Selection {
    let Comparison { library, favourites, flashing, gates } = *comparison;
    let mut selection = Selection::default();
    let mut passed = Vec::new();
    for (index, child) in children.iter().enumerate() {
        let Some(record) = verdicts.get(&child.id) else {
            *selection.rejected.entry("not audited".into()).or_default() += 1;
            continue;
        };
        let may_flash = child.parents.iter().any(|parent| flashing.contains(parent));
        match rejected(record, gates, may_flash) {
            Some(why) => *selection.rejected.entry(why).or_default() += 1,
            None => {
                passed.push((
                    index,
                    AuditedPreset { id: child.id, family: child.family, record: record.clone() },
                ));
            }
        }
    }
    let all = favourites.iter().chain(library).chain(passed.iter().map(|(_, known)| known));
    let groups = look_groups(&all.map(AuditedPreset::member).collect::<Vec<_>>());
    let first_child = favourites.len() + library.len();
    let is_new = |place: usize| groups[first_child + place] == first_child + place;
    let distances =
        Distances::new(library, favourites, &passed.iter().map(|(_, known)| known).collect::<Vec<_>>());
    selection.median = distances.median;
    for (place, (index, known)) in passed.iter().enumerate() {
        // A child without a look was rejected.
        let distance = distances.children[place].unwrap_or(f32::INFINITY);
        if !is_new(place) {
            selection.repeats += 1;
        } else if distance > distances.quartile {
            selection.far += 1;
        } else {
            selection.kept.push(Kept { index: *index, distance, flashes: known.flashes() });
        }
    }
    selection.kept.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.index.cmp(&b.index)));
    selection
}

/// Distances to the nearest favourite.
struct Distances {
    /// Distance of each child; `None` for a child without a look.
    children: Vec<Option<f32>>,
    /// Lower quartile over the library's presets that are not favourites; infinite if there are none.
    quartile: f32,
    /// Median over the same presets.
    median: f32,
}

impl Distances {
    fn new(library: &[AuditedPreset], favourites: &[AuditedPreset], children: &[&AuditedPreset]) -> Self {
        let own: BTreeSet<PresetId> = favourites.iter().map(|known| known.id).collect();
        let favourites: Vec<&Look> = favourites.iter().filter_map(AuditedPreset::look).collect();
        let others = library.iter().filter(|known| !own.contains(&known.id));
        let others: Vec<&Look> = others.filter_map(AuditedPreset::look).collect();
        let looks: Vec<&Look> = children.iter().filter_map(|known| known.look()).collect();
        let points = points(&[&favourites[..], &others, &looks].concat());
        let (favourites, rest) = points.split_at(favourites.len());
        let (others, rest) = rest.split_at(others.len());
        let nearest = |point: &Point| {
            let distances = favourites.iter().map(|favourite| point.distance(favourite));
            distances.min_by(f32::total_cmp).unwrap_or(0.0)
        };
        let mut distances: Vec<f32> = others.iter().map(nearest).collect();
        distances.sort_by(f32::total_cmp);
        let mut rest = rest.iter().map(nearest);
        let quantile =
            |parts: usize| distances.get(distances.len() / parts).copied().unwrap_or(f32::INFINITY);
        Self {
            children: children.iter().map(|known| known.look().and_then(|_| rest.next())).collect(),
            quartile: quantile(4),
            median: quantile(2),
        }
    }
}

/// Returns the indices of up to `count` children, best first: ranked by distance to the favourites, with penalties
/// for flashes and for parents of children that rank higher.
pub(super) fn best(kept: &[Kept], children: &[Child], median: f32, count: usize) -> Vec<usize> {
    let (mut left, mut best) = (kept.to_vec(), Vec::new());
    let mut shown: BTreeMap<usize, f32> = BTreeMap::new();
    let median = if median.is_finite() { median } else { 0.0 };
    while best.len() < count && !left.is_empty() {
        let score = |&Kept { index, distance, flashes }: &Kept| {
            let times: f32 =
                children[index].parents.iter().map(|parent| shown.get(parent).copied().unwrap_or(0.0)).sum();
            let flashes = if flashes { FLASHES } else { 0.0 };
            distance + median * (SAME_PARENT * times + flashes)
        };
        let Some(next) = (0..left.len()).min_by(|a, b| score(&left[*a]).total_cmp(&score(&left[*b]))) else {
            break;
        };
        let Kept { index, .. } = left.remove(next);
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

    /// Returns the record of a moving picture with the luma `luma`; `picture`, modulo 4, determines the
    /// perceptual hash.
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

    fn known(number: u8, luma: f64) -> AuditedPreset {
        AuditedPreset {
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
    fn only_working_new_children_near_the_favourites_are_kept() {
        let children: Vec<Child> = (10..16).map(|number| child(number, [0, 0])).collect();
        let library = [known(0, 0.9), known(1, 0.8), known(2, 0.3)];
        let favourites = [known(2, 0.3)];
        let mut broken = record(0.3, 3);
        broken.evidence.broken.push("warp shader".into());
        let verdicts = [
            record(0.32, 3),                                       // Kept.
            record(0.31, 2),                                       // Looks like the favourite.
            record(0.35, 3),                                       // Looks like the first child.
            Record::without_evidence(Safety::Hang, "20 s".into()), // Rejected.
            broken,
        ];
        let verdicts = children.iter().map(|child| child.id).zip(verdicts).collect();
        let none = BTreeSet::new();
        let gates = Gates::default();
        let comparison =
            Comparison { library: &library, favourites: &favourites, flashing: &none, gates: &gates };
        let selection = select(&children, &verdicts, &comparison);
        assert_eq!(selection.kept.iter().map(|kept| kept.index).collect::<Vec<_>>(), [0]);
        let rejected: Vec<(&str, usize)> =
            selection.rejected.iter().map(|(why, count)| (why.as_str(), *count)).collect();
        assert_eq!((selection.repeats, selection.far), (2, 0));
        assert_eq!(rejected, [("broken", 1), ("hang", 1), ("not audited", 1)]);
    }

    #[test]
    fn children_unlike_any_favourite_are_far() {
        let children = [child(10, [0, 0])];
        let library = [known(0, 0.4), known(1, 0.5), known(2, 0.3)];
        let verdicts = BTreeMap::from([(children[0].id, record(0.9, 3))]);
        let none = BTreeSet::new();
        let gates = Gates::default();
        let comparison =
            Comparison { library: &library, favourites: &library[2..], flashing: &none, gates: &gates };
        let selection = select(&children, &verdicts, &comparison);
        assert_eq!((selection.kept.len(), selection.far), (0, 1));
    }

    #[test]
    fn a_child_may_flash_if_a_parent_does() {
        let children = [child(10, [0, 1])];
        let library = [known(0, 0.4), known(1, 0.5), known(2, 0.3)];
        let mut flashing = record(0.3, 3);
        flashing.evidence.flash.general = 9;
        let verdicts = BTreeMap::from([(children[0].id, flashing)]);
        let gates = Gates::default();
        let kept = |parents: &[usize]| {
            let flashing = parents.iter().copied().collect();
            let comparison = Comparison {
                library: &library,
                favourites: &library[2..],
                flashing: &flashing,
                gates: &gates,
            };
            select(&children, &verdicts, &comparison).kept
        };
        assert!(kept(&[2]).is_empty());
        assert!(kept(&[1])[0].flashes);
    }

    #[test]
    fn the_best_have_different_parents_and_do_not_flash() {
        let children: Vec<Child> =
            [[0, 1], [0, 1], [2, 3]].into_iter().map(|parents| child(10, parents)).collect();
        let kept = [1.0, 1.1, 1.2].map(|distance| Kept { index: 0, distance, flashes: false });
        let mut kept: Vec<Kept> = (0..).zip(kept).map(|(index, kept)| Kept { index, ..kept }).collect();
        assert_eq!(best(&kept, &children, 2.0, 2), [0, 2]);
        assert_eq!(best(&kept, &children, f32::INFINITY, 5), [0, 1, 2]);
        kept[0].flashes = true;
        assert_eq!(best(&kept, &children, 2.0, 2), [1, 2]);
    }
}
