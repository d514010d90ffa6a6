//! The children of a brood. Child number n depends only on the parents, their mates, the seed and n, so a
//! resumed run writes only the missing or damaged children and leaves the others unchanged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::bail;

use super::combine::{Origins, child};
use super::mutate::Mutation;
use super::parents::{Parent, file_name};
use super::settings::{BreedSettings, Mates};
use crate::disk;
use crate::facts::{PresetFacts, PresetId};
use crate::jobs::parallel;
use crate::jobs::progress::{OnProgress, Progress};
use crate::milk::{MAX_PRESET_BYTES, Program};
use crate::pack::Point;
use crate::units::Rng;

/// Folder of the children, within the brood's folder.
pub(super) const CHILDREN: &str = "children";
/// Maximum number of attempts to breed a child that compiles.
const ATTEMPTS: usize = 8;
/// Mutation of a child that mixes two parents, and so differs from them anyway.
const MIXED: Mutation = Mutation { share: 0.2, strength: 0.25 };
/// Mutation of a child with all parts from one parent.
const SINGLE: Mutation = Mutation { share: 0.4, strength: 0.6 };
/// Share of the other parents that count as near or far.
const NEIGHBOURS: f64 = 0.25;
/// Number of children bred between two progress reports.
const CHUNK: usize = 256;

/// A bred preset.
#[derive(Clone, Debug)]
pub(super) struct Child {
    /// ID of the preset.
    pub id: PresetId,
    /// ID shared by presets with the same code.
    pub family: u64,
    /// Name of the child's file.
    pub file: String,
    /// Indices of the child's parents.
    pub parents: [usize; 2],
    /// The parent that each part came from.
    pub origins: Origins,
}

#[cfg(test)]
impl Child {
    /// Returns a child without code.
    pub fn for_test(id: PresetId, parents: [usize; 2], origins: Origins) -> Self {
        Self { id, family: 1000 + u64::from(id.0[0]), file: String::new(), parents, origins }
    }
}

/// Returns, for each parent, the indices of its mates. `looks` contains the known looks, by the index of the
/// parent.
pub(super) fn pairs(parents: &[Parent], looks: &BTreeMap<usize, Point>, kind: Mates) -> Vec<Vec<usize>> {
    (0..parents.len()).map(|parent| mates(parent, parents, looks, kind)).collect()
}

/// Breeds up to `count` children, and writes those whose files are missing or have other contents. `pairs`
/// contains the mates of each parent.
pub(super) fn breed(
    parents: &[Parent],
    pairs: &[Vec<usize>],
    count: usize,
    settings: &BreedSettings,
    on_progress: OnProgress,
) -> anyhow::Result<Vec<Child>> {
    let numbers: Vec<usize> = (1..=count).collect();
    let (mut children, mut done) = (Vec::new(), 0);
    let threads = settings.workers.threads();
    for chunk in numbers.chunks(CHUNK) {
        let bred = parallel::map(chunk, threads, |&number| -> anyhow::Result<Option<Child>> {
            let mut rng = Rng::new(settings.seed).fork(number as u64);
            let Some((child, text)) = breed_child(number, parents, pairs, &mut rng) else { return Ok(None) };
            write(&settings.folder, &Path::new(CHILDREN).join(&child.file), &text)?;
            Ok(Some(child))
        });
        for child in bred {
            children.extend(child?);
        }
        done += chunk.len();
        if !on_progress(&Progress::at("breed", done, count)) {
            settings.stop.store(true, Ordering::Relaxed);
        }
        if settings.stop.load(Ordering::Relaxed) {
            bail!("stopped; run it again to resume");
        }
    }
    Ok(children)
}

fn write(folder: &Path, below: &Path, text: &str) -> anyhow::Result<()> {
    let there = disk::read(&folder.join(below), MAX_PRESET_BYTES as u64);
    if !there.is_ok_and(|there| there == text.as_bytes()) {
        disk::write_below(folder, below, text.as_bytes())?;
    }
    Ok(())
}

/// Returns the indices of the parents that the parent `one` may be paired with; just `one` if there are no
/// others.
fn mates(one: usize, parents: &[Parent], looks: &BTreeMap<usize, Point>, mates: Mates) -> Vec<usize> {
    let mut others: Vec<usize> = (0..parents.len()).filter(|other| *other != one).collect();
    if others.is_empty() {
        return vec![one];
    }
    let distance = |other: &usize| Some(looks.get(&one)?.distance(looks.get(other)?));
    let few = (others.len() as f64 * NEIGHBOURS).ceil() as usize;
    match mates {
        Mates::Any => return others,
        Mates::Near => others.sort_by(|a, b| {
            let [a, b] = [a, b].map(|other| distance(other).unwrap_or(f32::INFINITY));
            a.total_cmp(&b)
        }),
        Mates::Far => others.sort_by(|a, b| {
            let [a, b] = [a, b].map(|other| distance(other).unwrap_or(0.0));
            b.total_cmp(&a)
        }),
    }
    others.truncate(few.max(1));
    others
}

/// Breeds a child and returns it with its text; `None` if every attempt fails to compile or has more problems
/// than either parent.
fn breed_child(
    number: usize,
    parents: &[Parent],
    pairs: &[Vec<usize>],
    rng: &mut Rng,
) -> Option<(Child, String)> {
    (0..ATTEMPTS).find_map(|_| {
        let first = rng.below(parents.len());
        let mates = &pairs[first];
        let pair = [first, mates[rng.below(mates.len())]];
        let genomes = pair.map(|parent| &parents[parent].genome);
        let origins = Origins::draw(genomes, rng);
        let is_single = origins.of(0).count() == 0 || origins.of(1).count() == 0;
        let text = child(genomes, origins, if is_single { SINGLE } else { MIXED }, rng);
        let program = Program::compile_interpreted(text.as_bytes()).ok()?;
        if program.problems.len() > genomes.map(|genome| genome.problems).into_iter().max()? {
            return None;
        }
        let names = genomes.map(|genome| genome.name.as_str());
        let name = if names[0] == names[1] { names[0].to_owned() } else { names.join(" + ") };
        let file = format!("{number:04} {}.milk", file_name(&name));
        let facts = PresetFacts::of(text.as_bytes(), &name);
        let id = PresetId::of(text.as_bytes());
        Some((Child { id, family: facts.family, file, parents: pair, origins }, text))
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::genome::Genome;
    use super::*;
    use crate::audit::probe::Look;
    use crate::jobs::workers::WorkerCount;

    fn parents(count: usize) -> Vec<Parent> {
        let built_in = crate::library::built_in().take(count);
        let parent = |preset: crate::library::BuiltIn| Parent {
            id: preset.id,
            path: PathBuf::new(),
            genome: Genome::read(preset.name(), preset.text.as_bytes()).expect("a preset"),
        };
        built_in.map(parent).collect()
    }

    fn bred(parents: &[Parent], settings: &BreedSettings, proceed: bool) -> anyhow::Result<Vec<Child>> {
        let pairs = pairs(parents, &BTreeMap::new(), settings.mates);
        breed(parents, &pairs, settings.count, settings, &mut |_| proceed)
    }

    fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(folder.join(CHILDREN)).expect("there").flatten();
        let file = |entry: std::fs::DirEntry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).expect("read"))
        };
        entries.map(file).collect()
    }

    #[test]
    fn a_resumed_or_larger_brood_keeps_the_same_children() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = BreedSettings {
            folder: folder.path().to_owned(),
            count: 6,
            workers: WorkerCount::Fixed(2),
            ..BreedSettings::default()
        };
        let parents = parents(5);
        let first = bred(&parents, &settings, true).expect("bred");
        let all = files(folder.path());
        assert_eq!((first.len(), all.len()), (6, 6));
        std::fs::remove_file(folder.path().join(CHILDREN).join(&first[3].file)).expect("removed");
        std::fs::write(folder.path().join(CHILDREN).join(&first[4].file), b"half of").expect("written");
        settings.workers = WorkerCount::Fixed(1);
        bred(&parents, &settings, true).expect("bred");
        assert_eq!(files(folder.path()), all);
        settings.count = 8;
        bred(&parents, &settings, true).expect("bred");
        let more = files(folder.path());
        assert!(more.len() == 8 && all.iter().all(|(name, bytes)| more.get(name) == Some(bytes)));
        bred(&parents, &settings, false).expect_err("stopped");
    }

    #[test]
    fn near_and_far_mates_follow_the_looks() {
        let parents = parents(5);
        let look = |luma: f64| Look { luma, ..Look::default() };
        let looks = [0.1, 0.9, 0.15, 0.5, 0.8].map(look);
        let points = crate::pack::points(&looks.iter().collect::<Vec<_>>());
        let looks: BTreeMap<usize, Point> = points.into_iter().enumerate().collect();
        assert_eq!(mates(0, &parents, &looks, Mates::Near), [2]);
        assert_eq!(mates(0, &parents, &looks, Mates::Far), [1]);
        assert_eq!(mates(0, &parents, &looks, Mates::Any), [1, 2, 3, 4]);
        assert_eq!(mates(0, &parents[..1], &looks, Mates::Far), [0]);
    }
}
