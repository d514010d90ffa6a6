//! The picture monitor of the deck on air, in a real rig: a preset that is black, white or frozen, or whose
//! coordinates are not finite, is replaced within 1.5 seconds; no other preset is.

use std::path::Path;
use std::sync::Arc;

use aivj::analysis::{Analyser, Features};
use aivj::audio;
use aivj::handoff::Latest;
use aivj::library::Catalogue;
use aivj::milk::PresetAudio;
use aivj::show::setlog::{Cause, Event};
use aivj::show::{Rig, RigFrame, Show, ShowSettings};
use aivj::stage::{DeckSettings, Gpu, RenderContext, Stage};
use aivj::warmup::Warmer;

const FPS: f64 = 30.0;
const SIZE: [u32; 2] = [96, 54];
/// Frame from which a preset fails; it is on air by then.
const FAILS_AT: f64 = 60.0;

/// Returns the demo track from the point where all instruments play: samples and features per frame.
fn sound(secs: f64) -> Vec<(Vec<[f32; 2]>, Features)> {
    let mut track = audio::demo::render(44_100).frames;
    track.drain(..(audio::demo::HIGHLIGHT.0 * 44_100.0) as usize);
    let mut analyser = Analyser::new();
    let blocks = track.chunks_exact((44_100.0 / FPS) as usize).take((secs * FPS) as usize);
    let heard = |block: &[[f32; 2]]| {
        analyser.push(block);
        (block.to_vec(), *analyser.features())
    };
    blocks.map(heard).collect()
}

/// Creates a show whose library is one file.
fn rig(context: &Arc<RenderContext>, file: &Path) -> Result<Rig, String> {
    let settings = DeckSettings { size: SIZE, mesh: [24, 18], fps: FPS };
    let heard = Latest::new(PresetAudio::default());
    let warmer = Warmer::in_place(context, &heard, settings, None);
    let mut stage = Stage::new(context.clone(), SIZE);
    stage.measure_picture(true);
    let show = ShowSettings { fps: FPS, warm_frames: 12, ..ShowSettings::default() };
    Ok(Rig::new(
        Show::new(
            show,
            Catalogue::of_one(file, std::fs::read(file).map_err(|error| error.to_string())?.into()).into(),
        ),
        stage,
        warmer,
        heard,
    ))
}

/// Plays a preset; returns the seconds on air until it was replaced, and the reason.
fn replaced(rig: &mut Rig, sound: &[(Vec<[f32; 2]>, Features)]) -> Option<(f64, String)> {
    let mut on_air_since = None;
    for (block, features) in sound {
        rig.frame(&RigFrame { dt: 1.0 / FPS, sound: block, features, commands: &[] });
        rig.stage.finish();
        for entry in rig.show.take_log() {
            match entry.event {
                Event::Cut(cut) if cut.cause == Cause::Watch => {
                    let why = rig.show.memory().excluded.into_values().next().expect("excluded").why;
                    return Some((entry.at - on_air_since.expect("on air"), why));
                }
                Event::Cut(_) if on_air_since.is_none() => on_air_since = Some(entry.at),
                _ => {}
            }
        }
    }
    None
}

#[test]
fn only_faulty_presets_are_replaced_within_the_time_limit() {
    let Some(gpu) = Gpu::for_test() else { return };
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let sound = sound(6.0);
    let folder = tempfile::tempdir().expect("a folder");
    let shader = |body: &str| format!("comp_1=`shader_body {{ {body} }}\n");
    let moving = "float3(uv.x, uv.y, 0.5 + 0.5 * sin(time))";
    let turns = |to: &str| shader(&format!("ret = frame > {FAILS_AT} ? {to} : {moving};"));
    let code = |body: &str| format!("{}per_frame_1={body}\n", shader(&format!("ret = {moving};")));
    for (name, text, why) in [
        ("black", turns("float3(0.0, 0.0, 0.0)"), Some("black output")),
        ("white", turns("float3(1.0, 1.0, 1.0)"), Some("white output")),
        ("frozen", turns("float3(uv.x, uv.y, 0.2)"), Some("no movement")),
        (
            "nan",
            code(&format!("big=if(above(frame,{FAILS_AT}),1e300*1e300,1);zoom=big-big+1;")),
            Some("coordinates are not finite"),
        ),
        ("dark", turns("float3(0.03, 0.03, 0.12 + 0.1 * sin(time))"), None),
        ("bright", turns("float3(1.0, 1.0, 0.4 + 0.4 * sin(time))"), None),
        ("slow", turns("float3(uv.x, uv.y, frame / 3000.0)"), None),
        ("moving", code("zoom=1.01;"), None),
    ] {
        let file = folder.path().join(format!("{name}.milk"));
        let head =
            "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n";
        std::fs::write(&file, format!("{head}{text}")).expect("written");
        let mut rig = rig(&context, &file).expect("a preset");
        let replaced = replaced(&mut rig, &sound);
        // The preset is drawn twelve times during warm-up, before it is on air.
        let fails_after = (FAILS_AT - 12.0) / FPS;
        match (why, &replaced) {
            (None, None) => {}
            (Some(why), Some((after, reason))) => {
                assert_eq!(reason, why, "{name}");
                assert!((0.8..=1.5).contains(&(after - fails_after)), "{name}: replaced after {after} s");
            }
            _ => panic!("{name}: {replaced:?}"),
        }
    }
}

/// The long form: `AIVJ_WATCH_PRESETS=DIR cargo test --release --test watch -- --ignored --nocapture`;
/// `AIVJ_WATCH_COUNT` sets the number of presets.
#[test]
#[ignore = "takes many minutes; results are in docs/reliability.md"]
fn good_presets_are_not_replaced() {
    let Some(gpu) = Gpu::for_test() else { return };
    let Some(folder) = std::env::var_os("AIVJ_WATCH_PRESETS") else { return };
    let count = std::env::var("AIVJ_WATCH_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(100);
    let mut files: Vec<_> = walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "milk"))
        .collect();
    files.sort();
    let every = (files.len() / count).max(1);
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let sound = sound(20.0);
    let (mut played, mut empty) = (0, 0);
    for file in files.iter().step_by(every).take(count) {
        let Ok(mut rig) = rig(&context, file) else { continue };
        let replaced = replaced(&mut rig, &sound);
        played += 1;
        empty += usize::from(rig.show.snapshot().history.is_empty());
        if let Some((after, why)) = replaced {
            println!("{}: {why} after {after:.1} s", file.display());
        }
    }
    println!("{played} presets, {empty} without a picture");
}
