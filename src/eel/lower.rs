//! Lowers the syntax tree to the flat form.
//!
//! Equal pure operations are computed once. In a batch, pure operations that do not depend on the item are computed
//! before the first item. An `if` whose branches are short and cheap becomes a select without a jump. The budget counts
//! evaluated nodes of the tree: a region is charged for all its nodes when it begins; each branch and each loop body is
//! a region of its own.

use std::collections::{HashMap, HashSet};

use super::flat::{Flat, Label, Op, Place, PlaceInfo, Step, Type, Value};
use super::functions::{Binary, Comparison, MAX_ITERATIONS, MIN_DIVISOR, Unary};
use super::tree::{Home, Node, NodeId, Space};

/// Maximum number of nodes in a branch that is computed speculatively.
const MAX_SELECTED: u32 = 12;

/// Slots of the variables in [`super::Columns`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BatchSlots<'a> {
    /// Set from the input row of each item.
    pub inputs: &'a [u32],
    /// Reset for each item to their values at the start of the batch.
    pub resets: &'a [u32],
    /// Copied to the output row of each item.
    pub outputs: &'a [u32],
}

/// Lowers a program whose only output is the value of its last statement.
pub(super) fn program(nodes: &[Node], root: NodeId) -> Flat {
    let mut lowering = Lowering::new(nodes, false);
    let value = lowering.lower(root, true);
    lowering.step(Op::Output(0, value));
    lowering.flat.outputs = 1;
    lowering.finish()
}

/// Lowers a program that runs on the items of a batch. Also returns the column of each of `slots.outputs`;
/// `None` for variables that the program does not assign.
pub(super) fn batch(nodes: &[Node], root: NodeId, slots: BatchSlots) -> (Flat, Vec<Option<u32>>) {
    let mut lowering = Lowering::new(nodes, true);
    lowering.begin_item(slots);
    lowering.lower(root, false);
    let columns = slots.outputs.iter().map(|&slot| lowering.output(Home::Variable(slot))).collect();
    (lowering.finish(), columns)
}

/// Target of an assignment.
enum Target {
    Place(Place),
    Memory(Space, Operand),
    /// Not assignable; stores are discarded, as in ns-eel2.
    Temporary(Operand),
    /// The first target if the place is true, else the second.
    Either(Place, Box<[Target; 2]>),
}

/// A value, or a place that keeps it for use after a branch.
#[derive(Clone, Copy)]
enum Operand {
    Value(Value),
    Kept(Place),
}

/// The start of a scope. When the scope ends, what was learned about values and places since its start is
/// forgotten.
struct Scope {
    numbered: usize,
    changes: usize,
}

/// A change to the known value of a place.
struct Change {
    place: Place,
    before: Option<Value>,
    /// Whether the place was set, rather than read.
    set: bool,
}

struct Lowering<'a> {
    nodes: &'a [Node],
    flat: Flat,
    /// Variables and registers that the program assigns.
    assigned: HashSet<Home>,
    places: HashMap<Home, Place>,
    /// Inputs that the program does not assign.
    inputs: HashMap<Home, Value>,
    /// Current value of each place, where it is known.
    known: HashMap<Place, Value>,
    changes: Vec<Change>,
    /// Pure operations of `each` whose values can be reused at this point, and the order in which they were
    /// added.
    numbered: HashMap<Op, Value>,
    order: Vec<Op>,
    /// Pure operations of `once`, with their values.
    numbered_once: HashMap<Op, Value>,
    /// The operation that computes each value, and whether it is in `once`.
    computed: Vec<(Op, bool)>,
    /// Instructions counted so far in the current region.
    cost: u32,
}

impl<'a> Lowering<'a> {
    fn new(nodes: &'a [Node], batch: bool) -> Self {
        let mut assigned = HashSet::new();
        for node in nodes {
            if let Node::Assign(target, _) | Node::CompoundAssign(_, target, _) = *node {
                assigned_names(nodes, target, &mut assigned);
            }
        }
        Self {
            nodes,
            flat: Flat { batch, ..Flat::default() },
            assigned,
            places: HashMap::new(),
            inputs: HashMap::new(),
            known: HashMap::new(),
            changes: Vec::new(),
            numbered: HashMap::new(),
            order: Vec::new(),
            numbered_once: HashMap::new(),
            computed: Vec::new(),
            cost: 0,
        }
    }

    fn finish(mut self) -> Flat {
        self.flat.cost = self.cost;
        self.flat.prune();
        self.flat
    }

    /// Adds the steps that set inputs and resets at the start of each item.
    fn begin_item(&mut self, slots: BatchSlots) {
        self.flat.inputs = slots.inputs.len() as u32;
        for (column, &slot) in (0..).zip(slots.inputs) {
            let home = Home::Variable(slot);
            let value = self.pure(Op::Input(column));
            if self.assigned.contains(&home) {
                self.begin_place(home, value);
            } else {
                self.inputs.insert(home, value);
            }
        }
        for &slot in slots.resets {
            let home = Home::Variable(slot);
            if self.assigned.contains(&home) {
                let value = self.pure(Op::Initial(home));
                self.begin_place(home, value);
            }
        }
    }

    /// Adds a place for `home` that is set to `value` at the start of each item and not saved after the run.
    fn begin_place(&mut self, home: Home, value: Value) {
        let place = self.new_place(Type::Number, None);
        self.places.insert(home, place);
        self.set(place, value);
    }

    /// Adds an output column for `home` and returns its index; `None` if the program does not assign `home`.
    fn output(&mut self, home: Home) -> Option<u32> {
        let place = *self.assigned.contains(&home).then(|| self.places.get(&home))??;
        let value = self.get(place);
        let column = self.flat.outputs;
        self.flat.outputs += 1;
        self.step(Op::Output(column, value));
        Some(column)
    }

    // Steps and values.

    fn step(&mut self, op: Op) {
        self.flat.each.push(Step { op, result: None });
    }

    /// Adds an operation that must run at this point, and returns its value.
    fn here(&mut self, op: Op) -> Value {
        let value = self.new_value(op, false);
        self.flat.each.push(Step { op, result: Some(value) });
        value
    }

    /// Adds a pure operation and returns its value, or returns the value of an equal operation.
    fn pure(&mut self, op: Op) -> Value {
        let op = match self.simplified(op) {
            Ok(value) => return value,
            Err(op) => op,
        };
        let once = match op {
            Op::Constant(_) | Op::Initial(_) => true,
            Op::Input(_) => false,
            _ => {
                let mut fixed = self.flat.batch;
                op.operands(|value| fixed &= self.computed[value.0 as usize].1);
                fixed
            }
        };
        if once {
            if let Some(&value) = self.numbered_once.get(&op) {
                return value;
            }
            let value = self.new_value(op, true);
            self.flat.once.push(Step { op, result: Some(value) });
            self.numbered_once.insert(op, value);
            return value;
        }
        if let Some(&value) = self.numbered.get(&op) {
            return value;
        }
        let value = self.here(op);
        self.numbered.insert(op, value);
        self.order.push(op);
        value
    }

    fn new_value(&mut self, op: Op, once: bool) -> Value {
        let value = Value(self.flat.values.len() as u32);
        self.flat.values.push(op.result(&self.flat.places).unwrap_or(Type::Number));
        self.computed.push((op, once));
        value
    }

    /// Returns the known value that equals the result of `op`; otherwise `op` itself, as the error.
    fn simplified(&self, op: Op) -> Result<Value, Op> {
        let computed = |value: Value| self.computed[value.0 as usize].0;
        match op {
            Op::IsTrue(number) => match computed(number) {
                Op::Number(truth) => Ok(truth),
                _ => Err(op),
            },
            Op::Not(truth) => match computed(truth) {
                Op::Not(truth) => Ok(truth),
                _ => Err(op),
            },
            _ => Err(op),
        }
    }

    fn constant(&mut self, number: f64) -> Value {
        self.pure(Op::Constant(number.to_bits()))
    }

    // Places.

    fn new_place(&mut self, of: Type, home: Option<Home>) -> Place {
        self.flat.places.push(PlaceInfo { of, home });
        Place(self.flat.places.len() as u32 - 1)
    }

    /// Returns the place of a variable or register that the program assigns.
    fn place(&mut self, home: Home) -> Place {
        if let Some(&place) = self.places.get(&home) {
            return place;
        }
        let place = self.new_place(Type::Number, Some(home));
        self.places.insert(home, place);
        place
    }

    fn learn(&mut self, place: Place, value: Option<Value>, set: bool) {
        let before = match value {
            Some(value) => self.known.insert(place, value),
            None => self.known.remove(&place),
        };
        self.changes.push(Change { place, before, set });
    }

    fn get(&mut self, place: Place) -> Value {
        if let Some(&value) = self.known.get(&place) {
            return value;
        }
        let value = self.here(Op::Get(place));
        self.learn(place, Some(value), false);
        value
    }

    fn set(&mut self, place: Place, value: Value) {
        self.step(Op::Set(place, value));
        self.learn(place, Some(value), true);
    }

    fn read(&mut self, home: Home) -> Value {
        if let Some(&value) = self.inputs.get(&home) {
            return value;
        }
        if !self.assigned.contains(&home) {
            return self.pure(Op::Initial(home));
        }
        let place = self.place(home);
        self.get(place)
    }

    // Control flow.

    fn label(&mut self, loops: bool) -> Label {
        self.flat.loops.push(loops);
        Label(self.flat.loops.len() as u32 - 1)
    }

    fn open(&self) -> Scope {
        Scope { numbered: self.order.len(), changes: self.changes.len() }
    }

    /// Ends a scope; returns the places set in it.
    fn close(&mut self, scope: &Scope) -> Vec<Place> {
        for op in self.order.drain(scope.numbered..) {
            self.numbered.remove(&op);
        }
        let mut set = Vec::new();
        for change in self.changes.drain(scope.changes..).rev() {
            match change.before {
                Some(value) => self.known.insert(change.place, value),
                None => self.known.remove(&change.place),
            };
            if change.set {
                set.push(change.place);
            }
        }
        set.sort_unstable();
        set.dedup();
        set
    }

    /// Lowers code that runs only on some paths; returns the places it sets. The instructions of the code are
    /// charged at its start by the operation that `charge` builds: an [`Op::Charge`] or, in loops, an
    /// [`Op::Checkpoint`].
    fn region(&mut self, charge: fn(u32) -> Op, body: impl FnOnce(&mut Self)) -> Vec<Place> {
        let at = self.flat.each.len();
        self.step(charge(0));
        let outside = std::mem::take(&mut self.cost);
        let scope = self.open();
        body(self);
        let set = self.close(&scope);
        let cost = std::mem::replace(&mut self.cost, outside);
        self.flat.each[at].op = charge(cost);
        set
    }

    /// Lowers two alternatives: `yes` runs if `condition` is true, otherwise `no`.
    fn branch(&mut self, condition: Value, yes: impl FnOnce(&mut Self), no: impl FnOnce(&mut Self)) {
        let (otherwise, end) = (self.label(false), self.label(false));
        self.step(Op::Unless(condition, otherwise));
        let mut set = self.region(Op::Charge, yes);
        self.step(Op::Jump(end));
        self.step(Op::Label(otherwise));
        set.extend(self.region(Op::Charge, no));
        self.step(Op::Label(end));
        self.forget(set);
    }

    fn forget(&mut self, set: Vec<Place>) {
        for place in set {
            self.learn(place, None, true);
        }
    }

    /// Lowers a loop of at most `iterations` iterations. If `body` returns a value, the loop ends early once
    /// that value is false.
    fn repeat(&mut self, iterations: Value, body: impl FnOnce(&mut Self) -> Option<Value>) {
        let counter = self.new_place(Type::Number, None);
        self.set(counter, iterations);
        let (head, end) = (self.label(true), self.label(false));
        // The values of places are unknown in later iterations.
        let known = self.known.drain();
        self.changes.extend(known.map(|(place, value)| Change { place, before: Some(value), set: false }));
        let scope = self.open();
        let (zero, one) = (self.constant(0.0), self.constant(1.0));
        self.step(Op::Label(head));
        let left = self.get(counter);
        let more = self.pure(Op::Compare(Comparison::Greater, left, zero));
        self.step(Op::Unless(more, end));
        let mut set = self.region(Op::Checkpoint, |this| {
            let next = this.pure(Op::Binary(Binary::Subtract, left, one));
            this.set(counter, next);
            if let Some(value) = body(this) {
                let more = this.pure(Op::IsTrue(value));
                this.step(Op::Unless(more, end));
            }
        });
        self.step(Op::Jump(head));
        self.step(Op::Label(end));
        set.extend(self.close(&scope));
        self.forget(set);
    }

    /// Lowers a loop as [`Self::repeat`] does. If `wanted` is true, `body` is passed a place in which it stores
    /// the value of each iteration. Returns the value of the last iteration; 0 if there was none, or if
    /// `wanted` is false.
    fn lower_loop(
        &mut self,
        iterations: Value,
        wanted: bool,
        body: impl FnOnce(&mut Self, Option<Place>) -> Option<Value>,
    ) -> Value {
        let zero = self.constant(0.0);
        let last = wanted.then(|| self.new_place(Type::Number, None));
        self.keep(last, zero);
        self.repeat(iterations, |this| body(this, last));
        last.map_or(zero, |last| self.get(last))
    }

    fn keep(&mut self, place: Option<Place>, value: Value) {
        if let Some(place) = place {
            self.set(place, value);
        }
    }

    // Nodes.

    /// Lowers a node; the returned value is valid only if `wanted` is true.
    fn lower(&mut self, id: NodeId, wanted: bool) -> Value {
        let nodes = self.nodes;
        match nodes[id as usize] {
            Node::Not(_) | Node::And(..) | Node::Or(..) => return self.lower_truth(id),
            Node::Binary(Binary::Compare(_) | Binary::Both | Binary::Either, ..) => {
                return self.lower_truth(id);
            }
            _ => {}
        }
        self.cost += nodes[id as usize].cost();
        match nodes[id as usize] {
            Node::Number(value) => self.constant(value),
            Node::Name(home) => self.read(home),
            Node::Memory(space, index) => {
                let index = self.value(index);
                self.here(Op::Load(space, index))
            }
            Node::Assign(target, value) => {
                let target = self.target(target);
                let value = self.value(value);
                self.store(&target, value);
                value
            }
            Node::CompoundAssign(binary, target, value) => {
                let target = self.target(target);
                let value = self.value(value);
                let before = self.load(&target);
                let value = self.binary(binary, before, value);
                self.store(&target, value);
                value
            }
            Node::Binary(binary, a, b) => {
                let a = self.value(a);
                let b = self.value(b);
                self.binary(binary, a, b)
            }
            Node::Unary(unary, a) => {
                let a = self.value(a);
                match unary {
                    Unary::Square => self.binary(Binary::Multiply, a, a),
                    _ => self.pure(Op::Unary(unary, a)),
                }
            }
            Node::If(condition, yes, no) => self.lower_if(condition, yes, no, wanted),
            Node::Sequence(ref list) => {
                let mut value = None;
                for (at, &step) in list.iter().enumerate() {
                    value = Some(self.lower(step, wanted && at + 1 == list.len()));
                }
                value.unwrap_or_else(|| self.constant(0.0))
            }
            Node::Loop(count, body) => {
                let count = self.value(count);
                let iterations = self.pure(Op::Iterations(count));
                self.lower_loop(iterations, wanted, |this, last| {
                    let value = this.lower(body, wanted);
                    this.keep(last, value);
                    None
                })
            }
            Node::While(body) => {
                let iterations = self.constant(f64::from(MAX_ITERATIONS));
                self.lower_loop(iterations, wanted, |this, last| {
                    let value = this.value(body);
                    this.keep(last, value);
                    Some(value)
                })
            }
            Node::Random(a) => {
                let a = self.value(a);
                self.here(Op::Random(a))
            }
            Node::Free(a) => {
                let a = self.value(a);
                self.here(Op::Free(a))
            }
            Node::Move(function, a, b, c) => {
                let (a, b, c) = (self.value(a), self.value(b), self.value(c));
                self.here(Op::Move(function, a, b, c))
            }
            Node::Not(_) | Node::And(..) | Node::Or(..) => self.lower_truth(id),
        }
    }

    fn value(&mut self, id: NodeId) -> Value {
        self.lower(id, true)
    }

    fn lower_truth(&mut self, id: NodeId) -> Value {
        let truth = self.truth(id);
        self.pure(Op::Number(truth))
    }

    /// Lowers a node to a boolean.
    fn truth(&mut self, id: NodeId) -> Value {
        match self.nodes[id as usize] {
            Node::Not(a) => {
                self.cost += 1;
                let a = self.truth(a);
                self.pure(Op::Not(a))
            }
            Node::Binary(Binary::Compare(comparison), a, b) => {
                self.cost += 1;
                let (a, b) = (self.value(a), self.value(b));
                self.pure(Op::Compare(comparison, a, b))
            }
            Node::Binary(Binary::Both, a, b) => {
                self.cost += 1;
                let (a, b) = (self.truth(a), self.truth(b));
                self.pure(Op::And(a, b))
            }
            Node::Binary(Binary::Either, a, b) => {
                self.cost += 1;
                let (a, b) = (self.truth(a), self.truth(b));
                self.pure(Op::Or(a, b))
            }
            Node::And(a, b) => self.short_circuit(a, b, true),
            Node::Or(a, b) => self.short_circuit(a, b, false),
            _ => {
                let value = self.value(id);
                self.pure(Op::IsTrue(value))
            }
        }
    }

    /// Lowers `a && b` if `both` is true, otherwise `a || b`.
    fn short_circuit(&mut self, a: NodeId, b: NodeId, both: bool) -> Value {
        self.cost += 1;
        let a = self.truth(a);
        if self.is_cheap(b) {
            let before = self.cost;
            let b = self.truth(b);
            self.cost = before;
            return self.pure(if both { Op::And(a, b) } else { Op::Or(a, b) });
        }
        let result = self.new_place(Type::Truth, None);
        self.set(result, a);
        let go_on = if both { a } else { self.pure(Op::Not(a)) };
        self.branch(
            go_on,
            |this| {
                let b = this.truth(b);
                this.set(result, b);
            },
            |_| {},
        );
        self.get(result)
    }

    fn lower_if(&mut self, condition: NodeId, yes: NodeId, no: NodeId, wanted: bool) -> Value {
        let condition = self.truth(condition);
        if self.is_cheap(yes) && self.is_cheap(no) {
            let before = self.cost;
            let yes = self.value(yes);
            let cost_of_yes = self.cost - before;
            self.cost = before;
            let no = self.value(no);
            self.cost = before + cost_of_yes.min(self.cost - before);
            return self.pure(Op::Select(condition, yes, no));
        }
        let result = wanted.then(|| self.new_place(Type::Number, None));
        let alternative = |this: &mut Self, id| {
            let value = this.lower(id, wanted);
            if let Some(result) = result {
                this.set(result, value);
            }
        };
        self.branch(condition, |this| alternative(this, yes), |this| alternative(this, no));
        match result {
            Some(result) => self.get(result),
            None => self.constant(0.0),
        }
    }

    fn binary(&mut self, binary: Binary, a: Value, b: Value) -> Value {
        if binary == Binary::Divide
            && let Op::Constant(divisor) = self.computed[b.0 as usize].0
            && let Some(factor) = exact_reciprocal(f64::from_bits(divisor))
        {
            let factor = self.constant(factor);
            return self.pure(Op::Binary(Binary::Multiply, a, factor));
        }
        self.pure(Op::Binary(binary, a, b))
    }

    /// Returns true if a node has no side effects and only a few cheap operations, so that computing it
    /// speculatively beats a branch.
    fn is_cheap(&self, id: NodeId) -> bool {
        let mut left = MAX_SELECTED;
        self.is_cheap_within(id, &mut left)
    }

    fn is_cheap_within(&self, id: NodeId, left: &mut u32) -> bool {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        let node = &self.nodes[id as usize];
        let itself = match node {
            Node::Number(_) | Node::Name(_) | Node::Not(_) | Node::And(..) | Node::Or(..) | Node::If(..) => {
                true
            }
            Node::Unary(unary, _) => unary.is_cheap(),
            Node::Binary(binary, ..) => binary.is_cheap(),
            _ => false,
        };
        let mut cheap = itself;
        if itself {
            node.children(|child| cheap = cheap && self.is_cheap_within(child, left));
        }
        cheap
    }

    // Assignments.

    /// Resolves the target of an assignment; an `if` selects one of two.
    fn target(&mut self, id: NodeId) -> Target {
        match self.nodes[id as usize] {
            Node::Name(home) => Target::Place(self.place(home)),
            Node::Memory(space, index) => {
                let index = self.value(index);
                Target::Memory(space, Operand::Value(index))
            }
            Node::If(condition, yes, no) => {
                let condition = self.truth(condition);
                let choice = self.new_place(Type::Truth, None);
                self.set(choice, condition);
                let (mut first, mut second) = (None, None);
                self.branch(
                    condition,
                    |this| first = Some(this.kept_target(yes)),
                    |this| second = Some(this.kept_target(no)),
                );
                match (first, second) {
                    (Some(first), Some(second)) => Target::Either(choice, Box::new([first, second])),
                    _ => Target::Temporary(Operand::Value(self.constant(0.0))),
                }
            }
            _ => {
                let value = self.value(id);
                Target::Temporary(Operand::Value(value))
            }
        }
    }

    /// Resolves a target within a branch and keeps its operand in a place for use after the branch.
    fn kept_target(&mut self, id: NodeId) -> Target {
        let keep = |this: &mut Self, operand| {
            let value = this.operand(operand);
            let place = this.new_place(Type::Number, None);
            this.set(place, value);
            Operand::Kept(place)
        };
        match self.target(id) {
            Target::Memory(space, index) => Target::Memory(space, keep(self, index)),
            Target::Temporary(value) => Target::Temporary(keep(self, value)),
            target => target,
        }
    }

    fn operand(&mut self, operand: Operand) -> Value {
        match operand {
            Operand::Value(value) => value,
            Operand::Kept(place) => self.get(place),
        }
    }

    fn load(&mut self, target: &Target) -> Value {
        match *target {
            Target::Place(place) => self.get(place),
            Target::Memory(space, index) => {
                let index = self.operand(index);
                self.here(Op::Load(space, index))
            }
            Target::Temporary(value) => self.operand(value),
            Target::Either(choice, ref targets) => {
                let result = self.new_place(Type::Number, None);
                let alternative = |this: &mut Self, target| {
                    let value = this.load(target);
                    this.set(result, value);
                };
                let choice = self.get(choice);
                self.branch(
                    choice,
                    |this| alternative(this, &targets[0]),
                    |this| alternative(this, &targets[1]),
                );
                self.get(result)
            }
        }
    }

    fn store(&mut self, target: &Target, value: Value) {
        match *target {
            Target::Place(place) => self.set(place, value),
            Target::Memory(space, index) => {
                let index = self.operand(index);
                self.step(Op::Store(space, index, value));
            }
            Target::Temporary(_) => {}
            Target::Either(choice, ref targets) => {
                let choice = self.get(choice);
                self.branch(
                    choice,
                    |this| this.store(&targets[0], value),
                    |this| this.store(&targets[1], value),
                );
            }
        }
    }
}

/// Adds the variables and registers that an assignment to `target` may set.
fn assigned_names(nodes: &[Node], target: NodeId, names: &mut HashSet<Home>) {
    match nodes[target as usize] {
        Node::Name(home) => {
            names.insert(home);
        }
        Node::If(_, yes, no) => {
            assigned_names(nodes, yes, names);
            assigned_names(nodes, no, names);
        }
        _ => {}
    }
}

/// Returns the reciprocal of `divisor` if `divisor` is a power of two or its negative, so that multiplying by
/// the reciprocal gives the same bits as dividing; otherwise `None`.
fn exact_reciprocal(divisor: f64) -> Option<f64> {
    let reciprocal = 1.0 / divisor;
    let is_power = |number: f64| number.is_normal() && number.to_bits().trailing_zeros() >= 52;
    (is_power(divisor) && is_power(reciprocal) && divisor.abs() >= MIN_DIVISOR).then_some(reciprocal)
}
