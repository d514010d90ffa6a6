//! Entry of a sprite or message number: two digits typed after the sprite or message key.

use std::time::{Duration, Instant};

use super::keys::Chord;
use crate::desk::Numbered;
use crate::show::Command;

/// Time without a key press after which an unfinished number is discarded.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The number that is being typed, if any.
#[derive(Debug, Default)]
pub(super) struct NumberEntry {
    typed: Option<(Numbered, Option<u8>, Instant)>,
}

impl NumberEntry {
    /// Starts the entry of a number for `what`.
    pub fn begin(&mut self, what: Numbered, now: Instant) {
        self.typed = Some((what, None, now));
    }

    /// Handles a key; returns whether it was a digit of the number, and the launch command once the number is
    /// complete. Any other key cancels the entry.
    pub fn key(&mut self, chord: &Chord, now: Instant) -> (bool, Option<Command>) {
        let Some((what, first, since)) = self.typed.take() else { return (false, None) };
        match (chord.digit().filter(|_| now - since < TIMEOUT), first) {
            (None, _) => (false, None),
            (Some(digit), None) => {
                self.typed = Some((what, Some(digit), now));
                (true, None)
            }
            (Some(digit), Some(first)) => (true, Some(what.launch(first * 10 + digit))),
        }
    }

    /// Returns the message shown while a number is being typed.
    pub fn message(&self, now: Instant) -> Option<String> {
        let (what, first, _) = self.typed.filter(|(_, _, since)| now - *since < TIMEOUT)?;
        let first = first.map_or_else(|| "_".to_owned(), |digit| digit.to_string());
        Some(format!("{} number: {first}_", what.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(keys: &str) -> Chord {
        Chord::parse(keys).expect("a valid chord")
    }

    #[test]
    fn two_digits_launch_a_layer() {
        let (mut entry, now) = (NumberEntry::default(), Instant::now());
        assert_eq!(entry.key(&chord("1"), now), (false, None), "nothing is being typed");
        entry.begin(Numbered::Message, now);
        assert_eq!(entry.message(now).as_deref(), Some("message number: __"));
        assert_eq!(entry.key(&chord("4"), now), (true, None));
        assert_eq!(entry.message(now).as_deref(), Some("message number: 4_"));
        assert_eq!(entry.key(&chord("2"), now), (true, Some(Command::Message(42))));
        assert_eq!((entry.key(&chord("2"), now), entry.message(now)), ((false, None), None));
    }

    #[test]
    fn another_key_or_a_pause_ends_the_entry() {
        let (mut entry, now) = (NumberEntry::default(), Instant::now());
        for other in ["n", "shift+1", "escape"] {
            entry.begin(Numbered::Sprite, now);
            assert_eq!(entry.key(&chord(other), now), (false, None), "{other}");
            assert_eq!(entry.key(&chord("1"), now), (false, None), "{other}");
        }
        entry.begin(Numbered::Sprite, now);
        let later = now + TIMEOUT;
        assert_eq!((entry.message(later), entry.key(&chord("1"), later)), (None, (false, None)));
    }
}
