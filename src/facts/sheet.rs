//! The parts of a preset that determine its look: its values and code.

use std::collections::HashMap;

use crate::milk::text::{self, CodeSection, Key, Line, SLOTS};

/// Opacity above which something counts as visible.
const VISIBLE: f32 = 0.02;

/// A custom wave of a preset.
#[derive(Clone, Debug)]
pub(super) struct Wave {
    pub enabled: bool,
    pub dots: bool,
    pub thick: bool,
    alpha: f32,
    /// Whether the wave has equations, which may set its opacity.
    code: bool,
}

/// A custom shape of a preset.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub enabled: bool,
    alpha: f32,
    alpha2: f32,
    border: f32,
    code: bool,
}

/// The values and code of a preset; missing values have MilkDrop's defaults.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    version: f32,
    pub decay: f32,
    pub zoom: f32,
    pub rot: f32,
    pub warp: f32,
    pub warp_speed: f32,
    pub warp_scale: f32,
    pub dx: f32,
    pub dy: f32,
    wave_alpha: f32,
    wave_scale: f32,
    pub wave_dots: bool,
    pub wave_thick: bool,
    echo_alpha: f32,
    vectors_alpha: f32,
    vectors: [f32; 2],
    pub waves: Vec<Wave>,
    pub shapes: Vec<Shape>,
    pub per_frame_lines: usize,
    /// Per-frame equations. All code in this struct is in lower case, without white space or comments.
    pub per_frame: String,
    pub per_pixel: String,
    /// Equations of custom waves and shapes.
    pub customs: String,
    pub warp_shader: String,
    pub comp_shader: String,
}

impl Default for Sheet {
    fn default() -> Self {
        let wave = Wave { enabled: false, dots: false, thick: false, alpha: 1.0, code: false };
        let shape = Shape { enabled: false, alpha: 1.0, alpha2: 0.0, border: 0.1, code: false };
        Self {
            version: 100.0,
            decay: 0.98,
            zoom: 1.0,
            rot: 0.0,
            warp: 1.0,
            warp_speed: 1.0,
            warp_scale: 1.0,
            dx: 0.0,
            dy: 0.0,
            wave_alpha: 0.8,
            wave_scale: 1.0,
            wave_dots: false,
            wave_thick: false,
            echo_alpha: 0.0,
            vectors_alpha: 0.0,
            vectors: [12.0, 9.0],
            waves: vec![wave; SLOTS],
            shapes: vec![shape; SLOTS],
            per_frame_lines: 0,
            per_frame: String::new(),
            per_pixel: String::new(),
            customs: String::new(),
            warp_shader: String::new(),
            comp_shader: String::new(),
        }
    }
}

/// The kind of value that an equation assigns to a variable.
enum Set {
    /// A numeric literal.
    To(f32),
    /// Any other expression, whose value may vary.
    Varying,
}

impl Sheet {
    /// Reads the values and the code from the text of a preset.
    pub fn read(text: &str) -> Self {
        let mut sheet = Self::default();
        text::lines(text).for_each(|line| sheet.line(&line));
        sheet.values(&text::numbers(text));
        sheet
    }

    fn line(&mut self, line: &Line) {
        match line.key {
            Key::Code(section) => self.code(section, line),
            Key::SlotCode(CodeSection::WavePerFrame | CodeSection::WavePerPoint, slot) => {
                self.waves[slot].code = true;
                push_code(&mut self.customs, line);
            }
            Key::SlotCode(CodeSection::ShapePerFrame, slot) => {
                self.shapes[slot].code = true;
                push_code(&mut self.customs, line);
            }
            Key::SlotCode(..) | Key::Wave(..) | Key::Shape(..) | Key::Value(_) | Key::None => {}
        }
    }

    fn code(&mut self, section: CodeSection, line: &Line) {
        match section {
            CodeSection::PerFrame => {
                self.per_frame_lines += 1;
                push_code(&mut self.per_frame, line);
            }
            CodeSection::PerPixel => push_code(&mut self.per_pixel, line),
            CodeSection::Warp => push_code(&mut self.warp_shader, line),
            CodeSection::Composite => push_code(&mut self.comp_shader, line),
            _ => {}
        }
    }

    fn values(&mut self, numbers: &HashMap<String, f32>) {
        let set = |value: &mut f32, key: &str| *value = numbers.get(key).copied().unwrap_or(*value);
        let flag = |key: &str| numbers.get(key).is_some_and(|number| *number != 0.0);
        set(&mut self.version, "milkdrop_preset_version");
        set(&mut self.decay, "fdecay");
        set(&mut self.zoom, "zoom");
        set(&mut self.rot, "rot");
        set(&mut self.warp, "warp");
        set(&mut self.warp_speed, "fwarpanimspeed");
        set(&mut self.warp_scale, "fwarpscale");
        set(&mut self.dx, "dx");
        set(&mut self.dy, "dy");
        set(&mut self.wave_alpha, "fwavealpha");
        set(&mut self.wave_scale, "fwavescale");
        self.wave_dots = flag("bwavedots");
        self.wave_thick = flag("bwavethick");
        set(&mut self.echo_alpha, "fvideoechoalpha");
        self.vectors_alpha = if flag("bmotionvectorson") { 1.0 } else { 0.0 };
        set(&mut self.vectors_alpha, "mv_a");
        set(&mut self.vectors[0], "nmotionvectorsx");
        set(&mut self.vectors[1], "nmotionvectorsy");
        for (slot, wave) in self.waves.iter_mut().enumerate() {
            let key = |name: &str| format!("wavecode_{slot}_{name}");
            wave.enabled = flag(&key("enabled"));
            if wave.enabled {
                wave.dots = flag(&key("busedots"));
                wave.thick = flag(&key("bdrawthick"));
                set(&mut wave.alpha, &key("a"));
            }
        }
        for (slot, shape) in self.shapes.iter_mut().enumerate() {
            let key = |name: &str| format!("shapecode_{slot}_{name}");
            shape.enabled = flag(&key("enabled"));
            if shape.enabled {
                set(&mut shape.alpha, &key("a"));
                set(&mut shape.alpha2, &key("a2"));
                set(&mut shape.border, &key("border_a"));
            }
        }
    }

    /// Returns the effective value of `name`: `stated`, the file's value, if no per-frame equation sets it.
    /// Otherwise returns the value of the last assignment if it is a numeric literal, or `varying` if not.
    pub fn effective(&self, name: &str, stated: f32, varying: f32) -> f32 {
        match set_in(&self.per_frame, name) {
            None => stated,
            Some(Set::To(number)) => number,
            Some(Set::Varying) => varying,
        }
    }

    /// Returns whether the main wave is visible.
    pub fn main_wave_shown(&self) -> bool {
        self.effective("wave_a", self.wave_alpha, 1.0) > VISIBLE && self.wave_scale.abs() > 0.005
    }

    /// Returns whether motion vectors are visible.
    pub fn vectors_shown(&self) -> bool {
        let count = |name, stated| self.effective(name, stated, 12.0) >= 1.0;
        self.effective("mv_a", self.vectors_alpha, 1.0) > VISIBLE
            && count("mv_x", self.vectors[0])
            && count("mv_y", self.vectors[1])
    }

    /// Returns whether the video echo is visible; with a composite shader, it never is.
    pub fn echo_shown(&self) -> bool {
        self.comp_text().is_empty() && self.effective("echo_alpha", self.echo_alpha, 1.0) > 0.05
    }

    /// Returns whether the preset has a warp or composite shader that its version uses.
    pub fn has_shader(&self) -> bool {
        !self.warp_text().is_empty() || !self.comp_text().is_empty()
    }

    /// Returns the warp shader, or an empty string if the preset's version does not use shaders.
    pub fn warp_text(&self) -> &str {
        if self.version >= 200.0 { &self.warp_shader } else { "" }
    }

    /// Returns the composite shader, or an empty string if the preset's version does not use shaders.
    pub fn comp_text(&self) -> &str {
        if self.version >= 200.0 { &self.comp_shader } else { "" }
    }

    /// Returns whether the preset probably keeps the previous frame and distorts it smoothly. A preset with a warp
    /// shader counts if that shader samples a blurred picture.
    pub fn flows(&self) -> bool {
        let shader = self.warp_text();
        if shader.is_empty() {
            let bends = self.effective("warp", self.warp, 0.5) >= 0.08 || self.per_pixel.contains("sin(");
            return bends && self.effective("decay", self.decay, 0.95) >= 0.94;
        }
        shader.contains("getblur") || shader.contains("sampler_blur")
    }

    /// Returns whether a shader samples an image file.
    pub fn shows_images(&self) -> bool {
        let own = |name: &String| {
            !(name.is_empty() || name == "main" || name.starts_with("noise") || name.starts_with("blur"))
        };
        [self.warp_text(), self.comp_text()].into_iter().any(|shader| text::samplers(shader).iter().any(own))
    }
}

impl Wave {
    /// Returns whether the wave is enabled and may be visible, by its opacity or because it has equations.
    pub fn shown(&self) -> bool {
        self.enabled && (self.alpha > VISIBLE || self.code)
    }
}

impl Shape {
    /// Returns whether the shape is enabled and may be visible, by its opacity or because it has equations.
    pub fn shown(&self) -> bool {
        let alpha = self.alpha.max(self.alpha2).max(self.border);
        self.enabled && (alpha > VISIBLE || self.code)
    }
}

/// Appends a line of code without comments or white space, in lower case.
fn push_code(code: &mut String, line: &Line) {
    let line = line.code().split("//").next().unwrap_or_default();
    code.extend(line.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()));
}

/// Returns the value of the last assignment to `name` in `code`; `None` if there is no assignment.
fn set_in(code: &str, name: &str) -> Option<Set> {
    let mut found = None;
    for (at, _) in code.match_indices(name) {
        let before = code[..at].bytes().next_back();
        if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.') {
            continue;
        }
        let Some(rest) = code[at + name.len()..].strip_prefix('=') else { continue };
        if rest.starts_with('=') {
            continue;
        }
        let value = rest.split(';').next().unwrap_or_default();
        found = Some(value.parse().map_or(Set::Varying, Set::To));
    }
    found
}
