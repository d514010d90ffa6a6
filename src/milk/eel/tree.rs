//! The compiled form: a flat list of nodes that refer to their children by index.

use super::functions::{Function, Operator};

/// Index of a node.
pub(super) type NodeId = u32;

/// A node of a program.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    /// A variable of the namespace, by slot.
    Variable(u32),
    /// `reg00` to `reg99`.
    Register(u8),
    /// `megabuf(index)`.
    Mega(NodeId),
    /// `gmegabuf(index)`.
    GlobalMega(NodeId),
    /// `target = value`.
    Assign(NodeId, NodeId),
    /// `target op= value`.
    CompoundAssign(Operator, NodeId, NodeId),
    Binary(Operator, NodeId, NodeId),
    Negate(NodeId),
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
    Call1(Function, NodeId),
    Call2(Function, NodeId, NodeId),
    Call3(Function, NodeId, NodeId, NodeId),
}
