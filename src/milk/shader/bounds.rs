//! Loop limits: adds an iteration counter, shared by all loops of a pixel, to a translated shader.
//!
//! An endless shader would hang the graphics device and stop the show.

use naga::{
    AddressSpace, BinaryOperator, Block, Expression, Function, GlobalVariable, Handle, Literal, Module,
    Scalar, Span, Statement, Type, TypeInner,
};

/// Minimum and maximum of the iterations of all loops of one pixel.
const ITERATIONS: [usize; 2] = [128, 4_096];
/// Work all loops of one pixel may do, in statements; a texture lookup counts as 16.
const WORK: usize = 524_288;

/// Returns the limit for a shader. The more work it does, the lower the limit.
pub(super) fn limit(wgsl: &str) -> u32 {
    let work = wgsl.matches(';').count() + 16 * wgsl.matches("textureSample").count();
    (WORK / work.max(1)).clamp(ITERATIONS[0], ITERATIONS[1]) as u32
}

/// Adds the counter to every loop: all loops of a pixel together run at most `limit` times.
pub(super) fn bound_loops(module: &mut Module, limit: u32) {
    let functions = module.functions.iter().map(|(_, function)| function);
    let entries = module.entry_points.iter().map(|entry| &entry.function);
    if !functions.chain(entries).any(|function| has_loop(&function.body)) {
        return;
    }
    let ty = module.types.insert(Type { name: None, inner: TypeInner::Scalar(Scalar::U32) }, Span::UNDEFINED);
    let zero = module.global_expressions.append(Expression::Literal(Literal::U32(0)), Span::UNDEFINED);
    let counter = GlobalVariable {
        name: Some("loop_counter".to_owned()),
        space: AddressSpace::Private,
        binding: None,
        ty,
        init: Some(zero),
        memory_decorations: Default::default(),
    };
    let counter = module.global_variables.append(counter, Span::UNDEFINED);
    let functions = module.functions.iter_mut().map(|(_, function)| function);
    let entries = module.entry_points.iter_mut().map(|entry| &mut entry.function);
    for function in functions.chain(entries) {
        let mut body = std::mem::take(&mut function.body);
        guard(function, &mut body, counter, limit);
        function.body = body;
    }
}

fn has_loop(block: &Block) -> bool {
    block.iter().any(|statement| match statement {
        Statement::Loop { .. } => true,
        Statement::Block(inner) => has_loop(inner),
        Statement::If { accept, reject, .. } => has_loop(accept) || has_loop(reject),
        Statement::Switch { cases, .. } => cases.iter().any(|case| has_loop(&case.body)),
        _ => false,
    })
}

/// Puts the counter in front of the body of every loop in `block`.
fn guard(function: &mut Function, block: &mut Block, counter: Handle<GlobalVariable>, limit: u32) {
    for statement in block.iter_mut() {
        match statement {
            Statement::Loop { body, continuing, .. } => {
                guard(function, body, counter, limit);
                guard(function, continuing, counter, limit);
                body.splice(0..0, count(function, counter, limit));
            }
            Statement::Block(inner) => guard(function, inner, counter, limit),
            Statement::If { accept, reject, .. } => {
                guard(function, accept, counter, limit);
                guard(function, reject, counter, limit);
            }
            Statement::Switch { cases, .. } => {
                for case in cases {
                    guard(function, &mut case.body, counter, limit);
                }
            }
            _ => {}
        }
    }
}

/// Returns the statements that count one iteration and end the loop after the last.
fn count(function: &mut Function, counter: Handle<GlobalVariable>, limit: u32) -> Block {
    let mut add = |expression| function.expressions.append(expression, Span::UNDEFINED);
    let pointer = add(Expression::GlobalVariable(counter));
    let one = add(Expression::Literal(Literal::U32(1)));
    let limit = add(Expression::Literal(Literal::U32(limit)));
    let before = add(Expression::Load { pointer });
    let now = add(Expression::Binary { op: BinaryOperator::Add, left: before, right: one });
    let over = add(Expression::Binary { op: BinaryOperator::Greater, left: now, right: limit });
    Block::from_vec(vec![
        Statement::Emit(naga::Range::new_from_bounds(before, over)),
        Statement::Store { pointer, value: now },
        Statement::If {
            condition: over,
            accept: Block::from_vec(vec![Statement::Break]),
            reject: Block::new(),
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(wgsl: &str) -> String {
        let mut module = naga::front::wgsl::parse_str(wgsl).expect("valid WGSL");
        bound_loops(&mut module, 7);
        naga::valid::Validator::new(naga::valid::ValidationFlags::all(), Default::default())
            .validate(&module)
            .expect("still valid");
        format!("{module:?}")
    }

    #[test]
    fn every_loop_is_guarded_once() {
        let source = "fn f() { var forward = 1; for (var i = 0; i < 3; i++) { loop { break; } } \
                      if forward > 0 { while forward < 9 { forward += 1; } } }";
        assert_eq!(bounded(source).matches("Literal(U32(7))").count(), 3);
    }

    #[test]
    fn a_loop_with_many_lookups_has_a_lower_limit() {
        let lookups = "c += textureSample(a, b, uv);".repeat(100);
        assert_eq!(limit("while (x) { x += 1; }"), 4_096);
        assert_eq!(limit(&format!("while (x) {{ {lookups} }}")), 308);
    }

    #[test]
    fn a_shader_without_loops_is_unchanged() {
        assert!(!bounded("fn f() { }").contains("loop_counter"));
    }
}
