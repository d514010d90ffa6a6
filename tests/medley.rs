//! Ten minutes of mixed music from a folder of clips beside the project, put together in three ways: the director's
//! changes fit the music as it truly is. Without the folder the test says so and passes.

use std::path::Path;
use std::sync::Arc;

use aivj::analysis::{Analyser, Scene};
use aivj::audio::HOUSE_RATE_HZ;
use aivj::library::Catalogue;
use aivj::milk::PresetAudio;
use aivj::show::setlog::{Cause, Event};
use aivj::show::{Arrived, PrepareTimes, Show, ShowSettings, StepInput};
use aivj::units::Rng;

const CLIPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/music");
const FPS: usize = 30;
const SECONDS: usize = 600;
/// Share of changes that have to be for the scene that truly plays. Pieces of half a minute are the hardest case: every one
/// has to be recognised anew, and a phrase may end just as another kind of music begins.
const FITTING: f64 = 0.9;

/// Clips of every scene in turn, until the time is full; each with its scene. `seed` draws the clips and their order.
fn medley(folder: &Path, seed: u64) -> Option<Vec<([f32; 2], Scene)>> {
    let manifest = std::fs::read(folder.join("manifest.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    let items = manifest["items"].as_array()?;
    let mut rng = Rng::new(seed);
    let mut clips = [Scene::Techno, Scene::Ambient, Scene::Rock].map(|scene| {
        let of_scene = items.iter().filter(|item| item["scene"] == scene.label());
        let mut files: Vec<&str> = of_scene.filter_map(|item| item["file"].as_str()).collect();
        rng.shuffle(&mut files);
        (scene, files.into_iter())
    });
    rng.shuffle(&mut clips);
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

/// What came of one medley.
#[derive(Default)]
struct Set {
    /// For every change by itself, whether it aimed at the scene that truly played.
    fits: Vec<bool>,
    /// How far from the beat the changes on a trusted beat fell, milliseconds.
    off_beat_ms: Vec<u32>,
}

fn perform(sound: &[([f32; 2], Scene)]) -> Set {
    let settings = ShowSettings { fps: FPS as f64, ..ShowSettings::default() };
    let mut show = Show::new(settings, Arc::new(Catalogue::built_in()));
    let mut analyser = Analyser::new();
    let (mut coming, mut set) = (Vec::new(), Set::default());
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
            heard: &PresetAudio::default(),
            features: analyser.features(),
            commands: &[],
            arrived: &arrived,
            failed: &[],
            picture_stats: None,
        });
        coming.extend(step.requests.iter().map(|request| request.deck));
        for entry in show.take_log() {
            if let Event::Cut(cut) = entry.event
                && let Cause::Music(moment) = cut.cause
            {
                let aimed = cut.target.map(|target| target.scene);
                let at = frame as f64 / FPS as f64;
                let late = since as f64 / FPS as f64;
                let (heard, fits) = (cut.scene, aimed == Some(truth));
                let aimed = aimed.map_or("any", Scene::label);
                println!(
                    "{at:6.1} s  {moment:?} for {aimed}, heard {heard:?}, truly {truth:?} since {late:.1} s{}",
                    if fits { "" } else { "  MISS" }
                );
                set.fits.push(fits);
                set.off_beat_ms.extend(cut.off_beat_secs.map(|off| (off.abs() * 1000.0) as u32));
            }
        }
    }
    set
}

#[test]
fn changes_fit_the_music_as_it_truly_is() {
    let mut off_beat_ms = Vec::new();
    let (mut fitting, mut changes) = (0, 0);
    for seed in 1..=3 {
        let Some(sound) = medley(Path::new(CLIPS), seed) else {
            println!("skipped: there are no clips in {CLIPS}");
            return;
        };
        let set = perform(&sound);
        let fits = set.fits.iter().filter(|fits| **fits).count();
        println!(
            "medley {seed}: {:.3} of {} changes fit",
            fits as f64 / set.fits.len() as f64,
            set.fits.len()
        );
        assert!(set.fits.len() >= 20, "only {} changes", set.fits.len());
        (fitting, changes) = (fitting + fits, changes + set.fits.len());
        off_beat_ms.extend(set.off_beat_ms);
    }
    off_beat_ms.sort_unstable();
    let median = off_beat_ms.get(off_beat_ms.len() / 2).copied().unwrap_or_default();
    let share = f64::from(fitting as u32) / f64::from(changes as u32);
    println!("{share:.3} of {changes} changes fit; {median} ms from the beat");
    assert!(share >= FITTING, "{share:.3} of {changes} changes fit");
    assert!(median <= 30, "{median} ms from the beat");
}
