//! Ten minutes of mixed music, put together anew for each seed: the director's changes fit the music as it truly is.
//!
//! The pieces are composed, so scene, tempo and beats are known exactly. The scene model has learnt from pieces of the
//! same composer (with other seeds), so this checks the way from sound to cut, not how well strange records are
//! recognised. For those there is a run by hand on a folder of labelled clips (`manifest.json` as for
//! `aivj train-scene`):
//! `AIVJ_MEDLEY_CLIPS=FOLDER cargo test --release --test medley -- --ignored --nocapture`.

use std::path::Path;
use std::sync::Arc;

use aivj::analysis::{Analyser, Scene};
use aivj::audio::HOUSE_RATE_HZ;
use aivj::bake::scene::compose;
use aivj::library::Catalogue;
use aivj::milk::Heard;
use aivj::show::setlog::{Cause, Cut, Event};
use aivj::show::{Arrived, PrepareTimes, Show, ShowSettings, StepInput};
use aivj::units::{Rng, Tempo};

const FPS: usize = 30;
const SECONDS: usize = 600;
/// Pieces of half a minute are the hardest case: every one has to be recognised anew, and a phrase may end just as
/// another kind of music begins.
const PIECE_SECS: usize = 30;
const SCENES: [Scene; 3] = [Scene::Techno, Scene::Ambient, Scene::Rock];
/// Share of changes that have to be for the scene that truly plays.
const FITTING: f64 = 0.9;

/// A stretch of one kind of music.
struct Part {
    scene: Scene,
    sound: Vec<[f32; 2]>,
    /// When its beats fall, seconds from its beginning; none are known of clips.
    beats: Vec<f32>,
}

/// Composed pieces of every scene in turn; `seed` decides all of them and their order.
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

/// Clips of every scene in turn, until the time is full; `seed` draws the clips and their order.
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
    let (mut parts, mut left) = (Vec::new(), SECONDS * HOUSE_RATE_HZ as usize);
    while left > 0 {
        for (scene, files) in &mut clips {
            let file = files.next().expect("ten minutes of clips");
            let pcm = aivj::audio::decode(&folder.join(file)).expect("a clip").at_rate(HOUSE_RATE_HZ);
            let sound = pcm.frames[..pcm.frames.len().min(left)].to_vec();
            left -= sound.len();
            parts.push(Part { scene: *scene, sound, beats: Vec::new() });
        }
    }
    parts
}

/// One change that the music asked for.
struct Change {
    /// It aimed at the scene that truly played.
    fits: bool,
    /// Milliseconds from the nearest beat the program believed in, while it trusted any.
    off_grid_ms: Option<u32>,
    /// How the program's beat compares with the true one, under the same condition; unknown of clips.
    beat: Option<TrueBeat>,
}

/// How far the program's beat was from the true one.
#[derive(Clone, Copy, Debug)]
struct TrueBeat {
    /// The tempo was right, or half or double of it, which are as good for cuts.
    tempo_fits: bool,
    /// Milliseconds between the change and the nearest true eighth note.
    off_eighth_ms: u32,
}

impl TrueBeat {
    /// `None` where nothing counts.
    fn at(beats: &[f32], secs_in: f64, tempo: Tempo) -> Option<Self> {
        let [first, .., last] = beats else { return None };
        let period = f64::from(last - first) / (beats.len() - 1) as f64;
        let tempo_fits =
            [0.5, 1.0, 2.0].iter().any(|times| (tempo.period().0 / (times * period) - 1.0).abs() < 0.03);
        let eighths = beats.windows(2).flat_map(|pair| [pair[0], 0.5 * (pair[0] + pair[1])]);
        let nearest = eighths.map(|eighth| (f64::from(eighth) - secs_in).abs()).min_by(f64::total_cmp)?;
        Some(Self { tempo_fits, off_eighth_ms: (nearest * 1000.0) as u32 })
    }
}

impl Change {
    fn of(cut: &Cut, part: &Part, secs_in: f64, tempo: Tempo) -> Self {
        let aimed = cut.target.map(|target| target.scene);
        let fits = aimed == Some(part.scene);
        let off_grid_ms = cut.off_beat_secs.map(|off| (off.abs() * 1000.0) as u32);
        let beat = off_grid_ms.and_then(|_| TrueBeat::at(&part.beats, secs_in, tempo));
        println!(
            "  {:?} for {}, heard {:?}, truly {:?} since {secs_in:.1} s, {off_grid_ms:?} ms off the grid, {beat:?}{}",
            cut.cause,
            aimed.map_or("any", Scene::label),
            cut.scene,
            part.scene,
            if fits { "" } else { "  MISS" }
        );
        Self { fits, off_grid_ms, beat }
    }
}

/// Plays the parts to a show and returns its changes.
fn perform(parts: &[Part]) -> Vec<Change> {
    let settings = ShowSettings { fps: FPS as f64, ..ShowSettings::default() };
    let mut show = Show::new(settings, Arc::new(Catalogue::built_in()));
    let mut analyser = Analyser::new();
    let (mut coming, mut changes) = (Vec::new(), Vec::new());
    let block = HOUSE_RATE_HZ as usize / FPS;
    for part in parts {
        for (frame, samples) in part.sound.chunks(block).enumerate() {
            analyser.push(samples);
            let features = analyser.features();
            let ready = std::mem::take(&mut coming);
            let arrived: Vec<Arrived> = ready
                .into_iter()
                .map(|deck| Arrived { deck, problems: Vec::new(), took: PrepareTimes::default() })
                .collect();
            let step = show.step(&StepInput {
                dt: samples.len() as f64 / f64::from(HOUSE_RATE_HZ),
                heard: &Heard::default(),
                features,
                commands: &[],
                arrived: &arrived,
                failed: &[],
                glance: None,
            });
            coming.extend(step.wishes.iter().map(|wish| wish.deck));
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

/// Plays a medley for each seed, side by side, and checks the changes of all of them together.
fn check(seeds: &[u64], medley: impl Fn(u64) -> Vec<Part> + Sync) -> Vec<Change> {
    let sets: Vec<Vec<Change>> = std::thread::scope(|scope| {
        let threads: Vec<_> = seeds
            .iter()
            .map(|&seed| {
                scope.spawn({
                    let medley = &medley;
                    move || perform(&medley(seed))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a medley plays to its end")).collect()
    });
    for (seed, set) in seeds.iter().zip(&sets) {
        let fits = set.iter().filter(|change| change.fits).count();
        println!("medley {seed}: {fits} of {} changes fit", set.len());
        assert!(set.len() >= 20, "medley {seed}: only {} changes", set.len());
    }
    let changes: Vec<Change> = sets.into_iter().flatten().collect();
    let fitting = changes.iter().filter(|change| change.fits).count();
    let share = fitting as f64 / changes.len() as f64;
    let off_grid_ms = median(changes.iter().filter_map(|change| change.off_grid_ms));
    println!("{share:.3} of {} changes fit; {off_grid_ms} ms from the grid", changes.len());
    assert!(share >= FITTING, "{share:.3} of {} changes fit", changes.len());
    assert!(off_grid_ms <= 30, "{off_grid_ms} ms from the grid");
    changes
}

#[test]
fn changes_fit_composed_music() {
    let changes = check(&[1, 2, 3], composed);
    let beats: Vec<TrueBeat> = changes.iter().filter_map(|change| change.beat).collect();
    let tempo_fits = beats.iter().filter(|beat| beat.tempo_fits).count() as f64 / beats.len() as f64;
    let off_eighth_ms = median(beats.iter().map(|beat| beat.off_eighth_ms));
    println!("{tempo_fits:.3} of {} tempos fit; {off_eighth_ms} ms from a true eighth", beats.len());
    assert!(beats.len() >= 30, "the beat was trusted at {} changes only", beats.len());
    assert!(tempo_fits >= FITTING, "{tempo_fits:.3} of the tempos fit");
    assert!(off_eighth_ms <= 30, "{off_eighth_ms} ms from a true eighth");
}

#[test]
#[ignore = "needs a folder of labelled clips, named by AIVJ_MEDLEY_CLIPS"]
fn changes_fit_the_music_of_labelled_clips() {
    let folder = std::env::var_os("AIVJ_MEDLEY_CLIPS").expect("AIVJ_MEDLEY_CLIPS names a folder");
    check(&[1, 2, 3], |seed| clips(Path::new(&folder), seed));
}
