//! Compares search by description with search by name, by their mean average precision over 120 queries.
//!
//! Relevance is measured on the frames of a bake, whereas descriptions are matched against the frames of an audit,
//! which were captured at different times, with different audio and at a different size. Run the evaluation on a
//! library that has an audit and frames:
//!
//! ```text
//! aivj bake audit --library LIB --out OUT && aivj bake frames --library LIB --out OUT
//! AIVJ_FIND_LIBRARY=LIB AIVJ_FIND_FRAMES=OUT AIVJ_FIND_STORE=DATA \
//!     cargo test --release --lib find::evaluation -- --ignored --nocapture
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Description, SearchIndex, SearchQuery};
use crate::disk;
use crate::facts::Tag;
use crate::library::looks::first_frame;
use crate::library::{Catalogue, LibraryLocation, open};
use crate::store::Store;

const QUERIES: &str = include_str!("evaluation.txt");
/// Number of queries.
const COUNT: usize = 120;
/// Properties of the frames that conditions compare by rank, 0 to 1.
const RANKED: [&str; 6] = ["light", "contrast", "motion", "colour", "detail", "symmetry"];
/// Colours, each with the hue at which it begins, in degrees; red starts at -20 because it spans 0.
const COLOURS: [(&str, f32); 9] = [
    ("red", -20.0),
    ("orange", 20.0),
    ("yellow", 45.0),
    ("green", 75.0),
    ("cyan", 165.0),
    ("blue", 200.0),
    ("purple", 255.0),
    ("magenta", 290.0),
    ("pink", 315.0),
];

/// Measurements of a preset's frames, by name.
#[derive(Default)]
struct FrameMeasurements(HashMap<&'static str, f32>);

fn measure(frames: &[PathBuf]) -> Option<FrameMeasurements> {
    let mut sums: HashMap<&'static str, f32> = HashMap::new();
    let mut last: Option<Vec<f32>> = None;
    let (mut count, mut steps, mut chroma) = (0.0, 0.0, 0.0_f32);
    for path in frames {
        let Ok(picture) = disk::picture(path) else { continue };
        let picture = picture.to_rgb8();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let area = (width * height) as f32;
        let mut add = |name, value: f32| *sums.entry(name).or_default() += value;
        let grey: Vec<f32> = picture
            .pixels()
            .map(|p| (0.2126 * f32::from(p[0]) + 0.7152 * f32::from(p[1]) + 0.0722 * f32::from(p[2])) / 255.0)
            .collect();
        let mean = grey.iter().sum::<f32>() / area;
        let square = grey.iter().map(|g| (g - mean).powi(2)).sum::<f32>();
        add("light", mean);
        add("contrast", (square / area).sqrt());
        let across: f32 =
            grey.chunks(width).flat_map(|line| line.windows(2)).map(|p| (p[0] - p[1]).abs()).sum();
        add("detail", across / area);
        let mirrored: f32 = grey
            .chunks(width)
            .map(|line| line.iter().zip(line.iter().rev()).map(|(a, b)| (a - mean) * (b - mean)).sum::<f32>())
            .sum();
        add("symmetry", if square > 1e-3 { mirrored / square } else { 0.0 });
        for pixel in picture.pixels() {
            let [r, g, b] = pixel.0.map(|channel| f32::from(channel) / 255.0);
            let (high, low) = (r.max(g).max(b), r.min(g).min(b));
            let spread = high - low;
            add("black", 100.0 * f32::from(u8::from(high < 0.06)) / area);
            add("white", 100.0 * f32::from(u8::from(low > 0.92)) / area);
            add("colour", spread / area);
            chroma += spread / area;
            if spread > 0.03 {
                let sixth = if high == r {
                    ((g - b) / spread).rem_euclid(6.0)
                } else if high == g {
                    2.0 + (b - r) / spread
                } else {
                    4.0 + (r - g) / spread
                };
                let hue = 60.0 * sixth;
                let hue = if hue >= 340.0 { hue - 360.0 } else { hue };
                let name =
                    COLOURS.iter().rev().find(|(_, from)| hue >= *from).map_or("red", |(name, _)| name);
                add(name, spread / area);
            }
        }
        if let Some(last) = last.as_ref().filter(|last| last.len() == grey.len()) {
            *sums.entry("motion").or_default() +=
                grey.iter().zip(last).map(|(a, b)| (a - b).abs()).sum::<f32>() / area;
            steps += 1.0;
        }
        last = Some(grey);
        count += 1.0;
    }
    if count == 0.0 || steps == 0.0 {
        return None;
    }
    for (name, sum) in &mut sums {
        *sum /= match *name {
            "motion" => steps,
            name if COLOURS.iter().any(|(colour, _)| *colour == name) => chroma.max(1e-3) / 100.0,
            _ => count,
        };
    }
    Some(FrameMeasurements(sums))
}

/// A library and the measurements of its frames.
struct MeasuredLibrary {
    library: Arc<Catalogue>,
    measurements: Vec<Option<FrameMeasurements>>,
    ranks: HashMap<&'static str, Vec<f32>>,
}

impl MeasuredLibrary {
    fn of(library: Arc<Catalogue>, bake: &Path) -> Self {
        let frames = |path: &str| -> Vec<PathBuf> {
            let first = first_frame(bake, path);
            (0..3).map(|number| first.with_file_name(format!("frame-00{number}.webp"))).collect()
        };
        let measurements: Vec<Option<FrameMeasurements>> =
            library.entries.iter().map(|entry| measure(&frames(&entry.path))).collect();
        let rank = |name: &'static str| {
            let value =
                |index: usize| measurements[index].as_ref().and_then(|preset| preset.0.get(name)).copied();
            let mut order: Vec<usize> =
                (0..measurements.len()).filter(|&index| value(index).is_some()).collect();
            order.sort_by(|a, b| value(*a).unwrap_or(0.0).total_cmp(&value(*b).unwrap_or(0.0)));
            let mut ranks = vec![f32::NAN; measurements.len()];
            let last = order.len().saturating_sub(1).max(1) as f32;
            order.iter().enumerate().for_each(|(place, &index)| ranks[index] = place as f32 / last);
            (name, ranks)
        };
        let ranks = RANKED.into_iter().map(rank).collect();
        Self { library, measurements, ranks }
    }

    /// Returns whether a preset meets a condition such as `light<.4`, `red+orange>50`, `tag:dots` or
    /// `!name:geiss`.
    fn meets(&self, index: usize, condition: &str) -> bool {
        if let Some(condition) = condition.strip_prefix('!') {
            return !self.meets(index, condition);
        }
        let entry = &self.library.entries[index];
        if let Some(word) = condition.strip_prefix("tag:") {
            return entry.tags.has(Tag::of(word).expect("a tag"));
        }
        if let Some(word) = condition.strip_prefix("name:") {
            return entry.path.to_lowercase().contains(word);
        }
        let at = condition.find(['<', '>']).expect("a comparison");
        let limit: f32 = condition[at + 1..].parse().expect("a number");
        let value: f32 = condition[..at]
            .split('+')
            .map(|name| match self.ranks.get(name) {
                Some(ranks) => ranks[index],
                None => self.measurements[index]
                    .as_ref()
                    .and_then(|preset| preset.0.get(name))
                    .copied()
                    .unwrap_or(0.0),
            })
            .sum();
        if condition[at..].starts_with('<') { value < limit } else { value > limit }
    }
}

/// Returns the average precision of a ranking: the mean of the precision at the rank of each relevant preset.
fn average_precision(ranking: &[usize], relevant: &[bool]) -> f64 {
    let (mut found, mut sum) = (0.0, 0.0);
    for (place, &index) in ranking.iter().enumerate() {
        if relevant[index] {
            found += 1.0;
            sum += found / (place + 1) as f64;
        }
    }
    sum / relevant.iter().filter(|is| **is).count().max(1) as f64
}

/// Ranks presets by the number of query words in their path, tags and energy, as the baseline that descriptions
/// are compared with.
fn by_names(library: &Catalogue, query: &str) -> Vec<usize> {
    let words: Vec<String> = query
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| {
            word.len() > 2 && !["and", "not", "but", "the", "very", "more", "without"].contains(word)
        })
        .map(str::to_owned)
        .collect();
    let hits = |index: &usize| {
        let entry = &library.entries[*index];
        let text = format!("{} {} {}", entry.path.to_lowercase(), entry.tags, entry.energy.label());
        words.iter().filter(|word| text.contains(word.as_str())).count()
    };
    let mut order: Vec<usize> = (0..library.entries.len()).collect();
    order.sort_by_cached_key(|index| std::cmp::Reverse(hits(index)));
    order
}

#[test]
#[ignore = "needs a baked library; see the top of the file"]
fn descriptions_score_at_least_twice_as_high_as_names() {
    let folder = |name: &str| PathBuf::from(std::env::var(name).expect(name));
    let (root, bake) = (folder("AIVJ_FIND_LIBRARY"), folder("AIVJ_FIND_FRAMES"));
    let store = Store::open(&folder("AIVJ_FIND_STORE"), 1).expect("a store").store;
    let library =
        Arc::new(open(&store, &LibraryLocation::of(&root), 1, |_| ()).expect("a library").catalogue);
    let measured = MeasuredLibrary::of(library.clone(), &bake);
    let shown: Vec<usize> =
        (0..library.entries.len()).filter(|&index| measured.measurements[index].is_some()).collect();
    let mut index = SearchIndex::new(library.clone(), &HashMap::new());
    index.measure(&store);
    let (mut found, mut named, mut chance, mut asked) = (0.0, 0.0, 0.0, 0);
    for line in QUERIES.lines().filter(|line| !line.starts_with('#')) {
        let (query, conditions) = line.split_once('|').expect("a query and its conditions");
        let meets =
            |index: usize| conditions.split_whitespace().all(|condition| measured.meets(index, condition));
        let relevant: Vec<bool> = (0..library.entries.len())
            .map(|index| measured.measurements[index].is_some() && meets(index))
            .collect();
        let count = relevant.iter().filter(|is| **is).count();
        if count == 0 {
            println!("{query:32} no relevant preset in this library");
            continue;
        }
        let only_shown = |ranking: Vec<usize>| -> Vec<usize> {
            ranking.into_iter().filter(|&index| measured.measurements[index].is_some()).collect()
        };
        let (best, _) = index.describe(&Description::parse(query), &SearchQuery::default());
        let by_look =
            average_precision(&only_shown(best.iter().map(|(at, _)| *at as usize).collect()), &relevant);
        let by_name = average_precision(&only_shown(by_names(&library, query)), &relevant);
        let share = count as f64 / shown.len() as f64;
        println!(
            "{query:32} {count:4} relevant  by look {by_look:.3}  by name {by_name:.3}  share {share:.3}"
        );
        (found, named, chance, asked) = (found + by_look, named + by_name, chance + share, asked + 1);
    }
    let mean = |sum: f64| sum / f64::from(asked.max(1));
    let (found, named, chance) = (mean(found), mean(named), mean(chance));
    println!(
        "{asked} queries on {} presets: by look {found:.3}, by name {named:.3}, random {chance:.3}",
        shown.len()
    );
    assert!(found >= 2.0 * named, "{found} {named}");
}

#[test]
fn every_query_and_condition_is_valid() {
    let lines: Vec<&str> = QUERIES.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), COUNT);
    for line in lines {
        let (query, conditions) = line.split_once('|').expect("a query and its conditions");
        assert!(!Description::parse(query).is_empty(), "{line}");
        for condition in conditions.split_whitespace().map(|condition| condition.trim_start_matches('!')) {
            let known = |name: &str| {
                RANKED.contains(&name)
                    || ["black", "white"].contains(&name)
                    || COLOURS.iter().any(|(c, _)| *c == name)
            };
            let valid = match condition.split_once(':') {
                Some(("tag", word)) => Tag::of(word).is_some(),
                Some((kind, _)) => kind == "name",
                None => condition.split(['<', '>']).next().is_some_and(|names| names.split('+').all(known)),
            };
            assert!(valid, "{line}: {condition}");
        }
    }
}

#[test]
fn average_precision_is_one_for_a_perfect_ranking() {
    let relevant = [true, false, true, false];
    assert_eq!(average_precision(&[2, 0, 1, 3], &relevant), 1.0);
    assert_eq!(average_precision(&[1, 0, 3, 2], &relevant), 0.5);
}
