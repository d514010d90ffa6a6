//! A compiled preset: all code compiled, all shaders translated.
//!
//! Compiling is slow and never happens on the render thread. Code or a shader that fails to compile is skipped and
//! reported as a [`Problem`]; the rest of the preset still works.

use std::sync::Arc;

use lactea_abi::PassKind;
use lactea_preset::{BaseValues, CustomShape, CustomWave, Flavor, Preset};

use super::added::SpectrumRates;
use super::double::{self, Double, DoubleBlend};
use super::names::{self, frame, point, shape, vertex, wave};
use super::shader::{self, ShaderText};
use super::text::Decoded;
use crate::eel::{self, BatchCode, Code, Columns, CompileError, Scope};

/// Maximum size of a preset file, in bytes.
pub const MAX_PRESET_BYTES: usize = 1 << 20;

/// Maximum number of operations of one preset that are compiled to machine code; compiling that many takes about
/// a second. The remaining code is interpreted. Real presets have about a tenth as many.
const MAX_NATIVE: usize = 60_000;

/// Characters that old editors and disk failures leave at the end of a file; they are removed.
const END_OF_FILE: [char; 2] = ['\0', '\x1a'];

/// Why a file cannot be played as a preset.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum PresetError {
    /// The file is not a preset.
    #[error("not a preset: {0}")]
    Invalid(String),
    /// The file is larger than [`MAX_PRESET_BYTES`].
    #[error("preset file is {0} bytes; the limit is 1 MiB")]
    TooLarge(usize),
}

/// A problem with one part of a preset, such as code that failed to compile.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// Name of the part: `per_frame`, `warp shader`, `wave_0 per_point`...
    pub part: String,
    /// Error message.
    #[serde(rename = "what")]
    pub message: String,
}

/// A compiled preset, immutable and shared. A [`super::Player`] runs it.
#[derive(Debug)]
pub struct Program {
    pub(super) base: BaseValues,
    pub(super) code: FrameCode,
    pub(super) waves: Vec<WaveProgram>,
    pub(super) shapes: Vec<ShapeProgram>,
    pub(super) spectrum: SpectrumRates,
    /// Warp shader; if `None`, the built-in warp pass is used.
    pub warp: Option<ShaderText>,
    /// Composite shader; if `None`, the built-in composite pass is used.
    pub composite: Option<ShaderText>,
    /// Number of programs that share the limits of a preset: 2 for the halves of a double preset, otherwise 1.
    pub sharers: u32,
    /// Problems found while compiling.
    pub problems: Vec<Problem>,
    /// The second half of a double preset, and how the halves are blended; `None` for an ordinary preset.
    pub second: Option<(Arc<Program>, DoubleBlend)>,
}

impl Program {
    /// Returns how many blur levels the shaders read, from 0 to 3. For a double preset, only the shaders of the first
    /// half count.
    pub fn blur_levels(&self) -> u8 {
        let levels =
            [&self.warp, &self.composite].into_iter().flatten().map(|text| text.interface.max_blur_level);
        levels.max().unwrap_or(0)
    }
}

/// Per-frame and per-vertex code, with the size of each namespace.
#[derive(Debug)]
pub(super) struct FrameCode {
    pub init: Option<Code>,
    pub per_frame: Option<Code>,
    /// Names of the per-frame variables, by slot.
    pub frame_names: Vec<String>,
    pub per_vertex: Option<BatchCode>,
    pub vertex_vars: usize,
}

/// One enabled custom wave.
#[derive(Debug)]
pub(super) struct WaveProgram {
    pub values: CustomWave,
    pub init: Option<Code>,
    pub per_frame: Option<Code>,
    pub frame_vars: usize,
    pub per_point: Option<BatchCode>,
    pub point_vars: usize,
}

/// One enabled custom shape.
#[derive(Debug)]
pub(super) struct ShapeProgram {
    pub values: CustomShape,
    pub init: Option<Code>,
    pub per_frame: Option<Code>,
    pub vars: usize,
}

impl Program {
    /// Compiles a `.milk` or `.milk2` file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is too large or is not a preset.
    pub fn compile(bytes: &[u8]) -> Result<Arc<Self>, PresetError> {
        Self::compile_for(bytes, MAX_NATIVE)
    }

    /// Compiles a file without machine code: its code runs in the interpreter, with the same results. For tests.
    pub fn compile_interpreted(bytes: &[u8]) -> Result<Arc<Self>, PresetError> {
        Self::compile_for(bytes, 0)
    }

    /// Compiles a file; at most `native` operations of its code become machine code.
    fn compile_for(bytes: &[u8], native: usize) -> Result<Arc<Self>, PresetError> {
        if bytes.len() > MAX_PRESET_BYTES {
            return Err(PresetError::TooLarge(bytes.len()));
        }
        let decoded = Decoded::new(bytes);
        let text = decoded.text.trim_end_matches(END_OF_FILE);
        match double::split(text) {
            Some(double) => Self::from_double(double, native),
            None => Self::from_text(text, native),
        }
        .map(Arc::new)
    }

    /// Compiles the halves of a double preset; if one is not a preset, the other plays alone.
    fn from_double(double: Double, native: usize) -> Result<Self, PresetError> {
        let problem = |message| Problem { part: "double preset".into(), message };
        let [first, second] = double.halves.map(|half| Self::from_text(&half, native / 2));
        let mut program = match (first, second) {
            (Ok(first), Ok(second)) => {
                let second = Arc::new(Self { sharers: 2, ..second });
                Self { sharers: 2, second: Some((second, double.blend)), ..first }
            }
            (Ok(mut only), Err(error)) => {
                only.problems.push(problem(format!("second half: {error}; playing the first half only")));
                only
            }
            (Err(error), Ok(mut only)) => {
                only.problems.push(problem(format!("first half: {error}; playing the second half only")));
                only
            }
            (Err(error), Err(_)) => return Err(error),
        };
        program.problems.extend(double.problems.into_iter().map(problem));
        Ok(program)
    }

    fn from_text(text: &str, native: usize) -> Result<Self, PresetError> {
        let preset = Preset::parse_with(text.as_bytes(), Flavor::ProjectM)
            .map_err(|error| PresetError::Invalid(error.to_string()))?;
        Ok(Self { spectrum: SpectrumRates::of(text), ..Self::from_preset(preset, native) })
    }

    fn from_preset(preset: Preset, native: usize) -> Self {
        let mut problems = Vec::new();
        let mut build = Builder { problems: &mut problems, native };
        let code = build.frame_code(&preset);
        let waves = (0..).zip(&preset.waves).filter(|(_, w)| w.enabled != 0);
        let waves = waves.map(|(slot, values)| build.wave(slot, values)).collect();
        let shapes = (0..).zip(&preset.shapes).filter(|(_, s)| s.enabled != 0);
        let shapes = shapes.map(|(slot, values)| build.shape(slot, values)).collect();
        let warp = build.shader(PassKind::Warp, preset.warp_ps_version, preset.warp_shader.as_deref());
        let composite = build.shader(PassKind::Comp, preset.comp_ps_version, preset.comp_shader.as_deref());
        let base = preset.base;
        let spectrum = SpectrumRates::default();
        Self { base, code, waves, shapes, spectrum, warp, composite, sharers: 1, problems, second: None }
    }
}

/// Compiles the parts of one preset and collects problems.
struct Builder<'a> {
    problems: &'a mut Vec<Problem>,
    /// Number of operations that may still be compiled to machine code.
    native: usize,
}

impl Builder<'_> {
    fn frame_code(&mut self, preset: &Preset) -> FrameCode {
        let mut scope = names::new_scope(frame::NAMES);
        let init = self.code("per_frame_init", &preset.per_frame_init, &mut scope, 1);
        let per_frame = self.code("per_frame", &preset.per_frame, &mut scope, 1);
        let mut vertex_scope = names::new_scope(vertex::NAMES);
        let motion = &vertex::NAMES[..=vertex::sy];
        let columns = [&vertex::NAMES[vertex::x..=vertex::ang], motion, motion];
        let per_vertex = self.batch("per_pixel", &preset.per_pixel, &mut vertex_scope, columns, true);
        FrameCode { init, per_frame, frame_names: scope.names(), per_vertex, vertex_vars: vertex_scope.len() }
    }

    fn wave(&mut self, slot: usize, values: &CustomWave) -> WaveProgram {
        let mut scope = names::new_scope(wave::NAMES);
        let init = self.code(&format!("wave_{slot} init"), &values.init, &mut scope, 1);
        let per_frame = self.code(&format!("wave_{slot} per_frame"), &values.per_frame, &mut scope, 1);
        let mut point_scope = names::new_scope(point::NAMES);
        let columns = [
            &point::NAMES[point::sample..=point::y],
            &point::NAMES[point::r..=point::a],
            &point::NAMES[point::x..=point::a],
        ];
        let part = format!("wave_{slot} per_point");
        let per_point = self.batch(&part, &values.per_point, &mut point_scope, columns, false);
        WaveProgram {
            values: values.clone(),
            init,
            per_frame,
            frame_vars: scope.len(),
            per_point,
            point_vars: point_scope.len(),
        }
    }

    fn shape(&mut self, slot: usize, values: &CustomShape) -> ShapeProgram {
        let mut scope = names::new_scope(shape::NAMES);
        let init = self.code(&format!("shape_{slot} init"), &values.init, &mut scope, 1);
        let instances = values.instances.max(1) as usize;
        let per_frame =
            self.code(&format!("shape_{slot} per_frame"), &values.per_frame, &mut scope, instances);
        ShapeProgram { values: values.clone(), init, per_frame, vars: scope.len() }
    }

    /// Compiles code that runs `runs` times per frame. Returns `None` if it is empty or fails to compile.
    fn code(&mut self, part: &str, joined: &str, scope: &mut Scope, runs: usize) -> Option<Code> {
        let mut code = self.compile(part, joined, scope, eel::compile)?;
        if code.is_worth_compiling(runs) && self.may_compile(code.operations()) {
            code.make_native();
        }
        Some(code)
    }

    /// Compiles code that runs on many items. Returns `None` if it is empty or fails to compile. `columns` lists
    /// the names of its inputs, resets and outputs (see [`Columns`]); `fixed` states whether the inputs stay the
    /// same over many frames.
    fn batch(
        &mut self,
        part: &str,
        joined: &str,
        scope: &mut Scope,
        columns: [&[&str]; 3],
        fixed: bool,
    ) -> Option<BatchCode> {
        let [inputs, resets, outputs] =
            columns.map(|names| names.iter().map(|name| scope.var(name)).collect::<Vec<_>>());
        let columns = Columns { inputs: &inputs, resets: &resets, outputs: &outputs };
        let compile = |source: &str, scope: &mut Scope| eel::compile_batch(source, scope, columns);
        let mut code = self.compile(part, joined, scope, compile)?;
        if fixed {
            code.keep_rows();
        }
        if self.may_compile(code.operations()) {
            code.make_native();
        }
        Some(code)
    }

    /// Returns whether a program of `operations` operations may be compiled to machine code; if so, deducts
    /// them from the operations that remain.
    fn may_compile(&mut self, operations: usize) -> bool {
        let left = self.native.checked_sub(operations);
        self.native = left.unwrap_or(self.native);
        left.is_some()
    }

    fn compile<T>(
        &mut self,
        part: &str,
        joined: &str,
        scope: &mut Scope,
        compile: impl Fn(&str, &mut Scope) -> Result<T, CompileError>,
    ) -> Option<T> {
        let source = lactea_preset::code_to_source(joined);
        if source.trim().is_empty() {
            return None;
        }
        compile(&source, scope)
            .or_else(|error| {
                // Some presets break lines within a word; MilkDrop concatenates the lines.
                let concatenated = lactea_preset::strip_linefeeds_and_comments(joined);
                compile(&concatenated, scope).map_err(|_| error)
            })
            .map_err(|error| self.problems.push(Problem { part: part.into(), message: error.to_string() }))
            .ok()
    }

    /// Translates a shader. Returns `None`, so that the built-in pass is used, if the preset has no shader or
    /// the shader fails to translate.
    fn shader(&mut self, kind: PassKind, version: i32, source: Option<&str>) -> Option<ShaderText> {
        if version < 2 {
            return None;
        }
        match shader::translate(kind, source?) {
            Ok(text) => Some(text),
            Err(error) => {
                let part = match kind {
                    PassKind::Warp => "warp shader",
                    PassKind::Comp => "composite shader",
                };
                self.problems.push(Problem { part: part.into(), message: error.to_string() });
                None
            }
        }
    }
}
