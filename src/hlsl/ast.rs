//! The syntax tree. Nodes are in tables and refer to each other by number, so that no walk over a long list recurses.

use super::error::Pos;
use super::token::Name;
use super::types::{ArrayType, Ty};

/// Number of an expression.
pub type ExprId = u32;
/// Number of a statement.
pub type StmtId = u32;

/// A parsed shader.
#[derive(Debug, Default)]
pub struct Ast {
    pub exprs: Vec<(Expr, Pos)>,
    pub stmts: Vec<(Stmt, Pos)>,
    pub arrays: Vec<ArrayType>,
    pub structs: Vec<Struct>,
    pub globals: Vec<Variable>,
    pub functions: Vec<Function>,
    /// The statements of `shader_body`.
    pub body: Vec<StmtId>,
}

impl Ast {
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id as usize].0
    }

    pub fn pos(&self, id: ExprId) -> Pos {
        self.exprs[id as usize].1
    }

    pub fn stmt(&self, id: StmtId) -> &Stmt {
        &self.stmts[id as usize].0
    }
}

/// A struct: names and types of its fields.
#[derive(Debug)]
pub struct Struct {
    pub name: Name,
    pub fields: Vec<(Name, Ty)>,
}

/// A variable, global or local.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: Name,
    pub ty: Ty,
    pub pos: Pos,
    pub is_const: bool,
    pub init: Option<ExprId>,
}

/// How a parameter passes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    In,
    Out,
    InOut,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: Name,
    pub ty: Ty,
    pub passing: Passing,
    pub default: Option<ExprId>,
}

/// A function of the preset.
#[derive(Debug)]
pub struct Function {
    pub name: Name,
    pub result: Ty,
    pub parameters: Vec<Parameter>,
    pub body: Vec<StmtId>,
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
}

/// An operator in front of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    Minus,
    Not,
    BitNot,
}

/// An expression.
#[derive(Debug)]
pub enum Expr {
    Int(u32, bool),
    Float(f32),
    Bool(bool),
    Name(Name),
    Prefix(Prefix, ExprId),
    /// `++` or `--`.
    Step {
        target: ExprId,
        up: bool,
        before: bool,
    },
    Binary(Operator, ExprId, ExprId),
    /// `=`, or an operator and `=`.
    Assign(Option<Operator>, ExprId, ExprId),
    /// `condition ? yes : no`.
    Choose(ExprId, ExprId, ExprId),
    Comma(ExprId, ExprId),
    Call(Name, Vec<ExprId>),
    /// `float3(...)`.
    Construct(Ty, Vec<ExprId>),
    Cast(Ty, ExprId),
    Member(ExprId, Name),
    Index(ExprId, ExprId),
    /// `{ a, b }` as the start value of a variable.
    List(Vec<ExprId>),
}

/// A statement.
#[derive(Debug)]
pub enum Stmt {
    Expr(ExprId),
    Declare(Vec<Variable>),
    Block(Vec<StmtId>),
    /// Conditions with their statements, then what happens if none is met.
    If(Vec<(ExprId, StmtId)>, Option<StmtId>),
    For {
        init: Option<StmtId>,
        condition: Option<ExprId>,
        step: Option<ExprId>,
        body: StmtId,
    },
    While(ExprId, StmtId),
    DoWhile(StmtId, ExprId),
    /// Selector, and for each case its values (`None` is the default) and statements.
    Switch(ExprId, Vec<(Vec<Option<ExprId>>, Vec<StmtId>)>),
    Return(Option<ExprId>),
    Break,
    Continue,
    Discard,
    Empty,
}
