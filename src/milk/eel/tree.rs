//! The compiled form: nodes in one flat list, children named by index.

use super::functions::{Function, Operator};

/// Index of a node.
pub(super) type NodeId = u32;

/// One step of a program.
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
    /// `place = value`.
    Assign(NodeId, NodeId),
    /// `place op= value`.
    Update(Operator, NodeId, NodeId),
    Binary(Operator, NodeId, NodeId),
    Negate(NodeId),
    Not(NodeId),
    /// Right side only if the left is true.
    And(NodeId, NodeId),
    /// Right side only if the left is false.
    Or(NodeId, NodeId),
    If(NodeId, NodeId, NodeId),
    /// Value of the last; the others for what they do.
    Sequence(Box<[NodeId]>),
    Loop(NodeId, NodeId),
    While(NodeId),
    Call1(Function, NodeId),
    Call2(Function, NodeId, NodeId),
    Call3(Function, NodeId, NodeId, NodeId),
}
