//! A show without a window: time from a frame counter, audio from a file or the demo track, video output.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

use super::WARM_FRAMES;
use super::admission::live_admission;
use super::performance::{PerformanceAudio, performed_sound};
use super::set_log_writer::SetLogWriter;
use super::shutdown::{exit_on_second_signal, on_signals};
use super::warp_mesh::automatic_mesh;
use crate::archive::{catalogue, expand_theme, open_store, recall, themed};
use crate::audio;
use crate::audit::judged_by;
use crate::embed::open_encoder;
use crate::handoff::Latest;
use crate::layers::LayerFiles;
use crate::media::video::{Video, VideoFormat};
use crate::milk::PresetAudio;
use crate::mind::director::Pool;
use crate::show::setlog::LogHeader;
use crate::show::{Command, Rig, RigFrame, Show, ShowMemory, ShowSettings, theme_text};
use crate::stage::{DeckSettings, Gpu, RenderContext, RenderOptions, Stage};
use crate::warmup::Warmer;

/// Settings of a performance.
#[derive(Clone, Debug)]
pub struct PerformSettings {
    /// Audio file, or `demo` for the demo track.
    pub audio: String,
    /// Length of the performance, in seconds.
    pub seconds: f64,
    /// A video file, or a folder for PNG files; see [`crate::media::video::Video::open`].
    pub out: PathBuf,
    /// Render size: width and height, in pixels.
    pub size: [u32; 2],
    /// Columns and rows of the warp mesh; depends on the size and the graphics device if `None`.
    pub mesh: Option<[u32; 2]>,
    /// Whether presets keep 16 bits per colour channel between frames.
    pub deep_color: bool,
    /// Frames per second.
    pub fps: u32,
    /// Random seed.
    pub seed: u64,
    /// Preset folder or pack manifest; the built-in presets if `None`.
    pub presets: Option<PathBuf>,
    /// Texture folders.
    pub textures: Vec<PathBuf>,
    /// Folder with sprites and messages, if any.
    pub layers: Option<PathBuf>,
    /// Commands with their times in seconds, sorted by time.
    pub commands: Vec<(f64, Command)>,
    /// The theme of the night. If `None`, the saved theme applies if `memory` is set, and otherwise there is none.
    pub theme: Option<String>,
    /// Path of the set log, if one is written.
    pub log: Option<PathBuf>,
    /// Whether new presets are audited before they are shown.
    pub guarded: bool,
    /// Whether flashes are limited to three per second.
    pub limit_flashes: bool,
    /// Whether the show starts with the saved bans, exclusions, rescues, favourites, taste, adventure,
    /// profile, macros and theme. In either case, the performance saves none of them.
    pub memory: bool,
}

/// Result of a performance.
#[derive(Clone, Debug)]
pub struct PerformReport {
    /// Path of the video file, or of the folder with PNG files.
    pub path: PathBuf,
    /// Start time, in seconds, and name of each preset played; the name is `nothing` while none is playing.
    pub played: Vec<(f64, String)>,
    /// Name of the graphics device.
    pub device: String,
    /// Length of the video in seconds, if a signal ended the performance early.
    pub interrupted_at: Option<f64>,
}

/// Renders a show to a video.
pub fn perform(settings: &PerformSettings) -> anyhow::Result<PerformReport> {
    VideoFormat::of(&settings.out)?; // Rejects an unknown format before anything is drawn.
    let (store, notice) = open_store()?;
    let (library, messages) =
        catalogue(&store, settings.presets.as_deref(), settings.guarded.then(judged_by), false)?;
    let mut memory = if settings.memory {
        let saved = recall(&store)?;
        saved.messages.iter().for_each(|message| log::warn!("{message}"));
        saved.memory
    } else {
        ShowMemory::default()
    };
    if let Some(theme) = &settings.theme {
        memory.theme = theme_text(&expand_theme(theme, &store)?);
    }
    let pool = Pool::new(Arc::new(library));
    let (pool, problem) = themed(&pool, &memory.theme, &store, Some(open_encoder))?;
    notice.iter().chain(&messages).chain(&problem).for_each(|message| log::warn!("{message}"));
    let sound = performed_sound(&settings.audio, settings.seconds)?;
    let gpu = Gpu::headless()?;
    let options = RenderOptions { deep_color: settings.deep_color, ..RenderOptions::of(&gpu) };
    let render_context = Arc::new(RenderContext::with(gpu, &settings.textures, options));
    let device = render_context.gpu.name();
    let fps = f64::from(settings.fps);
    let show = ShowSettings {
        seed: settings.seed,
        fps,
        warm_frames: WARM_FRAMES,
        safe_preset: false,
        log_macros: settings.log.is_some(),
        seen_after_secs: -1.0 / fps,
        ..ShowSettings::default()
    };
    let heard = Latest::new(PresetAudio::default());
    let software = render_context.gpu.software();
    let mesh = settings.mesh.unwrap_or_else(|| automatic_mesh(settings.size, software));
    render_context.gpu.check_size(settings.size, mesh)?;
    let deck = DeckSettings { size: settings.size, mesh, fps };
    let admission = live_admission(store, &settings.textures, Arc::new(AtomicBool::new(settings.guarded)))?;
    let warmer = Warmer::in_place(&render_context, &heard, deck, Some(admission));
    let mut stage = Stage::new(render_context, settings.size);
    stage.limit_flashes(settings.limit_flashes);
    if let Some(folder) = &settings.layers {
        let layers = LayerFiles::read(folder);
        layers.problems().iter().for_each(|problem| log::warn!("layers: {problem}"));
        stage.set_layers(Arc::new(layers));
    }
    let header = LogHeader {
        steady: true,
        sound: settings.audio.clone(),
        seconds: settings.seconds,
        ..LogHeader::new(show, &pool, memory.clone())
    };
    let set_log = settings.log.as_ref().map(|path| SetLogWriter::create(path, &header)).transpose()?;
    let mut rig = Rig::new(Show::with_memory(show, pool, memory), stage, warmer, heard);
    rig.prepare();
    // ffmpeg reads the audio from a file in a scratch folder next to the video. Signals are handled so that this folder
    // is not left behind.
    let stop = Arc::new(AtomicBool::new(false));
    exit_on_second_signal(&stop).and_then(|()| on_signals(&stop)).context("installing signal handlers")?;
    let folder =
        settings.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("creating the folder {}", folder.display()))?;
    let scratch =
        tempfile::Builder::new().prefix(".aivj-").tempdir_in(folder).context("creating a scratch folder")?;
    let sound_file = scratch.path().join("sound.wav");
    audio::wav::write(&sound_file, &sound)?;
    let mut video = Video::open(&settings.out, settings.size, settings.fps, Some(&sound_file))?;
    let mut played: BTreeMap<u64, String> = BTreeMap::new();
    let mut on_air = None;
    let mut performance = PerformanceAudio::new(&sound, settings.fps);
    let mut commands = settings.commands.iter().peekable();
    let (frames, mut interrupted_at) = (performance.frames(settings.seconds), None);
    for number in 0..frames {
        let (dt, features) = performance.analyse(number);
        let now = number as f64 / fps + 1e-9;
        let due: Vec<Command> = std::iter::from_fn(|| commands.next_if(|(at, _)| *at <= now))
            .map(|(_, due)| due.clone())
            .collect();
        rig.frame(&RigFrame { dt, sound: performance.block(number), features: &features, commands: &due });
        let entries = rig.show.take_log();
        if let Some(set_log) = &set_log {
            set_log.write(entries);
        }
        let playing = rig.show.snapshot().playing.map(|playing| playing.name);
        if playing != on_air {
            played.insert(number, playing.clone().unwrap_or_else(|| "nothing".into()));
            on_air = playing;
        }
        let frame = rig.stage.screenshot().context("reading a frame back");
        if let Err(error) = frame.and_then(|frame| video.push(&frame)) {
            return Err(if number > 0 { keep_part(video, error) } else { error });
        }
        if stop.load(Ordering::Relaxed) && number + 1 < frames {
            interrupted_at = Some((number + 1) as f64 / fps);
            break;
        }
    }
    let path = video.finish()?;
    let played = played.into_iter().map(|(number, name)| (number as f64 / fps, name)).collect();
    Ok(PerformReport { path, played, device, interrupted_at })
}

/// Completes a video that was cut short by an error. Returns the error, with the path of the video if there is one.
fn keep_part(video: Video, error: anyhow::Error) -> anyhow::Error {
    match video.finish_part() {
        Ok(path) => anyhow::anyhow!("{error:#}; the part rendered so far is in {}", path.display()),
        Err(unfinished) => {
            log::warn!("the part of the video rendered so far was lost: {unfinished:#}");
            error
        }
    }
}
