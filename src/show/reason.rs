//! The reason for a choice: one line for the desk and the numbers behind it.

use crate::facts::Energy;
use crate::mind::director::{Choice, Rule, Target};

/// Minimum base score of a strong, good and weak match; anything lower is a poor match. The highest possible
/// score is 1.
const MATCHES: [(f64, &str); 3] = [(0.3, "strong"), (0.15, "good"), (-0.1, "weak")];

/// Why a preset was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// One line, such as `Rock, groove energy, weak match (style: dots)`.
    pub summary: String,
    /// The scores behind the choice; empty if the director did not choose the preset.
    pub details: String,
}

impl Reason {
    /// Creates a reason without scores.
    pub(super) fn plain(summary: &str) -> Self {
        Self { summary: summary.to_owned(), details: String::new() }
    }

    /// Describes a choice of the director; `style` is the name of the preset's style.
    pub(super) fn of(choice: &Choice, style: &str) -> Self {
        let Choice { evidence, target, liking, score, probability, favourite, near, rule, .. } = choice;
        let scene = target.scene.title();
        let quality =
            MATCHES.iter().find(|(from, _)| evidence.base >= *from).map_or("poor", |(_, word)| word);
        let mut summary = format!("{scene}, {} energy, {quality} match (style: {style})", energy(target));
        if *favourite {
            summary.push_str("; one of your favourites");
        }
        if *near {
            summary.push_str("; close to the previous style");
        }
        summary.push_str(match rule {
            Rule::All => "",
            Rule::SkippedToo => "; skipped before, but nothing else is left",
            Rule::SameCluster => "; same style again, because no other preset fits",
            Rule::Sooner => "; shown recently, but no other preset fits",
            Rule::Anything => "; no preset fits, so any playable one was chosen",
        });
        let details = format!(
            "energy level {:.1} (0 calm to 2 peak), preset energy {}; match {:+.2}, taste {liking:+.2}, \
             score {score:+.2}; probability {:.0}%",
            target.level,
            evidence.arm.energy.label(),
            evidence.base,
            probability * 100.0,
        );
        Self { summary, details }
    }
}

/// Returns the name of the target energy: calm, groove or peak for the lower, middle and upper third of the
/// levels.
fn energy(target: &Target) -> &'static str {
    match target.level {
        level if level < 2.0 / 3.0 => Energy::Calm,
        level if level < 4.0 / 3.0 => Energy::Groove,
        _ => Energy::Peak,
    }
    .label()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Scene;
    use crate::mind::taste::{Arm, Evidence};

    #[test]
    fn the_summary_is_readable_and_the_details_hold_the_numbers() {
        let target = Target { scene: Scene::Rock, level: 0.7 };
        let arm = Arm { cluster: 0, energy: Energy::Groove };
        let choice = Choice {
            preset: 0,
            evidence: Evidence { arm, scene: Scene::Rock, base: 0.09, mismatch: 0.3 },
            target,
            score: -0.14,
            liking: -0.12,
            probability: 0.01,
            favourite: false,
            near: false,
            rule: Rule::All,
        };
        let reason = Reason::of(&choice, "dots");
        assert_eq!(reason.summary, "Rock, groove energy, weak match (style: dots)");
        for number in ["0.7", "groove", "+0.09", "-0.12", "-0.14", "1%"] {
            assert!(reason.details.contains(number), "{number}: {}", reason.details);
        }
        let silence = Choice { target: Target { scene: Scene::None, level: 0.0 }, ..choice };
        assert_eq!(Reason::of(&silence, "dots").summary, "No music, calm energy, weak match (style: dots)");
        let favourite = Reason::of(&Choice { favourite: true, rule: Rule::Sooner, ..choice }, "dots");
        assert!(
            favourite.summary.ends_with("favourites; shown recently, but no other preset fits"),
            "{}",
            favourite.summary
        );
    }
}
