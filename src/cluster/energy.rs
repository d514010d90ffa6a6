//! Energy of presets: terciles of the library by motion.

use crate::facts::Energy;
use crate::library::style::NameFacts;

/// Assigns energies by terciles of motion, or by the words of the name if the motion is unknown. If both
/// tercile boundaries have the same value, presets with that value are groove.
pub(super) fn energies(motions: &[Option<f32>], names: &[String]) -> Vec<Energy> {
    let mut known: Vec<f32> = motions.iter().flatten().copied().filter(|m| m.is_finite()).collect();
    known.sort_by(f32::total_cmp);
    let cut = |third: usize| known.get(known.len() * third / 3).copied().unwrap_or(f32::INFINITY);
    let (calm_below, peak_from) = (cut(1), cut(2));
    let energy = |motion: &Option<f32>, name: &String| match motion {
        Some(motion) if motion.is_finite() => match *motion {
            m if m < calm_below => Energy::Calm,
            m if m < peak_from || m <= calm_below => Energy::Groove,
            _ => Energy::Peak,
        },
        _ => NameFacts::of(name).energy,
    };
    motions.iter().zip(names).map(|(motion, name)| energy(motion, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_are_terciles_of_motion_or_come_from_the_name() {
        let motions: Vec<_> = (0..9).map(|n| Some(n as f32)).chain([None, Some(f32::NAN)]).collect();
        let mut names = vec!["x".to_owned(); 9];
        names.extend(["Dawn mist".to_owned(), "LASER fury".to_owned()]);
        let found = energies(&motions, &names);
        let count = |energy| found[..9].iter().filter(|e| **e == energy).count();
        assert_eq!((count(Energy::Calm), count(Energy::Groove), count(Energy::Peak)), (3, 3, 3));
        assert_eq!(found[9..], [Energy::Calm, Energy::Peak]);
    }

    #[test]
    fn equal_motions_are_groove_and_others_keep_their_terciles() {
        let of = |motions: &[f32]| {
            let motions: Vec<_> = motions.iter().copied().map(Some).collect();
            energies(&motions, &vec!["x".to_owned(); motions.len()])
        };
        use Energy::{Calm, Groove, Peak};
        assert_eq!(of(&[0.4]), [Groove]);
        assert_eq!(of(&[0.0; 5]), [Groove; 5]);
        assert_eq!(of(&[1.0, 2.0]), [Groove, Peak]);
        assert_eq!(of(&[1.0, 2.0, 2.0, 2.0, 2.0, 3.0]), [Calm, Groove, Groove, Groove, Groove, Peak]);
        assert_eq!(of(&[1.0, 1.0, 2.0, 3.0, 3.0, 3.0]), [Calm, Calm, Groove, Peak, Peak, Peak]);
    }
}
