//! The baseline of every built-in preset: the distance between the two engines, and the reason if they look different.
//!
//! `baseline.toml` has a section for each preset. A run fails if a preset's distance exceeds its baseline, and also if
//! it is smaller; in that case, record the better value with `AIVJ_UPDATE_GOLDEN=1`, so that it cannot regress.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::compare::Distance;

/// Maximum change in distance that is ignored, because rasterisers round differently on each processor.
const TOLERANCE: f64 = 0.06;
/// Reason that `AIVJ_UPDATE_GOLDEN=1` writes for an unexplained difference; a run with one of these fails.
const UNEXPLAINED: &str = "TO BE EXPLAINED";

/// One preset's baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// [`Distance::total`] at the last frame.
    distance: f64,
    /// Why the pictures of the two engines look different; absent if they look alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_failure: Option<String>,
}

/// The baselines by preset name.
pub struct Baseline(BTreeMap<String, Known>);

impl Baseline {
    fn path() -> PathBuf {
        PathBuf::from("tests/oracle/baseline.toml")
    }

    /// Reads `baseline.toml`.
    pub fn read() -> anyhow::Result<Self> {
        Ok(Self(toml::from_str(&std::fs::read_to_string(Self::path())?)?))
    }

    /// Returns every difference between this run and the baseline. `found` contains every preset that was compared.
    pub fn differences(&self, found: &BTreeMap<String, Distance>) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, known) in &self.0 {
            match found.get(name) {
                Some(distance) => differences.extend(known.difference(name, distance)),
                None => differences.push(format!("{name}: has a baseline but was not compared")),
            }
        }
        let new = found.keys().filter(|name| !self.0.contains_key(*name));
        differences
            .extend(new.map(|name| format!("{name}: has no baseline; record one with AIVJ_UPDATE_GOLDEN=1")));
        differences
    }

    /// Writes these distances as the baseline, keeping known reasons.
    pub fn bless(found: &BTreeMap<String, Distance>) -> anyhow::Result<()> {
        let reasons = Self::read().map(|baseline| baseline.0).unwrap_or_default();
        let known = |(name, distance): (&String, &Distance)| {
            let reason = reasons.get(name).and_then(|known| known.known_failure.clone());
            let reason = reason.unwrap_or_else(|| UNEXPLAINED.to_owned());
            let known_failure = (!distance.close()).then_some(reason);
            (name.clone(), Known { distance: (distance.total() * 1e3).round() / 1e3, known_failure })
        };
        let baseline: BTreeMap<String, Known> = found.iter().map(known).collect();
        Ok(std::fs::write(Self::path(), toml::to_string(&baseline)?)?)
    }
}

impl Known {
    fn difference(&self, name: &str, found: &Distance) -> Option<String> {
        let Self { distance, known_failure } = self;
        let now = found.total();
        let figures = format!("{now:.3} apart, baseline {distance:.3}");
        match (known_failure.as_deref(), found.close()) {
            (Some(UNEXPLAINED), false) => Some(format!("{name}: explain the difference in baseline.toml")),
            (None, false) => Some(format!("{name}: no longer alike; {figures}")),
            (Some(_), true) => {
                Some(format!("{name}: alike now; record it with AIVJ_UPDATE_GOLDEN=1; {figures}"))
            }
            _ if now > distance + TOLERANCE => Some(format!("{name}: worse; {figures}")),
            _ if now < distance - TOLERANCE => {
                Some(format!("{name}: better; record it with AIVJ_UPDATE_GOLDEN=1; {figures}"))
            }
            _ => None,
        }
    }
}

/// Tests [`Known::difference`]; this test program has no harness, so `main` calls it.
pub fn check_rules() {
    let found = |luma: f64| Distance { luma, colour: 1.0, layout: 1.0 };
    let known =
        |distance: f64, failure: Option<&str>| Known { distance, known_failure: failure.map(Into::into) };
    let differs = |known: Known, luma: f64| known.difference("a", &found(luma)).unwrap_or_default();
    assert_eq!(differs(known(0.0, None), 0.05), "");
    assert!(differs(known(0.0, None), 0.2).contains("no longer alike"));
    assert_eq!(differs(known(0.2, Some("why")), 0.25), "");
    assert!(differs(known(0.2, Some("why")), 0.3).contains("worse"));
    assert!(differs(known(0.5, Some("why")), 0.3).contains("better"));
    assert!(differs(known(0.2, Some("why")), 0.01).contains("alike now"));
    assert!(differs(known(0.2, Some(UNEXPLAINED)), 0.2).contains("explain the difference"));
}
