//! Preset shaders: size limits, translation from HLSL to WGSL, loop limits, and bindings.
//!
//! The translator's parser recurses without a limit, so sources are checked first and translated on a thread with a
//! large stack. The result is validated before a device gets it.

mod bounds;
mod entry;
mod gate;
mod levels;
mod operands;

use std::sync::Arc;

use lactea_abi::{MAX_PASS_TEXTURES, PassKind, ShaderInterface};

pub use entry::IMAGE_ENTRY;
pub(crate) use operands::operands;

/// Stack size of the translation thread, bytes.
const STACK_BYTES: usize = 256 << 20;

/// Maximum texture lookups in a translated shader. Drivers take minutes to compile thousands.
const MAX_LOOKUPS: usize = 512;
/// Maximum calls of expensive functions; real presets have about 40.
const MAX_EXPENSIVE_CALLS: usize = 400;
/// Maximum loops; real presets have a few.
const MAX_LOOPS: usize = 48;
/// Maximum statements; real presets have about 90.
const MAX_STATEMENTS: usize = 4_000;

/// A translated, validated shader.
#[derive(Clone, Debug)]
pub struct ShaderText {
    /// WGSL source with the fragment entry points `fs_main` and [`IMAGE_ENTRY`].
    pub wgsl: String,
    /// The same, validated, with limited loops.
    pub module: Arc<naga::Module>,
    /// Whether it reads the diffuse colour: the corner hues of a composite.
    pub reads_diffuse: bool,
    /// Whether it reads radius or angle.
    pub reads_polar: bool,
    /// Bindings, in order.
    pub interface: ShaderInterface,
}

/// Why a shader cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShaderError {
    /// It exceeds a size limit.
    #[error("{0}")]
    TooComplex(String),
    /// The translator rejected it.
    #[error("{0}")]
    Translate(String),
    /// The translation is not valid WGSL.
    #[error("invalid shader: {0}")]
    Invalid(String),
}

/// Translates the warp or composite shader of a preset. Blocks until the translation thread is done.
pub fn translate(kind: PassKind, source: &str) -> Result<ShaderText, ShaderError> {
    let source = source.replace('\u{1}', "\n");
    gate::check(&source).map_err(ShaderError::TooComplex)?;
    let work = move || translate_checked(kind, &source);
    let thread = std::thread::Builder::new().name("shader".into()).stack_size(STACK_BYTES).spawn(work);
    let thread = thread
        .map_err(|error| ShaderError::Translate(format!("starting the translation thread: {error}")))?;
    thread.join().unwrap_or_else(|_| Err(ShaderError::Translate("the translator panicked".into())))
}

fn translate_checked(kind: PassKind, source: &str) -> Result<ShaderText, ShaderError> {
    let mut options = lactea_hlsl::Options::default();
    options.projectm_flavor = true;
    options.floor_mod = true;
    options.rand_max_slot = 15;
    let translated = lactea_hlsl::translate(kind, source, &options)
        .map_err(|error| ShaderError::Translate(error.to_string()))?;
    if translated.interface.textures.len() > MAX_PASS_TEXTURES {
        let count = translated.interface.textures.len();
        return Err(ShaderError::TooComplex(format!("{count} textures; the limit is {MAX_PASS_TEXTURES}")));
    }
    let count =
        |words: &[&str]| words.iter().map(|word| translated.wgsl.matches(word).count()).sum::<usize>();
    for (what, count, max) in [
        ("texture lookups", count(&["textureSample"]), MAX_LOOKUPS),
        (
            "calls of expensive functions",
            count(&["sin(", "cos(", "tan(", "pow(", "exp(", "log(", "atan2("]),
            MAX_EXPENSIVE_CALLS,
        ),
        ("loops", count(&["loop {", "while ", "for ("]), MAX_LOOPS),
        ("statements", count(&[";"]), MAX_STATEMENTS),
    ] {
        if count > max {
            return Err(ShaderError::TooComplex(format!("{count} {what}; the limit is {max}")));
        }
    }
    let reads_diffuse = entry::reads(&translated.wgsl, "vDiffuse_");
    let reads_polar = entry::reads(&translated.wgsl, "rad_ang_");
    let wgsl = entry::add_image_entry(&translated.wgsl, kind)
        .ok_or_else(|| ShaderError::Translate("the translation has no entry point".into()))?;
    let mut module =
        naga::front::wgsl::parse_str(&wgsl).map_err(|e| ShaderError::Invalid(e.message().to_owned()))?;
    bounds::bound_loops(&mut module, bounds::limit(&translated.wgsl));
    levels::read_level_zero(&mut module);
    validate(&module)?;
    Ok(ShaderText {
        wgsl,
        module: Arc::new(module),
        reads_diffuse,
        reads_polar,
        interface: translated.interface,
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
        assert!(text.wgsl.contains("fs_main"));
        assert_eq!(text.interface.max_blur_level, 1);
    }

    #[test]
    fn a_syntax_error_has_a_message() {
        let error = translate(PassKind::Comp, "shader_body { ret = ; }").expect_err("a syntax error");
        assert!(!error.to_string().is_empty());
    }

    #[test]
    fn deep_nesting_is_rejected_before_parsing() {
        let deep = format!("shader_body {{ ret = {}1{}; }}", "(".repeat(50_000), ")".repeat(50_000));
        assert!(matches!(translate(PassKind::Comp, &deep), Err(ShaderError::TooComplex(_))));
    }

    #[test]
    fn a_shader_with_a_thousand_lookups_is_rejected() {
        let long = format!("shader_body {{ {} }}", "ret += tex2D(sampler_main, uv).xyz;".repeat(1_000));
        assert!(matches!(translate(PassKind::Warp, &long), Err(ShaderError::TooComplex(_))));
    }

    #[test]
    fn shaders_that_drivers_compile_for_minutes_are_rejected() {
        for line in ["ret = sin(ret * 1.3) + pow(abs(ret.yzx), 0.7);", "while (n < 9) { n += 1; }"] {
            let long = format!("shader_body {{ float n = 0; {} }}", line.repeat(300));
            assert!(matches!(translate(PassKind::Comp, &long), Err(ShaderError::TooComplex(_))), "{line}");
        }
    }

    #[test]
    fn an_endless_loop_is_limited() {
        let source = "shader_body { float n = 0; while (n < 1) { ret += 0.001; } }";
        let text = translate(PassKind::Comp, source).expect("translates");
        assert!(format!("{:?}", text.module).contains("loop_counter"), "{}", text.wgsl);
    }
}
