//! MIDI learn: the performer chooses an action and moves a control, whose values reveal its encoding.

use super::binding::Binding;
use super::encoding::Encoding;
use super::event::{Address, Event, Kind};
use super::relative::{self, ENOUGH};
use crate::desk::Action;

/// Length of a pause, in seconds, after which the encoding is determined from fewer than [`ENOUGH`] values.
pub const REST_SECS: f64 = 0.8;

/// State of binding an action to the control that the performer moves.
#[derive(Clone, Debug)]
pub struct Learning {
    /// The action to bind.
    pub action: Action,
    control: Option<(String, Address)>,
    values: Vec<u16>,
    fine: bool,
    last: f64,
}

impl Learning {
    /// Starts learning a control for `action`.
    pub fn new(action: Action) -> Self {
        Self { action, control: None, values: Vec::new(), fine: false, last: 0.0 }
    }

    /// Handles a movement at `now` seconds. Returns the device and the binding once the encoding is determined.
    pub fn handle(&mut self, device: &str, event: &Event, now: f64) -> Option<(String, Binding)> {
        let Event { address, value } = *event;
        let turns = matches!(self.action, Action::Turn(_));
        let released = value == 0 && address.kind == Kind::Note;
        let resting = !turns && event.share() < 0.5 && address.kind != Kind::Note;
        if self.control.is_none() && (released || resting) {
            return None; // A release does not select a control.
        }
        if address.kind != Kind::Cc {
            return Some(self.decided(device, address, Encoding::Absolute));
        }
        let (chosen, first) = self.control.get_or_insert_with(|| (device.to_owned(), address)).clone();
        if chosen != device {
            return None;
        }
        if !turns {
            // A plain button sends its release; a button that sends no release is a toggle.
            self.last = now;
            return (address == first && event.share() < 0.5)
                .then(|| self.decided(device, address, Encoding::Absolute));
        }
        if first.number < 32 && address == (Address { number: first.number + 32, ..first }) {
            self.fine = true;
        } else if address == first {
            self.values.push(value);
        } else {
            return None;
        }
        self.last = now;
        if self.fine || self.values.len() >= ENOUGH { self.decide() } else { None }
    }

    /// Returns the device and the binding if, at `now` seconds, the control has rested long enough to determine
    /// the encoding.
    pub fn rest(&mut self, now: f64) -> Option<(String, Binding)> {
        if self.control.is_some() && now - self.last >= REST_SECS { self.decide() } else { None }
    }

    fn decide(&mut self) -> Option<(String, Binding)> {
        let (device, address) = self.control.clone()?;
        let encoding = match &self.action {
            Action::Turn(_) if self.fine => Encoding::Absolute14,
            Action::Turn(_) => relative::detect(&self.values).unwrap_or(Encoding::Absolute),
            _ => Encoding::Toggle,
        };
        Some(self.decided(&device, address, encoding))
    }

    fn decided(&self, device: &str, address: Address, encoding: Encoding) -> (String, Binding) {
        (device.to_owned(), Binding::new(address, self.action.clone(), encoding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Dial;
    use crate::show::Command;

    fn learn(action: Action, events: &[[u8; 3]]) -> Option<Binding> {
        let mut learning = Learning::new(action);
        for bytes in events {
            let event = Event::decode(bytes).expect("a message");
            if let Some((_, binding)) = learning.handle("pads", &event, 0.0) {
                return Some(binding);
            }
        }
        learning.rest(REST_SECS).map(|(_, binding)| binding)
    }

    fn encoding(values: &[u8]) -> Option<Encoding> {
        let events: Vec<_> = values.iter().map(|&value| [0xb0, 20, value]).collect();
        learn(Action::Turn(Dial::Adventure), &events).map(|binding| binding.encoding)
    }

    #[test]
    fn values_reveal_the_encoding() {
        assert_eq!(encoding(&[3, 4, 5, 6, 7, 8]), Some(Encoding::Absolute));
        assert_eq!(encoding(&[1, 1, 1, 2, 1, 1]), Some(Encoding::Relative));
        assert_eq!(encoding(&[1, 127, 127]), Some(Encoding::TwosComplement));
        assert_eq!(encoding(&[100]), Some(Encoding::Absolute));
        assert_eq!(encoding(&[]), None);
    }

    #[test]
    fn a_pair_of_controllers_is_a_14_bit_knob() {
        let binding = learn(Action::Turn(Dial::Adventure), &[[0xb0, 3, 10], [0xb0, 35, 99]]);
        let binding = binding.expect("learnt");
        assert_eq!((binding.address.number, binding.encoding), (3, Encoding::Absolute14));
    }

    #[test]
    fn a_button_is_learnt_when_pressed() {
        let hold = Action::Show(Command::Hold);
        assert_eq!(learn(hold.clone(), &[[0x80, 9, 0], [0xb0, 20, 0]]), None);
        let binding = learn(hold.clone(), &[[0x80, 9, 0], [0x99, 36, 80]]).expect("learnt");
        assert_eq!((binding.address.to_string().as_str(), binding.action), ("Note 36 ch 10", hold));
    }

    #[test]
    fn a_button_without_release_is_a_toggle() {
        let hold = Action::Show(Command::Hold);
        let encoding = |events: &[[u8; 3]]| learn(hold.clone(), events).map(|binding| binding.encoding);
        assert_eq!(encoding(&[[0xb0, 20, 127], [0xb0, 20, 0]]), Some(Encoding::Absolute));
        assert_eq!(encoding(&[[0xb0, 20, 127]]), Some(Encoding::Toggle));
        assert_eq!(encoding(&[[0xb0, 20, 127], [0xb0, 21, 0], [0xb0, 20, 127]]), Some(Encoding::Toggle));
    }

    #[test]
    fn another_knob_moved_meanwhile_is_ignored() {
        let events = [[0xb0, 20, 1], [0xb0, 21, 70], [0xb0, 20, 1], [0xb0, 20, 1]];
        let binding = learn(Action::Turn(Dial::Adventure), &events).expect("learnt");
        assert_eq!((binding.address.number, binding.encoding), (20, Encoding::Relative));
    }
}
