//! Shader text of a preset: static gate, HLSL to WGSL, loop bounds, and what the shader binds.
//!
//! The translator's parser recurses without a limit of its own, so text passes the gate first and is translated on a
//! thread with a deep stack. The result is validated before any device sees it.

mod bounds;
mod gate;

use lactea_abi::{MAX_PASS_TEXTURES, PassKind, ShaderInterface};

/// Stack of the thread that translates, bytes.
const STACK_BYTES: usize = 256 << 20;

/// Most texture lookups written in one shader, macros expanded; compiling thousands takes drivers minutes.
const MAX_LOOKUPS: usize = 512;
/// Most calls of costly functions, loops and statements written in one shader, macros expanded: real presets have 40,
/// a few and 90.
const MAX_COSTLY: usize = 400;
const MAX_LOOPS: usize = 48;
const MAX_STATEMENTS: usize = 4_000;

/// A translated, validated shader.
#[derive(Clone, Debug)]
pub struct ShaderText {
    /// WGSL with the fragment entry point `fs_main`.
    pub wgsl: String,
    /// What it binds, in order.
    pub interface: ShaderInterface,
}

/// Why a shader is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShaderError {
    /// It asks for more than any real preset does.
    #[error("{0}")]
    Gate(String),
    /// It does not translate.
    #[error("{0}")]
    Translate(String),
    /// What came out of the translation is no valid shader.
    #[error("invalid shader: {0}")]
    Invalid(String),
}

/// Translates a preset's warp or composite shader.
pub fn translate(kind: PassKind, source: &str) -> Result<ShaderText, ShaderError> {
    let source = source.replace('\u{1}', "\n");
    gate::check(&source).map_err(ShaderError::Gate)?;
    let work = move || translate_checked(kind, &source);
    let thread = std::thread::Builder::new().name("shader".into()).stack_size(STACK_BYTES).spawn(work);
    let thread =
        thread.map_err(|error| ShaderError::Translate(format!("no thread to translate on: {error}")))?;
    thread.join().unwrap_or_else(|_| Err(ShaderError::Translate("the translator failed on this text".into())))
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
        return Err(ShaderError::Gate(format!("{count} textures, {MAX_PASS_TEXTURES} are possible")));
    }
    let written =
        |words: &[&str]| words.iter().map(|word| translated.wgsl.matches(word).count()).sum::<usize>();
    for (what, count, most) in [
        ("texture lookups", written(&["textureSample"]), MAX_LOOKUPS),
        (
            "calls of costly functions",
            written(&["sin(", "cos(", "tan(", "pow(", "exp(", "log(", "atan2("]),
            MAX_COSTLY,
        ),
        ("loops", written(&["loop {", "while ", "for ("]), MAX_LOOPS),
        ("statements", written(&[";"]), MAX_STATEMENTS),
    ] {
        if count > most {
            return Err(ShaderError::Gate(format!("{count} {what}, {most} are possible")));
        }
    }
    let wgsl = bounds::bound_loops(&translated.wgsl);
    validate(&wgsl)?;
    Ok(ShaderText { wgsl, interface: translated.interface })
}

fn validate(wgsl: &str) -> Result<(), ShaderError> {
    let module =
        naga::front::wgsl::parse_str(wgsl).map_err(|e| ShaderError::Invalid(e.message().to_owned()))?;
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::default())
        .validate(&module)
        .map_err(|error| {
            let mut words = error.as_inner().to_string();
            let mut source = std::error::Error::source(error.as_inner());
            while let Some(cause) = source {
                words = format!("{words}: {cause}");
                source = cause.source();
            }
            ShaderError::Invalid(words)
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
    fn nonsense_is_refused_in_words() {
        let error = translate(PassKind::Comp, "shader_body { ret = ; }").expect_err("no expression");
        assert!(!error.to_string().is_empty());
    }

    #[test]
    fn a_deep_shader_is_refused_before_the_parser_sees_it() {
        let deep = format!("shader_body {{ ret = {}1{}; }}", "(".repeat(50_000), ")".repeat(50_000));
        assert!(matches!(translate(PassKind::Comp, &deep), Err(ShaderError::Gate(_))));
    }

    #[test]
    fn a_shader_of_a_thousand_lookups_is_refused() {
        let long = format!("shader_body {{ {} }}", "ret += tex2D(sampler_main, uv).xyz;".repeat(1_000));
        assert!(matches!(translate(PassKind::Warp, &long), Err(ShaderError::Gate(_))));
    }

    #[test]
    fn what_would_take_a_driver_minutes_to_compile_is_refused() {
        for line in ["ret = sin(ret * 1.3) + pow(abs(ret.yzx), 0.7);", "while (n < 9) { n += 1; }"] {
            let long = format!("shader_body {{ float n = 0; {} }}", line.repeat(300));
            assert!(matches!(translate(PassKind::Comp, &long), Err(ShaderError::Gate(_))), "{line}");
        }
    }

    #[test]
    fn an_endless_loop_is_bounded() {
        let source = "shader_body { float n = 0; while (n < 1) { ret += 0.001; } }";
        let text = translate(PassKind::Comp, source).expect("translates");
        assert!(text.wgsl.contains("loop_guard"), "{}", text.wgsl);
    }
}
