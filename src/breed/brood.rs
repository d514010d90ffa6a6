//! The children of a brood. Child number n depends only on the parents, the seed and n, so a run that resumes another writes
//! the children that are missing and changes none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::combine::{Origins, child};
use super::mutate::Mutation;
use super::parents::{Parent, file_name};
use super::settings::{BreedSettings, Mates};
use crate::disk;
use crate::facts::{PresetFacts, PresetId};
use crate::jobs::parallel;
use crate::milk::{MAX_PRESET_BYTES, Program};
use crate::pack::Point;
use crate::units::Rng;

/// Folder of the children.
pub(super) const CHILDREN: &str = "children";
/// Number of attempts at a child that compiles.
const ATTEMPTS: usize = 8;
/// Shares of constants that vary, and how much they do. Children that mix two parents differ from them anyway.
const MIXED: Mutation = Mutation { share: 0.2, strength: 0.25 };
const SINGLE: Mutation = Mutation { share: 0.4, strength: 0.6 };
/// Share of the other parents that counts as near or far.
const NEIGHBOURS: f64 = 0.25;

/// A child.
#[derive(Clone, Debug)]
pub(super) struct Child {
    /// Its id.
    pub id: PresetId,
    /// Id shared by presets with the same code.
    pub family: u64,
    /// Name of its file.
    pub file: String,
    /// Its parents.
    pub parents: [usize; 2],
    /// What came from which parent.
    pub origins: Origins,
    text: String,
}

#[cfg(test)]
impl Child {
    /// Returns a child without code.
    pub fn for_test(id: PresetId, parents: [usize; 2], origins: Origins) -> Self {
        Self {
            id,
            family: 1000 + u64::from(id.0[0]),
            file: String::new(),
            parents,
            origins,
            text: String::new(),
        }
    }
}

/// Breeds the children, and writes those that are missing. `looks` are the looks of the parents, where known.
pub(super) fn breed(
    parents: &[Parent],
    looks: &BTreeMap<usize, Point>,
    settings: &BreedSettings,
) -> anyhow::Result<Vec<Child>> {
    let mates: Vec<Vec<usize>> =
        (0..parents.len()).map(|parent| mates(parent, parents, looks, settings.mates)).collect();
    let numbers: Vec<usize> = (1..=settings.count).collect();
    let made = parallel::map(&numbers, settings.workers, |&number| {
        one(number, parents, &mates, &mut Rng::new(settings.seed).fork(number as u64))
    });
    let children: Vec<Child> = made.into_iter().flatten().collect();
    for child in &children {
        write(child, &settings.folder.join(CHILDREN))?;
    }
    Ok(children)
}

fn write(child: &Child, folder: &Path) -> anyhow::Result<()> {
    let path: PathBuf = folder.join(&child.file);
    if !disk::read(&path, MAX_PRESET_BYTES as u64).is_ok_and(|there| there == child.text.as_bytes()) {
        disk::write(&path, child.text.as_bytes())?;
    }
    Ok(())
}

/// Returns the parents with which a parent is paired: itself if it is the only one.
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

/// Breeds one child; `None` if no attempt compiles.
fn one(number: usize, parents: &[Parent], mates: &[Vec<usize>], rng: &mut Rng) -> Option<Child> {
    (0..ATTEMPTS).find_map(|_| {
        let first = rng.below(parents.len());
        let pair = [first, mates[first][rng.below(mates[first].len())]];
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
        Some(Child {
            id: PresetId::of(text.as_bytes()),
            family: facts.family,
            file,
            parents: pair,
            origins,
            text,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::genome::Genome;
    use super::*;
    use crate::audit::probe::Look;

    fn parents(count: usize) -> Vec<Parent> {
        let built_in = crate::library::built_in().take(count);
        let parent = |preset: crate::library::BuiltIn| Parent {
            id: PresetId::of(preset.text.as_bytes()),
            path: PathBuf::new(),
            genome: Genome::read(preset.name(), preset.text.as_bytes()).expect("a preset"),
        };
        built_in.map(parent).collect()
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
    fn a_resumed_or_larger_brood_repeats_and_loses_no_child() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = BreedSettings {
            folder: folder.path().to_owned(),
            count: 6,
            workers: 2,
            ..BreedSettings::default()
        };
        let parents = parents(5);
        let first = breed(&parents, &BTreeMap::new(), &settings).expect("bred");
        let all = files(folder.path());
        assert_eq!((first.len(), all.len()), (6, 6));
        std::fs::remove_file(folder.path().join(CHILDREN).join(&first[3].file)).expect("removed");
        std::fs::write(folder.path().join(CHILDREN).join(&first[4].file), b"half of").expect("written");
        settings.workers = 1;
        breed(&parents, &BTreeMap::new(), &settings).expect("bred");
        assert_eq!(files(folder.path()), all);
        settings.count = 8;
        breed(&parents, &BTreeMap::new(), &settings).expect("bred");
        let more = files(folder.path());
        assert!(more.len() == 8 && all.iter().all(|(name, bytes)| more.get(name) == Some(bytes)));
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
