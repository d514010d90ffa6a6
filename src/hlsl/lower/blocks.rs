//! The uniform blocks defined by `lactea_abi`, including the texture sizes of a pass.

use lactea_abi::{
    BINDING_MILK_EXT, BINDING_MILK_UNIFORMS, BINDING_PASS_UNIFORMS, GROUP_FRAME, GROUP_PASS,
    MAX_PASS_TEXTURES, NUM_ROT,
};
use naga::{
    AddressSpace, ArraySize, GlobalVariable, Handle, Module, ResourceBinding, Scalar, Span, StructMember,
    Type, TypeInner, VectorSize,
};

/// Member indices of the per-frame block.
pub(super) const RAND_FRAME: u32 = 0;
pub(super) const RAND_PRESET: u32 = 1;
pub(super) const C: u32 = 2;
pub(super) const Q: u32 = 3;
pub(super) const ROTATIONS: u32 = 4;
pub(super) const NOISE_SIZES: u32 = 5;
/// Member indices of the block with the uniforms added by later MilkDrop versions.
pub(super) const MOUSE: u32 = 0;
pub(super) const Q_HIGH: u32 = 1;

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
    let extra = block("MilkExt", &[("mouse", four, 16, 1), ("q_hi", four, 16, 8), ("mxd3q", four, 16, 7)]);
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
