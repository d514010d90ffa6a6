//! Draws a scene with the program's stage, with fixed audio, seed and frame rate.

use std::path::Path;
use std::sync::Arc;

use aivj::layers::{LayerFiles, LayerOnAir};
use aivj::library;
use aivj::milk::{Modulation, PresetAudio, PresetAudioAnalyser, Program};
use aivj::stage::{
    Cue, Deck, DeckId, DeckSettings, Fade, FusedDeck, Gpu, OnAirDeck, OutputMode, Post, Presenter,
    RenderContext, RenderOptions, Stage,
};
use aivj::units::Unipolar;
use image::{RgbImage, Rgba, RgbaImage};

use crate::scene::{Row, Scene};

const OPTIONS: RenderOptions = RenderOptions { deep_color: false, smooth_edges: false };
const FPS: f64 = 30.0;
const SEED: u64 = 7;
const SAMPLE_RATE_HZ: u32 = 44_100;
/// Number of frames for which audio is generated; no scene is longer.
const MAX_FRAMES: u32 = 120;
const FRONT: DeckId = DeckId(1);
const OTHER: DeckId = DeckId(2);

/// The graphics device and the audio, shared by all scenes.
pub struct Studio {
    render_context: Arc<RenderContext>,
    layers: Arc<LayerFiles>,
    heard: Vec<PresetAudio>,
}

impl Studio {
    /// Opens the graphics device; `images` is the presets' texture folder, `layers` the folder of sprites and
    /// messages.
    pub fn open(images: &Path, layers: &Path) -> Option<Self> {
        let gpu = Gpu::for_test()?;
        let sound = music();
        let mut ear = PresetAudioAnalyser::new();
        let blocks = sound.chunks_exact((f64::from(SAMPLE_RATE_HZ) / FPS) as usize);
        Some(Self {
            // The expected images have aliased edges, the default on a software rasteriser.
            render_context: Arc::new(RenderContext::with(gpu, &[images.to_owned()], OPTIONS)),
            layers: Arc::new(LayerFiles::read(layers)),
            heard: blocks.map(|block| ear.update(block, 1.0 / FPS).clone()).collect(),
        })
    }

    /// Draws the scene's pictures to one sheet.
    pub fn sheet(&self, scene: &Scene, folder: &Path) -> Result<RgbImage, String> {
        let [width, height] = scene.tile();
        let (columns, rows) = (scene.frames.len() as u32, scene.rows.len() as u32);
        let mut sheet = RgbaImage::new(width * columns, height * rows);
        for (number, row) in scene.rows.iter().enumerate() {
            let mut column = 0;
            self.draw_row(scene, row, folder, |picture| {
                let (x, y) = (i64::from(width * column), i64::from(height * number as u32));
                image::imageops::replace(&mut sheet, &picture, x, y);
                column += 1;
            })?;
        }
        match self.render_context.gpu.take_error() {
            Some(complaint) => Err(format!("the graphics device reported: {complaint}")),
            None => Ok(image::DynamicImage::from(sheet).to_rgb8()),
        }
    }

    fn draw_row(
        &self,
        scene: &Scene,
        row: &Row,
        folder: &Path,
        mut show: impl FnMut(RgbaImage),
    ) -> Result<(), String> {
        let mut stage = Stage::new(self.render_context.clone(), scene.size);
        stage.limit_flashes(row.limit_flashes);
        if !row.layers.is_empty() {
            stage.set_layers(self.layers.clone());
        }
        stage.add(FRONT, self.deck(scene, &preset(scene, row, folder)?)?);
        if let Some(other) = &scene.other {
            stage.add(OTHER, self.deck(scene, &read(folder, other)?)?);
        }
        let last = scene.frames.iter().copied().max().unwrap_or(0).min(MAX_FRAMES);
        for number in 1..=last {
            stage.draw(&cue(row, number, &self.heard[number as usize - 1])?);
            if scene.frames.contains(&number) {
                show(match row.window {
                    Some(size) => self.presented(&stage, size)?,
                    None => stage.screenshot().map_err(|error| error.to_string())?,
                });
            }
        }
        match stage.take_layer_messages().as_slice() {
            [] => Ok(()),
            messages => Err(messages.join("\n")),
        }
    }

    fn deck(&self, scene: &Scene, text: &[u8]) -> Result<Box<Deck>, String> {
        let program = Program::compile(text).map_err(|error| error.to_string())?;
        let settings = DeckSettings { size: scene.size, mesh: scene.mesh, fps: FPS };
        let deck = Deck::prepare(&self.render_context, program, settings, SEED)
            .map_err(|error| error.to_string())?;
        match deck.problems().as_slice() {
            [] => Ok(Box::new(deck)),
            problems => Err(problems.join("\n")),
        }
    }

    /// Returns the stage's picture as a window of `size` pixels shows it, letterboxed.
    fn presented(&self, stage: &Stage, size: [u32; 2]) -> Result<RgbaImage, String> {
        let gpu = &self.render_context.gpu;
        let [width, height] = size;
        let extent = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        let window = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("window"),
            size: extent,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let bytes_per_row = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("window"),
            size: u64::from(bytes_per_row * height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let view = window.create_view(&Default::default());
        let picture = (stage.picture(), stage.size());
        let context = &self.render_context;
        Presenter::new(context, window.format()).draw(context, &mut encoder, picture, (&view, size));
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(bytes_per_row),
            rows_per_image: Some(height),
        };
        let copy = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
        encoder.copy_texture_to_buffer(window.as_image_copy(), copy, extent);
        gpu.queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., |_| ());
        gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| error.to_string())?;
        let bytes = buffer.get_mapped_range(..).map_err(|error| error.to_string())?;
        Ok(RgbaImage::from_fn(width, height, |x, y| {
            let at = (y * bytes_per_row + x * 4) as usize;
            Rgba([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        }))
    }
}

/// Returns the contents of the scene's preset file, with the row's lines added.
fn preset(scene: &Scene, row: &Row, folder: &Path) -> Result<Vec<u8>, String> {
    let text = match (&scene.built_in, &scene.preset) {
        (Some(path), _) => {
            let built_in = library::built_in().find(|preset| preset.path == path);
            built_in.ok_or_else(|| format!("no built-in preset {path}"))?.text.as_bytes().to_vec()
        }
        (None, Some(file)) => read(folder, file)?,
        (None, None) => return Err("the scene names no preset".into()),
    };
    if row.lines.is_empty() {
        return Ok(text);
    }
    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
    let (head, body) = text.split_once("[preset00]\n").ok_or("the preset has no [preset00]")?;
    Ok(format!("{head}[preset00]\n{}\n{body}", row.lines.join("\n")).into_bytes())
}

fn read(folder: &Path, file: &str) -> Result<Vec<u8>, String> {
    let path = folder.join(file);
    std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn cue(row: &Row, number: u32, heard: &PresetAudio) -> Result<Cue, String> {
    let mut modulation = Modulation::default();
    for (name, &[factor, offset]) in &row.linear {
        modulation
            .add_linear(name, factor, offset)
            .then_some(())
            .ok_or_else(|| format!("{name} is not modulated"))?;
    }
    for (name, &exponent) in &row.power {
        modulation
            .add_power(name, exponent)
            .then_some(())
            .ok_or_else(|| format!("{name} is not modulated"))?;
    }
    modulation.time_speed = row.time_speed.unwrap_or(modulation.time_speed);
    modulation.audio_gain = row.audio_gain.unwrap_or(modulation.audio_gain);
    let other = OnAirDeck { deck: OTHER, modulation: Modulation::default() };
    let rests = row.post_rests.is_some_and(|[first, last]| (first..=last).contains(&number));
    Ok(Cue {
        dt: if number == 1 { 0.0 } else { 1.0 / FPS },
        fps: FPS,
        audio: heard.clone().into(),
        front: Some(OnAirDeck { deck: FRONT, modulation }),
        fade: row.fade.map(|fade| Fade {
            to: other.clone(),
            progress: Unipolar::new(fade.progress),
            style: fade.style,
        }),
        second: row.second.map(|share| FusedDeck { on_air: other.clone(), share: Unipolar::new(share) }),
        post: if rests { Post::default() } else { row.post.post() },
        layers: layers(row, number)?,
        output_mode: if number >= row.output_mode_from { row.output_mode } else { OutputMode::Open },
    })
}

/// Returns the layers on air in a frame.
fn layers(row: &Row, number: u32) -> Result<Vec<LayerOnAir>, String> {
    let launched = (1..).zip(&row.layers).filter(|(_, layer)| layer.from <= number);
    let on_air = launched.map(|(id, layer)| {
        let age_secs = f64::from(number - layer.from) / FPS;
        Ok(LayerOnAir { id, age_secs, seed: SEED, content: layer.content()? })
    });
    on_air.collect()
}

/// Returns a kick twice a second, a chord that differs left and right, and a hiss between the kicks.
fn music() -> Vec<[f32; 2]> {
    let mut noise = 0x2545_f491_u32;
    let samples = MAX_FRAMES * SAMPLE_RATE_HZ / FPS as u32;
    (0..samples)
        .map(|sample| {
            let secs = f64::from(sample) / f64::from(SAMPLE_RATE_HZ);
            let tone = |hz: f64| (secs * hz * std::f64::consts::TAU).sin();
            let since_kick = secs % 0.5;
            let kick = tone(55.0) * (-since_kick * 9.0).exp() * 0.6;
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let hiss = (f64::from(noise) / f64::from(u32::MAX) - 0.5)
                * (-(secs + 0.25).rem_euclid(0.5) * 14.0).exp();
            let left = kick + tone(330.0) * 0.22 + tone(1_250.0) * 0.08 + hiss * 0.35;
            let right = kick * 0.8 + tone(495.0) * 0.16 + tone(2_900.0) * 0.05 + hiss * 0.25;
            [left as f32, right as f32]
        })
        .collect()
}
