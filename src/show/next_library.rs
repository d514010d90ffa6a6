//! A library that a show can switch to without a pause: the slow part of the switch is prepared on another thread.

use std::sync::Arc;

use crate::mind::director::Pool;
use crate::mind::taste::{StyleSimilarities, TasteState};

/// The styles that the taste of a show may already cover.
#[derive(Clone, Debug)]
pub struct KnownStyles {
    /// The show's library.
    pub(super) pool: Arc<Pool>,
    /// The taste before that library was loaded.
    pub(super) before: Arc<TasteState>,
}

/// A library that a show can switch to.
#[derive(Clone, Debug)]
pub struct NextLibrary {
    pool: Arc<Pool>,
    /// The similarities of its styles to known ones, if they were computed in advance.
    prepared: Option<(KnownStyles, StyleSimilarities)>,
}

impl NextLibrary {
    /// Prepares a show's switch to the library `pool`. Takes up to a tenth of a second.
    pub fn prepare(pool: Arc<Pool>, known: KnownStyles) -> Self {
        let similarities = StyleSimilarities::of(&pool.styles(), &known.pool.styles(), &known.before);
        Self { pool, prepared: Some((known, similarities)) }
    }

    /// Returns the pool that the director will choose from.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Returns the similarities of the library's styles to those in `known`, if they were computed in advance.
    pub(super) fn similarities(&self, known: &KnownStyles) -> Option<&StyleSimilarities> {
        let (of, similarities) = self.prepared.as_ref()?;
        let same =
            Arc::ptr_eq(&of.pool.catalogue, &known.pool.catalogue) && Arc::ptr_eq(&of.before, &known.before);
        same.then_some(similarities)
    }
}

impl From<Arc<Pool>> for NextLibrary {
    /// Creates a library without similarities computed in advance.
    fn from(pool: Arc<Pool>) -> Self {
        Self { pool, prepared: None }
    }
}
