//! What a show has learnt, with the styles that it was learnt about.

use std::sync::Arc;

use crate::mind::director::Pool;
use crate::mind::taste::{Taste, TasteState};

/// The styles that the taste of a show may already cover.
#[derive(Clone, Debug)]
pub struct KnownStyles {
    /// The show's library.
    pub(super) pool: Arc<Pool>,
    /// The taste before that library was loaded.
    pub(super) before: Arc<TasteState>,
}

impl KnownStyles {
    /// Returns whether both are the styles of the same library, loaded with the same taste.
    pub(super) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pool.catalogue, &other.pool.catalogue) && Arc::ptr_eq(&self.before, &other.before)
    }
}

/// The taste for the styles of one library, and the saved taste for the styles of other libraries.
#[derive(Clone, Debug)]
pub(super) struct LearntTaste {
    pub taste: Taste,
    pub known: KnownStyles,
}

impl LearntTaste {
    /// Returns the serialisable state. Copies the centroids of all styles.
    pub fn state(&self) -> TasteState {
        let styles = self.known.pool.styles();
        self.taste.state(&styles).keep_other_libraries(&self.known.before, &styles)
    }
}
