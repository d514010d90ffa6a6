//! The result of breeding.

use std::collections::BTreeMap;

use serde::Serialize;

use super::brood::Child;
use super::parents::{PARENTS, Parent};
use super::part::Part;
use crate::facts::PresetId;

/// A child that is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bred {
    /// ID of the preset.
    pub id: PresetId,
    /// Path of the child's file, relative to the folder of the brood.
    pub path: String,
    /// The parents, each with the parts that came from it.
    pub parents: Vec<Origin>,
    /// Distance between the look of the child and that of the nearest favourite.
    pub distance: f32,
    /// Whether the child flashes too often without the limiter, as one of its parents does.
    pub flashes: bool,
}

/// What a child takes from one parent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Origin {
    /// Name of the parent.
    pub name: String,
    /// Path of the parent's copy, relative to the folder of the brood.
    pub path: String,
    /// Names of the parts that came from the parent.
    pub parts: Vec<&'static str>,
}

/// A finished brood.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Brood {
    /// Number of parents.
    pub parents: usize,
    /// Number of children.
    pub children: usize,
    /// Number of rejected children, by reason.
    pub rejected: BTreeMap<String, usize>,
    /// Number of children that look like another preset or child.
    pub repeats: usize,
    /// Number of children farther from the favourites than the nearest quarter of the library.
    pub far: usize,
    /// Median distance from the library's other presets to the nearest favourite; `None` if there are no
    /// other presets.
    pub median: Option<f32>,
    /// The children that are kept: the best first, then the others by distance.
    pub kept: Vec<Bred>,
    /// Number of best children, which come first in `kept`.
    pub best: usize,
    /// Paths of the children that have become favourites, relative to the folder of the brood.
    pub favourites: Vec<String>,
    /// Messages for the user.
    pub notes: Vec<String>,
}

/// Returns what a child takes from each parent; a parent that contributes nothing is omitted.
pub(super) fn origins(child: &Child, parents: &[Parent]) -> Vec<Origin> {
    let [first, second] = child.parents;
    let origin = |place: usize| {
        let palette = (child.origins.palette == place).then_some("palette");
        let parent = &parents[child.parents[place]];
        Origin {
            name: parent.genome.name.clone(),
            path: format!("{PARENTS}/{}", parent.path.file_name().unwrap_or_default().to_string_lossy()),
            parts: child.origins.of(place).map(Part::label).chain(palette).collect(),
        }
    };
    if first == second {
        return vec![Origin { parts: Part::ALL.into_iter().map(Part::label).collect(), ..origin(0) }];
    }
    [origin(0), origin(1)].into_iter().filter(|origin| !origin.parts.is_empty()).collect()
}
