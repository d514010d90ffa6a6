//! Bindings of controls to actions, and the effects of moving the controls.

use super::encoding::Encoding;
use super::event::{Address, Event, Kind};
use super::relative::{self, ENOUGH, Seen};
use super::soft_takeover::SoftTakeover;
use crate::desk::{Action, Dial};

/// Binding of one control to one action.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Address of the control.
    pub address: Address,
    /// The action that the control triggers.
    pub action: Action,
    /// Encoding of the control's values.
    pub encoding: Encoding,
    /// Whether to use soft takeover: the knob takes effect only after it reaches the current value.
    pub soft_takeover: bool,
    /// Values of the dial at the two ends of the knob's travel.
    pub range: [f32; 2],
}

impl Binding {
    /// Creates a binding over the whole range of a dial, with soft takeover.
    pub fn new(address: Address, action: Action, encoding: Encoding) -> Self {
        Self { address, action, encoding, soft_takeover: true, range: [0.0, 1.0] }
    }

    /// Returns the address of the fine part, if the control is a 14-bit controller.
    fn fine(&self) -> Option<Address> {
        let coarse = self.address;
        let has = self.encoding == Encoding::Absolute14 && coarse.kind == Kind::Cc && coarse.number < 32;
        has.then_some(Address { number: coarse.number + 32, ..coarse })
    }
}

/// A binding with the state of its control.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The binding; if its encoding is [`Encoding::Relative`] or a guess, it is replaced once it is detected.
    pub binding: Binding,
    soft_takeover: SoftTakeover,
    down: bool,
    coarse: u16,
    /// Groups of values that an endless encoder has sent.
    seen: Seen,
    /// Values from which the encoding was guessed to be absolute; `None` once there are [`ENOUGH`] of them or the
    /// encoding is detected.
    guess: Option<Vec<u16>>,
}

/// Effect of moving a control.
#[derive(Clone, Debug, PartialEq)]
pub enum Moved {
    /// A button was pressed.
    Pressed(Action),
    /// The dial is set to this value.
    To(Dial, f32),
    /// The dial is moved by this amount; negative is down.
    By(Dial, f32),
}

/// Lowest value, from 0 to 1, at which a button counts as pressed.
const DOWN: f32 = 0.5;
/// One step of an endless encoder as a share of the range, equal to one step of a 7-bit knob.
const TICK: f32 = 1.0 / 127.0;

impl Bound {
    /// Creates the initial state of `binding`, whose control has not been moved yet.
    pub fn new(binding: Binding) -> Self {
        Self {
            binding,
            soft_takeover: SoftTakeover::default(),
            down: false,
            coarse: 0,
            seen: Seen::default(),
            guess: None,
        }
    }

    /// Binds a knob with the encoding detected from the values that it has sent. If there are fewer than [`ENOUGH`],
    /// later values may correct a guess.
    pub fn guessed(address: Address, action: Action, values: Vec<u16>) -> Self {
        let encoding = relative::detect(&values);
        let guess = (encoding.is_none() && values.len() < ENOUGH).then_some(values);
        Self { guess, ..Self::new(Binding::new(address, action, encoding.unwrap_or_default())) }
    }

    /// Returns whether this binding handles events from `address`.
    pub fn matches(&self, address: Address) -> bool {
        address == self.binding.address || Some(address) == self.binding.fine()
    }

    /// Returns the effect of a movement, if any; `current` returns the current value of a dial.
    pub fn moved(&mut self, event: &Event, current: impl FnOnce(Dial) -> f32) -> Option<Moved> {
        let Action::Turn(dial) = self.binding.action else { return self.pressed(event) };
        self.refine(event.value);
        let [from, to] = self.binding.range;
        if self.binding.encoding.relative() {
            let steps = self.steps(event.value);
            return (steps != 0).then_some(Moved::By(dial, steps as f32 * TICK * (to - from)));
        }
        let wanted = from + (to - from) * self.share(event);
        if event.address.kind == Kind::Note {
            // A pad sets the value by its velocity; a release changes nothing.
            return (event.value > 0).then_some(Moved::To(dial, wanted));
        }
        let takes_hold = !self.binding.soft_takeover || self.soft_takeover.takes_hold(wanted, current(dial));
        takes_hold.then_some(Moved::To(dial, wanted))
    }

    /// Adds a value to those from which the encoding was guessed, and corrects the encoding.
    fn refine(&mut self, value: u16) {
        let Some(mut values) = self.guess.take() else { return };
        values.push(value);
        match relative::detect(&values) {
            Some(encoding) => self.binding.encoding = encoding,
            None => self.guess = Some(values).filter(|values| values.len() < ENOUGH),
        }
    }

    /// Returns the number of clockwise steps of an endless encoder, and sets the encoding once it is
    /// detected.
    fn steps(&mut self, value: u16) -> i32 {
        if self.binding.encoding == Encoding::Relative {
            self.seen.add(value);
            self.binding.encoding = self.seen.encoding().unwrap_or(Encoding::Relative);
        }
        relative::steps(self.binding.encoding, value)
    }

    fn pressed(&mut self, event: &Event) -> Option<Moved> {
        if self.binding.encoding == Encoding::Toggle {
            return Some(Moved::Pressed(self.binding.action.clone()));
        }
        // A note of any velocity is a press; an endless encoder presses with each clockwise step.
        let down = match (self.binding.encoding.relative(), event.address.kind) {
            (true, _) => {
                self.down = false;
                self.steps(event.value) > 0
            }
            (false, Kind::Note) => event.value > 0,
            (false, Kind::Cc | Kind::Bend) => event.share() >= DOWN,
        };
        let press = down && !self.down;
        self.down = down;
        press.then(|| Moved::Pressed(self.binding.action.clone()))
    }

    /// Returns the position of the knob, 0 to 1.
    fn share(&mut self, event: &Event) -> f32 {
        if self.binding.encoding != Encoding::Absolute14 || event.address.kind != Kind::Cc {
            return event.share();
        }
        let fine = if event.address == self.binding.address {
            self.coarse = event.value;
            0
        } else {
            event.value
        };
        f32::from(self.coarse << 7 | fine) / 16_383.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mind::Control;
    use crate::show::Command;

    const KNOB: Address = Address { kind: Kind::Cc, channel: 1, number: 16 };
    const FUSION: Action = Action::Turn(Dial::Macro(Control::Fusion));

    fn bound(encoding: Encoding) -> Bound {
        Bound::new(Binding { soft_takeover: false, ..Binding::new(KNOB, FUSION, encoding) })
    }

    fn values(bound: &mut Bound, values: &[u16]) -> Vec<f32> {
        let mut moved = |&value: &u16| bound.moved(&Event { address: KNOB, value }, |_| 0.5);
        values
            .iter()
            .filter_map(|value| match moved(value)? {
                Moved::To(_, value) | Moved::By(_, value) => Some((value * 1270.0).round() / 10.0),
                Moved::Pressed(_) => None,
            })
            .collect()
    }

    #[test]
    fn knobs_are_absolute_and_encoders_relative() {
        assert_eq!(values(&mut bound(Encoding::Absolute), &[0, 64, 127]), [0.0, 64.0, 127.0]);
        assert_eq!(values(&mut bound(Encoding::TwosComplement), &[1, 3, 127, 125]), [1.0, 3.0, -1.0, -3.0]);
        assert_eq!(values(&mut bound(Encoding::Offset64), &[65, 67, 63, 61, 64]), [1.0, 3.0, -1.0, -3.0]);
    }

    #[test]
    fn the_first_step_back_reveals_the_encoding() {
        let mut first = bound(Encoding::Relative);
        assert_eq!(values(&mut first, &[1, 2, 65, 66, 1]), [1.0, 2.0, -1.0, -2.0, 1.0]);
        assert_eq!(first.binding.encoding, Encoding::SignedBit);
        let mut second = bound(Encoding::Relative);
        assert_eq!(values(&mut second, &[1, 127, 126]), [1.0, -1.0, -2.0]);
        assert_eq!(second.binding.encoding, Encoding::TwosComplement);
        let mut third = bound(Encoding::Relative);
        assert_eq!(values(&mut third, &[65, 63]), [1.0, -1.0]);
        assert_eq!(third.binding.encoding, Encoding::Offset64);
    }

    #[test]
    fn a_14_bit_knob_combines_its_coarse_and_fine_parts() {
        let mut bound = bound(Encoding::Absolute14);
        let fine = Address { number: 48, ..KNOB };
        assert!(bound.matches(KNOB) && bound.matches(fine) && !bound.matches(Address { number: 49, ..KNOB }));
        bound.moved(&Event { address: KNOB, value: 64 }, |_| 0.5);
        let moved = bound.moved(&Event { address: fine, value: 5 }, |_| 0.5);
        assert_eq!(
            moved,
            Some(Moved::To(Dial::Macro(Control::Fusion), f32::from(64_u16 << 7 | 5) / 16_383.0))
        );
    }

    #[test]
    fn a_range_may_run_backwards() {
        let mut bound = bound(Encoding::Absolute);
        bound.binding.range = [1.0, 0.0];
        assert_eq!(values(&mut bound, &[0, 127]), [127.0, 0.0]);
    }

    #[test]
    fn a_button_presses_once_until_released() {
        let hold = Action::Show(Command::Hold);
        let mut bound = Bound::new(Binding::new(KNOB, hold.clone(), Encoding::Absolute));
        let presses: Vec<bool> = [127, 127, 0, 20, 90, 0]
            .iter()
            .map(|&value| bound.moved(&Event { address: KNOB, value }, |_| 0.0).is_some())
            .collect();
        assert_eq!(presses, [true, false, false, false, true, false]);
        let mut bound = Bound::new(Binding::new(KNOB, hold.clone(), Encoding::Toggle));
        let pressed =
            |bound: &mut Bound, value| bound.moved(&Event { address: KNOB, value }, |_| 0.0).is_some();
        assert!(
            [127, 0, 127, 0, 127, 127].into_iter().all(|value| pressed(&mut bound, value)),
            "every press counts"
        );
        let pad = Address { kind: Kind::Note, channel: 1, number: 3 };
        let mut bound = Bound::new(Binding::new(pad, hold.clone(), Encoding::Absolute));
        assert_eq!(bound.moved(&Event { address: pad, value: 4 }, |_| 0.0), Some(Moved::Pressed(hold)));
    }
}
