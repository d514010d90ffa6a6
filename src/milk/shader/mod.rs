//! Preset shaders: translated from HLSL, validated, and ready for a device.

use std::sync::Arc;

use lactea_abi::{PassKind, ShaderInterface};
use sha2::{Digest as _, Sha256};

pub use crate::hlsl::IMAGE_ENTRY;
use crate::hlsl::{self, ErrorKind};

/// Stack size of the translation thread, in bytes; far more than the deepest allowed nesting needs.
const STACK_BYTES: usize = 8 << 20;

/// A translated, validated shader.
#[derive(Clone, Debug)]
pub struct ShaderText {
    /// SHA-256 of the source. With the kind of the pass, it determines all other fields.
    pub source_hash: [u8; 32],
    /// The validated module, whose loops terminate, with the fragment entry points `fs_main` and [`IMAGE_ENTRY`].
    pub module: Arc<naga::Module>,
    /// Whether the shader reads the diffuse colour, which holds the corner hues in a composite shader.
    pub reads_diffuse: bool,
    /// Whether the shader reads `uv`, which is the source position in a warp shader.
    pub reads_source: bool,
    /// Whether the shader reads the polar coordinates.
    pub reads_polar: bool,
    /// Textures that the shader reads, in the order of their bindings, and the texture sizes that it uses.
    pub interface: ShaderInterface,
}

/// Why a shader cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShaderError {
    /// The shader exceeds a limit.
    #[error("{0}")]
    TooComplex(String),
    /// The shader is not valid HLSL, or the translator failed.
    #[error("{0}")]
    Translate(String),
    /// The translated shader failed validation.
    #[error("invalid shader: {0}")]
    Invalid(String),
}

/// Translates the warp or composite shader of a preset. Blocks until the translation thread is done; the
/// thread isolates the caller from panics in the translator.
///
/// # Errors
///
/// Returns an error if the shader cannot be translated or validated, or exceeds a limit.
pub fn translate(kind: PassKind, source: &str) -> Result<ShaderText, ShaderError> {
    let source = source.replace('\u{1}', "\n");
    let work = move || translate_here(kind, &source);
    let thread = std::thread::Builder::new().name("shader".into()).stack_size(STACK_BYTES).spawn(work);
    let thread = thread
        .map_err(|error| ShaderError::Translate(format!("starting the translation thread: {error}")))?;
    thread.join().unwrap_or_else(|_| Err(ShaderError::Translate("the translator panicked".into())))
}

fn translate_here(kind: PassKind, source: &str) -> Result<ShaderText, ShaderError> {
    let translated = hlsl::translate(kind, source).map_err(|error| match error.kind {
        ErrorKind::Limit => ShaderError::TooComplex(error.to_string()),
        ErrorKind::Syntax | ErrorKind::Semantic => ShaderError::Translate(error.to_string()),
    })?;
    validate(&translated.module)?;
    let hlsl::Translation { module, interface, reads_diffuse, reads_source, reads_polar } = translated;
    Ok(ShaderText {
        source_hash: Sha256::digest(source).into(),
        module: Arc::new(module),
        reads_diffuse,
        reads_source,
        reads_polar,
        interface,
    })
}

fn validate(module: &naga::Module) -> Result<(), ShaderError> {
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::default())
        .validate(module)
        .map_err(|error| {
            let mut message = error.as_inner().to_string();
            let mut source = std::error::Error::source(error.as_inner());
            while let Some(cause) = source {
                message = format!("{message}: {cause}");
                source = cause.source();
            }
            ShaderError::Invalid(message)
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_shader_translates() {
        let source = "shader_body\n{\n ret = tex2D(sampler_main, uv).xyz * 0.9 + GetBlur1(uv) * 0.1;\n}";
        let text = translate(PassKind::Warp, source).expect("translates");
        let names: Vec<_> = text.module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, [lactea_abi::FRAGMENT_ENTRY, IMAGE_ENTRY]);
        assert_eq!(text.interface.max_blur_level, 1);
    }

    #[test]
    fn the_hash_depends_only_on_the_source() {
        let hash = |kind, body: &str| {
            translate(kind, &format!("shader_body {{ {body} }}")).expect("translates").source_hash
        };
        let first = hash(PassKind::Warp, "ret = 0.5;");
        assert_eq!(first, hash(PassKind::Comp, "ret = 0.5;"));
        assert_ne!(first, hash(PassKind::Warp, "ret = 0.25;"));
    }

    #[test]
    fn errors_name_their_position() {
        let error = translate(PassKind::Comp, "shader_body {\u{1} ret = ; }").expect_err("a syntax error");
        assert_eq!(error.to_string(), "line 2, column 8: expected a value, found `;`");
        let deep = format!("shader_body {{ ret = {}1{}; }}", "(".repeat(50_000), ")".repeat(50_000));
        assert!(matches!(translate(PassKind::Comp, &deep), Err(ShaderError::TooComplex(_))));
    }

    #[test]
    fn deeply_nested_calls_translate_up_to_the_depth_that_drivers_support() {
        let calls = |branches: usize| {
            let [open, close] = ["if (x > 0) {", "}"].map(|text| text.repeat(branches));
            let mut source = "float f0(float x) { return x; }".to_owned();
            for level in 1..5 {
                source +=
                    &format!("float f{level}(float x) {{ {open} x = f{}(x); {close} return x; }}", level - 1);
            }
            translate(PassKind::Comp, &format!("{source} shader_body {{ ret = f4(uv.x); }}"))
        };
        calls(18).expect("translates");
        assert!(matches!(calls(19), Err(ShaderError::TooComplex(why)) if why.contains("branches")));
    }

    #[test]
    fn shaders_that_take_drivers_minutes_to_compile_are_rejected() {
        let lines = [
            "ret += tex2D(sampler_main, uv).xyz;",
            "ret = sin(ret * 1.3) + pow(abs(ret.yzx), 0.7);",
            "while (n < 9) { n += 1; }",
        ];
        for line in lines {
            let long = format!("shader_body {{ float n = 0; {} }}", line.repeat(1_100));
            assert!(matches!(translate(PassKind::Comp, &long), Err(ShaderError::TooComplex(_))), "{line}");
        }
    }

    #[test]
    fn a_shader_reports_which_inputs_it_reads() {
        let read = |body: &str| {
            let text = translate(PassKind::Warp, &format!("shader_body {{ {body} }}")).expect("translates");
            [text.reads_diffuse, text.reads_source, text.reads_polar]
        };
        assert_eq!(read("ret = uv_orig.xyx;"), [false, false, false]);
        assert_eq!(read("ret = uv.xyx;"), [false, true, false]);
        assert_eq!(read("ret = uv.xyx * hue_shader;"), [true, true, false]);
        assert_eq!(read("ret = rad;"), [false, false, true]);
        assert_eq!(read("ret = hue_shader * sin(ang);"), [true, false, true]);
    }
}
