//! The flat form: typed operations in execution order, the input of both back ends.
//!
//! A program runs on items: a single one, or the rows of a batch. `once` runs before the first item, `each`
//! for every item. Each value is computed by exactly one operation, which dominates its uses; anything that
//! is set more than once lives in a [`Place`].

use super::functions::{Binary, Comparison, Move, Unary};
use super::tree::{Home, Space};

/// The result of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Value(pub u32);

/// A mutable number or boolean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place(pub u32);

/// A jump target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Label(pub u32);

/// Type of a value or place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Truth,
}

/// An operation of the flat form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    /// A number, given by its bits.
    Constant(u64),
    /// Value of a variable or register at the start of the run.
    Initial(Home),
    /// A column of the item's input row.
    Input(u32),
    Get(Place),
    Set(Place, Value),
    Unary(Unary, Value),
    Binary(Binary, Value, Value),
    /// Number of iterations of `loop` for a given count.
    Iterations(Value),
    Compare(Comparison, Value, Value),
    IsTrue(Value),
    /// 1 for true, 0 for false.
    Number(Value),
    Not(Value),
    And(Value, Value),
    Or(Value, Value),
    /// The second value if the first is true, else the third.
    Select(Value, Value, Value),
    Load(Space, Value),
    /// Stores the second value at the index given by the first.
    Store(Space, Value, Value),
    Random(Value),
    Free(Value),
    Move(Move, Value, Value, Value),
    /// Stores to a column of the item's output row.
    Output(u32, Value),
    /// Charges this many instructions to the budget.
    Charge(u32),
    /// Charges this many instructions to the budget and ends the run if none are left.
    Checkpoint(u32),
    Label(Label),
    Jump(Label),
    /// Jumps if the value is false.
    Unless(Value, Label),
}

impl Op {
    /// Returns the type of the result, if there is one; `places` is [`Flat::places`].
    pub fn result(self, places: &[PlaceInfo]) -> Option<Type> {
        match self {
            Self::Compare(..) | Self::IsTrue(_) | Self::Not(_) | Self::And(..) | Self::Or(..) => {
                Some(Type::Truth)
            }
            Self::Get(place) => Some(places[place.0 as usize].of),
            Self::Set(..)
            | Self::Store(..)
            | Self::Output(..)
            | Self::Charge(_)
            | Self::Checkpoint(_)
            | Self::Label(_)
            | Self::Jump(_)
            | Self::Unless(..) => None,
            _ => Some(Type::Number),
        }
    }

    /// Returns true if the operation has no side effects, so that it can be removed if its result is not
    /// used.
    pub fn is_removable(self) -> bool {
        use Op::{Charge, Checkpoint, Free, Jump, Label, Move, Output, Random, Set, Store, Unless};
        !matches!(
            self,
            Set(..)
                | Store(..)
                | Random(_)
                | Free(_)
                | Move(..)
                | Output(..)
                | Charge(_)
                | Checkpoint(_)
                | Label(_)
                | Jump(_)
                | Unless(..)
        )
    }

    /// Calls `visit` for each operand.
    pub fn operands(self, mut visit: impl FnMut(Value)) {
        match self {
            Self::Constant(_)
            | Self::Initial(_)
            | Self::Input(_)
            | Self::Get(_)
            | Self::Charge(_)
            | Self::Checkpoint(_)
            | Self::Label(_)
            | Self::Jump(_) => {}
            Self::Set(_, a)
            | Self::Unary(_, a)
            | Self::Iterations(a)
            | Self::IsTrue(a)
            | Self::Number(a)
            | Self::Not(a)
            | Self::Load(_, a)
            | Self::Random(a)
            | Self::Free(a)
            | Self::Output(_, a)
            | Self::Unless(a, _) => visit(a),
            Self::Binary(_, a, b)
            | Self::Compare(_, a, b)
            | Self::And(a, b)
            | Self::Or(a, b)
            | Self::Store(_, a, b) => [a, b].into_iter().for_each(visit),
            Self::Select(a, b, c) | Self::Move(_, a, b, c) => [a, b, c].into_iter().for_each(visit),
        }
    }
}

/// One operation and the value it computes, if any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub op: Op,
    pub result: Option<Value>,
}

/// The type and home of a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlaceInfo {
    pub of: Type,
    /// The variable or register that the place is loaded from at the start of a run and saved to at the end;
    /// `None` if it is temporary.
    pub home: Option<Home>,
}

/// A program in the flat form.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat {
    /// Runs before the first item.
    pub once: Vec<Step>,
    /// Runs for every item.
    pub each: Vec<Step>,
    /// Instructions charged per item, on top of those charged by [`Op::Charge`] and [`Op::Checkpoint`] steps.
    pub cost: u32,
    /// Type of each value.
    pub values: Vec<Type>,
    pub places: Vec<PlaceInfo>,
    /// For each label, whether it is a loop header that later code jumps back to.
    pub loops: Vec<bool>,
    /// Number of columns in an input row.
    pub inputs: u32,
    /// Number of columns in an output row.
    pub outputs: u32,
    /// Whether the program may run on several items.
    pub batch: bool,
}

impl Flat {
    /// Removes operations that have no side effects and whose results are not used.
    pub fn prune(&mut self) {
        let mut used = vec![false; self.values.len()];
        for steps in [&mut self.each, &mut self.once] {
            let mut keep = vec![false; steps.len()];
            for (step, keep) in steps.iter().zip(&mut keep).rev() {
                *keep = !step.op.is_removable() || step.result.is_some_and(|value| used[value.0 as usize]);
                if *keep {
                    step.op.operands(|value| used[value.0 as usize] = true);
                }
            }
            let mut keep = keep.into_iter();
            steps.retain(|_| keep.next() == Some(true));
        }
    }

    /// Returns the position of each label in `each`.
    pub fn label_positions(&self) -> Vec<u32> {
        let mut positions = vec![0; self.loops.len()];
        for (at, step) in (0..).zip(&self.each) {
            if let Op::Label(label) = step.op {
                positions[label.0 as usize] = at;
            }
        }
        positions
    }

    /// Returns true if part of the program may run more than once per item.
    pub fn has_loops(&self) -> bool {
        self.each.iter().any(|step| matches!(step.op, Op::Checkpoint(_)))
    }

    /// Returns true if the program has [`Op::Load`] or [`Op::Store`] steps for the memory `space`.
    pub fn uses_memory(&self, space: Space) -> bool {
        self.each.iter().any(|step| match step.op {
            Op::Load(of, _) | Op::Store(of, ..) => of == space,
            _ => false,
        })
    }
}
