//! A library that a show can switch to without a pause: the slow part of the switch is prepared on another thread.

use std::sync::Arc;

use super::learnt_taste::{KnownStyles, LearntTaste};
use super::memory::MarkedPresets;
use super::setlog::Event;
use crate::mind::director::{Pool, PresetStatus};
use crate::mind::taste::{StyleSimilarities, Taste, TasteState};

/// A library that a show can switch to.
#[derive(Debug)]
pub struct NextLibrary {
    pub(super) pool: Arc<Pool>,
    /// The log entry of the switch.
    pub(super) event: Event,
    /// What depends on the show, if it was prepared.
    pub(super) prepared: Option<Box<Prepared>>,
}

/// The part of a switch that depends on what the show knows.
#[derive(Debug)]
pub(super) struct Prepared {
    known: KnownStyles,
    similarities: StyleSimilarities,
    /// The status of the library's presets.
    pub status: PresetStatus,
    /// How often marks had changed since the start of the show when the status was computed.
    pub changes: usize,
}

impl Prepared {
    /// Prepares the switch of a show that knows these styles and marks to the library `pool`.
    pub fn new(pool: &Pool, known: KnownStyles, marks: &MarkedPresets) -> Self {
        Self {
            similarities: StyleSimilarities::of(&pool.styles(), &known.pool.styles(), &known.before),
            known,
            status: marks.status(pool),
            changes: marks.changes,
        }
    }

    /// Returns whether it was prepared for these styles.
    pub fn suits(&self, known: &KnownStyles) -> bool {
        self.known.same(known)
    }

    /// Returns the taste for the styles of `pool`, for which this was prepared. `state` is the state of `learnt`, whose
    /// styles this suits.
    pub fn taste(&self, pool: &Pool, learnt: &LearntTaste, state: &TasteState) -> Taste {
        let rows = learnt.taste.rows(&self.known.before, &self.known.pool.styles());
        Taste::from_prepared(state, &pool.styles(), &self.similarities, &rows)
    }
}

impl NextLibrary {
    /// Prepares the switch of a show to the library `pool`. Takes up to a few tenths of a second.
    pub fn prepare(pool: Arc<Pool>, known: KnownStyles, marks: &MarkedPresets) -> Self {
        let prepared = Box::new(Prepared::new(&pool, known, marks));
        Self { prepared: Some(prepared), ..pool.into() }
    }

    /// Returns the pool that the director will choose from.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}

impl From<Arc<Pool>> for NextLibrary {
    /// Creates a library without preparing what depends on the show. That is not needed if only the theme changes.
    fn from(pool: Arc<Pool>) -> Self {
        let event = Event::Library {
            library: pool.catalogue.identity().to_owned(),
            presets: pool.catalogue.entries.len(),
            affinities: pool.affinities().to_vec(),
            rejected: pool.rejected.keys().copied().collect(),
            theme: pool.theme().cloned(),
        };
        Self { pool, event, prepared: None }
    }
}
