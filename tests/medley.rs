//! Ten minutes of mixed music, different for each seed: the director's changes match the actual music.
//!
//! The pieces are composed, so scene, tempo and beats are known exactly. The scene model was trained on pieces by the
//! same composer (with other seeds), so this tests the path from audio to cut rather than the recognition of new
//! recordings. For that, run the test by hand on a folder of labelled clips, with a `manifest.json` as for
//! `aivj train-scene --folder`:
//! `AIVJ_MEDLEY_CLIPS=FOLDER cargo test --release --test medley -- --ignored --nocapture`.

use std::path::Path;
use std::sync::Arc;

use aivj::analysis::{Analyser, Scene};
use aivj::audio::SAMPLE_RATE_HZ;
use aivj::library::Catalogue;
use aivj::milk::PresetAudio;
use aivj::show::setlog::{Cause, Cut, Event};
use aivj::show::{Arrived, Show, ShowSettings, StepInput};
use aivj::training::compose;
use aivj::units::{Rng, Tempo};
use aivj::warmup::PrepareTimes;

const FPS: usize = 30;
const SECONDS: usize = 600;
/// Length of a piece. Half-minute pieces are the hardest case: each must be recognised anew, and a phrase may end just
/// as another kind of music starts.
const PIECE_SECS: usize = 30;
const SCENES: [Scene; 3] = [Scene::Techno, Scene::Ambient, Scene::Rock];
/// Time after a change of music during which the new music cannot be recognised yet, in seconds.
const UNKNOWN_SECS: f64 = 2.0;
/// Time after which the beat of a new piece is expected to have been found, in seconds.
const FOUND_SECS: f64 = 8.0;

/// A part of the medley with one kind of music.
struct Part {
    scene: Scene,
    sound: Vec<[f32; 2]>,
    /// Times of the beats, in seconds from the start; empty for clips.
    beats: Vec<f32>,
}

/// Returns composed pieces of every scene in turn; `seed` determines the pieces and their order.
fn composed(seed: u64) -> Vec<Part> {
    let mut rng = Rng::new(seed);
    let mut order = SCENES;
    rng.shuffle(&mut order);
    let part = |n: usize| {
        let scene = order[n % order.len()];
        let piece = compose(scene, PIECE_SECS as f32, &mut rng.fork(n as u64));
        Part { scene, sound: piece.sound.iter().map(|s| [*s; 2]).collect(), beats: piece.beats }
    };
    (0..SECONDS / PIECE_SECS).map(part).collect()
}

/// Returns ten minutes of clips, of every scene in turn; `seed` determines the clips and their order.
fn clips(folder: &Path, seed: u64) -> Vec<Part> {
    let manifest = std::fs::read(folder.join("manifest.json")).expect("the folder has a manifest.json");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("manifest.json is JSON");
    let items = manifest["items"].as_array().expect("it has items");
    let mut rng = Rng::new(seed);
    let mut clips = SCENES.map(|scene| {
        let of_scene = items.iter().filter(|item| item["scene"] == scene.label());
        let mut files: Vec<&str> = of_scene.filter_map(|item| item["file"].as_str()).collect();
        rng.shuffle(&mut files);
        (scene, files.into_iter())
    });
    rng.shuffle(&mut clips);
    let (mut parts, mut left) = (Vec::new(), SECONDS * SAMPLE_RATE_HZ as usize);
    while left > 0 {
        for (scene, files) in &mut clips {
            let file = files.next().expect("ten minutes of clips");
            let pcm = aivj::audio::decode(&folder.join(file)).expect("a clip").at_rate(SAMPLE_RATE_HZ);
            let sound = pcm.frames[..pcm.frames.len().min(left)].to_vec();
            left -= sound.len();
            parts.push(Part { scene: *scene, sound, beats: Vec::new() });
        }
    }
    parts
}

/// A change of preset caused by the music.
struct Change {
    /// Seconds since the piece started.
    secs_in: f64,
    /// Whether the target was the scene actually playing.
    matches: bool,
    /// Distance from the nearest detected beat in milliseconds, if the beat was trusted.
    off_grid_ms: Option<u32>,
    /// Comparison with the true beat, if the beat was trusted; `None` for clips.
    beat: Option<TrueBeat>,
}

/// Comparison of the detected beat with the true one.
#[derive(Clone, Copy, Debug)]
struct TrueBeat {
    /// Whether the detected tempo was right, half or double; all three serve equally well for cuts.
    tempo_matches: bool,
    /// Milliseconds between the change and the nearest true eighth note.
    off_eighth_ms: u32,
}

impl TrueBeat {
    /// Returns `None` for a piece without beats.
    fn at(beats: &[f32], secs_in: f64, tempo: Tempo) -> Option<Self> {
        let [first, .., last] = beats else { return None };
        let period = f64::from(last - first) / (beats.len() - 1) as f64;
        let tempo_matches =
            [0.5, 1.0, 2.0].iter().any(|times| (tempo.period().0 / (times * period) - 1.0).abs() < 0.03);
        let pairs = beats.windows(2).map(|pair| (f64::from(pair[0]), f64::from(pair[1])));
        let eighths = pairs.flat_map(|(one, next)| [one, 0.5 * (one + next)]);
        // The piece may end before its next beat.
        let last = f64::from(*last);
        let eighths = eighths.chain([last, last + 0.5 * period, last + period]);
        let nearest = eighths.map(|eighth| (eighth - secs_in).abs()).min_by(f64::total_cmp)?;
        Some(Self { tempo_matches, off_eighth_ms: (nearest * 1000.0) as u32 })
    }
}

impl Change {
    fn of(cut: &Cut, part: &Part, secs_in: f64, tempo: Tempo) -> Self {
        let aimed = cut.target.map(|target| target.scene);
        let matches = aimed == Some(part.scene);
        let off_grid_ms = cut.off_beat_secs.map(|off| (off.abs() * 1000.0) as u32);
        let beat = off_grid_ms.and_then(|_| TrueBeat::at(&part.beats, secs_in, tempo));
        println!(
            "  {:?} for {}, detected {:?}, actual {:?} since {secs_in:.1} s, {off_grid_ms:?} ms off the grid, {beat:?}{}",
            cut.cause,
            aimed.map_or("any", Scene::label),
            cut.scene,
            part.scene,
            if matches { "" } else { "  MISS" }
        );
        Self { secs_in, matches, off_grid_ms, beat }
    }
}

/// Plays the parts to a show and returns its changes.
fn perform(parts: &[Part]) -> Vec<Change> {
    let settings = ShowSettings { fps: FPS as f64, ..ShowSettings::default() };
    let mut show = Show::new(settings, Arc::new(Catalogue::built_in()));
    let mut analyser = Analyser::new();
    let (mut coming, mut changes) = (Vec::new(), Vec::new());
    let block = SAMPLE_RATE_HZ as usize / FPS;
    for part in parts {
        for (frame, samples) in part.sound.chunks(block).enumerate() {
            analyser.push(samples);
            let features = analyser.features();
            let ready = std::mem::take(&mut coming);
            let arrived: Vec<Arrived> = ready
                .into_iter()
                .map(|deck| Arrived { deck, problems: Vec::new(), look: None, took: PrepareTimes::default() })
                .collect();
            let step = show.step(&StepInput {
                dt: samples.len() as f64 / f64::from(SAMPLE_RATE_HZ),
                audio: &PresetAudio::default().into(),
                features,
                commands: &[],
                arrived: &arrived,
                failed: &[],
                picture_stats: None,
            });
            coming.extend(step.requests.iter().map(|request| request.deck));
            for entry in show.take_log() {
                if let Event::Cut(cut) = entry.event
                    && let Cause::Music(_) = cut.cause
                {
                    changes.push(Change::of(
                        &cut,
                        part,
                        (frame + 1) as f64 / FPS as f64,
                        features.beat.tempo,
                    ));
                }
            }
        }
    }
    changes
}

fn median(values: impl Iterator<Item = u32>) -> u32 {
    let mut sorted: Vec<u32> = values.collect();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// Plays a medley for each seed in parallel and returns the changes of all of them.
fn changes(seeds: &[u64], medley: impl Fn(u64) -> Vec<Part> + Sync) -> Vec<Change> {
    let medley = &medley;
    let sets: Vec<Vec<Change>> = std::thread::scope(|scope| {
        let threads: Vec<_> = seeds.iter().map(|&seed| scope.spawn(move || perform(&medley(seed)))).collect();
        threads.into_iter().map(|thread| thread.join().expect("the medley thread did not panic")).collect()
    });
    for (seed, set) in seeds.iter().zip(&sets) {
        println!(
            "medley {seed}: {} changes, {:.3} match",
            set.len(),
            share(set.iter().map(|change| change.matches))
        );
        assert!(set.len() >= 20, "medley {seed}: only {} changes", set.len());
    }
    sets.into_iter().flatten().collect()
}

fn share(facts: impl Iterator<Item = bool> + Clone) -> f64 {
    facts.clone().filter(|fact| *fact).count() as f64 / facts.count() as f64
}

fn check_grid(changes: &[Change]) {
    let off_grid_ms = median(changes.iter().filter_map(|change| change.off_grid_ms));
    println!("{off_grid_ms} ms from the grid");
    assert!(off_grid_ms <= 30, "{off_grid_ms} ms from the grid");
}

// Measured with these seeds: 0.93 of all changes match, 0.95 of those after recognition, 0.90 of the tempos; 14 ms from
// a true eighth note.
#[test]
fn changes_match_composed_music() {
    let changes = changes(&[1, 2, 3], composed);
    let all = share(changes.iter().map(|change| change.matches));
    let recognised = changes.iter().filter(|change| change.secs_in >= UNKNOWN_SECS);
    let known = share(recognised.map(|change| change.matches));
    println!("{} changes: {all:.3} match, {known:.3} of those after {UNKNOWN_SECS} s", changes.len());
    assert!(all >= 0.85, "{all:.3} of all changes match");
    assert!(known >= 0.9, "{known:.3} of the changes after {UNKNOWN_SECS} s match");
    check_grid(&changes);

    let found = changes.iter().filter(|change| change.secs_in >= FOUND_SECS);
    let beats: Vec<TrueBeat> = found.filter_map(|change| change.beat).collect();
    let tempo_matches = share(beats.iter().map(|beat| beat.tempo_matches));
    let off_eighth_ms = median(beats.iter().map(|beat| beat.off_eighth_ms));
    println!(
        "{} beats: {tempo_matches:.3} of the tempos match, {off_eighth_ms} ms from a true eighth",
        beats.len()
    );
    assert!(beats.len() >= 25, "the beat was trusted at only {} changes", beats.len());
    assert!(tempo_matches >= 0.85, "{tempo_matches:.3} of the tempos match");
    assert!(off_eighth_ms <= 25, "{off_eighth_ms} ms from a true eighth");
}

#[test]
#[ignore = "needs a folder of labelled clips, named by AIVJ_MEDLEY_CLIPS"]
fn changes_match_labelled_clips() {
    let folder = std::env::var_os("AIVJ_MEDLEY_CLIPS").expect("AIVJ_MEDLEY_CLIPS names a folder");
    let changes = changes(&[1, 2, 3], |seed| clips(Path::new(&folder), seed));
    let all = share(changes.iter().map(|change| change.matches));
    println!("{} changes: {all:.3} match", changes.len());
    assert!(all >= 0.9, "{all:.3} of all changes match");
    check_grid(&changes);
}
