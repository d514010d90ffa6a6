//! The interpreter of the flat form: the back end for programs without machine code.

use super::flat::{Flat, Op, Step, Value};
use super::functions::{from_bool, is_true, iterations};
use super::machine::Machine;
use super::tree::Home;

/// Runs `flat` on `items` rows of `inputs` and fills the corresponding rows of `outputs`; `labels` is the result of
/// [`Flat::label_positions`]. Returns the number of items that finished, fewer than `items` if the budget ran
/// out.
pub(super) fn run(
    flat: &Flat,
    labels: &[u32],
    machine: &mut Machine,
    inputs: &[f64],
    outputs: &mut [f64],
    items: usize,
) -> usize {
    let mut scratch = std::mem::take(&mut machine.shared.scratch);
    scratch.clear();
    scratch.resize(flat.values.len() + flat.places.len(), 0.0);
    let (values, places) = scratch.split_at_mut(flat.values.len());
    for (place, info) in places.iter_mut().zip(&flat.places) {
        match info.home {
            Some(Home::Variable(slot)) => *place = machine.vars[slot as usize],
            Some(Home::Register(number)) => *place = machine.shared.regs[usize::from(number)],
            None => {}
        }
    }
    let mut run = Run { machine, labels, values, places };
    run.steps(&flat.once, &[], &mut []);
    let (wide_in, wide_out) = (flat.inputs as usize, flat.outputs as usize);
    let mut finished = 0;
    while finished < items && run.machine.budget.spend(u64::from(flat.cost)) {
        let input = &inputs[finished * wide_in..][..wide_in];
        let output = &mut outputs[finished * wide_out..][..wide_out];
        if !run.steps(&flat.each, input, output) {
            break;
        }
        finished += 1;
    }
    for (&place, info) in places.iter().zip(&flat.places) {
        match info.home {
            Some(Home::Variable(slot)) => machine.vars[slot as usize] = place,
            Some(Home::Register(number)) => machine.shared.regs[usize::from(number)] = place,
            None => {}
        }
    }
    machine.shared.scratch = scratch;
    finished
}

struct Run<'a, 'm> {
    machine: &'a mut Machine<'m>,
    labels: &'a [u32],
    /// Computed values; booleans are stored as 1 and 0.
    values: &'a mut [f64],
    places: &'a mut [f64],
}

impl Run<'_, '_> {
    fn number(&self, value: Value) -> f64 {
        self.values[value.0 as usize]
    }

    fn truth(&self, value: Value) -> bool {
        self.values[value.0 as usize] != 0.0
    }

    /// Runs `steps` once; returns false if the budget ran out at a checkpoint.
    fn steps(&mut self, steps: &[Step], input: &[f64], output: &mut [f64]) -> bool {
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            at += 1;
            let result = match step.op {
                Op::Constant(bits) => f64::from_bits(bits),
                Op::Initial(Home::Variable(slot)) => self.machine.vars[slot as usize],
                Op::Initial(Home::Register(number)) => self.machine.shared.regs[usize::from(number)],
                Op::Input(column) => input[column as usize],
                Op::Get(place) => self.places[place.0 as usize],
                Op::Unary(unary, a) => unary.apply(self.number(a)),
                Op::Binary(binary, a, b) => binary.apply(self.number(a), self.number(b)),
                Op::Iterations(a) => iterations(self.number(a)),
                Op::Compare(comparison, a, b) => from_bool(comparison.holds(self.number(a), self.number(b))),
                Op::IsTrue(a) => from_bool(is_true(self.number(a))),
                Op::Number(a) => self.number(a),
                Op::Not(a) => from_bool(!self.truth(a)),
                Op::And(a, b) => from_bool(self.truth(a) && self.truth(b)),
                Op::Or(a, b) => from_bool(self.truth(a) || self.truth(b)),
                Op::Select(condition, yes, no) => self.number(if self.truth(condition) { yes } else { no }),
                Op::Load(space, index) => self.machine.load(space, self.number(index)),
                Op::Random(limit) => self.machine.rng.draw(self.number(limit)),
                Op::Free(index) => self.machine.free(self.number(index)),
                Op::Move(function, to, from, count) => {
                    self.machine.move_memory(function, self.number(to), self.number(from), self.number(count))
                }
                Op::Set(place, value) => {
                    self.places[place.0 as usize] = self.number(value);
                    continue;
                }
                Op::Store(space, index, value) => {
                    self.machine.store(space, self.number(index), self.number(value));
                    continue;
                }
                Op::Output(column, value) => {
                    output[column as usize] = self.number(value);
                    continue;
                }
                Op::Charge(cost) => {
                    self.machine.budget.spend(u64::from(cost));
                    continue;
                }
                Op::Checkpoint(cost) => {
                    if !self.machine.budget.spend(u64::from(cost)) {
                        return false;
                    }
                    continue;
                }
                Op::Label(_) => continue,
                Op::Jump(label) => {
                    at = self.labels[label.0 as usize] as usize;
                    continue;
                }
                Op::Unless(condition, label) => {
                    if !self.truth(condition) {
                        at = self.labels[label.0 as usize] as usize;
                    }
                    continue;
                }
            };
            if let Some(value) = step.result {
                self.values[value.0 as usize] = result;
            }
        }
        true
    }
}
