//! Scores presets against a description.

use super::axis::{AXES, Axis};
use super::bits::Bits;
use super::lexicon::{Concept, Feature};
use super::measured::Measured;
use super::query::{Description, Term, What};
use super::word_index::WordIndex;
use crate::facts::Energy;
use crate::library::{Catalogue, Entry};

/// Minimum fit of a term. If it were 0, the other terms would not affect the rank of a preset that fails one.
const MIN_FIT: f32 = 0.03;
/// Fit of a preset that lacks a requested tag; not 0, because tags are derived from code and may miss visible
/// elements.
const WITHOUT_TAG: f32 = 0.15;
/// Fit of a preset whose name lacks a requested word that is not in the lexicon.
const WITHOUT_NAME: f32 = 0.1;
/// Fit of a preset by the distance between its energy and the requested one: equal, adjacent, opposite.
const ENERGY_FITS: [f32; 3] = [1.0, 0.4, 0.1];
/// Root mean square difference in rank at which the similarity of two looks falls to 1/e.
const SIMILARITY_SCALE: f32 = 0.2;
/// Difference in rank at which the fit of a comparison is 0.5.
const NOTICEABLE: f32 = 0.12;
/// Maximum similarity of two presets that have no measured property in common; they are compared by tags,
/// code and style only.
const MAX_UNMEASURED: f32 = 0.3;
/// Share of the presets with embeddings over which closeness falls to 1/e.
const CLOSE_SHARE: f32 = 0.1;
/// Closeness assumed for a preset without an embedding.
const UNSEEN: f32 = 0.2;
/// Properties by which two looks are compared.
const LOOKS: [Axis; 13] = [
    Axis::Brightness,
    Axis::Contrast,
    Axis::Motion,
    Axis::Colour,
    Axis::Detail,
    Axis::Symmetry,
    Axis::Centre,
    Axis::Red,
    Axis::Yellow,
    Axis::Green,
    Axis::Cyan,
    Axis::Blue,
    Axis::Magenta,
];

/// How well the presets of a library fit a description.
#[derive(Clone, Debug, Default)]
pub(super) struct Rating {
    /// Indices of the presets, ascending, with their fit, 0 to 1.
    pub fits: Vec<(u32, f32)>,
    /// Why part of the description could not be applied.
    pub problem: Option<String>,
}

/// What the presets should resemble.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// Index of the preset to resemble.
    pub preset: Option<usize>,
    /// Rank in each property, 0 to 1; `None` if unknown.
    pub ranks: [Option<f32>; AXES],
    /// How close the embedding of each preset is, 0 to 1; `None` if unknown. Empty without embeddings.
    pub closeness: Vec<Option<f32>>,
}

/// Converts similarities to closeness, 0 to 1, by rank, because the range of similarities depends on the embeddings.
pub(super) fn closeness(similarity: &[Option<f32>]) -> Vec<Option<f32>> {
    let mut order: Vec<(f32, usize)> =
        similarity.iter().enumerate().filter_map(|(index, value)| Some(((*value)?, index))).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let scale = CLOSE_SHARE * order.len().max(1) as f32;
    let mut closeness = vec![None; similarity.len()];
    for (place, (_, index)) in order.into_iter().enumerate() {
        closeness[index] = Some((-(place as f32) / scale).exp());
    }
    closeness
}

/// Rates all presets of a library by fit to `description` and similarity to `model`, which is itself omitted. `seen` is
/// how close each preset is to the description according to a vision model, and weighs as much as all visible terms
/// together. Without it, words that are not in the lexicon and match no path, tag, energy or label are ignored; if
/// nothing else is left, no preset is rated.
pub(super) fn rate(
    description: &Description,
    model: Option<&Model>,
    seen: Option<&[Option<f32>]>,
    library: &Catalogue,
    measured: &Measured,
    words: &WordIndex,
) -> Rating {
    let mut problems = Vec::new();
    let mut logs = vec![0.0_f32; library.entries.len()];
    let mut weights = 0.0;
    let mut unknown = Vec::new();
    for term in &description.terms {
        let named = named(term, words);
        if let What::Name(word) = &term.what
            && named.is_empty()
        {
            unknown.push((word.as_str(), term.negated));
            continue;
        }
        weights += term.weight;
        for (index, (log, entry)) in logs.iter_mut().zip(&library.entries).enumerate() {
            let fit = fit(term, index, entry, measured, &named, model);
            let fit = if term.negated { 1.0 - fit } else { fit };
            *log += term.weight * (MIN_FIT + (1.0 - MIN_FIT) * fit).ln();
        }
    }
    if let Some(seen) = seen {
        let visible = description.terms.iter().filter(|term| term.is_visible());
        let weight: f32 = visible.map(|term| term.weight).sum();
        weights += weight;
        for (log, close) in logs.iter_mut().zip(seen) {
            *log += weight * (MIN_FIT + (1.0 - MIN_FIT) * close.unwrap_or(UNSEEN)).ln();
        }
        unknown.retain(|(_, negated)| *negated);
    }
    if let Some(model) = model {
        weights += LIKE_WEIGHT;
        let free = compared_axes(description);
        for (index, log) in logs.iter_mut().enumerate() {
            let alike = alike(index, model, measured, library, &free);
            *log += LIKE_WEIGHT * (MIN_FIT + (1.0 - MIN_FIT) * alike).ln();
        }
    }
    // Excluding a name that no preset has is not a problem, unless nothing else was understood.
    unknown.retain(|(_, negated)| weights == 0.0 || !negated);
    if !unknown.is_empty() && !library.entries.is_empty() {
        let unknown: Vec<&str> = unknown.into_iter().map(|(word, _)| word).collect();
        problems.push(format!(
            "not understood: {}; describe colours, light, motion or elements, or use words from names and tags",
            unknown.join(", ")
        ));
    }
    let is_seen = seen.is_some() || model.is_some_and(|model| !model.closeness.is_empty());
    if problems.is_empty() && measured.known() == 0 && !is_seen && !library.entries.is_empty() {
        problems.push("no preset has been measured yet; audit or bake the library".into());
    }
    let problem = (!problems.is_empty()).then(|| problems.join("; "));
    if weights == 0.0 {
        return Rating { fits: Vec::new(), problem };
    }
    let fit = |log: f32| (log / weights).exp();
    let mut fits: Vec<(u32, f32)> = (0..).zip(logs.into_iter().map(fit)).collect();
    if let Some(preset) = model.and_then(|model| model.preset) {
        fits.retain(|(index, _)| *index as usize != preset);
    }
    Rating { fits, problem }
}

/// Keeps the `count` presets with the highest values, highest first; ties are broken by library order.
pub(super) fn keep_best(values: &mut Vec<(u32, f32)>, count: usize) {
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if count < values.len() {
        values.select_nth_unstable_by(count, order);
        values.truncate(count);
    }
    values.sort_unstable_by(order);
}

/// Weight of the similarity to a preset; a word without modifiers has a weight of 1.
const LIKE_WEIGHT: f32 = 2.0;

/// Returns the index of the preset that `name` means. If several match, the shortest name wins: "star" means
/// "star.milk" rather than "starfield 2.milk".
pub(super) fn preset_named(name: &str, library: &Catalogue, words: &WordIndex) -> Option<usize> {
    let found = words.search(name)?;
    found.iter().map(|&index| index as usize).min_by_key(|&index| library.entries[index].name().len())
}

/// Returns the presets whose path, tags, energy or labels match the word of a term.
fn named(term: &Term, words: &WordIndex) -> Bits {
    match &term.what {
        What::Concept { word, .. } | What::Name(word) => words.bits(word),
        What::Compared { .. } => Bits::default(),
    }
}

/// Returns how well a preset fits a term, 0 to 1.
fn fit(
    term: &Term,
    index: usize,
    entry: &Entry,
    measured: &Measured,
    named: &Bits,
    model: Option<&Model>,
) -> f32 {
    match &term.what {
        What::Concept { concept, .. } => {
            let seen = concept_fit(concept, index, entry, measured);
            if named.has(index) { seen + concept.by_name * (1.0 - seen) } else { seen }
        }
        What::Name(_) => {
            if named.has(index) {
                1.0
            } else {
                WITHOUT_NAME
            }
        }
        What::Compared { axis, more } => {
            let usual = model.and_then(|model| model.ranks[*axis as usize]).unwrap_or(0.5);
            let ahead = measured.rank(index, *axis) - usual;
            let ahead = if *more { ahead } else { -ahead };
            1.0 / (1.0 + (-(ahead - NOTICEABLE) / (NOTICEABLE / 2.0)).exp())
        }
    }
}

/// Returns how well a preset fits a concept, 0 to 1: the geometric mean of the fits of its features.
fn concept_fit(concept: &Concept, index: usize, entry: &Entry, measured: &Measured) -> f32 {
    let fit = |feature: &Feature| match feature {
        Feature::Much(axis) => measured.rank(index, *axis),
        Feature::Little(axis) => 1.0 - measured.rank(index, *axis),
        Feature::Has(tag) => {
            if entry.tags.has(*tag) {
                1.0
            } else {
                WITHOUT_TAG
            }
        }
        Feature::Energy(energy) => ENERGY_FITS[distance(*energy, entry.energy)],
    };
    if let [feature] = concept.features {
        return fit(feature);
    }
    let product: f32 = concept.features.iter().map(fit).product();
    product.powf(1.0 / concept.features.len().max(1) as f32)
}

fn distance(a: Energy, b: Energy) -> usize {
    (a as usize).abs_diff(b as usize)
}

/// Returns the properties that the comparatives of a description refer to, which are ignored in the
/// similarity to a preset.
fn compared_axes(description: &Description) -> Vec<Axis> {
    let axis = |term: &Term| match term.what {
        What::Compared { axis, .. } => Some(axis),
        What::Concept { .. } | What::Name(_) => None,
    };
    description.terms.iter().filter_map(axis).collect()
}

/// Returns how much a preset looks like the model, 0 to 1; the properties in `free` are ignored.
fn alike(index: usize, model: &Model, measured: &Measured, library: &Catalogue, free: &[Axis]) -> f32 {
    let pairs = LOOKS
        .iter()
        .filter(|axis| !free.contains(axis))
        .filter_map(|axis| Some((measured.known_rank(index, *axis)?, model.ranks[*axis as usize]?)));
    let (count, sum) = pairs.fold((0_u32, 0.0), |(count, sum), (a, b)| (count + 1, sum + (a - b) * (a - b)));
    let look = (count > 0).then(|| (-(sum / count as f32) / SIMILARITY_SCALE.powi(2)).exp());
    let close = model.closeness.get(index).copied().flatten();
    let seen = match (look, close) {
        (Some(look), Some(close)) => Some((look + close) / 2.0),
        (look, close) => look.or(close),
    };
    let code = model.preset.map(|preset| code_similarity(&library.entries[index], &library.entries[preset]));
    match (seen, code) {
        (Some(seen), Some(code)) => 0.75 * seen + 0.25 * code,
        (Some(seen), None) => seen,
        (None, code) => MAX_UNMEASURED * code.unwrap_or(0.0),
    }
}

/// Returns the similarity of two presets by tags, code and style, 0 to 1.
fn code_similarity(a: &Entry, b: &Entry) -> f32 {
    let union = (a.tags.0 | b.tags.0).count_ones().max(1) as f32;
    let tags = (a.tags.0 & b.tags.0).count_ones() as f32 / union;
    if a.family == b.family || a.cluster == b.cluster { 0.6 + 0.4 * tags } else { tags }
}

/// Checks that [`AXES`] is the number of [`Axis`] variants.
const _: () = assert!(AXES == Axis::Magenta as usize + 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_kept_in_order_and_ties_in_library_order() {
        let all: Vec<(u32, f32)> = (0..1000).map(|at| (at, (at % 10) as f32)).collect();
        let best = |count: usize| {
            let mut values = all.clone();
            keep_best(&mut values, count);
            values.into_iter().map(|(at, _)| at).collect::<Vec<_>>()
        };
        assert_eq!(best(3), [9, 19, 29]);
        assert_eq!(best(101)[99..], [999, 8]);
        assert_eq!((best(0).len(), best(usize::MAX).len()), (0, 1000));
    }
}
