//! Searches a library as the performer types.
//!
//! Queries run in memory, with these exceptions: "more like this" reads embeddings from disk, the first description or
//! picture reads the measurements from the store, and sorting by rating or date reads those from the store.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::axis::{AXES, picture_values};
use super::bits::Bits;
use super::encoder::{Encoder, LazyEncoder, OpenEncoder};
use super::example::{Example, Reference};
use super::measured::Measured;
use super::query::Description;
use super::score::{Model, Rating, closeness, keep_best, preset_named, rate};
use super::similar::{Similarity, similarity_to, sketch_embeddings};
use super::word_index::WordIndex;
use crate::disk;
use crate::facts::{Energy, PresetId, Tags};
use crate::library::looks::{Looks, Sketch};
use crate::library::{Catalogue, Entry};
use crate::store::{Store, StoreError};
use crate::units::printable;

/// Order of search results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchOrder {
    /// By folder and file name.
    #[default]
    Library,
    /// By name.
    Name,
    /// Best rating first.
    Rating,
    /// Newest file first.
    Newest,
    /// Calmest first.
    Energy,
}

impl SearchOrder {
    /// All orders, with their titles.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Library, "Folder"),
        (Self::Name, "Name"),
        (Self::Rating, "Rating"),
        (Self::Newest, "Newest"),
        (Self::Energy, "Energy"),
    ];
}

/// A search query. A preset must match every criterion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchQuery {
    /// Prefixes of words in the path, tags, energy or labels; with `describe`, the description of a look.
    pub text: String,
    /// Whether `text` describes a look. Results are then ordered by fit, best first.
    pub describe: bool,
    /// Required tags.
    pub tags: Tags,
    /// Energy that a preset must have.
    pub energy: Option<Energy>,
    /// Style that a preset must have, as an index in [`Catalogue::clusters`].
    pub cluster: Option<u16>,
    /// If set, the presets to search; others are skipped.
    pub only: Option<Arc<BTreeSet<PresetId>>>,
    /// If set, the preset that results should resemble. They are then ordered by similarity to it, most
    /// similar first; in a description, it is what "this" means and what "darker" is compared with.
    pub like: Option<PresetId>,
    /// The preset that a [`Reference`] in the description stands for.
    pub referent: Option<PresetId>,
    /// If set, a picture file that results should resemble. They are then ordered by similarity to it, most similar
    /// first, unless the description names a preset. In a description, it is what "this" means.
    pub picture: Option<PathBuf>,
    /// Order of the results of a query that is neither a description nor a similarity query.
    pub order: SearchOrder,
    /// Whether only the first result of each family is kept.
    pub one_per_family: bool,
}

/// The results of a query.
#[derive(Clone, Debug, Default)]
pub struct SearchResults {
    /// The query that was answered.
    pub query: SearchQuery,
    /// The library that was searched.
    pub library: Arc<Catalogue>,
    /// The looks of the library that was searched.
    pub looks: Arc<Looks>,
    /// Indices of the matching presets in the library.
    pub indices: Arc<Vec<u32>>,
    /// Why part of the query could not be applied as given.
    pub problem: Option<String>,
}

/// Maximum number of results of a similarity query or a description.
const MAX_RANKED: usize = 500;
/// Number of presets with the highest approximate similarities, from which the results of a similarity query are
/// chosen.
const MAX_ROUGH: usize = 8 * MAX_RANKED;

/// A picture that results should resemble.
struct Picture {
    /// Its value for each property; `None` for properties that only moving pictures have.
    values: [Option<f32>; AXES],
    /// How close each preset is to it according to a vision model, 0 to 1. Empty without one.
    closeness: Vec<Option<f32>>,
}

/// A library prepared for searching.
pub struct SearchIndex {
    library: Arc<Catalogue>,
    looks: Arc<Looks>,
    words: WordIndex,
    /// The last similarities that were computed from embeddings.
    like: Option<Similarity>,
    /// A sketch of the embeddings, once there is one.
    sketch: Arc<OnceLock<Sketch>>,
    /// The vision model of the embeddings.
    encoder: LazyEncoder,
    /// The last text that the vision model embedded, and how close each preset is to it, 0 to 1.
    seen: Option<(String, Vec<Option<f32>>)>,
    /// The picture of the last query, or why it cannot be used.
    picture: Option<(PathBuf, Result<Picture, String>)>,
    /// Measurements of the presets; `None` until the first description or picture.
    measured: Option<Measured>,
    /// The last order other than that of the library, and the indices of all presets in that order.
    order: Option<(SearchOrder, Vec<u32>)>,
    /// A number for each family, by preset; computed on first use.
    families: Option<Vec<u32>>,
}

impl SearchIndex {
    /// Prepares a library for searching; `labels` are the performer's own tags. Takes about a second for
    /// 100,000 presets.
    pub fn new(library: Arc<Catalogue>, labels: &HashMap<PresetId, Vec<String>>) -> Self {
        let words = WordIndex::of(&library, labels);
        let looks = Arc::new(Looks::of(&library));
        looks.problems.iter().for_each(|problem| log::warn!("{problem}"));
        Self {
            library,
            looks,
            words,
            like: None,
            sketch: Arc::default(),
            encoder: LazyEncoder::Open(None),
            seen: None,
            picture: None,
            measured: None,
            order: None,
            families: None,
        }
    }

    /// Makes a sketch of the embeddings, if there are many. Takes a few seconds for a million presets.
    pub fn make_sketch(&self) {
        sketch_embeddings(&self.looks, &self.sketch);
    }

    /// Starts a thread that makes a sketch of the embeddings, if there are many. Until it is finished, similarity
    /// queries read all embeddings.
    pub fn start_sketch(&self) {
        let (looks, sketch) = (self.looks.clone(), self.sketch.clone());
        let work = move || sketch_embeddings(&looks, &sketch);
        if let Err(error) = std::thread::Builder::new().name("sketch".into()).spawn(work) {
            log::warn!("could not start a thread ({error}); similarity queries are slower");
        }
    }

    /// Uses the vision model that `open` opens, to compare pictures and descriptions with the embeddings.
    pub fn with_encoder(mut self, open: OpenEncoder) -> Self {
        self.encoder = LazyEncoder::Closed(open);
        self
    }

    /// Reads the measurements of the presets, for descriptions and pictures. Takes a second or two for 100,000 presets.
    pub fn measure(&mut self, store: &Store) {
        self.measured = Some(Measured::of(&self.library, store, self.looks.bake.as_deref()));
    }

    /// Reads what a query needs: measurements and sort keys from the store, and the picture. Runs the vision model on
    /// the picture and the description, if there are any.
    pub fn prepare(&mut self, query: &SearchQuery, store: &Store) {
        if (query.describe || query.picture.is_some()) && self.measured.is_none() {
            self.measure(store);
        }
        if query.picture.is_none() {
            self.picture = None; // The file may have changed by the time it is used again.
        }
        if let Some(path) = &query.picture
            && self.picture.as_ref().is_none_or(|(known, _)| known != path)
        {
            self.picture = Some((path.clone(), self.read_picture(path)));
        }
        let visible = if query.describe { Description::parse(&query.text).visible() } else { String::new() };
        if !visible.is_empty() && self.seen.as_ref().is_none_or(|(text, _)| *text != visible) {
            self.seen = self.closeness_of(|encoder| encoder.text(&visible)).map(|seen| (visible, seen));
        }
        let order = query.order;
        // Ratings may change at any time.
        let is_known = self.order.as_ref().is_some_and(|(known, _)| *known == order);
        if order != SearchOrder::Library && (order == SearchOrder::Rating || !is_known) {
            let keys = self.keys_of(order, store).inspect_err(|error| {
                store.mark_if_damaged(error);
                log::warn!("cannot sort the search results: {error}");
            });
            self.order = keys.ok().map(|keys| {
                let mut sorted: Vec<u32> = (0..keys.len() as u32).collect();
                sorted.sort_by_key(|&index| keys[index as usize]);
                (order, sorted)
            });
        }
    }

    fn read_picture(&mut self, path: &Path) -> Result<Picture, String> {
        let picture = disk::picture(path).map(disk::middle).map_err(|error| {
            format!("cannot use {} as a picture: {error}", printable(&path.to_string_lossy()))
        })?;
        let closeness = self.closeness_of(|encoder| encoder.picture(&picture).map(Some)).unwrap_or_default();
        Ok(Picture { values: picture_values(&picture), closeness })
    }

    /// Returns how close each preset is to the vector that `embed` computes with the vision model of the embeddings,
    /// 0 to 1; `None` if there is no such model or no vector.
    fn closeness_of(
        &mut self,
        embed: impl FnOnce(&mut dyn Encoder) -> Result<Option<Vec<f32>>, String>,
    ) -> Option<Vec<Option<f32>>> {
        let vector = embed(self.encoder.get(self.looks.bake.as_deref())?);
        let similarity =
            vector.and_then(|vector| vector.map(|row| self.looks.similarity_to(&row)).transpose());
        let similarity = similarity.unwrap_or_else(|why| {
            log::warn!("searching without the vision model of the embeddings: {why}");
            None
        });
        similarity.map(|similarity| closeness(&similarity))
    }

    fn keys_of(&self, order: SearchOrder, store: &Store) -> Result<Vec<i64>, StoreError> {
        let entries = &self.library.entries;
        let mut keys = vec![0; entries.len()];
        let mut put = |id: PresetId, key: i64| {
            if let Some(at) = self.library.index_of(id) {
                keys[at] = key;
            }
        };
        match order {
            SearchOrder::Library => {}
            SearchOrder::Name => {
                let mut by_name: Vec<usize> = (0..entries.len()).collect();
                by_name.sort_by_cached_key(|&at| entries[at].name().to_lowercase());
                by_name.into_iter().zip(0..).for_each(|(at, key)| keys[at] = key);
            }
            SearchOrder::Rating => store.each_rating(|id, rating| put(id, -i64::from(rating)))?,
            SearchOrder::Newest => store.each_modified(|id, modified_ns| put(id, -modified_ns))?,
            SearchOrder::Energy => {
                keys = entries.iter().map(|entry| i64::from(entry.energy.rank())).collect();
            }
        }
        Ok(keys)
    }

    /// Returns the library.
    pub fn library(&self) -> &Arc<Catalogue> {
        &self.library
    }

    /// Returns the indices of the presets with their fit to a description, 0 to 1, best first, and a message
    /// if part of the description could not be applied. The preset that results should resemble ("like NAME")
    /// is omitted. Only the parts of `query` that the description may refer to are used.
    pub fn describe(
        &mut self,
        description: &Description,
        query: &SearchQuery,
    ) -> (Vec<(u32, f32)>, Option<String>) {
        let (mut fits, problem) = self.fits(description, query);
        keep_best(&mut fits, usize::MAX);
        (fits, problem)
    }

    /// Returns what [`Self::describe`] returns, in the order of the library.
    fn fits(&mut self, description: &Description, query: &SearchQuery) -> (Vec<(u32, f32)>, Option<String>) {
        let mut problems = Vec::new();
        let model = match (&query.picture, &description.like) {
            (Some(path), None | Some(Example::Reference(Reference::This))) => self.picture_model(path),
            _ => self.preset_model(description, query, &mut problems),
        };
        let model = model.unwrap_or_else(|why| {
            problems.push(why);
            None
        });
        let none = Measured::default();
        let measured = self.measured.as_ref().unwrap_or(&none);
        let visible = description.visible();
        let seen = self.seen.as_ref().filter(|(text, _)| *text == visible).map(|(_, seen)| seen.as_slice());
        let Rating { fits, problem } =
            rate(description, model.as_ref(), seen, &self.library, measured, &self.words);
        problems.extend(problem);
        (fits, (!problems.is_empty()).then(|| problems.join("; ")))
    }

    /// Returns the picture that results should resemble, if [`Self::prepare`] has read it.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    fn picture_model(&self, path: &Path) -> Result<Option<Model>, String> {
        let Some((_, read)) = self.picture.as_ref().filter(|(known, _)| known == path) else {
            return Ok(None);
        };
        let picture = read.as_ref().map_err(String::clone)?;
        let ranks =
            self.measured.as_ref().map_or([None; AXES], |measured| measured.ranks_of(&picture.values));
        Ok(Some(Model { preset: None, ranks, closeness: picture.closeness.clone() }))
    }

    /// Returns the preset that results should resemble, if the description or `query` has one. Adds to `problems` if
    /// the embeddings cannot be read.
    ///
    /// # Errors
    /// Fails if there is no such preset.
    fn preset_model(
        &mut self,
        description: &Description,
        query: &SearchQuery,
        problems: &mut Vec<String>,
    ) -> Result<Option<Model>, String> {
        let Some(preset) = self.example(description, query)? else { return Ok(None) };
        problems.extend(self.compare_embeddings(preset));
        let ranks = self.measured.as_ref().map_or([None; AXES], |measured| measured.ranks(preset));
        let closeness = self.similarity_to(preset).map(closeness).unwrap_or_default();
        Ok(Some(Model { preset: Some(preset), ranks, closeness }))
    }

    /// Returns the index of the preset that results should resemble, if the description or `query` has one.
    ///
    /// # Errors
    /// Fails if there is no such preset.
    fn example(&self, description: &Description, query: &SearchQuery) -> Result<Option<usize>, String> {
        let id = match &description.like {
            Some(Example::Name(name)) => {
                let named = preset_named(name, &self.library, &self.words);
                return named.map(Some).ok_or_else(|| format!("no preset is named {name}"));
            }
            Some(Example::Reference(Reference::This)) if query.like.is_some() => query.like,
            Some(Example::Reference(reference)) => Some(query.referent.ok_or_else(|| reference.problem())?),
            None => query.like,
        };
        let index = |id| {
            self.library
                .index_of(id)
                .ok_or_else(|| "the preset to resemble is not in this library".to_owned())
        };
        id.map(index).transpose()
    }

    /// Computes the similarity of all embeddings to that of a preset; returns a message if they cannot be read.
    fn compare_embeddings(&mut self, preset: usize) -> Option<String> {
        let id = self.library.entries[preset].id;
        if self.like.as_ref().is_some_and(|known| known.preset == id) {
            return None;
        }
        let sketch = self.sketch.get();
        let read = match sketch {
            Some(sketch) => Ok(self.looks.rough_similarity(sketch, preset)),
            None => self.looks.similarity(preset).transpose(),
        };
        let (values, problem) = match read {
            Ok(values) => (values, None),
            Err(why) => {
                (None, Some(format!("embeddings are unavailable ({why}); comparing by style and code")))
            }
        };
        let is_rough = sketch.is_some();
        self.like = values.map(|values| Similarity { preset: id, values, is_rough });
        problem
    }

    /// Returns the similarity of every preset to `preset`, if [`Self::compare_embeddings`] has computed it.
    fn similarity_to(&self, preset: usize) -> Option<&[Option<f32>]> {
        let id = self.library.entries[preset].id;
        self.like.as_ref().filter(|known| known.preset == id).map(|known| known.values.as_slice())
    }

    /// Returns the presets that match a query: best first for a description or similarity query, otherwise in the
    /// requested order. Uses what [`Self::prepare`] has read.
    pub fn find(&mut self, query: &SearchQuery) -> SearchResults {
        let passes = |entry: &Entry| {
            entry.tags.has_all(query.tags)
                && query.energy.is_none_or(|energy| energy == entry.energy)
                && query.cluster.is_none_or(|cluster| cluster == entry.cluster)
        };
        let library = self.library.clone();
        let description =
            if query.describe { Description::parse(&query.text) } else { Description::default() };
        let text = if description.is_empty() { query.text.as_str() } else { "" };
        let is_ranked = !description.is_empty() || query.picture.is_some();
        let fits = is_ranked.then(|| self.fits(&description, query));
        let mut indices = self.words.search(text).unwrap_or_else(|| match &query.only {
            // A small set is looked up by ID; otherwise all entries are filtered.
            Some(only) if only.len() < library.entries.len() / 16 => indices_of(&library, only),
            _ => (0..library.entries.len() as u32).collect(),
        });
        if query.tags != Tags::default() || query.energy.is_some() || query.cluster.is_some() {
            indices.retain(|&index| passes(&library.entries[index as usize]));
        }
        if let Some(only) = &query.only {
            indices.retain(|&index| only.contains(&library.entries[index as usize].id));
        }
        let problem = if let Some((mut fits, problem)) = fits {
            let kept = self.set_of(&indices);
            fits.retain(|(index, _)| kept.has(*index as usize));
            keep_best(&mut fits, MAX_RANKED);
            indices = fits.into_iter().map(|(index, _)| index).collect();
            problem
        } else if let Some(model) = query.like.and_then(|model| library.index_of(model)) {
            self.sort_by_similarity(model, &mut indices)
        } else {
            if let Some((_, sorted)) = self.order.as_ref().filter(|(order, _)| *order == query.order) {
                let kept = self.set_of(&indices);
                indices = sorted.iter().copied().filter(|index| kept.has(*index as usize)).collect();
            }
            None
        };
        if query.one_per_family {
            let families = self.families.get_or_insert_with(|| family_numbers(&library));
            let mut seen = Bits::new(families.len());
            indices.retain(|&index| seen.insert(families[index as usize] as usize));
        }
        let (looks, indices) = (self.looks.clone(), Arc::new(indices));
        SearchResults { query: query.clone(), library, looks, indices, problem }
    }

    fn set_of(&self, indices: &[u32]) -> Bits {
        let mut set = Bits::new(self.library.entries.len());
        for &index in indices {
            set.insert(index as usize);
        }
        set
    }

    /// Removes `model` from `indices`, sorts the rest by similarity to it and keeps the first [`MAX_RANKED`]. If
    /// `model` has an embedding, presets without one are omitted. Returns a message if the embeddings cannot be read.
    fn sort_by_similarity(&mut self, model: usize, indices: &mut Vec<u32>) -> Option<String> {
        indices.retain(|&index| index as usize != model);
        let mut problem = self.compare_embeddings(model);
        let mut values: Vec<(u32, f32)> = match &mut self.like {
            Some(known) if known.preset == self.library.entries[model].id => {
                let mut best = known.values_of(indices);
                if known.is_rough {
                    keep_best(&mut best, MAX_ROUGH);
                    let rough: Vec<u32> = best.iter().map(|(index, _)| *index).collect();
                    if let Err(why) = self.looks.refine(model, &rough, &mut known.values) {
                        problem =
                            Some(format!("embeddings are unavailable ({why}); the order is approximate"));
                    }
                    best = known.values_of(&rough);
                }
                best
            }
            _ => {
                let entries = &self.library.entries;
                let similarity = similarity_to(&entries[model]);
                indices.iter().map(|&index| (index, similarity(&entries[index as usize]) as f32)).collect()
            }
        };
        keep_best(&mut values, MAX_RANKED);
        *indices = values.into_iter().map(|(index, _)| index).collect();
        problem
    }
}

/// Returns a number for the family of each preset, counted from 0.
fn family_numbers(library: &Catalogue) -> Vec<u32> {
    let mut numbers = HashMap::new();
    let number = |entry: &Entry| {
        let next = numbers.len() as u32;
        *numbers.entry(entry.family).or_insert(next)
    };
    library.entries.iter().map(number).collect()
}

/// Returns the catalogue indices of the presets in `ids`, ascending.
fn indices_of(library: &Catalogue, ids: &BTreeSet<PresetId>) -> Vec<u32> {
    let mut indices: Vec<u32> =
        ids.iter().filter_map(|id| library.index_of(*id)).map(|at| at as u32).collect();
    indices.sort_unstable();
    indices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Tag;
    use crate::library::{Cluster, SourceLocation, StyleOrigin, load_built_in};
    use crate::units::Rng;

    fn found(query: &SearchQuery) -> Vec<Entry> {
        let library = load_built_in(&Store::in_memory().expect("opens")).expect("opens");
        let found = SearchIndex::new(Arc::new(library), &HashMap::new()).find(query);
        found.indices.iter().map(|&index| found.library.entries[index as usize].clone()).collect()
    }

    #[test]
    fn results_match_every_criterion() {
        let all = found(&SearchQuery::default()).len();
        let techno = found(&SearchQuery { text: "techno".into(), ..Default::default() });
        assert!(!techno.is_empty() && techno.len() < all);
        assert!(techno.iter().all(|entry| entry.path.starts_with("techno/")));
        let tags: Tags = [Tag::Shader].into_iter().collect();
        let energy = Some(Energy::Peak);
        let both = found(&SearchQuery { text: "tech".into(), tags, energy, ..Default::default() });
        assert!(both.iter().all(|entry| entry.tags.has(Tag::Shader) && entry.energy == Energy::Peak));
        assert!(found(&SearchQuery { text: "xyzzy".into(), ..Default::default() }).is_empty());
        let one = Arc::new(BTreeSet::from([techno[0].id]));
        assert_eq!(found(&SearchQuery { only: Some(one), ..Default::default() }).len(), 1);
    }

    /// Returns the built-in presets and an index of them; the first presets have these looks, in JSON.
    fn measured(looks: &[String]) -> (Arc<Catalogue>, SearchIndex) {
        let store = Store::in_memory().expect("opens");
        let library = Arc::new(load_built_in(&store).expect("opens"));
        let row = |(entry, look): (&Entry, &String)| crate::store::VerdictRow {
            id: entry.id,
            recipe: "r".into(),
            judged_by: String::new(),
            safety: "ok".into(),
            completeness: "ok".into(),
            look: "ok".into(),
            flash: "pass".into(),
            seen: Tags::default(),
            cost_ms: None,
            json: format!(r#"{{"safety":"ok","look":{look}}}"#),
            at: 1,
        };
        let rows: Vec<_> = library.entries.iter().zip(looks).map(row).collect();
        store.put_verdicts(&rows).expect("stored");
        let mut index = SearchIndex::new(library.clone(), &HashMap::new());
        index.measure(&store);
        (library, index)
    }

    #[test]
    fn a_description_ranks_by_what_was_measured_and_keeps_other_criteria() {
        let look = |luma: f64, blue: f64| format!(r#"{{"luma":{luma},"hues":[0.1,0,0,0,{blue},0]}}"#);
        let (library, mut index) = measured(&[look(0.8, 0.3), look(0.1, 0.3), look(0.2, 0.0)]);
        let mut first = |text: &str, only: Option<&[usize]>| {
            let only = only.map(|only| Arc::new(only.iter().map(|&at| library.entries[at].id).collect()));
            let query = SearchQuery { text: text.into(), describe: true, only, ..Default::default() };
            let found = index.find(&query);
            (found.indices[0] as usize, found.problem)
        };
        assert_eq!(first("dark blue", None), (1, None));
        assert_eq!(first("blue, not dark", None), (0, None));
        assert_eq!(first("bright", Some(&[1, 2])).0, 2);
        let name = library.entries[0].name().to_lowercase();
        assert_eq!(first(&format!("like {name} but darker"), None).0, 1);
        let (_, problem) = first("like xyzzy but darker", None);
        assert_eq!(problem.as_deref(), Some("no preset is named xyzzy"));
        let (found, problem) = first("dark blue xyzzy, no plugh", None);
        let problem = problem.expect("a word is unknown");
        assert!(found == 1 && problem.starts_with("not understood: xyzzy;"), "{problem}");
        let (found, _) = first("techno", None);
        assert!(library.entries[found].path.starts_with("techno/"), "matched by path");
    }

    #[test]
    fn a_description_compares_with_the_current_preset_or_a_numbered_result() {
        let look = |luma: f64, motion: f64| format!(r#"{{"luma":{luma},"motion":{motion}}}"#);
        let looks = [look(0.5, 0.5), look(0.5, 0.3), look(0.9, 0.1), look(0.5, 0.9)];
        let (library, mut index) = measured(&looks);
        let model = Some(library.entries[0].id);
        let mut first = |text: &str, like: Option<PresetId>, referent: Option<PresetId>| {
            let query =
                SearchQuery { text: text.into(), describe: true, like, referent, ..Default::default() };
            let found = index.find(&query);
            (found.indices[0] as usize, found.problem)
        };
        assert_eq!(first("calmer", None, None), (2, None), "the calmest, whatever it looks like");
        assert_eq!(first("like this, calmer", None, model), (1, None));
        assert_eq!(first("more like 3 but slower", None, model), (1, None));
        assert_eq!(first("calmer", model, None), (1, None), "\"More like this\" and a description");
        assert_eq!(first("like this, calmer", model, Some(library.entries[2].id)), (1, None));
        for (text, why) in [
            ("like this, calmer", "there is no current preset"),
            ("more like 3 but slower", "there is no result number 3"),
        ] {
            let (found, problem) = first(text, None, None);
            let problem = problem.expect("nothing to compare with");
            assert!(found == 2 && problem.starts_with(why), "{problem}");
        }
    }

    #[test]
    fn a_picture_finds_presets_that_look_like_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("picture.png");
        let blue = |x: u32, _: u32| image::Rgb([0, 0, if x < 256 { 255_u8 } else { 0 }]);
        image::RgbImage::from_fn(512, 288, blue).save(&path).expect("saved");
        let look = |luma: f64, hues: &str| format!(r#"{{"luma":{luma},"hues":[{hues}],"motion":0.2}}"#);
        let (red, green, blue) = ("0.4,0,0,0,0,0", "0,0,0.4,0,0,0", "0,0,0,0,0.5,0");
        let looks = [look(0.6, red), look(0.04, blue), look(0.5, green), look(0.6, blue)];
        let (library, mut index) = measured(&looks);
        let store = Store::in_memory().expect("opens");
        let mut find = |path: &Path, text: &str, describe: bool| {
            let picture = Some(path.to_owned());
            let query = SearchQuery { text: text.into(), describe, picture, ..Default::default() };
            index.prepare(&query, &store);
            let found = index.find(&query);
            (found.indices.first().map(|&index| index as usize), found.problem)
        };
        assert_eq!(find(&path, "", false), (Some(1), None));
        assert_eq!(find(&path, "", true), (Some(1), None));
        assert_eq!(find(&path, "brighter", true), (Some(3), None), "compared with the picture");
        assert_eq!(find(&path, "like this, brighter", true), (Some(3), None), "\"this\" is the picture");
        let name = library.entries[2].name();
        assert_eq!(find(&path, name, false).0, Some(2), "among the presets with this name");
        let text = folder.path().join("notes.txt");
        std::fs::write(&text, "not a picture").expect("written");
        let (first, problem) = find(&text, "", false);
        let problem = problem.expect("refused");
        let is_named = problem.starts_with("cannot use ") && problem.contains("notes.txt as a picture");
        assert!(first.is_none() && is_named, "{problem}");
    }

    #[test]
    fn a_picture_that_has_changed_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("picture.png");
        let (red, green) = ("0.4,0,0,0,0,0", "0,0,0.4,0,0,0");
        let looks = [red, green].map(|hues| format!(r#"{{"luma":0.3,"hues":[{hues}]}}"#));
        let (_, mut index) = measured(&looks);
        let store = Store::in_memory().expect("opens");
        let mut first = |colour: [u8; 3]| {
            image::RgbImage::from_pixel(64, 36, image::Rgb(colour)).save(&path).expect("saved");
            index.prepare(&SearchQuery::default(), &store);
            let query = SearchQuery { picture: Some(path.clone()), ..Default::default() };
            index.prepare(&query, &store);
            index.find(&query).indices[0]
        };
        assert_eq!((first([200, 0, 0]), first([0, 200, 0])), (0, 1));
    }

    /// A fake vision model with two dimensions: one for any picture, one for the text "jellyfish".
    struct Fake;

    impl Encoder for Fake {
        fn picture(&mut self, _: &image::DynamicImage) -> Result<Vec<f32>, String> {
            Ok(vec![1.0, 0.0])
        }

        fn text(&mut self, text: &str) -> Result<Option<Vec<f32>>, String> {
            Ok((text == "jellyfish").then(|| vec![0.0, 1.0]))
        }
    }

    fn open_fake(_: &Path) -> Result<Option<Box<dyn Encoder>>, String> {
        Ok(Some(Box::new(Fake)))
    }

    #[test]
    fn a_vision_model_ranks_by_picture_and_by_description() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a", "b", "c"] {
            let path = folder.path().join(format!("{name}.milk"));
            std::fs::write(path, format!("zoom={name}")).expect("written");
        }
        let rows = ndarray::arr2(&[[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]]);
        std::fs::write(folder.path().join("embeddings.npy"), disk::npy::encode(&rows)).expect("written");
        std::fs::write(folder.path().join("ids.txt"), "a.milk\nb.milk\nc.milk\n").expect("written");
        let picture = folder.path().join("picture.png");
        image::RgbImage::new(16, 16).save(&picture).expect("saved");
        let store = Store::in_memory().expect("opens");
        let place = crate::library::LibraryLocation::of(folder.path());
        let library = crate::library::open(&store, &place, 1, |_| ()).expect("opens").catalogue;
        let mut index = SearchIndex::new(library.into(), &HashMap::new()).with_encoder(open_fake);
        let mut first = |text: &str, picture: Option<&Path>| {
            let picture = picture.map(Path::to_owned);
            let query = SearchQuery { text: text.into(), describe: true, picture, ..Default::default() };
            index.prepare(&query, &store);
            let found = index.find(&query);
            let path = found.indices.first().map(|&at| found.library.entries[at as usize].path.clone());
            (path, found.problem)
        };
        assert_eq!(first("jellyfish", None), (Some("c.milk".into()), None));
        assert_eq!(first("jellyfish, no xyzzyqq", None), (Some("c.milk".into()), None));
        assert_eq!(first("", Some(&picture)), (Some("a.milk".into()), None));
        let (path, problem) = first("xyzzyqq", None);
        let problem = problem.expect("not understood");
        assert!(path.is_none() && problem.starts_with("not understood: xyzzyqq"), "{problem}");
    }

    #[test]
    fn nothing_fits_a_description_without_a_known_word() {
        let library = load_built_in(&Store::in_memory().expect("opens")).expect("opens");
        let mut index = SearchIndex::new(Arc::new(library), &HashMap::new());
        for (text, why) in [
            ("xyzzyqq", "not understood: xyzzyqq;"),
            ("像素", "not understood: 像素;"),
            ("like", "not understood: like;"),
            ("no xyzzyqq", "not understood: xyzzyqq;"),
            ("like xyzzyqq", "no preset is named xyzzyqq"),
        ] {
            let query = SearchQuery { text: text.into(), describe: true, ..Default::default() };
            let SearchResults { indices, problem, .. } = index.find(&query);
            assert!(indices.is_empty(), "{text}");
            assert!(
                problem.as_deref().is_some_and(|problem| problem.starts_with(why)),
                "{text}: {problem:?}"
            );
        }
    }

    #[test]
    fn similar_presets_start_with_the_same_style_and_exclude_the_preset() {
        let model = found(&SearchQuery::default()).remove(3);
        let like = found(&SearchQuery { like: Some(model.id), ..Default::default() });
        assert_eq!(like[0].cluster, model.cluster);
        assert!(like.iter().all(|entry| entry.id != model.id));
    }

    #[test]
    fn a_sketch_of_the_embeddings_finds_almost_the_same_presets() {
        const PRESETS: usize = 20_000;
        const WIDTH: usize = 64;
        let folder = tempfile::tempdir().expect("a folder");
        let root: Arc<Path> = folder.path().into();
        let entry = |at: usize| Entry {
            id: PresetId::of(&at.to_le_bytes()),
            location: SourceLocation::Below(root.clone()),
            path: format!("{at}.milk"),
            cluster: 0,
            energy: Energy::of_rank((at % 3) as u8),
            family: at as u64,
            tags: Tags::default(),
        };
        let entries: Vec<Entry> = (0..PRESETS).map(entry).collect();
        let ids: String = entries.iter().map(|entry| format!("{}\n", entry.path)).collect();
        std::fs::write(folder.path().join("ids.txt"), ids).expect("written");
        let mut rng = Rng::new(5);
        let value = |(_, at): (usize, usize)| rng.normal() as f32 / (at as f32 + 1.0).sqrt();
        let rows = ndarray::Array2::from_shape_fn((PRESETS, WIDTH), value);
        std::fs::write(folder.path().join("embeddings.npy"), disk::npy::encode(&rows)).expect("written");
        let mut library = Catalogue::new(entries, vec![Cluster::default()], StyleOrigin::V1);
        library.folder = Some(folder.path().to_owned());
        let mut index = SearchIndex::new(Arc::new(library), &HashMap::new());
        let all = SearchQuery { like: Some(index.library.entries[7].id), ..SearchQuery::default() };
        let queries = [all.clone(), SearchQuery { energy: Some(Energy::Peak), ..all }];
        let exact = queries.each_ref().map(|query| index.find(query).indices);
        index.make_sketch();
        for (query, exact) in queries.iter().zip(exact) {
            index.like = None;
            let found = index.find(query).indices;
            let same = exact.iter().filter(|&index| found.contains(index)).count();
            assert_eq!((exact.len(), found.len(), exact[0]), (MAX_RANKED, MAX_RANKED, found[0]));
            assert!(same * 100 >= MAX_RANKED * 97, "{same} of {MAX_RANKED}");
            assert!(index.like.as_ref().is_some_and(|like| like.is_rough));
        }
    }

    #[test]
    fn results_are_sorted_as_requested_and_families_collapsed() {
        let store = Store::in_memory().expect("opens");
        let mut library = load_built_in(&store).expect("opens");
        library.entries[2].family = library.entries[1].family;
        let (second, last) = (library.entries[1].id, library.entries[9].id);
        store.set_rating(last, Some(5), 1).expect("rated");
        let mut index = SearchIndex::new(Arc::new(library), &HashMap::new());
        let mut find = |order, one_per_family| {
            let query = SearchQuery { order, one_per_family, ..Default::default() };
            index.prepare(&query, &store);
            let found = index.find(&query);
            found.indices.iter().map(|&at| found.library.entries[at as usize].clone()).collect::<Vec<_>>()
        };
        let names: Vec<String> =
            find(SearchOrder::Name, false).iter().map(|entry| entry.name().to_lowercase()).collect();
        assert!(names.is_sorted() && names.len() > 30);
        assert!(find(SearchOrder::Energy, false).iter().map(|entry| entry.energy.rank()).is_sorted());
        assert_eq!(find(SearchOrder::Rating, false)[0].id, last);
        store.set_rating(second, Some(4), 1).expect("rated");
        assert_eq!(find(SearchOrder::Rating, false)[1].id, second, "ratings are read again");
        assert_eq!(find(SearchOrder::Library, true).len(), names.len() - 1);
    }
}
