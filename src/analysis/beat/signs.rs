//! Collects the signs that a beat starts a bar. Harmony and timbre usually change there and then stay for some beats
//! (Davies and Plumbley, "A spectral difference approach to downbeat extraction in musical audio", EUSIPCO 2006), and
//! kicks are more common there than hats.

use super::super::spectrum::Spectrum;
use super::drums::Accent;

/// Fraction of a beat, before and after each beat, within which its accents may fall.
const NEAR: f64 = 0.125;
/// Number of beats whose spectra are compared: two before a beat, the beat itself and the one after it.
const COMPARED: usize = 4;

/// Signs of one beat: how much the spectrum and the pitches change there, and its low and high accents.
pub type Signs = [f32; 4];

/// A beat: the sum of the spectra of its hops, the number of hops, and its strongest low and high accents.
#[derive(Clone, Copy, Debug, Default)]
struct Beat {
    sum: Spectrum,
    hops: f32,
    accents: [f32; 2],
}

/// The current beat and those before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct BeatSigns {
    number: Option<i64>,
    current: Beat,
    /// Mean spectra of the last beats, oldest first, and the accents of the last one.
    spectra: [Option<Spectrum>; COMPARED],
    accents: [f32; 2],
}

impl BeatSigns {
    /// Adds a hop `beats` beats after beat 0. When a beat is over, returns the number of the beat before it and that
    /// beat's signs, once enough beats have passed. Ignores hops of earlier beats, which follow a phase correction.
    /// Starts over if another grid counts the beats from 0.
    pub fn push(&mut self, beats: f64, accent: &Accent, spectrum: &Spectrum) -> Option<(i64, Signs)> {
        let number = (beats + NEAR).floor() as i64;
        let last = *self.number.get_or_insert(number);
        if number < last {
            if number + 1 < last {
                *self = Self::default();
            }
            return None;
        }
        let signs = if number > last { self.end() } else { None };
        self.number = Some(number);
        let since = beats - number as f64;
        if since < NEAR {
            let [low, high] = self.current.accents;
            self.current.accents = [low.max(accent.low), high.max(accent.high)];
        }
        // Before the beat, the previous one is still sounding.
        if since >= 0.0 {
            self.current.sum.add(spectrum);
            self.current.hops += 1.0;
        }
        signs.map(|signs| (last - 1, signs))
    }

    fn end(&mut self) -> Option<Signs> {
        let Beat { sum, hops, accents } = std::mem::take(&mut self.current);
        self.spectra.rotate_left(1);
        self.spectra[COMPARED - 1] = (hops > 0.0).then(|| sum.divided_by(hops));
        let [low, high] = std::mem::replace(&mut self.accents, accents);
        let [before @ .., first, second] = self.spectra;
        let (first, second) = first.zip(second)?;
        // Drums alternate from beat to beat, but a new chord differs from both beats before it and stays for two.
        let mut change = [f32::INFINITY; 2];
        for before in before {
            for after in [first, second] {
                let distances = after.distances(&before?);
                change.iter_mut().zip(distances).for_each(|(least, distance)| *least = least.min(distance));
            }
        }
        let [bands, pitches] = change;
        Some([bands, pitches, low, high])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::spectrum::tests::note;

    #[test]
    fn a_lasting_change_is_a_sign_and_an_alternation_is_not() {
        let mut signs = BeatSigns::default();
        let mut all = Vec::new();
        for hop in 0..320 {
            // Two instruments alternate, the kick on beat 4 is early, and the pitch changes on beat 5.
            let spectrum = note(if hop < 200 { 0 } else { 7 }, hop / 40 % 2 == 0);
            let low = if hop == 158 { 0.9 } else { 0.0 };
            let accent = Accent { low, high: 0.2, ..Accent::default() };
            all.extend(signs.push(f64::from(hop) / 40.0, &accent, &spectrum));
        }
        let column = |n: usize| all.iter().map(|(_, signs)| (10.0 * signs[n]).round()).collect::<Vec<_>>();
        assert_eq!(all.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert_eq!(column(0), [0.0; 5], "the instruments return");
        assert!(
            column(1)[3] > 5.0 && column(1).iter().filter(|change| **change > 0.0).count() == 1,
            "{all:?}"
        );
        assert_eq!(column(2), [0.0, 0.0, 9.0, 0.0, 0.0]);
        assert_eq!(column(3), [2.0; 5]);
        assert!(signs.push(7.4, &Accent::default(), &note(3, true)).is_none(), "beat 7 is over");
        assert_eq!(signs.number, Some(8));
        assert!(signs.push(0.0, &Accent::default(), &note(3, true)).is_none());
        assert_eq!(signs.number, None, "another grid");
    }
}
