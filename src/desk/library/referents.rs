//! The presets that "this" and numbers in a description stand for.

use crate::facts::PresetId;
use crate::find::{Reference, SearchQuery, SearchResults};

/// Number of results that are numbered.
pub(super) const NUMBERED: usize = 999;
/// Time for which results must be shown before numbers refer to them, in seconds. While a description is being typed,
/// numbers therefore refer to the results that were shown before.
const SETTLING: f64 = 1.0;

/// Keeps track of the results that the performer has seen.
#[derive(Default)]
pub(super) struct Referents {
    /// The results that numbers refer to.
    numbered: Vec<PresetId>,
    /// The query whose results are shown, and since when.
    shown: Option<(SearchQuery, f64)>,
    /// Whether numbers refer to the results that are shown.
    settled: bool,
    /// The last reference and its preset, which stays the same until another reference is typed.
    last: Option<(Reference, Option<PresetId>)>,
}

impl Referents {
    /// Returns the preset that `reference` stands for, when `results` are shown at `now`, in seconds; `current` is what
    /// "this" means.
    pub fn preset(
        &mut self,
        reference: Option<Reference>,
        results: &SearchResults,
        current: Option<PresetId>,
        now: f64,
    ) -> Option<PresetId> {
        match &self.shown {
            Some((query, since)) if *query == results.query => {
                if !self.settled && now - since >= SETTLING && !results.indices.is_empty() {
                    let ids = results.indices.iter().map(|&index| results.library.entries[index as usize].id);
                    self.numbered = ids.take(NUMBERED).collect();
                    self.settled = true;
                }
            }
            _ => {
                self.shown = Some((results.query.clone(), now));
                self.settled = false;
            }
        }
        let is_open = matches!(self.last, Some((Reference::This, None)));
        if is_open || self.last.map(|(last, _)| last) != reference {
            self.last = reference.map(|reference| (reference, self.resolve(reference, current)));
        }
        self.last.and_then(|(_, preset)| preset)
    }

    fn resolve(&self, reference: Reference, current: Option<PresetId>) -> Option<PresetId> {
        match reference {
            Reference::This => current,
            Reference::Number(number) => self.numbered.get(number.checked_sub(1)?).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Catalogue;

    fn results(text: &str, indices: Vec<u32>) -> SearchResults {
        SearchResults {
            query: SearchQuery { text: text.into(), ..Default::default() },
            library: Catalogue::built_in().into(),
            indices: indices.into(),
            ..SearchResults::default()
        }
    }

    #[test]
    fn a_number_refers_to_the_results_before_the_description_was_typed() {
        let (before, typing) = (results("tunnel", vec![4, 5, 6]), results("more", vec![7, 8, 9]));
        let id = |index: usize| Some(before.library.entries[index].id);
        let mut referents = Referents::default();
        let third = Some(Reference::Number(3));
        assert_eq!(referents.preset(third, &before, None, 10.0), None, "nothing has been shown");
        referents.preset(None, &before, None, 10.0);
        referents.preset(None, &before, None, 11.5);
        referents.preset(None, &typing, None, 11.6);
        assert_eq!(referents.preset(third, &typing, None, 12.0), id(6));
        let answer = results("more like 3", vec![1, 2, 3]);
        referents.preset(third, &answer, None, 12.1);
        assert_eq!(referents.preset(third, &answer, None, 20.0), id(6), "the preset does not change");
        assert_eq!(referents.preset(Some(Reference::Number(1)), &answer, None, 20.1), id(1));
        assert_eq!(referents.preset(Some(Reference::Number(0)), &answer, None, 20.2), None);
    }

    #[test]
    fn this_stays_the_preset_that_was_current_when_it_was_typed() {
        let shown = results("", vec![0, 1]);
        let id = |index: usize| Some(shown.library.entries[index].id);
        let mut referents = Referents::default();
        let mut this = |current| referents.preset(Some(Reference::This), &shown, current, 0.0);
        assert_eq!([this(None), this(id(0)), this(id(1))], [None, id(0), id(0)]);
    }
}
