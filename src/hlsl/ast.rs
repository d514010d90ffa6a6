//! The syntax tree. Nodes are stored in tables and refer to each other by index.

use super::error::Pos;
use super::token::Name;
use super::types::{ArrayType, Ty};

/// Index of an expression in the tree.
pub type ExprId = u32;
/// Index of a statement in the tree.
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

/// A struct: its name, and the names and types of its fields.
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

/// How a parameter is passed.
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

/// A function defined by the preset.
#[derive(Debug)]
pub struct Function {
    pub name: Name,
    pub result: Ty,
    pub parameters: Vec<Parameter>,
    pub body: Vec<StmtId>,
}

/// A binary operator.
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

/// A unary prefix operator.
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
    /// `++` if `increment`, otherwise `--`; in front of the target if `prefix`, otherwise after it.
    Step {
        target: ExprId,
        increment: bool,
        prefix: bool,
    },
    Binary(Operator, ExprId, ExprId),
    /// `=`, or a compound assignment with its operator.
    Assign(Option<Operator>, ExprId, ExprId),
    /// `condition ? yes : no`.
    Conditional(ExprId, ExprId, ExprId),
    Comma(ExprId, ExprId),
    Call(Name, Vec<ExprId>),
    /// `float3(...)`.
    Construct(Ty, Vec<ExprId>),
    Cast(Ty, ExprId),
    Member(ExprId, Name),
    Index(ExprId, ExprId),
    /// `{ a, b }`, the initializer of a variable.
    List(Vec<ExprId>),
}

/// A statement.
#[derive(Debug)]
pub enum Stmt {
    Expr(ExprId),
    Declare(Vec<Variable>),
    Block(Vec<StmtId>),
    /// The branches, each a condition and its body, and the body of the final `else`.
    If(Vec<(ExprId, StmtId)>, Option<StmtId>),
    For {
        init: Option<StmtId>,
        condition: Option<ExprId>,
        step: Option<ExprId>,
        body: StmtId,
    },
    While(ExprId, StmtId),
    DoWhile(StmtId, ExprId),
    /// The selector, and for each case its values (`None` for `default`) and its statements.
    Switch(ExprId, Vec<(Vec<Option<ExprId>>, Vec<StmtId>)>),
    Return(Option<ExprId>),
    Break,
    Continue,
    Discard,
    Empty,
}
