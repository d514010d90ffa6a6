//! Keeps Mesa's software rasteriser from compiling a variant of a shader for each value of a uniform.
//!
//! Mesa does so where a branch condition depends only on uniforms and constants, and keeps all variants (Mesa 22.3: 0.8
//! MB per frame, and frames take three to six times as long). Such conditions get a second operand that is always true,
//! but that the compiler must assume to vary per pixel. Constant conditions are left unchanged, so that loops with a
//! constant number of iterations are still unrolled.

use std::collections::HashSet;

use naga::{
    AddressSpace, BinaryOperator, Binding, Block, BuiltIn, Expression, Function, GlobalVariable, Handle,
    Literal, LocalVariable, Module, Scalar, ShaderStage, Span, Statement, Type, TypeInner,
};

use super::operands::operands;

/// Rewrites the branch conditions of `module` that depend on a uniform; does nothing if there are none.
pub fn generalise(module: &mut Module) {
    let uniforms = Uniforms::of(module);
    let functions = module.functions.iter().map(|(_, function)| (function, false));
    let entries = module.entry_points.iter().map(|entry| (&entry.function, true));
    let facts: Vec<Facts> =
        functions.chain(entries).map(|(function, entry)| uniforms.facts(function, entry)).collect();
    if !facts.iter().any(|facts| facts.branches) {
        return;
    }
    let pixel = add_flag(module);
    let mut facts = facts.into_iter();
    for (_, function) in module.functions.iter_mut() {
        let facts = facts.next().expect("one per function");
        Rewrite { function, facts: &facts, pixel }.run();
    }
    for entry in &mut module.entry_points {
        let facts = facts.next().expect("one per entry point");
        Rewrite { function: &mut entry.function, facts: &facts, pixel }.run();
        if entry.stage == ShaderStage::Fragment {
            set_flag(&mut module.types, &mut entry.function, pixel);
        }
    }
}

/// Adds the private variable that is always true.
fn add_flag(module: &mut Module) -> Handle<GlobalVariable> {
    let ty =
        module.types.insert(Type { name: None, inner: TypeInner::Scalar(Scalar::BOOL) }, Span::UNDEFINED);
    let init = module.global_expressions.append(Expression::Literal(Literal::Bool(true)), Span::UNDEFINED);
    let variable = GlobalVariable {
        name: Some("is_pixel".to_owned()),
        space: AddressSpace::Private,
        binding: None,
        ty,
        init: Some(init),
        memory_decorations: Default::default(),
    };
    module.global_variables.append(variable, Span::UNDEFINED)
}

/// Sets the flag at the start of a fragment entry point to whether the pixel's x coordinate exceeds -1.
fn set_flag(types: &mut naga::UniqueArena<Type>, function: &mut Function, pixel: Handle<GlobalVariable>) {
    let is_position =
        |binding: &Option<Binding>| matches!(binding, Some(Binding::BuiltIn(BuiltIn::Position { .. })));
    let mut place = None;
    for (number, argument) in (0..).zip(&function.arguments) {
        if is_position(&argument.binding) {
            place = Some((number, None));
        } else if let TypeInner::Struct { members, .. } = &types[argument.ty].inner {
            let member = members.iter().position(|member| is_position(&member.binding));
            place = place.or(member.map(|member| (number, Some(member as u32))));
        }
    }
    let (argument, member) = place.unwrap_or_else(|| {
        let inner = TypeInner::Vector { size: naga::VectorSize::Quad, scalar: Scalar::F32 };
        let ty = types.insert(Type { name: None, inner }, Span::UNDEFINED);
        let binding = Some(Binding::BuiltIn(BuiltIn::Position { invariant: false }));
        function.arguments.push(naga::FunctionArgument { name: None, ty, binding });
        (function.arguments.len() as u32 - 1, None)
    });
    let expressions = &mut function.expressions;
    let mut add = |expression| expressions.append(expression, Span::UNDEFINED);
    let argument = add(Expression::FunctionArgument(argument));
    let pointer = add(Expression::GlobalVariable(pixel));
    let left_of_all = add(Expression::Literal(Literal::F32(-1.0)));
    let position = member.map_or(argument, |index| add(Expression::AccessIndex { base: argument, index }));
    let x = add(Expression::AccessIndex { base: position, index: 0 });
    let value = add(Expression::Binary { op: BinaryOperator::Greater, left: x, right: left_of_all });
    let first = if member.is_some() { position } else { x };
    let mut start = Block::new();
    start.push(Statement::Emit(naga::Range::new_from_bounds(first, value)), Span::UNDEFINED);
    start.push(Statement::Store { pointer, value }, Span::UNDEFINED);
    function.body.splice(0..0, start);
}

/// Uniform blocks, and global variables that depend on them.
struct Uniforms {
    globals: HashSet<Handle<GlobalVariable>>,
}

/// How one function depends on uniforms.
struct Facts {
    /// For each expression, whether it may depend on a uniform.
    depends: Vec<bool>,
    locals: HashSet<Handle<LocalVariable>>,
    /// Whether a branch condition depends on a uniform.
    branches: bool,
}

impl Uniforms {
    fn of(module: &Module) -> Self {
        let blocks = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::Uniform);
        let mut found = Self { globals: blocks.map(|(handle, _)| handle).collect() };
        loop {
            let before = found.globals.len();
            let functions = module.functions.iter().map(|(_, function)| (function, false));
            let entries = module.entry_points.iter().map(|entry| (&entry.function, true));
            for (function, entry) in functions.chain(entries) {
                let facts = found.facts(function, entry);
                let mut stores = Stores { function, facts: &facts, roots: Vec::new() };
                stores.block(&function.body, false);
                found.globals.extend(stores.roots.iter().filter_map(|root| match root {
                    Expression::GlobalVariable(global) => Some(*global),
                    _ => None,
                }));
            }
            if found.globals.len() == before {
                return found;
            }
        }
    }

    fn facts(&self, function: &Function, entry: bool) -> Facts {
        let mut facts = Facts { depends: Vec::new(), locals: HashSet::new(), branches: false };
        loop {
            let before = facts.locals.len();
            facts.depends = self.depends(function, entry, &facts.locals);
            let mut stores = Stores { function, facts: &facts, roots: Vec::new() };
            let branches = stores.block(&function.body, false);
            let locals: Vec<_> = stores
                .roots
                .iter()
                .filter_map(|root| match root {
                    Expression::LocalVariable(local) => Some(*local),
                    _ => None,
                })
                .collect();
            facts.locals.extend(locals);
            facts.branches = branches;
            if facts.locals.len() == before {
                return facts;
            }
        }
    }

    fn depends(
        &self,
        function: &Function,
        entry: bool,
        locals: &HashSet<Handle<LocalVariable>>,
    ) -> Vec<bool> {
        let mut depends: Vec<bool> = Vec::with_capacity(function.expressions.len());
        for (_, expression) in function.expressions.iter() {
            let own = match expression {
                Expression::FunctionArgument(_) => !entry,
                Expression::CallResult(_) => true,
                Expression::GlobalVariable(global) => self.globals.contains(global),
                Expression::LocalVariable(local) => locals.contains(local),
                // Mesa does not track values through texture lookups.
                Expression::ImageSample { .. } | Expression::ImageLoad { .. } => false,
                _ => {
                    let mut any = false;
                    operands(expression, |operand| any |= depends[operand.index()]);
                    any
                }
            };
            depends.push(own);
        }
        depends
    }
}

/// Collects the variables that a function makes dependent on uniforms.
struct Stores<'a> {
    function: &'a Function,
    facts: &'a Facts,
    roots: Vec<&'a Expression>,
}

impl Stores<'_> {
    /// Walks a block; `controlled` is true if the block runs under a condition that depends on a uniform.
    /// Returns true if the block itself contains such a condition.
    fn block(&mut self, block: &Block, controlled: bool) -> bool {
        let mut branches = false;
        for statement in block.iter() {
            match statement {
                Statement::Block(inner) => branches |= self.block(inner, controlled),
                Statement::If { condition, accept, reject } => {
                    let depends = self.facts.depends[condition.index()];
                    branches |= depends;
                    branches |= self.block(accept, controlled || depends);
                    branches |= self.block(reject, controlled || depends);
                }
                Statement::Switch { selector, cases } => {
                    let depends = controlled || self.facts.depends[selector.index()];
                    for case in cases {
                        branches |= self.block(&case.body, depends);
                    }
                }
                Statement::Loop { body, continuing, break_if } => {
                    let mut depends = break_if.is_some_and(|end| self.facts.depends[end.index()]);
                    depends |= self.block(body, controlled);
                    depends |= self.block(continuing, controlled);
                    branches |= depends;
                    if depends && !controlled {
                        // The number of iterations depends on a uniform, and so does everything that the loop changes.
                        self.block(body, true);
                        self.block(continuing, true);
                    }
                }
                Statement::Store { pointer, value } if controlled || self.facts.depends[value.index()] => {
                    self.root(*pointer);
                }
                Statement::Call { arguments, .. } => {
                    for argument in arguments {
                        self.root(*argument);
                    }
                }
                _ => {}
            }
        }
        branches
    }

    /// Adds the root of a pointer: usually the variable that it points into.
    fn root(&mut self, mut pointer: Handle<Expression>) {
        while let Expression::Access { base, .. } | Expression::AccessIndex { base, .. } =
            self.function.expressions[pointer]
        {
            pointer = base;
        }
        self.roots.push(&self.function.expressions[pointer]);
    }
}

/// Adds the flag to the conditions of one function.
struct Rewrite<'a> {
    function: &'a mut Function,
    facts: &'a Facts,
    pixel: Handle<GlobalVariable>,
}

impl Rewrite<'_> {
    fn run(&mut self) {
        if self.facts.branches {
            let body = std::mem::take(&mut self.function.body);
            self.function.body = self.block(body);
        }
    }

    fn block(&mut self, block: Block) -> Block {
        let mut out = Block::with_capacity(block.len());
        for (statement, span) in block.span_into_iter() {
            let statement = match statement {
                Statement::Block(inner) => Statement::Block(self.block(inner)),
                Statement::If { condition, accept, reject } => {
                    let condition = self.condition(condition, &mut out);
                    Statement::If { condition, accept: self.block(accept), reject: self.block(reject) }
                }
                Statement::Switch { selector, mut cases } => {
                    for case in &mut cases {
                        case.body = self.block(std::mem::take(&mut case.body));
                    }
                    Statement::Switch { selector, cases }
                }
                Statement::Loop { body, continuing, break_if } => {
                    let body = self.block(body);
                    let mut continuing = self.block(continuing);
                    let break_if = break_if.map(|end| self.condition(end, &mut continuing));
                    Statement::Loop { body, continuing, break_if }
                }
                other => other,
            };
            out.push(statement, span);
        }
        out
    }

    /// Returns `condition && flag`, computed at the end of `before`, if `condition` depends on a uniform;
    /// otherwise returns `condition`.
    fn condition(&mut self, condition: Handle<Expression>, before: &mut Block) -> Handle<Expression> {
        if !self.facts.depends[condition.index()] {
            return condition;
        }
        let expressions = &mut self.function.expressions;
        let pointer = expressions.append(Expression::GlobalVariable(self.pixel), Span::UNDEFINED);
        let flag = expressions.append(Expression::Load { pointer }, Span::UNDEFINED);
        let both = Expression::Binary { op: BinaryOperator::LogicalAnd, left: condition, right: flag };
        let both = expressions.append(both, Span::UNDEFINED);
        before.push(Statement::Emit(naga::Range::new_from_bounds(flag, both)), Span::UNDEFINED);
        both
    }
}
