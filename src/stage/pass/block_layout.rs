//! Test helpers that check that a uniform block has the same layout in Rust and WGSL.

use naga::{ScalarKind, TypeInner};

/// One field of a block, as laid out in Rust; its offset and size are in bytes.
pub(in crate::stage) struct Field {
    pub name: &'static str,
    pub offset: usize,
    pub size: usize,
    /// Whether the scalars of the field are integers.
    pub is_integer: bool,
}

impl Field {
    /// Describes the field that `get` accesses, at byte `offset`.
    pub fn of<B, F>(name: &'static str, offset: usize, get: fn(&B) -> &F) -> Self {
        let _ = get;
        Self { name, offset, size: size_of::<F>(), is_integer: std::any::type_name::<F>().contains("u32") }
    }

    fn is_padding(name: &str) -> bool {
        name.starts_with("pad")
    }
}

/// Checks the struct `$name` of `$shader` against `$block`: name, offset, size and scalar kind of every field, and the
/// total size. Fields whose names start with `pad` may differ.
macro_rules! check_layout {
    ($block:ident { $($field:ident),+ $(,)? }, $shader:expr, $name:literal) => {{
        // Destructures every field, so that a new field must be added to the macro call.
        let _ = |block: $block| {
            let $block { $($field: _),+ } = block;
        };
        let fields = [$($crate::stage::pass::block_layout::Field::of(
            stringify!($field),
            std::mem::offset_of!($block, $field),
            |block: &$block| &block.$field,
        )),+];
        $crate::stage::pass::block_layout::check($shader, $name, &fields, size_of::<$block>());
    }};
}
pub(in crate::stage) use check_layout;

/// Compares `fields` and `size` with the struct `name` of `shader`. A shader that is not a complete module is
/// first appended to the shared fullscreen shader.
pub(in crate::stage) fn check(shader: &str, name: &str, fields: &[Field], size: usize) {
    let whole_module = shader.contains("@group(0) @binding(0)");
    let text = if whole_module { shader.to_owned() } else { format!("{}\n{shader}", super::SCREEN) };
    let module = naga::front::wgsl::parse_str(&text).expect("valid WGSL");
    let block = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name));
    let Some(TypeInner::Struct { members, span }) = block.map(|(_, ty)| &ty.inner) else {
        panic!("the shader has no struct {name}");
    };
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).expect("valid types");
    let in_wgsl: Vec<_> = members
        .iter()
        .map(|member| {
            let name = member.name.clone().unwrap_or_default();
            (name, member.offset as usize, layouter[member.ty].size as usize, is_integer(&module, member.ty))
        })
        .filter(|(name, ..)| !Field::is_padding(name))
        .collect();
    let in_rust: Vec<_> = fields
        .iter()
        .filter(|field| !Field::is_padding(field.name))
        .map(|field| (field.name.to_owned(), field.offset, field.size, field.is_integer))
        .collect();
    assert_eq!(in_rust, in_wgsl, "{name}: name, offset, size and kind of each field");
    assert_eq!(size, *span as usize, "{name}: size");
}

fn is_integer(module: &naga::Module, ty: naga::Handle<naga::Type>) -> bool {
    match module.types[ty].inner {
        TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. } | TypeInner::Matrix { scalar, .. } => {
            scalar.kind != ScalarKind::Float
        }
        TypeInner::Array { base, .. } => is_integer(module, base),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use lactea_abi::{MilkUniforms, PassUniforms, WGSL_COMMON};

    #[repr(C)]
    struct Example {
        place: [f32; 2],
        count: u32,
        pad: f32,
    }

    const SHADER: &str = "@group(0) @binding(0) var<uniform> e: Example;\n";

    #[test]
    fn equal_blocks_pass() {
        let shader = format!("{SHADER} struct Example {{ place: vec2<f32>, count: u32, pad_a: f32 }}");
        check_layout!(Example { place, count, pad }, &shader, "Example");
    }

    #[test]
    #[should_panic(expected = "name, offset, size and kind")]
    fn swapped_fields_fail() {
        let shader = format!("{SHADER} struct Example {{ count: u32, pad_a: f32, place: vec2<f32> }}");
        check_layout!(Example { place, count, pad }, &shader, "Example");
    }

    #[test]
    #[should_panic(expected = "name, offset, size and kind")]
    fn a_different_scalar_kind_fails() {
        let shader = format!("{SHADER} struct Example {{ place: vec2<f32>, count: f32, pad_a: f32 }}");
        check_layout!(Example { place, count, pad }, &shader, "Example");
    }

    #[test]
    #[should_panic(expected = "size")]
    fn a_longer_block_fails() {
        let shader = format!("{SHADER} struct Example {{ place: vec2<f32>, count: u32, pad_a: vec4<f32> }}");
        check_layout!(Example { place, count, pad }, &shader, "Example");
    }

    #[test]
    fn preset_uniform_blocks_match_the_translator() {
        check_layout!(
            MilkUniforms { rand_frame, rand_preset, c, q, rot, texsize_noise },
            WGSL_COMMON,
            "MilkUniforms"
        );
        check_layout!(PassUniforms { texsize }, WGSL_COMMON, "PassUniforms");
    }
}
