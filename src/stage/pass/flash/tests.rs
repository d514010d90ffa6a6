//! Tests of the limiter with adversarial pictures, judged by the flash meter.

use super::super::block_layout::check_layout;
use super::pipelines::SHADER;
use super::*;
use crate::media::flash::{Cells, FlashMeter, FlashScore, FlashVerdict};
use crate::stage::readback::read_texture;
use crate::units::Rng;

/// Size of the pictures: one pixel per cell.
const SIZE: [u32; 2] = [96, 72];

type Picture = Vec<u8>;

/// Runs pictures through a limiter.
struct Bench {
    gpu: Gpu,
    pipelines: FlashPipelines,
}

/// Flash scores before and after the limiter.
struct Outcome {
    before: FlashScore,
    after: FlashScore,
    /// Number of pictures that the limiter changed.
    changed: usize,
}

impl Bench {
    fn open() -> Option<Self> {
        let gpu = Gpu::for_test()?;
        Some(Self { pipelines: FlashPipelines::new(&gpu), gpu })
    }

    /// Runs `pictures` through a limiter at `fps`; each is paired with the number of frames since the previous one.
    fn limit(&self, fps: f64, size: [u32; 2], pictures: impl IntoIterator<Item = (u32, Picture)>) -> Outcome {
        let mut limiter = FlashLimiter::new(&self.gpu, &self.pipelines, size);
        let candidate = view(&image(&self.gpu.device, "candidate", size));
        let (mut before, mut after) = (Judge::new(fps, size), Judge::new(fps, size));
        let mut changed = 0;
        for (passed, picture) in pictures {
            self.gpu.queue.write_texture(
                candidate.texture().as_image_copy(),
                &picture,
                wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(size[0] * 4),
                    rows_per_image: None,
                },
                candidate.texture().size(),
            );
            let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
            let dt = f64::from(passed) / fps;
            let limited = limiter.draw(&self.gpu, &self.pipelines, &mut encoder, &candidate, dt, fps);
            self.gpu.submit([encoder.finish()]);
            let limited = read_texture(&self.gpu, limited.texture()).expect("a picture").into_raw();
            changed += usize::from(limited != picture);
            before.push(passed, &picture);
            after.push(passed, &limited);
        }
        assert_eq!(self.gpu.take_error(), None);
        Outcome { before: before.meter.score(), after: after.meter.score(), changed }
    }
}

/// A flash meter that counts the last picture again in frames without a new one.
struct Judge {
    meter: FlashMeter,
    cells: Cells,
    size: [usize; 2],
    started: bool,
}

impl Judge {
    fn new(fps: f64, size: [u32; 2]) -> Self {
        let size = size.map(|side| side as usize);
        Self { meter: FlashMeter::new(fps), cells: Cells::default(), size, started: false }
    }

    fn push(&mut self, passed: u32, picture: &[u8]) {
        for _ in 1..if self.started { passed } else { 1 } {
            self.meter.push(&self.cells);
        }
        self.cells.update(picture, self.size);
        self.meter.push(&self.cells);
        self.started = true;
    }
}

/// Returns a picture whose pixels are `colour(x, y)`, with channels from 0 to 255.
fn paint([width, height]: [u32; 2], mut colour: impl FnMut(u32, u32) -> [u8; 3]) -> Picture {
    let mut picture = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let [r, g, b] = colour(x, y);
            picture.extend([r, g, b, 255]);
        }
    }
    picture
}

/// Returns a sequence of `frames` pictures of a random adversarial kind, with random parameters.
fn hostile(rng: &mut Rng, frames: usize) -> Vec<Picture> {
    let kind = rng.below(8);
    let period = 1 + rng.below(8);
    let [dark, bright] = [0, 1].map(|_| [0; 3].map(|_: u8| rng.below(256) as u8));
    let red = [[255, 0, 0], [0, 0, 0], [120, 120, 120], [200, 30, 10]];
    let [wide, high] = [1 + rng.below(96) as u32, 1 + rng.below(72) as u32];
    let (speed, stripes) = (40.0 * rng.unit() - 20.0, 2.0 + 58.0 * rng.unit());
    let mut noise = paint(SIZE, |_, _| [0; 3]);
    (0..frames)
        .map(|frame| {
            let phase = frame / period;
            let on = phase % 2 == 1;
            match kind {
                // Strobe of the whole picture.
                0 => paint(SIZE, |_, _| if on { bright } else { dark }),
                // Flashes of saturated red.
                1 => paint(SIZE, |_, _| red[phase % 4]),
                // A patch that grows, shrinks and moves.
                2 => paint(SIZE, |x, y| {
                    let (w, h) = (wide + phase as u32 % 20, high + phase as u32 % 15);
                    if on && (x + frame as u32 / 3) % 96 < w && y < h { bright } else { dark }
                }),
                // Cells that change at random.
                3 => {
                    for pixel in noise.chunks_exact_mut(4) {
                        if rng.unit() < 1.0 / (1.0 + period as f64) {
                            let light = [dark, bright][rng.below(2)];
                            pixel[..3].copy_from_slice(&light);
                        }
                    }
                    noise.clone()
                }
                // A grating that drifts in a random direction.
                4 => paint(SIZE, |x, y| {
                    let place = f64::from(x) + f64::from(y) * f64::from(wide) / 30.0;
                    let wave = ((place + speed * frame as f64) / stripes * std::f64::consts::TAU).sin();
                    [0, 1, 2].map(|c| {
                        let (d, b) = (f64::from(dark[c]), f64::from(bright[c]));
                        (d + (b - d) * (0.5 + 0.5 * wave)) as u8
                    })
                }),
                // A checkerboard that inverts.
                5 => paint(SIZE, |x, y| {
                    let odd = (x / (1 + wide / 8) + y / (1 + high / 8)) as usize + phase;
                    if odd.is_multiple_of(2) { bright } else { dark }
                }),
                // Single bright pictures.
                6 => paint(SIZE, |_, _| if frame % (period * 3) == 0 { bright } else { dark }),
                // Random colours.
                _ => {
                    let colour = [0; 3].map(|_: u8| rng.below(256) as u8);
                    paint(SIZE, |x, _| if x < wide { colour } else { dark })
                }
            }
        })
        .collect()
}

#[test]
fn the_block_layout_matches_the_shader() {
    check_layout!(FlashBlock { now, frame, passed, second, together, fresh }, SHADER, "Flash");
}

/// Runs random sequences, some with dropped frames, through the limiter. Returns the number of sequences that exceed
/// the limit and the number of those that do not, which the limiter must not change.
fn attack(bench: &Bench, seeds: std::ops::Range<u64>) -> [u32; 2] {
    let mut counts = [0; 2];
    for seed in seeds {
        let mut rng = Rng::new(seed);
        let fps = [24.0, 25.0, 30.0, 50.0, 60.0, 100.0, 120.0, 144.0][rng.below(8)];
        let mut pictures = Vec::new();
        // Most sequences switch to another kind within the one-second window of the rules.
        while pictures.len() < (1.4 * fps) as usize {
            let frames = 1 + rng.below((1.4 * fps) as usize);
            pictures.extend(hostile(&mut rng, frames));
        }
        let late = if seed.is_multiple_of(4) { 0.2 } else { 0.0 };
        let passed = |_: &Picture| if rng.unit() < late { 2 + rng.below(9) as u32 } else { 1 };
        let passed: Vec<u32> = pictures.iter().map(passed).collect();
        let outcome = bench.limit(fps, SIZE, passed.into_iter().zip(pictures));
        assert_ne!(outcome.after.verdict(), FlashVerdict::Fail, "{fps} Hz, seed {seed}: {:?}", outcome.after);
        let passes = outcome.before.verdict() != FlashVerdict::Fail && outcome.before.pattern_ms == Some(0);
        counts[usize::from(passes)] += 1;
        assert!(!passes || outcome.changed == 0, "{fps} Hz, seed {seed}: {} changed", outcome.changed);
    }
    counts
}

#[test]
fn limited_pictures_pass_the_meter_and_passing_pictures_are_unchanged() {
    let Some(bench) = Bench::open() else { return };
    let [failing, passing] = attack(&bench, 0..24);
    assert!(failing >= 10 && passing >= 3, "{failing} sequences exceed the limit, {passing} pass unlimited");
}

#[test]
#[ignore = "takes minutes; run after a change to the limiter or the meter"]
fn limited_pictures_pass_the_meter_in_a_thousand_sequences() {
    let Some(bench) = Bench::open() else { return };
    attack(&bench, 1000..2000);
}

#[test]
fn quarters_of_the_screen_that_flash_in_turn_are_limited_together() {
    let Some(bench) = Bench::open() else { return };
    let quarters: [(&str, fn(u32, u32) -> u32); 3] = [
        ("columns", |x, _| x / 24),
        ("rows", |_, y| y / 18),
        ("scattered blocks", |x, y| (x / 24 + y / 18) % 4),
    ];
    for (name, quarter) in quarters {
        for fps in [30.0, 60.0, 120.0] {
            let pictures = (0..(2.0 * fps) as u32).map(|frame| {
                let eighth = (f64::from(frame) * 8.0 / fps) as u32;
                let lit = |x, y| eighth % 2 == 1 && quarter(x, y) == eighth / 2 % 4;
                (1, paint(SIZE, |x, y| if lit(x, y) { [255; 3] } else { [0; 3] }))
            });
            let Outcome { before, after, .. } = bench.limit(fps, SIZE, pictures);
            assert!(before.general <= 3 && before.general_screen == 4, "{name}, {fps} Hz: {before:?}");
            assert_eq!(before.verdict(), FlashVerdict::Fail, "{name}, {fps} Hz: {before:?}");
            assert_ne!(after.verdict(), FlashVerdict::Fail, "{name}, {fps} Hz: {after:?}");
            assert!(after.general_screen >= 2, "{name}, {fps} Hz still flashes: {after:?}");
        }
    }
}

#[test]
fn a_picture_finer_than_the_cells_is_mixed_and_measured_again() {
    let Some(bench) = Bench::open() else { return };
    let size = [256, 144];
    let mut rng = Rng::new(7);
    // Lines that move against each other over a strobe: no single blend factor suits all pixels of a cell.
    let pictures: Vec<Picture> = (0..90)
        .map(|frame: u32| {
            let (strobe, shift) = (frame / 3 % 2 * 120, rng.below(9) as u32);
            paint(size, |x, y| {
                let line = if (x + shift + frame * y / 40) % 9 < 4 { 110 } else { 0 };
                [(strobe + line) as u8, (strobe / 2 + line) as u8, line as u8]
            })
        })
        .collect();
    let outcome = bench.limit(60.0, size, pictures.into_iter().map(|picture| (1, picture)));
    assert_eq!(outcome.before.verdict(), FlashVerdict::Fail);
    assert_ne!(outcome.after.verdict(), FlashVerdict::Fail, "{:?}", outcome.after);
}

/// Returns stripes of `width` pixels in the left `share` pixels of the picture, moved by `shift`.
fn stripes(width: u32, share: u32, shift: u32) -> Picture {
    let lit = |x: u32| x < share && ((x + shift) / width).is_multiple_of(2);
    paint(SIZE, |x, _| if lit(x) { [255; 3] } else { [0; 3] })
}

#[test]
fn harmful_patterns_are_softened_and_others_are_unchanged() {
    let Some(bench) = Bench::open() else { return };
    let half = |frame: u32, fps: f64, hz: f64| (f64::from(frame) / fps * 2.0 * hz + 1e-9) as u32;
    for fps in [30.0, 60.0, 120.0] {
        let run = |picture: &dyn Fn(u32) -> Picture| {
            bench.limit(fps, SIZE, (0..(1.5 * fps) as u32).map(|frame| (1, picture(frame))))
        };
        let softened = [
            ("stationary", run(&|_| stripes(4, 96, 0))),
            ("drifting", run(&|frame| stripes(4, 96, half(frame, fps, 4.0)))),
            ("reversing at 3 Hz", run(&|frame| stripes(2, 36, 2 * half(frame, fps, 3.0)))),
            ("reversing at 10 Hz", run(&|frame| stripes(4, 96, 4 * half(frame, fps, 10.0)))),
            ("reversing at half the frame rate", run(&|frame| stripes(2, 36, 2 * frame))),
        ];
        for (name, Outcome { before, after, .. }) in softened {
            assert_eq!(before.pattern_verdict(), FlashVerdict::Fail, "{name}, {fps} Hz: {before:?}");
            let verdict = after.verdict().max(after.pattern_verdict());
            assert_ne!(verdict, FlashVerdict::Fail, "{name}, {fps} Hz: {after:?}");
        }
        let strip = |shift: u32| paint(SIZE, |x, y| [255 * u8::from(y < 10 && (x / 2 + shift) % 2 == 1); 3]);
        let passing = [
            ("on a third of the screen", run(&|_| stripes(2, 32, 0))),
            ("five pairs", run(&|_| stripes(10, 96, 0))),
            ("reversing on a seventh of the screen", run(&|frame| strip(half(frame, fps, 1.0)))),
        ];
        for (name, Outcome { before, changed, .. }) in passing {
            assert_eq!((before.pattern_ms, changed), (Some(0), 0), "{name}, {fps} Hz");
        }
    }
}

#[test]
fn shader_and_meter_have_the_same_cells_and_fields() {
    let [columns, rows] = GRID;
    for (name, value) in [
        ("WIDTH", columns),
        ("HEIGHT", rows),
        ("CELLS", columns * rows),
        ("EDGES", columns + rows + 2),
        ("FIELD_WIDTH", columns / 3),
        ("FIELD_HEIGHT", rows / 3),
        ("FIELDS", FIELDS as usize),
        ("SCREEN", FIELDS as usize - 1),
        ("FIELD_RECORDS", 2 * FIELDS as usize),
        ("QUARTER", columns / 3 * (rows / 3) / 4),
        ("SCREEN_QUARTER", columns * rows / 4),
        ("STATIONARY", columns * rows * 2 / 5),
        ("LINES", LINES as usize),
        ("ALL_SAMPLES", SAMPLES as usize),
    ] {
        assert!(SHADER.contains(&format!("const {name} = {value}u;")), "{name} is not {value}");
    }
}
