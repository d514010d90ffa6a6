//! What a tracker follows: the accents of the drums, or the activations of the network.

use super::comb::{Comb, Combs};
use super::drums::Accent;
use super::pointer::Pointer;

/// Evidence for tempo and phase.
pub enum Evidence {
    /// Accents, folded over every period.
    Accents(Combs),
    /// Activations of the network.
    Activations(Box<Pointer>),
}

impl Evidence {
    /// Appends the accent of a hop.
    pub fn push(&mut self, accent: Accent) {
        match self {
            Self::Accents(combs) => combs.push(accent),
            Self::Activations(pointer) => pointer.push(accent.beat),
        }
    }

    /// Prepares for queries after the last accent.
    pub fn update(&mut self) {
        if let Self::Accents(combs) = self {
            combs.fold();
        }
    }

    /// Returns the best hypothesis at any tempo and phase.
    pub fn best(&self) -> Comb {
        match self {
            Self::Accents(combs) => combs.best(),
            Self::Activations(pointer) => pointer.best(),
        }
    }

    /// Returns the best hypothesis within about 2.5% of `period` whose last beat was `since` hops ago, give or take 12%
    /// of a period.
    pub fn near(&self, period: f32, since: f32) -> Comb {
        match self {
            Self::Accents(combs) => combs.near(period, since),
            Self::Activations(pointer) => pointer.near(period, since),
        }
    }

    /// Returns the hypothesis that agrees best with both the evidence and a beat that fell `since` hops ago (negative if
    /// it is still to come), with this `period`. `errors` are the standard deviations of the period and of the beat, in
    /// hops; hypotheses more than two of them away are not considered.
    pub fn around(&self, period: f32, since: f32, errors: [f32; 2]) -> Comb {
        match self {
            Self::Accents(combs) => combs.around(period, since, errors),
            Self::Activations(pointer) => pointer.around(period, since, errors),
        }
    }
}
