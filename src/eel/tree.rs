//! The parsed program: a list of nodes that refer to their children by index.

use super::functions::{Binary, Move, Unary};

/// Index of a node.
pub(super) type NodeId = u32;

/// Memory that a program indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Space {
    /// The memory `megabuf`.
    Local,
    /// The memory `gmegabuf`.
    Global,
}

/// Where a named number lives between runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Home {
    /// A variable of the namespace, by slot.
    Variable(u32),
    /// A register, `reg00` to `reg99`.
    Register(u8),
}

/// A node of a program.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Name(Home),
    /// `megabuf(index)` or `gmegabuf(index)`.
    Memory(Space, NodeId),
    /// `target = value`.
    Assign(NodeId, NodeId),
    /// `target op= value`.
    CompoundAssign(Binary, NodeId, NodeId),
    Unary(Unary, NodeId),
    Binary(Binary, NodeId, NodeId),
    Not(NodeId),
    /// Evaluates the right side only if the left is true.
    And(NodeId, NodeId),
    /// Evaluates the right side only if the left is false.
    Or(NodeId, NodeId),
    If(NodeId, NodeId, NodeId),
    /// Statements; the value is that of the last one.
    Sequence(Box<[NodeId]>),
    Loop(NodeId, NodeId),
    While(NodeId),
    Random(NodeId),
    Free(NodeId),
    Move(Move, NodeId, NodeId, NodeId),
}

impl Node {
    /// Returns the number of instructions that the node costs, apart from its children.
    pub fn cost(&self) -> u32 {
        match self {
            Self::Unary(unary, _) => unary.cost(),
            Self::Binary(binary, ..) | Self::CompoundAssign(binary, ..) => binary.cost(),
            _ => 1,
        }
    }

    /// Calls `visit` for each child.
    pub fn children(&self, mut visit: impl FnMut(NodeId)) {
        match *self {
            Self::Number(_) | Self::Name(_) => {}
            Self::Memory(_, a)
            | Self::Unary(_, a)
            | Self::Not(a)
            | Self::While(a)
            | Self::Random(a)
            | Self::Free(a) => visit(a),
            Self::Assign(a, b)
            | Self::CompoundAssign(_, a, b)
            | Self::Binary(_, a, b)
            | Self::And(a, b)
            | Self::Or(a, b)
            | Self::Loop(a, b) => [a, b].into_iter().for_each(visit),
            Self::If(a, b, c) | Self::Move(_, a, b, c) => [a, b, c].into_iter().for_each(visit),
            Self::Sequence(ref list) => list.iter().copied().for_each(visit),
        }
    }
}
