//! The macro bank as a value: eight controls, each 0 to 1, written to files by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::mind::Control;
use crate::units::Unipolar;

/// A number for every control of the bank.
pub(super) type Offsets = [f32; Control::ALL.len()];

/// The positions of all eight controls. A control that a file does not name rests in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Control, Unipolar>", into = "BTreeMap<Control, Unipolar>")]
pub struct Bank([Unipolar; Control::ALL.len()]);

impl Default for Bank {
    /// Every control in the middle, where it leaves the picture alone.
    fn default() -> Self {
        Self([Unipolar::HALF; Control::ALL.len()])
    }
}

impl Bank {
    /// A bank of these positions, in the order of [`Control::ALL`].
    pub fn new(positions: [f32; Control::ALL.len()]) -> Self {
        Self(positions.map(Unipolar::new))
    }

    /// Where `control` stands.
    pub fn get(&self, control: Control) -> Unipolar {
        self.0[control as usize]
    }

    /// Puts `control` to `value`.
    pub fn set(&mut self, control: Control, value: Unipolar) {
        self.0[control as usize] = value;
    }

    /// Every control with its position, in the order of the bank.
    pub fn iter(&self) -> impl Iterator<Item = (Control, Unipolar)> {
        Control::ALL.into_iter().zip(self.0)
    }
}

impl From<BTreeMap<Control, Unipolar>> for Bank {
    fn from(named: BTreeMap<Control, Unipolar>) -> Self {
        let mut bank = Self::default();
        for (control, value) in named {
            bank.set(control, value);
        }
        bank
    }
}

impl From<Bank> for BTreeMap<Control, Unipolar> {
    fn from(bank: Bank) -> Self {
        bank.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bank_is_written_by_name_and_forgives_gaps() {
        let mut bank = Bank::default();
        bank.set(Control::M6, Unipolar::new(0.25));
        let text = toml::to_string(&bank).expect("a table of numbers");
        assert!(text.contains("m6 = 0.25"), "{text}");
        assert_eq!(toml::from_str::<Bank>(&text).expect("what was written"), bank);
        assert_eq!(toml::from_str::<Bank>("m6 = 0.25").expect("one control"), bank);
        assert_eq!(
            toml::from_str::<Bank>("fusion = 9.0").expect("brought inside").get(Control::Fusion).get(),
            1.0
        );
    }
}
