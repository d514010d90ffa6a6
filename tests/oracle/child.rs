//! Runs the two engines, each in its own process, with the same preset, audio, clock and seed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use aivj::frames::single::{RenderJob, RenderSettings, RenderStatus, Renderer};
use aivj::jobs::workers::serve as serve_jobs;
use aivj::stage::Gpu;
use serde::{Deserialize, Serialize};

/// The engine that a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Ours,
    Theirs,
}

/// The output of one engine for one preset.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct EngineOutput {
    /// Why there is no picture.
    pub refused: Option<String>,
    /// Values after the per-frame code, by frame and name.
    pub variables: BTreeMap<u32, BTreeMap<String, f64>>,
}

/// Returns the path of a picture of one engine: stage `final` is the visible picture, `feedback` the input of the next
/// frame.
pub fn picture_path(folder: &Path, side: Side, stage: &str, frame: u32) -> PathBuf {
    folder.join(format!("{side:?}-{stage}-{frame:03}.png").to_lowercase())
}

/// Runs jobs from standard input on the engine `side`.
pub fn serve(side: Side, settings: RenderSettings) -> anyhow::Result<()> {
    match side {
        Side::Ours => {
            let renderer = Renderer::new(settings.clone())?;
            serve_jobs(|job: RenderJob| ControlFlow::Continue(ours(&renderer, &settings, &job)))?;
        }
        Side::Theirs => {
            let sound = aivj::audio::decode(Path::new(&settings.audio))?.at_rate(44_100).frames;
            serve_jobs(|job: RenderJob| {
                ControlFlow::Continue(theirs(&settings, &sound, &job).unwrap_or_else(|error| EngineOutput {
                    refused: Some(format!("{error:#}")),
                    ..EngineOutput::default()
                }))
            })?;
        }
    }
    Ok(())
}

fn ours(renderer: &Renderer, settings: &RenderSettings, job: &RenderJob) -> EngineOutput {
    let folder = job.out.clone().unwrap_or_default();
    let mut answer = EngineOutput::default();
    // This function writes the pictures, named by stage; the renderer writes none.
    let quiet = RenderJob { preset: job.preset.clone(), out: None };
    let report = renderer.render_watched(&quiet, |number, rig| {
        if !settings.save.contains(&number) {
            return;
        }
        let Some(deck) = rig.stage.decks().next() else { return };
        answer.variables.insert(number, deck.variables());
        let pictures =
            [("final", rig.stage.screenshot()), ("feedback", deck.feedback(rig.stage.render_context()))];
        for (stage, picture) in pictures {
            let saved = picture.map_err(|error| error.to_string()).and_then(|p| {
                p.save(picture_path(&folder, Side::Ours, stage, number)).map_err(|e| e.to_string())
            });
            if let Err(why) = saved {
                answer.refused = Some(why);
            }
        }
    });
    if report.status != RenderStatus::Ok {
        answer.refused = Some(report.reason);
    }
    answer
}

fn theirs(settings: &RenderSettings, sound: &[[f32; 2]], job: &RenderJob) -> anyhow::Result<EngineOutput> {
    let folder = job.out.clone().unwrap_or_default();
    let gpu = Gpu::headless()?;
    let [width, height] = settings.size;
    let config = lactea::EngineConfig {
        width,
        height,
        mesh: settings.mesh,
        seed: settings.seed,
        fps: settings.fps,
        sample_rate: 44_100,
        preset_duration: 30.0,
        start_clean: true,
        output_format: wgpu::TextureFormat::Rgba8Unorm,
        ..lactea::EngineConfig::default()
    };
    let mut engine = lactea::Engine::new(&gpu.device, &gpu.queue, config)?;
    engine.set_texture_provider(Box::new(Images::of(&settings.textures)));
    let bytes = job.preset.read()?;
    engine.load_preset(&bytes, &job.preset.path.to_string_lossy(), lactea::Transition::Cut)?;
    let target = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("theirs"),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = target.create_view(&wgpu::TextureViewDescriptor::default());
    let mut answer = EngineOutput::default();
    let sample = |frame: u32| (u64::from(frame) * 44_100 / u64::from(settings.fps)) as usize;
    for number in 1..=settings.frames {
        let range = sample(number - 1).min(sound.len())..sample(number).min(sound.len());
        engine.push_pcm_f32(sound[range].as_flattened(), 2);
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let clock =
            lactea::FrameClock { time: f64::from(number - 1) / f64::from(settings.fps), frame: number - 1 };
        engine.render(&mut encoder, &view, clock);
        gpu.queue.submit([encoder.finish()]);
        if settings.save.contains(&number) {
            answer.variables.insert(number, engine.frame_vars().into_iter().collect());
            for (stage, name) in [(lactea::Stage::Final, "final"), (lactea::Stage::Main, "feedback")] {
                let seen = engine.debug_image(stage).map_err(|error| anyhow::anyhow!("{error}"))?;
                let picture = image::RgbaImage::from_raw(seen.width, seen.height, seen.rgba);
                let picture = picture.ok_or_else(|| anyhow::anyhow!("an incomplete picture"))?;
                picture.save(picture_path(&folder, Side::Theirs, name, number))?;
            }
        }
    }
    Ok(answer)
}

/// User images for the other engine.
struct Images(BTreeMap<String, PathBuf>);

impl Images {
    fn of(folders: &[PathBuf]) -> Self {
        let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
        let named = files.filter_map(|file| {
            let path = file.path();
            Some((path.file_stem()?.to_str()?.to_lowercase(), path))
        });
        Self(named.collect())
    }
}

impl lactea::TextureProvider for Images {
    fn load(&mut self, name: &str) -> Option<lactea::Image> {
        let picture = image::open(self.0.get(name)?).ok()?.to_rgba8();
        Some(lactea::Image { width: picture.width(), height: picture.height(), rgba8: picture.into_raw() })
    }

    fn random_pool(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
