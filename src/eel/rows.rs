//! Splits a batch program whose input rows stay the same from run to run: slow functions that depend only on
//! a row and constants are computed once per row and stored in additional columns.

use super::flat::{Flat, Op, Step, Type, Value};
use super::functions::{Binary, Unary};

/// Maximum number of columns added to a row.
const MAX_ADDED: usize = 16;

/// Replaces slow computations of `flat` that depend only on the input row with additional input columns.
/// Returns the program that computes these columns from the original row; `None` if there are no such
/// computations.
pub(super) fn split(flat: &mut Flat) -> Option<Flat> {
    let facts = Facts::of(flat);
    let columns = facts.columns(flat);
    if columns.is_empty() {
        return None;
    }
    let of_row = |steps: &[Step]| {
        let fixed = |step: &&Step| step.result.is_some_and(|value| facts.fixed[value.0 as usize]);
        steps.iter().filter(fixed).copied().collect::<Vec<_>>()
    };
    let mut rows = Flat {
        once: of_row(&flat.once),
        each: of_row(&flat.each),
        values: flat.values.clone(),
        inputs: flat.inputs,
        outputs: columns.len() as u32,
        batch: true,
        ..Flat::default()
    };
    let outputs = (0..).zip(&columns).map(|(column, &value)| Op::Output(column, value));
    rows.each.extend(outputs.map(|op| Step { op, result: None }));
    rows.prune();
    for step in &mut flat.each {
        let column = columns.iter().position(|&value| step.result == Some(value));
        if let Some(column) = column {
            step.op = Op::Input(flat.inputs + column as u32);
        }
    }
    flat.inputs += columns.len() as u32;
    flat.prune();
    Some(rows)
}

/// Properties of the values of a program.
struct Facts {
    /// For each value, whether it depends only on the input row and constants.
    fixed: Vec<bool>,
    /// For each value, whether it depends only on the input row and constants, may vary between rows, and
    /// needs a slow operation.
    slow: Vec<bool>,
}

impl Facts {
    fn of(flat: &Flat) -> Self {
        let mut facts = Self { fixed: vec![false; flat.values.len()], slow: vec![false; flat.values.len()] };
        for (steps, each) in [(&flat.once, false), (&flat.each, true)] {
            for step in steps {
                let Some(result) = step.result else { continue };
                let (mut fixed, mut slow) = (is_function(step.op), each && is_slow(step.op));
                step.op.operands(|operand| {
                    fixed &= facts.fixed[operand.0 as usize];
                    slow |= facts.slow[operand.0 as usize];
                });
                facts.fixed[result.0 as usize] = fixed;
                facts.slow[result.0 as usize] = fixed && slow;
            }
        }
        facts
    }

    /// Returns the numbers that are slow to compute and used by the rest of the program, at most [`MAX_ADDED`]
    /// of them.
    fn columns(&self, flat: &Flat) -> Vec<Value> {
        let mut columns = Vec::new();
        let mut needed = vec![false; flat.values.len()];
        for step in flat.each.iter().rev() {
            let computed = match step.result {
                Some(value) => needed[value.0 as usize] && !columns.contains(&value),
                None => true,
            };
            if !computed && step.op.is_removable() {
                continue;
            }
            step.op.operands(|operand| {
                let at = operand.0 as usize;
                let becomes_column = self.slow[at] && flat.values[at] == Type::Number;
                if !becomes_column || (columns.len() == MAX_ADDED && !columns.contains(&operand)) {
                    needed[at] = true;
                } else if !columns.contains(&operand) {
                    columns.push(operand);
                }
            });
        }
        columns
    }
}

/// Returns true if the result depends only on the operands and the input row.
fn is_function(op: Op) -> bool {
    match op {
        Op::Constant(_)
        | Op::Input(_)
        | Op::Unary(..)
        | Op::Binary(..)
        | Op::Iterations(_)
        | Op::Compare(..)
        | Op::IsTrue(_)
        | Op::Number(_)
        | Op::Not(_)
        | Op::And(..)
        | Op::Or(..)
        | Op::Select(..) => true,
        Op::Initial(_)
        | Op::Get(_)
        | Op::Set(..)
        | Op::Load(..)
        | Op::Store(..)
        | Op::Random(_)
        | Op::Free(_)
        | Op::Move(..)
        | Op::Output(..)
        | Op::Charge(_)
        | Op::Checkpoint(_)
        | Op::Label(_)
        | Op::Jump(_)
        | Op::Unless(..) => false,
    }
}

/// Returns true if reading the result from memory is faster than computing it.
fn is_slow(op: Op) -> bool {
    match op {
        Op::Unary(unary, _) => !unary.is_cheap() && unary != Unary::SquareRoot,
        Op::Binary(binary, ..) => matches!(binary, Binary::Power | Binary::Atan2 | Binary::Sigmoid),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Columns, Scope, compile_batch};
    use super::*;

    /// Returns the number of slow operations left in `source`, whose inputs are `x` and `y`, and the number
    /// moved to the rows.
    fn slow_ops(source: &str) -> [usize; 2] {
        let mut scope = Scope::new();
        let [x, y, zoom] = ["x", "y", "zoom"].map(|name| scope.var(name));
        let columns = Columns { inputs: &[x, y], resets: &[zoom], outputs: &[zoom] };
        let code = compile_batch(source, &mut scope, columns).expect("valid code");
        let mut flat = code.flat().clone();
        let rows = split(&mut flat);
        let count = |flat: &Flat| flat.each.iter().filter(|step| is_slow(step.op)).count();
        [count(&flat), rows.as_ref().map_or(0, count)]
    }

    #[test]
    fn slow_functions_of_the_row_are_moved() {
        assert_eq!(slow_ops("zoom = zoom + sin(x * 5) * cos(atan2(x, y))"), [0, 3]);
        assert_eq!(slow_ops("zoom = zoom * sin(x * time) + cos(x)"), [1, 1]);
        assert_eq!(slow_ops("a = pow(x, 3); zoom = if(above(a, 0.2), sin(a), a)"), [0, 2]);
    }

    #[test]
    fn computations_with_other_dependencies_stay() {
        for source in [
            "zoom = sin(time)",
            "zoom = x + y * 2",
            "zoom = sin(megabuf(x))",
            "zoom = sin(rand(x))",
            "b = sin(b + x)",
        ] {
            assert_eq!(slow_ops(source)[1], 0, "{source}");
        }
    }

    #[test]
    fn the_number_of_columns_is_limited() {
        let terms: Vec<_> = (0..40).map(|n| format!("z = z + {n} * zoom * sin(x * {n}.5)")).collect();
        assert_eq!(slow_ops(&format!("{}; zoom = z", terms.join("; "))), [40 - MAX_ADDED, MAX_ADDED]);
    }
}
