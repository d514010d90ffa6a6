//! Imports and exports tastes, in this program's format and in the formats of its browser-based predecessor:
//! preferences by `cluster:energy`, and feedback packages (`FeedbackPackageV0`).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::{GaussianBelief, PER_CLUSTER, SCENES};
use super::state::{ClusterTaste, TasteState};
use crate::facts::Energy;
use crate::units::iso_date;

/// Number of signals that an imported preference counts as: it is an average of several, but comes from
/// another program.
const IMPORTED_SIGNALS: u32 = 3;
/// Variances of the beliefs made from imported preferences: about a cluster, about it in each scene, and
/// about it at each energy.
const IMPORTED_VARIANCE: (f64, f64, f64) = (0.06, 0.06, 0.015);

/// The contents of a taste file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package {
    /// What was learnt about styles.
    pub taste: TasteState,
    /// Favourites as named in the file: preset ID, path or name.
    pub favourites: Vec<String>,
    /// Disliked presets, named like the favourites.
    pub dislikes: Vec<String>,
    /// Skipped presets, with the time of the skip.
    pub skips: Vec<Skip>,
}

/// Why a file could not be imported as a taste.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not JSON.
    #[error("not valid JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// The file looks like an exported taste but cannot be parsed.
    #[error("not a valid taste file: {0}")]
    Taste(#[source] serde_json::Error),
    /// The file looks like a feedback package but cannot be parsed.
    #[error("not a valid feedback package: {0}")]
    Package(#[source] serde_json::Error),
    /// The taste has an unsupported version.
    #[error("unsupported taste version {0}, expected 1")]
    Version(u32),
    /// The file is JSON but contains nothing to import.
    #[error("no taste, arms such as `c01:peak` or feedback package found")]
    Unrecognised,
}

/// A skipped preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The preset as named in the file: preset ID, path or name.
    pub preset: String,
    /// Time in seconds since 1970; 0 if unknown.
    pub at: i64,
}

/// `FeedbackPackageV0` as serialised; `taste` is an addition by this program.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct FeedbackPackage {
    version: String,
    #[serde(default)]
    exported_at: Value,
    #[serde(default)]
    favorites: Vec<Value>,
    #[serde(default)]
    dislikes: Vec<Value>,
    #[serde(default)]
    skips: Vec<Value>,
    #[serde(default)]
    bandit_state: Value,
    #[serde(default)]
    taste: Option<TasteState>,
}

impl Package {
    /// Serialises the package for aivj and its browser-based predecessor. `now` is in seconds since 1970.
    pub fn to_json(&self, now: i64) -> Result<String, serde_json::Error> {
        let names = |names: &[String]| names.iter().cloned().map(Value::from).collect();
        // The predecessor uses milliseconds.
        let skip = |skip: &Skip| json!({ "presetId": skip.preset, "time": skip.at.saturating_mul(1000) });
        serde_json::to_string_pretty(&FeedbackPackage {
            version: "v0".into(),
            exported_at: iso_date(now).into(),
            favorites: names(&self.favourites),
            dislikes: names(&self.dislikes),
            skips: self.skips.iter().map(skip).collect(),
            bandit_state: bandit_from_state(&self.taste),
            taste: Some(self.taste.clone()),
        })
    }
}

/// Parses a taste of this program, a bandit state or a feedback package.
pub fn import(text: &str) -> Result<Package, ImportError> {
    let value: Value = serde_json::from_str(text).map_err(ImportError::Json)?;
    if value.get("clusters").is_some() {
        let taste: TasteState = serde_json::from_value(value).map_err(ImportError::Taste)?;
        return Ok(Package { taste: check_version(taste)?, ..Package::default() });
    }
    if value.get("banditState").is_some() || value.get("favorites").is_some() {
        let package: FeedbackPackage = serde_json::from_value(value).map_err(ImportError::Package)?;
        let names = |items: &[Value]| items.iter().filter_map(preset_name).collect();
        let taste = package.taste.filter(|taste| taste.version != 0).map(check_version).transpose()?;
        return Ok(Package {
            taste: taste.unwrap_or_else(|| state_from_bandit(&package.bandit_state)),
            favourites: names(&package.favorites),
            dislikes: names(&package.dislikes),
            skips: package.skips.iter().filter_map(skip).collect(),
        });
    }
    let taste = state_from_bandit(&value);
    if taste.clusters.is_empty() {
        return Err(ImportError::Unrecognised);
    }
    Ok(Package { taste, ..Package::default() })
}

fn check_version(taste: TasteState) -> Result<TasteState, ImportError> {
    match taste.version {
        1 => Ok(taste),
        other => Err(ImportError::Version(other)),
    }
}

/// Returns the preference for each arm as a bandit state, with keys such as `c07:peak` and values from -1 to
/// 1.
fn bandit_from_state(taste: &TasteState) -> Value {
    let arms = taste.clusters.iter().flat_map(|cluster| {
        Energy::ALL.into_iter().map(|energy| {
            let liking = cluster.beliefs[0].mean + cluster.beliefs[1 + SCENES + energy as usize].mean;
            (format!("{}:{}", cluster.key, energy.label()), Value::from(liking.clamp(-1.0, 1.0)))
        })
    });
    Value::Object(arms.collect())
}

/// Extracts the name of a preset from an item of a package: a string, an object that describes the preset, or
/// a saved state that contains such an object.
fn preset_name(item: &Value) -> Option<String> {
    const KEYS: [&str; 8] =
        ["presetId", "id", "relPath", "filePath", "url", "presetUrl", "contentHash", "label"];
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let within = || KEYS.iter().find_map(|key| text(item.get(key)?));
    let deeper = || {
        let parts = ["projectm", "background", "layers", "state", "visualState"];
        parts.iter().find_map(|part| preset_name(item.get(part).filter(|part| part.is_object())?))
    };
    // The ID of a saved state is not that of its preset.
    text(item).or_else(|| if item.get("presetId").is_some() { None } else { deeper() }).or_else(within)
}

/// Parses a skip: an object that also contains the time in milliseconds, or just the name of the preset.
fn skip(item: &Value) -> Option<Skip> {
    let at = item.get("time").and_then(Value::as_f64).map_or(0, |time| (time / 1000.0) as i64);
    Some(Skip { preset: preset_name(item)?, at })
}

/// Converts a bandit state to beliefs: the mean preference over a cluster's energies becomes the belief about
/// the cluster, and the differences from it become the beliefs about its energies.
fn state_from_bandit(bandit: &Value) -> TasteState {
    let arms = ["arms", "values", "prefs"].iter().find_map(|key| bandit.get(key)).unwrap_or(bandit);
    let mut clusters: Vec<(String, Vec<(Energy, f64)>)> = Vec::new();
    for (arm, value) in arms.as_object().into_iter().flatten() {
        let Some((key, energy)) = arm.rsplit_once(':') else { continue };
        let Some(energy) = Energy::ALL.into_iter().find(|known| known.label() == energy) else { continue };
        let number = || ["value", "ema", "pref", "mean"].iter().find_map(|key| value.get(key)?.as_f64());
        let Some(liking) = value.as_f64().or_else(number).filter(|number| number.is_finite()) else {
            continue;
        };
        let liking = (energy, liking.clamp(-1.0, 1.0));
        match clusters.iter_mut().find(|(known, _)| known == key) {
            Some((_, arms)) => arms.push(liking),
            None => clusters.push((key.to_owned(), vec![liking])),
        }
    }
    clusters.sort_by(|a, b| a.0.cmp(&b.0));
    let clusters = clusters.into_iter().map(|(key, arms)| cluster_taste(key, &arms)).collect();
    TasteState { version: 1, clusters, ..TasteState::default() }
}

fn cluster_taste(key: String, arms: &[(Energy, f64)]) -> ClusterTaste {
    let shared = arms.iter().map(|(_, liking)| liking).sum::<f64>() / arms.len() as f64;
    let (own, scene, energy) = IMPORTED_VARIANCE;
    let mut beliefs: [GaussianBelief; PER_CLUSTER] = std::array::from_fn(|term| match term {
        0 => GaussianBelief { mean: shared, variance: own },
        _ if term <= SCENES => GaussianBelief { mean: 0.0, variance: scene },
        _ => GaussianBelief { mean: 0.0, variance: energy },
    });
    for (energy, liking) in arms {
        beliefs[1 + SCENES + *energy as usize].mean = liking - shared;
    }
    ClusterTaste {
        key,
        centroid: Vec::new(),
        space: String::new(),
        signals: IMPORTED_SIGNALS * arms.len() as u32,
        beliefs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Scene;
    use crate::mind::taste::{Arm, Evidence, StyleKey, Taste};

    fn liking(taste: &TasteState, cluster: u16, energy: Energy) -> f64 {
        let styles = [
            StyleKey { key: "c01", centroid: &[], space: "" },
            StyleKey { key: "c02", centroid: &[], space: "" },
        ];
        let choice =
            Evidence { arm: Arm { cluster, energy }, scene: Scene::Techno, base: 0.0, mismatch: 0.0 };
        Taste::from_state(taste, &styles).liking(&choice)
    }

    #[test]
    fn arms_of_the_predecessor_are_imported() {
        let read = import(r#"{"c01:peak": 0.8, "c01:calm": 0.2, "c02:groove": -0.5, "odd": 1, "c02:no": 3}"#);
        let taste = read.expect("arms").taste;
        assert!((liking(&taste, 0, Energy::Peak) - 0.8).abs() < 1e-9);
        assert!((liking(&taste, 0, Energy::Calm) - 0.2).abs() < 1e-9);
        assert!((liking(&taste, 1, Energy::Groove) + 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_feedback_package_includes_its_presets() {
        let text = r#"{"version":"v0","exportedAt":"x","favorites":["a/b.milk",{"presetId":"p-1"}],"dislikes":["d"],
            "skips":[{"presetId":"s","time":7000},"t"],"banditState":{"c02:peak":{"value":0.5,"n":3}}}"#;
        let read = import(text).expect("a package");
        assert_eq!(read.favourites, ["a/b.milk", "p-1"]);
        let skip = |preset: &str, at| Skip { preset: preset.into(), at };
        assert_eq!((read.dislikes, read.skips), (vec!["d".to_owned()], vec![skip("s", 7), skip("t", 0)]));
        assert!((liking(&read.taste, 1, Energy::Peak) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_package_survives_a_round_trip_and_its_arms_agree() {
        let styles = [
            StyleKey { key: "c01", centroid: &[], space: "" },
            StyleKey { key: "c02", centroid: &[], space: "" },
        ];
        let mut taste = Taste::new(2);
        let arm = Arm { cluster: 1, energy: Energy::Peak };
        let choice = Evidence { arm, scene: Scene::Techno, base: 0.0, mismatch: 0.0 };
        (0..5).for_each(|_| _ = taste.learn(&choice, crate::mind::taste::Signal::Favourite));
        let package = Package {
            taste: taste.state(&styles),
            favourites: vec!["a".into()],
            dislikes: vec!["b".into()],
            skips: vec![Skip { preset: "c".into(), at: 1_790_000_000 }],
        };
        let text = package.to_json(7).expect("plain data");
        assert_eq!(import(&text).expect("own format"), package);
        assert!(text.contains("1790000000000"), "milliseconds: {text}");
        let arms = serde_json::from_str::<Value>(&text).expect("JSON")["banditState"].to_string();
        let arms = import(&arms).expect("arms").taste;
        assert!(liking(&arms, 1, Energy::Peak) > liking(&arms, 1, Energy::Calm));
    }

    #[test]
    fn other_files_are_rejected() {
        for text in ["", "[]", "{}", r#"{"version":7,"clusters":[]}"#, r#"{"clusters":3}"#, r#"{"a:b":1}"#] {
            assert!(import(text).is_err(), "{text}");
        }
    }
}
