//! Lowers statements.

use naga::{BinaryOperator, Block, Expression, Literal, Statement, SwitchCase, SwitchValue, UnaryOperator};

use super::builder::{State, Symbol};
use super::context::Lowering;
use super::value::{Fact, Value};
use crate::hlsl::ast::{ExprId, Stmt, StmtId, Variable};
use crate::hlsl::limits;
use crate::hlsl::scan::Changes;
use crate::hlsl::types::{Kind, Shape, Ty};
use crate::preprocess::{Error, Pos};

impl Lowering<'_> {
    /// Lowers statements, stopping after the first one that leaves the block.
    pub fn statements(&mut self, ids: &[StmtId]) -> Result<(), Error> {
        for id in ids {
            if self.f.ended {
                break;
            }
            self.statement(*id)?;
        }
        Ok(())
    }

    fn statement(&mut self, id: StmtId) -> Result<(), Error> {
        let ast = self.ast;
        let pos = ast.stmts[id as usize].1;
        match ast.stmt(id) {
            Stmt::Expr(expr) => {
                self.value(*expr)?;
            }
            Stmt::Declare(variables) => {
                for variable in variables {
                    self.declare(variable)?;
                }
            }
            Stmt::Block(inner) => {
                self.f.open_scope();
                let result = self.statements(inner);
                self.f.close_scope();
                result?;
            }
            Stmt::If(arms, otherwise) if arms.len() > limits::NESTED_ARMS => {
                self.long_chain(arms, *otherwise)?;
            }
            Stmt::If(arms, otherwise) => self.arms(arms, *otherwise)?,
            Stmt::For { init, condition, step, body } => {
                // As in early HLSL, the loop variable stays visible after the loop.
                if let Some(init) = init {
                    self.statement(*init)?;
                }
                let known = self.bounds.known.contains(&id);
                self.lower_loop(*condition, *step, *body, None, known)?;
            }
            Stmt::While(condition, body) => self.lower_loop(Some(*condition), None, *body, None, false)?,
            Stmt::DoWhile(body, condition) => self.lower_loop(None, None, *body, Some(*condition), false)?,
            Stmt::Switch(selector, cases) => self.switch(*selector, cases, pos)?,
            Stmt::Return(value) => self.leave_function(*value, pos)?,
            Stmt::Break if self.f.loops + self.f.switches == 0 => {
                return Error::semantic(pos, "`break` outside a loop or `switch`");
            }
            Stmt::Break => self.f.push(Statement::Break),
            Stmt::Continue if self.f.loops == 0 => return Error::semantic(pos, "`continue` outside a loop"),
            Stmt::Continue => self.f.push(Statement::Continue),
            Stmt::Discard => self.f.push(Statement::Kill),
            Stmt::Empty => {}
        }
        Ok(())
    }

    fn declare(&mut self, variable: &Variable) -> Result<(), Error> {
        if variable.ty == Ty::Sampler {
            return Error::semantic(variable.pos, "samplers must be declared outside of functions");
        }
        let init = variable.init.map(|init| self.initial(variable.ty, init)).transpose()?;
        let var = self.local(&variable.name, variable.ty);
        let pointer = self.f.vars[var].pointer;
        let value = match init {
            Some(value) => Some(value),
            // In a loop, a variable is initialized again in each iteration.
            None if self.f.loops > 0 => Some(self.zero(variable.ty)),
            None => None,
        };
        if let Some(value) = &value {
            let handle = self.expr(value);
            self.f.store(pointer, handle);
        }
        let value = match value {
            Some(value) => value,
            None => self.zero(variable.ty),
        };
        self.f.set_state(var, State { fact: value.fact, constant: value.as_constant() });
        self.f.bind(variable.name.clone(), Symbol::Var(var));
        Ok(())
    }

    /// Lowers a condition to a single boolean.
    fn condition(&mut self, id: ExprId) -> Result<Value, Error> {
        let pos = self.ast.pos(id);
        let value = self.value(id)?;
        let Ty::Number(..) = value.ty else {
            return Error::semantic(
                pos,
                format!("{} cannot be used as a condition", self.type_name(value.ty)),
            );
        };
        let value = self.reshape(value, Shape::Scalar);
        Ok(self.with_kind(value, Kind::Bool))
    }

    /// Lowers a statement to a block in a new scope; `None` gives an empty block.
    fn inner(&mut self, id: Option<StmtId>) -> Result<Block, Error> {
        let outer = self.f.enter();
        let result = id.map_or(Ok(()), |id| self.statement(id));
        let block = self.f.leave(outer);
        result.map(|()| block)
    }

    /// Lowers `if`, nesting each `else if` in the `else` of the previous one.
    fn arms(&mut self, arms: &[(ExprId, StmtId)], otherwise: Option<StmtId>) -> Result<(), Error> {
        let Some(((condition, body), rest)) = arms.split_first() else {
            return otherwise.map_or(Ok(()), |id| self.statement(id));
        };
        let condition = self.condition(*condition)?;
        if condition.is_all(1.0) {
            return self.scoped(*body);
        }
        if condition.is_all(0.0) {
            return self.arms(rest, otherwise);
        }
        let condition = self.expr(&condition);
        let before = self.f.states();
        let accept = self.inner(Some(*body))?;
        let after = self.f.states();
        self.f.restore(&before);
        let outer = self.f.enter();
        let result = self.arms(rest, otherwise);
        let reject = self.f.leave(outer);
        result?;
        self.f.merge(&after[..before.len()]);
        self.f.push(Statement::If { condition, accept, reject });
        Ok(())
    }

    fn scoped(&mut self, id: StmtId) -> Result<(), Error> {
        self.f.open_scope();
        let result = self.statement(id);
        self.f.close_scope();
        result
    }

    /// Lowers a long `else if` chain as a sequence of `if`s; `open` is true until a branch is taken.
    fn long_chain(&mut self, arms: &[(ExprId, StmtId)], otherwise: Option<StmtId>) -> Result<(), Error> {
        let open = self.local("open", Ty::BOOL);
        let pointer = self.f.vars[open].pointer;
        let yes = self.f.add(Expression::Literal(Literal::Bool(true)));
        let no = self.f.add(Expression::Literal(Literal::Bool(false)));
        self.f.store(pointer, yes);
        let before = self.f.states();
        for (condition, body) in arms
            .iter()
            .map(|(condition, body)| (Some(*condition), *body))
            .chain(otherwise.map(|body| (None, body)))
        {
            let still = self.f.add(Expression::Load { pointer });
            let outer = self.f.enter();
            let result = self.link(condition, body, pointer, no);
            let accept = self.f.leave(outer);
            result?;
            self.f.push(Statement::If { condition: still, accept, reject: Block::new() });
            // Any branch may or may not have run.
            self.f.merge(&before);
        }
        Ok(())
    }

    fn link(
        &mut self,
        condition: Option<ExprId>,
        body: StmtId,
        open: naga::Handle<Expression>,
        no: naga::Handle<Expression>,
    ) -> Result<(), Error> {
        let Some(condition) = condition else { return self.statement(body) };
        let condition = self.condition(condition)?;
        let condition = self.expr(&condition);
        let outer = self.f.enter();
        self.f.store(open, no);
        let result = self.statement(body);
        let accept = self.f.leave(outer);
        result?;
        self.f.push(Statement::If { condition, accept, reject: Block::new() });
        Ok(())
    }

    /// Lowers a loop that repeats while `condition`, tested before each iteration, or `until`, tested after each, is
    /// true.
    fn lower_loop(
        &mut self,
        condition: Option<ExprId>,
        step: Option<ExprId>,
        body: StmtId,
        until: Option<ExprId>,
        known: bool,
    ) -> Result<(), Error> {
        let mut changes = Changes::new(self.ast);
        changes.stmt(body);
        condition.iter().chain(&step).chain(&until).for_each(|expr| changes.expr(*expr));
        let names = changes.names;
        let forget = |this: &mut Self| names.iter().for_each(|name| this.forget(name));
        forget(self);
        let outer = self.f.enter();
        self.f.loops += 1;
        let result = self.iteration(condition, body, known);
        let body = self.f.leave(outer);
        forget(self);
        let outer = self.f.enter();
        let end = result.and_then(|()| self.end_of_iteration(step, until));
        let continuing = self.f.leave(outer);
        self.f.loops -= 1;
        let break_if = end?;
        self.f.push(Statement::Loop { body, continuing, break_if });
        forget(self);
        Ok(())
    }

    fn forget(&mut self, name: &str) {
        use crate::hlsl::header::{self, Builtin};
        self.f.forget(name);
        if let Some(Builtin::Input(input)) = header::builtin(name)
            && let Some(var) = self.inputs.get(&input)
            && self.result.is_none()
        {
            self.f.set_state(*var, State::UNKNOWN);
        }
    }

    fn iteration(&mut self, condition: Option<ExprId>, body: StmtId, known: bool) -> Result<(), Error> {
        if !known || self.bounds.count_known {
            self.count_iteration();
        }
        if let Some(condition) = condition {
            let condition = self.condition(condition)?;
            if condition.is_all(0.0) {
                self.f.push(Statement::Break);
                return Ok(());
            }
            if !condition.is_all(1.0) {
                let condition = self.expr(&condition);
                let reject = self.single(Statement::Break);
                self.f.push(Statement::If { condition, accept: Block::new(), reject });
            }
        }
        self.statement(body)
    }

    fn end_of_iteration(
        &mut self,
        step: Option<ExprId>,
        until: Option<ExprId>,
    ) -> Result<Option<naga::Handle<Expression>>, Error> {
        if let Some(step) = step {
            self.value(step)?;
        }
        let Some(until) = until else { return Ok(None) };
        let condition = self.condition(until)?;
        let expr = self.expr(&condition);
        Ok(Some(self.f.add(Expression::Unary { op: UnaryOperator::LogicalNot, expr })))
    }

    fn single(&mut self, statement: Statement) -> Block {
        let outer = self.f.enter();
        self.f.push(statement);
        self.f.leave(outer)
    }

    /// Adds code that counts an iteration, in one counter for all loops, and breaks out of the loop once the limit is
    /// exceeded.
    fn count_iteration(&mut self) {
        let counter = match self.counter {
            Some(counter) => counter,
            None => {
                let ty = self.naga_type(Ty::Number(Kind::Uint, Shape::Scalar));
                let counter = self.private("loop_counter", ty);
                self.counter = Some(counter);
                counter
            }
        };
        let pointer = self.f.add(Expression::GlobalVariable(counter));
        let one = self.f.add(Expression::Literal(Literal::U32(1)));
        let limit = self.f.add(Expression::Literal(Literal::U32(self.bounds.iterations)));
        let before = self.f.add(Expression::Load { pointer });
        let now = self.f.add(Expression::Binary { op: BinaryOperator::Add, left: before, right: one });
        self.f.store(pointer, now);
        let condition =
            self.f.add(Expression::Binary { op: BinaryOperator::Greater, left: now, right: limit });
        let accept = self.single(Statement::Break);
        self.f.push(Statement::If { condition, accept, reject: Block::new() });
    }

    fn switch(
        &mut self,
        selector: ExprId,
        cases: &[(Vec<Option<ExprId>>, Vec<StmtId>)],
        pos: Pos,
    ) -> Result<(), Error> {
        let selector = self.value(selector)?;
        let selector = self.convert(selector, Ty::INT, pos)?;
        let selector = self.expr(&selector);
        let before = self.f.states();
        let mut lowered: Vec<SwitchCase> = Vec::new();
        let mut has_default = false;
        for (values, body) in cases {
            let last = values.len() - 1;
            for (position, value) in values.iter().enumerate() {
                let value = match value {
                    None => SwitchValue::Default,
                    Some(id) => {
                        let value = self.value(*id)?;
                        let value = self.convert(value, Ty::INT, pos)?;
                        let Some(constant) = value.as_constant() else {
                            return Error::semantic(
                                self.ast.pos(*id),
                                "the value of a `case` must be a constant",
                            );
                        };
                        SwitchValue::I32(constant[0] as i32)
                    }
                };
                has_default |= value == SwitchValue::Default;
                if lowered.iter().any(|case| case.value == value) {
                    return Error::semantic(pos, "two cases of a `switch` have the same value");
                }
                let mut case = SwitchCase { value, body: Block::new(), fall_through: true };
                if position == last {
                    let outer = self.f.enter();
                    self.f.switches += 1;
                    let result = self.statements(body);
                    self.f.switches -= 1;
                    case.fall_through = !self.f.ended;
                    case.body = self.f.leave(outer);
                    result?;
                    self.f.merge(&before);
                }
                lowered.push(case);
            }
        }
        if !has_default {
            lowered.push(SwitchCase { value: SwitchValue::Default, body: Block::new(), fall_through: false });
        }
        if let Some(last) = lowered.last_mut() {
            last.fall_through = false;
        }
        // A case may fall through, so its changes apply to the next one too.
        let mut changes = Changes::new(self.ast);
        cases.iter().flat_map(|(_, body)| body).for_each(|stmt| changes.stmt(*stmt));
        for name in changes.names {
            self.forget(&name);
        }
        self.f.push(Statement::Switch { selector, cases: lowered });
        Ok(())
    }

    fn leave_function(&mut self, value: Option<ExprId>, pos: Pos) -> Result<(), Error> {
        let value = value.map(|id| self.value(id)).transpose()?;
        let handle = match (self.result, value) {
            (None, _) => Some(self.shader_result()),
            (Some(Ty::Void), _) => None,
            (Some(ty), Some(value)) => {
                let value = self.convert(value, ty, pos)?;
                Some(self.expr(&value))
            }
            (Some(_), None) => return Error::semantic(pos, "`return` without a value"),
        };
        self.f.push(Statement::Return { value: handle });
        Ok(())
    }

    /// Returns the pixel's colour: `ret` with an alpha of 1.
    pub fn shader_result(&mut self) -> naga::Handle<Expression> {
        let ret = self.read(&self.ret.clone());
        let mut parts = self.scalars(&ret);
        parts.push(Value { fact: Fact::within(1.0), ..Value::float(1.0) });
        let color = self.compose(Kind::Float, Shape::Vector(4), &parts);
        self.expr(&color)
    }
}
