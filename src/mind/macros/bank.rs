//! The macro bank as a value: eight positions from 0 to 1, serialised by control name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::mind::Control;
use crate::units::Unipolar;

/// One offset per control, in bank order.
pub(super) type Offsets = [f32; Control::ALL.len()];

/// The positions of all eight controls. Controls missing from a file default to the middle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Control, Unipolar>", into = "BTreeMap<Control, Unipolar>")]
pub struct Bank([Unipolar; Control::ALL.len()]);

impl Default for Bank {
    /// Returns a bank with every control in the middle, which leaves the picture unchanged.
    fn default() -> Self {
        Self([Unipolar::HALF; Control::ALL.len()])
    }
}

impl Bank {
    /// Creates a bank from positions in the order of [`Control::ALL`].
    pub fn new(positions: [f32; Control::ALL.len()]) -> Self {
        Self(positions.map(Unipolar::new))
    }

    /// Returns the position of `control`.
    pub fn get(&self, control: Control) -> Unipolar {
        self.0[control as usize]
    }

    /// Sets `control` to `value`.
    pub fn set(&mut self, control: Control, value: Unipolar) {
        self.0[control as usize] = value;
    }

    /// Returns every control with its position, in bank order.
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
    fn a_bank_is_serialised_by_name_and_missing_controls_default() {
        let mut bank = Bank::default();
        bank.set(Control::M6, Unipolar::new(0.25));
        let text = toml::to_string(&bank).expect("a table of numbers");
        assert!(text.contains("m6 = 0.25"), "{text}");
        assert_eq!(toml::from_str::<Bank>(&text).expect("a round trip"), bank);
        assert_eq!(toml::from_str::<Bank>("m6 = 0.25").expect("one control"), bank);
        assert_eq!(toml::from_str::<Bank>("fusion = 9.0").expect("clamped").get(Control::Fusion).get(), 1.0);
    }
}
