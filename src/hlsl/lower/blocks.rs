//! The uniform blocks: those of `lactea_abi`, which include the texture sizes of a pass, and `ExtraUniforms`.

use lactea_abi::{
    BINDING_MILK_EXT, BINDING_MILK_UNIFORMS, BINDING_PASS_UNIFORMS, GROUP_FRAME, GROUP_PASS,
    MAX_PASS_TEXTURES, NUM_ROT,
};
use naga::{
    AddressSpace, ArraySize, GlobalVariable, Handle, Module, ResourceBinding, Scalar, Span, StructMember,
    Type, TypeInner, VectorSize,
};

use crate::hlsl::extra::SOUND_VALUES;

/// Member indices of the per-frame block.
pub(super) const RAND_FRAME: u32 = 0;
pub(super) const RAND_PRESET: u32 = 1;
pub(super) const C: u32 = 2;
pub(super) const Q: u32 = 3;
pub(super) const ROTATIONS: u32 = 4;
pub(super) const NOISE_SIZES: u32 = 5;
/// Member indices of `ExtraUniforms`.
pub(super) const MOUSE: u32 = 0;
pub(super) const Q_HIGH: u32 = 1;
pub(super) const SMOOTH: u32 = 2;
pub(super) const CLOCK: u32 = 3;
pub(super) const DATE: u32 = 4;
pub(super) const VIS: u32 = 5;
pub(super) const COLOR_SHIFT: u32 = 6;
pub(super) const SPECTRUM: u32 = 7;
pub(super) const PEAKS: u32 = 8;
pub(super) const LEFT: u32 = 9;
pub(super) const RIGHT: u32 = 10;

/// Global variables of the uniform blocks.
#[derive(Clone, Copy)]
pub(super) struct Blocks {
    pub frame: Handle<GlobalVariable>,
    pub extra: Handle<GlobalVariable>,
    pub pass: Handle<GlobalVariable>,
}

/// Declares the uniform blocks in `module`.
pub(super) fn declare(module: &mut Module) -> Blocks {
    let mut add = |inner| module.types.insert(Type { name: None, inner }, Span::UNDEFINED);
    let four = add(TypeInner::Vector { size: VectorSize::Quad, scalar: Scalar::F32 });
    let rotation =
        add(TypeInner::Matrix { columns: VectorSize::Tri, rows: VectorSize::Quad, scalar: Scalar::F32 });
    let mut block = |name: &str, members: &[(&str, Handle<Type>, u32, u32)]| {
        let mut offset = 0;
        let mut all = Vec::new();
        for (name, base, bytes, count) in members {
            let ty = match count {
                1 => *base,
                count => {
                    let size = ArraySize::Constant(
                        std::num::NonZeroU32::new(*count).unwrap_or(std::num::NonZeroU32::MIN),
                    );
                    let inner = TypeInner::Array { base: *base, size, stride: *bytes };
                    module.types.insert(Type { name: None, inner }, Span::UNDEFINED)
                }
            };
            all.push(StructMember { name: Some((*name).to_owned()), ty, binding: None, offset });
            offset += bytes * count;
        }
        let inner = TypeInner::Struct { members: all, span: offset };
        module.types.insert(Type { name: Some(name.to_owned()), inner }, Span::UNDEFINED)
    };
    let frame = block(
        "MilkUniforms",
        &[
            ("rand_frame", four, 16, 1),
            ("rand_preset", four, 16, 1),
            ("c", four, 16, 14),
            ("q", four, 16, 8),
            ("rot", rotation, 48, NUM_ROT as u32),
            ("texsize_noise", four, 16, 6),
        ],
    );
    const SOUND: u32 = SOUND_VALUES as u32 / 4;
    let extra = block(
        "ExtraUniforms",
        &[
            ("mouse", four, 16, 1),
            ("q_hi", four, 16, 8),
            ("smooth", four, 16, 1),
            ("clock", four, 16, 1),
            ("date", four, 16, 1),
            ("vis", four, 16, 1),
            ("color_shift", four, 16, 1),
            ("spectrum", four, 16, SOUND),
            ("peaks", four, 16, SOUND),
            ("left", four, 16, SOUND),
            ("right", four, 16, SOUND),
        ],
    );
    let pass = block("PassUniforms", &[("texsize", four, 16, MAX_PASS_TEXTURES as u32)]);
    let mut variable = |name: &str, ty, group, binding| {
        let variable = GlobalVariable {
            name: Some(name.to_owned()),
            space: AddressSpace::Uniform,
            binding: Some(ResourceBinding { group, binding }),
            ty,
            init: None,
            memory_decorations: Default::default(),
        };
        module.global_variables.append(variable, Span::UNDEFINED)
    };
    Blocks {
        frame: variable("frame", frame, GROUP_FRAME, BINDING_MILK_UNIFORMS),
        extra: variable("extra", extra, GROUP_FRAME, BINDING_MILK_EXT),
        pass: variable("pass", pass, GROUP_PASS, BINDING_PASS_UNIFORMS),
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::hlsl::ExtraUniforms;

    #[test]
    fn the_block_of_added_inputs_has_the_layout_of_its_struct() {
        let mut module = Module::default();
        let blocks = declare(&mut module);
        let TypeInner::Struct { members, span } =
            &module.types[module.global_variables[blocks.extra].ty].inner
        else {
            unreachable!("a struct")
        };
        let found: Vec<_> =
            members.iter().map(|member| (member.name.as_deref(), member.offset as usize)).collect();
        macro_rules! offsets {
            ($($index:ident $name:ident),+) => {
                [$(($index as usize, (Some(stringify!($name)), offset_of!(ExtraUniforms, $name)))),+]
            };
        }
        let wanted = offsets!(
            MOUSE mouse, Q_HIGH q_hi, SMOOTH smooth, CLOCK clock, DATE date, VIS vis,
            COLOR_SHIFT color_shift, SPECTRUM spectrum, PEAKS peaks, LEFT left, RIGHT right
        );
        assert_eq!(found.len(), wanted.len());
        for (index, member) in wanted {
            assert_eq!(found[index], member);
        }
        assert_eq!(*span as usize, size_of::<ExtraUniforms>());
    }
}
