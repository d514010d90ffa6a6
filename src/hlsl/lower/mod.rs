//! Lowers the syntax tree to naga's intermediate representation.

mod blocks;
mod builder;
mod calls;
mod context;
mod convert;
mod entry;
mod expressions;
mod fold;
mod intrinsics;
mod matrices;
mod operators;
mod places;
mod sound;
mod statements;
mod textures;
mod value;

pub(super) use entry::lower;
