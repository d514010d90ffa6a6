//! A sprite from `MILK_IMG.INI`: an image, and code that moves it.

use std::sync::Arc;

use super::frame::{Blend, LayerInput};
use super::ini::Section;
use super::mipmap::Mipmap;
use crate::eel::{self, Budget, Code, EelRandom, Machine, Memory, Scope, Shared};
use crate::milk::MAX_PRESET_BYTES;

/// Maximum number of instructions that the code of one sprite may execute per frame.
const FRAME_BUDGET: u64 = 2_000_000;
/// Maximum number of operations in code that is compiled to machine code; longer code is always interpreted.
const MAX_NATIVE: usize = 10_000;
/// Seconds until `progress` reaches 1, as for presets.
const PROGRESS_SECS: f64 = 30.0;
/// Maximum number of memory blocks, of 512 KiB each, that a sprite may use.
const MEMORY_BLOCKS: u32 = 16;

/// Variables with their initial values: first the outputs of the code, then its inputs.
const VARIABLES: [(&str, f64); 26] = [
    ("x", 0.5),
    ("y", 0.5),
    ("sx", 1.0),
    ("sy", 1.0),
    ("rot", 0.0),
    ("flipx", 0.0),
    ("flipy", 0.0),
    ("repeatx", 1.0),
    ("repeaty", 1.0),
    ("blendmode", 0.0),
    ("r", 1.0),
    ("g", 1.0),
    ("b", 1.0),
    ("a", 1.0),
    ("burn", 0.0),
    ("done", 0.0),
    ("time", 0.0),
    ("frame", 0.0),
    ("fps", 0.0),
    ("progress", 0.0),
    ("bass", 0.0),
    ("mid", 0.0),
    ("treb", 0.0),
    ("bass_att", 0.0),
    ("mid_att", 0.0),
    ("treb_att", 0.0),
];
/// Number of variables that are outputs of the code.
const WRITABLE_VARIABLES: usize = 16;

/// A compiled sprite.
#[derive(Debug)]
pub(super) struct Sprite {
    pub image: Arc<Mipmap>,
    init: Option<Code>,
    code: Option<Code>,
    variables: usize,
}

impl Sprite {
    /// Compiles the code of a section; code that fails to compile is skipped and reported in `problems`.
    pub fn compile(section: &Section, image: Arc<Mipmap>, problems: &mut Vec<String>) -> Self {
        let mut scope = Scope::new();
        for (name, _) in VARIABLES {
            scope.var(name);
        }
        let mut part = |prefix: &str| {
            let lines = section.lines(prefix);
            if lines.iter().map(|line| line.len() + 1).sum::<usize>() > MAX_PRESET_BYTES {
                let why = format!("longer than {MAX_PRESET_BYTES} bytes");
                problems.push(format!("[{}]: {prefix}: {why}", section.name));
                return None;
            }
            let mut code = compile(&lines, &mut scope)
                .map_err(|why| problems.push(format!("[{}]: {prefix}: {why}", section.name)))
                .ok()??;
            if code.is_worth_compiling(1) && code.operations() <= MAX_NATIVE {
                code.make_native();
            }
            Some(code)
        };
        let (init, code) = (part("init"), part("code"));
        Self { image, init, code, variables: scope.len() }
    }
}

/// Compiles lines of code; `None` if all are blank. If they do not compile, retries with the lines joined
/// without line breaks and comments, because some files break lines within a word.
fn compile(lines: &[&str], scope: &mut Scope) -> Result<Option<Code>, eel::CompileError> {
    if lines.iter().all(|line| line.trim().is_empty()) {
        return Ok(None);
    }
    let whole = |line: &&str| line.split("//").next().unwrap_or_default().to_owned();
    let code = eel::compile(&lines.join("\n"), scope).or_else(|error| {
        eel::compile(&lines.iter().map(whole).collect::<String>(), scope).map_err(|_| error)
    });
    code.map(Some)
}

/// State of a running sprite.
pub(super) struct SpriteRun {
    variables: Vec<f64>,
    memory: Memory,
    shared: Shared,
    random: EelRandom,
    frame: u64,
}

/// Appearance of a sprite in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SpriteState {
    /// Centre: 0 to 1 from left to right and from bottom to top.
    pub center: [f32; 2],
    /// Horizontal and vertical scale; at 1, the longer side of the image is as long as the picture is wide.
    pub size: [f32; 2],
    /// Anticlockwise rotation, in radians.
    pub rotation: f32,
    pub flip: [bool; 2],
    /// Number of times the image is repeated, horizontally and vertically.
    pub repeat: [f32; 2],
    pub blend: Blend,
    /// RGBA, from 0 to 1.
    pub color: [f32; 4],
    /// Whether the sprite is drawn into the preset's picture, and so into its feedback.
    pub burn: bool,
    /// Whether this is the sprite's last frame.
    pub done: bool,
}

impl SpriteRun {
    /// Creates the state before the first frame of `sprite`; `seed` determines the random values.
    pub fn new(sprite: &Sprite, seed: u64) -> Self {
        let mut variables = vec![0.0; sprite.variables];
        for (variable, (_, value)) in variables.iter_mut().zip(VARIABLES) {
            *variable = value;
        }
        Self {
            variables,
            memory: Memory::new(),
            shared: Shared::with_blocks(MEMORY_BLOCKS),
            random: EelRandom::new((seed ^ (seed >> 32)) as u32),
            frame: 0,
        }
    }

    /// Runs the sprite's code for one frame, `age_secs` after launch. Returns `None` if the code exceeds its
    /// instruction budget.
    pub fn step(&mut self, sprite: &Sprite, age_secs: f64, input: &LayerInput) -> Option<SpriteState> {
        let first = self.frame == 0;
        let [bass, mid, treb] = input.audio.bands.map(f64::from);
        let [bass_att, mid_att, treb_att] = input.audio.bands_att.map(f64::from);
        let progress = (age_secs / PROGRESS_SECS).clamp(0.0, 1.0);
        let read =
            [age_secs, self.frame as f64, input.fps, progress, bass, mid, treb, bass_att, mid_att, treb_att];
        self.frame += 1;
        let mut budget = Budget::new(FRAME_BUDGET);
        for code in [sprite.init.as_ref().filter(|_| first), sprite.code.as_ref()].into_iter().flatten() {
            self.variables[WRITABLE_VARIABLES..WRITABLE_VARIABLES + read.len()].copy_from_slice(&read);
            code.run(&mut Machine {
                vars: &mut self.variables,
                megabuf: &mut self.memory,
                shared: &mut self.shared,
                rng: &mut self.random,
                budget: &mut budget,
            });
        }
        if budget.exhausted() {
            return None;
        }
        let [x, y, sx, sy, rot, flip_x, flip_y, repeat_x, repeat_y, blend, r, g, b, a, burn, done]: [f64;
            WRITABLE_VARIABLES] = self.variables[..WRITABLE_VARIABLES].try_into().ok()?;
        let place = |value: f64| limited(value, 1000.0);
        let light = |value: f64| limited(value, 1.0).max(0.0);
        Some(SpriteState {
            center: [x, y].map(place),
            size: [sx, sy].map(place),
            rotation: limited(rot, 1e6),
            flip: [flip_x, flip_y].map(|flip| flip != 0.0),
            repeat: [repeat_x, repeat_y].map(|times| limited(times, 100.0).max(0.01)),
            blend: Blend::of_sprite(blend),
            color: [r, g, b, a].map(light),
            burn: burn != 0.0,
            done: done != 0.0,
        })
    }
}

/// Returns `value`, clamped to the range from `-limit` to `limit`; 0 for NaN.
fn limited(value: f64, limit: f64) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(-limit, limit) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::ini::sections;
    use crate::milk::PresetAudio;

    fn sprite(text: &str) -> (Sprite, Vec<String>) {
        let mut problems = Vec::new();
        let image = Arc::new(Mipmap::new(image::RgbaImage::new(2, 1)));
        let sections = sections(&format!("[img00]\n{text}"));
        (Sprite::compile(&sections[0], image, &mut problems), problems)
    }

    fn step(run: &mut SpriteRun, sprite: &Sprite, age_secs: f64) -> Option<SpriteState> {
        let audio =
            PresetAudio { bands: [2.0, 1.0, 0.5], bands_att: [4.0, 3.0, 2.0], ..PresetAudio::default() };
        run.step(sprite, age_secs, &LayerInput { audio: &audio, fps: 30.0, aspect: 16.0 / 9.0 })
    }

    #[test]
    fn init_code_runs_once_and_variables_keep_their_values() {
        let (sprite, problems) = sprite(
            "init_1=x = 0.25;\ninit_2=turns = 2;\ncode_1=rot = rot + turns;\ncode_2=y = time; a = bass * 0.25; \
             do\ncode_3=ne = above(frame, 0); burn = done; blendmode = 3;\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        let mut run = SpriteRun::new(&sprite, 1);
        let state = step(&mut run, &sprite, 0.0).expect("a frame");
        assert_eq!((state.center, state.rotation, state.color[3]), ([0.25, 0.0], 2.0, 0.5));
        assert_eq!((state.done, state.burn, state.blend), (false, false, Blend::SourceColor));
        let state = step(&mut run, &sprite, 0.5).expect("a frame");
        assert_eq!((state.center, state.rotation, state.done, state.burn), ([0.25, 0.5], 4.0, true, true));
    }

    #[test]
    fn code_reads_the_clock_and_the_music() {
        let (sprite, problems) = sprite(
            "code_1=x = fps; y = progress; sx = mid; sy = treb; repeatx = bass_att; repeaty = mid_att;\n\
             code_2=a = treb_att * 0.25;\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        let state = step(&mut SpriteRun::new(&sprite, 1), &sprite, 15.0).expect("a frame");
        assert_eq!((state.center, state.size), ([30.0, 0.5], [1.0, 0.5]));
        assert_eq!((state.repeat, state.color[3]), ([4.0, 3.0], 0.5));
    }

    #[test]
    fn invalid_code_is_reported_and_endless_code_is_stopped() {
        let (broken, problems) = sprite("init_1=x = 0.25;\ncode_1=y = (;\n");
        assert!(problems.len() == 1 && problems[0].starts_with("[img00]: code: "), "{problems:?}");
        let state = step(&mut SpriteRun::new(&broken, 1), &broken, 0.0).expect("a frame");
        assert_eq!(state.center, [0.25, 0.5]);
        let (endless, problems) = sprite("code_1=loop(1000000, loop(1000000, x += 1));\n");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(step(&mut SpriteRun::new(&endless, 1), &endless, 0.0), None);
    }

    #[test]
    fn extreme_values_are_clamped() {
        let (sprite, _) = sprite("code_1=x = exp(1000); y = exp(1000) - exp(1000); repeatx = 0; r = -1;\n");
        let state = step(&mut SpriteRun::new(&sprite, 1), &sprite, 0.0).expect("a frame");
        assert_eq!((state.center, state.repeat, state.color[0]), ([1000.0, 0.0], [0.01, 1.0], 0.0));
    }
}
