//! The syntax tree. Nodes are stored in tables and refer to each other by index.

use std::collections::{HashMap, HashSet};

use super::types::{ArrayType, Extent, Shape, Ty};
use crate::preprocess::{Name, Pos};

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
    /// Indices of the functions, by name.
    overloads: HashMap<Name, Vec<usize>>,
    /// Function names, each with the position of a parameter that is an output in some overload.
    outputs: HashSet<(Name, usize)>,
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

    /// Returns the first operand of a chain of binary operators, and the others from left to right, each with its
    /// operator and the operator's position. An expression that is not a binary operator is its own first operand.
    pub fn chain(&self, id: ExprId) -> (ExprId, Vec<(Operator, ExprId, Pos)>) {
        let (mut first, mut rest) = (id, Vec::new());
        while let Expr::Binary(operator, left, right) = self.expr(first) {
            rest.push((*operator, *right, self.pos(first)));
            first = *left;
        }
        rest.reverse();
        (first, rest)
    }

    /// Returns the size and depth of a type.
    pub fn extent(&self, ty: Ty) -> Extent {
        match ty {
            Ty::Number(_, Shape::Matrix(rows, _)) => Extent { bytes: u64::from(rows) * 16, depth: 0 },
            Ty::Number(_, shape) => Extent { bytes: u64::from(shape.count()) * 4, depth: 0 },
            Ty::Array(index) => self.arrays[index as usize].extent,
            Ty::Struct(index) => self.structs[index as usize].extent,
            Ty::Void | Ty::Sampler => Extent::default(),
        }
    }

    /// Adds a function.
    pub fn define(&mut self, function: Function) {
        let index = self.functions.len();
        self.overloads.entry(function.name.clone()).or_default().push(index);
        for (position, parameter) in function.parameters.iter().enumerate() {
            if parameter.passing != Passing::In {
                self.outputs.insert((function.name.clone(), position));
            }
        }
        self.functions.push(function);
    }

    /// Returns the indices of the functions called `name`.
    pub fn overloads(&self, name: &Name) -> &[usize] {
        self.overloads.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the indices of the functions called `name` that accept `count` arguments. If there are none, a call
    /// refers to the intrinsic of that name.
    pub fn candidates(&self, name: &Name, count: usize) -> Vec<usize> {
        let overloads = self.overloads(name).iter().copied();
        overloads.filter(|index| self.functions[*index].accepts(count)).collect()
    }

    /// Returns true if the parameter at `position` is an output of any function called `name`.
    pub fn is_output(&self, name: &Name, position: usize) -> bool {
        self.outputs.contains(&(name.clone(), position))
    }
}

/// A struct: its name, and the names and types of its fields.
#[derive(Debug)]
pub struct Struct {
    pub name: Name,
    pub fields: Vec<(Name, Ty)>,
    pub extent: Extent,
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

impl Function {
    /// Returns true if a call may have `count` arguments, because all other parameters have defaults.
    pub fn accepts(&self, count: usize) -> bool {
        let rest = self.parameters.get(count..);
        rest.is_some_and(|rest| rest.iter().all(|parameter| parameter.default.is_some()))
    }
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
