//! Ten minutes of mixed music from a folder of clips beside the project: the director's changes fit the music as it truly
//! is. Without the folder the test says so and passes.

use std::path::Path;
use std::sync::Arc;

use aivj::analysis::{Analyser, Scene};
use aivj::audio::HOUSE_RATE_HZ;
use aivj::library::Catalogue;
use aivj::milk::Heard;
use aivj::show::setlog::{Cause, Event};
use aivj::show::{Arrived, PrepareTimes, Show, ShowSettings, StepInput};

const CLIPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/music");
const FPS: usize = 30;
const SECONDS: usize = 600;
/// Share of changes that have to be for the scene that truly plays. Pieces of half a minute are the hardest case: every one
/// has to be recognised anew, and a phrase may end just as another kind of music begins.
const FITTING: f64 = 0.7;

/// Clips of every scene in turn, until the time is full; each with its scene.
fn medley(folder: &Path) -> Option<Vec<([f32; 2], Scene)>> {
    let manifest = std::fs::read(folder.join("manifest.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    let items = manifest["items"].as_array()?;
    let clips = |scene: Scene| {
        let of_scene = items.iter().filter(move |item| item["scene"] == scene.label());
        of_scene.filter_map(|item| item["file"].as_str())
    };
    // Every second clip, so that all kinds of sources come in.
    let mut clips =
        [Scene::Techno, Scene::Ambient, Scene::Rock].map(|scene| (scene, clips(scene).step_by(2)));
    let mut sound = Vec::new();
    while sound.len() < SECONDS * HOUSE_RATE_HZ as usize {
        for (scene, files) in &mut clips {
            let pcm = aivj::audio::decode(&folder.join(files.next()?)).ok()?.at_rate(HOUSE_RATE_HZ);
            sound.extend(pcm.frames.iter().map(|frame| (*frame, *scene)));
        }
    }
    sound.truncate(SECONDS * HOUSE_RATE_HZ as usize);
    Some(sound)
}

#[test]
fn changes_fit_the_music_as_it_truly_is() {
    let Some(sound) = medley(Path::new(CLIPS)) else {
        println!("skipped: there are no clips in {CLIPS}");
        return;
    };
    let settings = ShowSettings { fps: FPS as f64, ..ShowSettings::default() };
    let mut show = Show::new(settings, Arc::new(Catalogue::built_in()));
    let mut analyser = Analyser::new();
    let (mut coming, mut changes, mut off_beat) = (Vec::new(), Vec::new(), Vec::new());
    let mut since = 0;
    let mut before = sound[0].1;
    for (frame, block) in sound.chunks_exact(HOUSE_RATE_HZ as usize / FPS).enumerate() {
        let samples: Vec<[f32; 2]> = block.iter().map(|(sample, _)| *sample).collect();
        analyser.push(&samples);
        let truth = block[0].1;
        since = if truth == before { since + 1 } else { 0 };
        before = truth;
        let ready = std::mem::take(&mut coming);
        let arrived: Vec<Arrived> = ready
            .into_iter()
            .map(|deck| Arrived { deck, problems: Vec::new(), took: PrepareTimes::default() })
            .collect();
        let step = show.step(&StepInput {
            dt: 1.0 / FPS as f64,
            heard: &Heard::default(),
            features: analyser.features(),
            commands: &[],
            arrived: &arrived,
            failed: &[],
            glance: None,
        });
        coming.extend(step.wishes.iter().map(|wish| wish.deck));
        for entry in show.take_log() {
            if let Event::Cut(cut) = entry.event
                && let Cause::Music(moment) = cut.cause
            {
                let aimed = cut.target.map(|target| target.scene);
                let at = frame as f64 / FPS as f64;
                let late = since as f64 / FPS as f64;
                println!("{at:6.1} s  {moment:?} for {aimed:?}, {truth:?} since {late:.1} s");
                changes.push(aimed == Some(truth));
                off_beat.extend(cut.off_beat_secs.map(|off| (off.abs() * 1000.0) as u32));
            }
        }
    }
    let fitting = changes.iter().filter(|fits| **fits).count() as f64 / changes.len() as f64;
    off_beat.sort_unstable();
    let median = off_beat.get(off_beat.len() / 2).copied().unwrap_or_default();
    println!("{:.3} of {} changes fit; {median} ms from the beat", fitting, changes.len());
    assert!(changes.len() >= 20 && fitting >= FITTING, "{fitting:.3} of {} changes fit", changes.len());
    assert!(median <= 30, "{median} ms from the beat");
}
