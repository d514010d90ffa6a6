//! Searching a library while somebody types: a thread of its own answers, so that nobody waits.
//!
//! Everything is decided in memory; only "more like this" reads the embeddings of a bake from the disk.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::looks::Looks;
use super::store::Store;
use super::word_index::WordIndex;
use super::{Catalogue, Energy, Entry, PresetId, Tags};

/// What is looked for. Everything asked has to be true of a preset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchQuery {
    /// Beginnings of words of the name, the path or the tags.
    pub text: String,
    /// Tags it has.
    pub tags: Tags,
    /// How much it moves.
    pub energy: Option<Energy>,
    /// Its style, a place in [`Catalogue::clusters`].
    pub cluster: Option<u16>,
    /// One of these.
    pub only: Option<Arc<BTreeSet<PresetId>>>,
    /// Like this preset; the likest come first.
    pub like: Option<PresetId>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct SearchResults {
    /// The question.
    pub question: SearchQuery,
    /// The library that was asked.
    pub library: Arc<Catalogue>,
    /// How that library looks.
    pub looks: Arc<Looks>,
    /// Places in that library.
    pub places: Arc<Vec<u32>>,
    /// Why something could not be found, in words.
    pub trouble: Option<String>,
}

/// How many presets "like this one" lists.
const LIKE: usize = 500;

/// A library made ready to be searched.
pub struct SearchIndex {
    library: Arc<Catalogue>,
    looks: Arc<Looks>,
    words: WordIndex,
    /// How like the model of the last such question every preset is.
    like: Option<(PresetId, Vec<Option<f32>>)>,
}

impl SearchIndex {
    /// Makes a library ready; `labels` are the performer's own words on presets. Takes about a second for a hundred
    /// thousand presets.
    pub fn new(library: Arc<Catalogue>, labels: &HashMap<PresetId, String>) -> Self {
        let words = WordIndex::of(&library, labels);
        let looks = Arc::new(Looks::of(&library));
        Self { library, looks, words, like: None }
    }

    /// The presets that answer a question, in the library's order or the likest first; a trouble is told besides.
    pub fn find(&mut self, question: &SearchQuery) -> SearchResults {
        let fits = |entry: &Entry| {
            entry.tags.has_all(question.tags)
                && question.energy.is_none_or(|energy| energy == entry.energy)
                && question.cluster.is_none_or(|cluster| cluster == entry.cluster)
        };
        let library = self.library.clone();
        let mut places = self.words.search(&question.text).unwrap_or_else(|| match &question.only {
            // A few are looked up; everything else is gone through.
            Some(only) if only.len() < library.entries.len() / 16 => placed(&library, only),
            _ => (0..library.entries.len() as u32).collect(),
        });
        if question.tags != Tags::default() || question.energy.is_some() || question.cluster.is_some() {
            places.retain(|&place| fits(&library.entries[place as usize]));
        }
        if let Some(only) = &question.only {
            places.retain(|&place| only.contains(&library.entries[place as usize].id));
        }
        let trouble = question.like.and_then(|model| self.likest_first(model, &mut places));
        let (looks, places) = (self.looks.clone(), Arc::new(places));
        SearchResults { question: question.clone(), library, looks, places, trouble }
    }

    /// Puts the likest first and keeps [`LIKE`] of them; says what is wrong with the embeddings, if anything.
    fn likest_first(&mut self, model: PresetId, places: &mut Vec<u32>) -> Option<String> {
        let at = self.library.place(model)?;
        let entry = &self.library.entries[at];
        places.retain(|&place| self.library.entries[place as usize].id != model);
        let mut trouble = None;
        if self.like.as_ref().is_none_or(|(known, _)| *known != model) {
            self.like = match self.looks.likeness(at) {
                Some(Ok(likeness)) => Some((model, likeness)),
                Some(Err(why)) => {
                    trouble = Some(format!("what looks alike is told by style and code: {why}"));
                    None
                }
                None => None,
            };
        }
        match self.like.as_ref().filter(|(known, _)| *known == model) {
            Some((_, likeness)) => {
                places.retain(|&place| likeness[place as usize].is_some());
                let key = |place: &u32| likeness[*place as usize].unwrap_or(f32::NEG_INFINITY);
                places.sort_by(|a, b| key(b).total_cmp(&key(a)));
            }
            None => places.sort_by_cached_key(|&place| {
                std::cmp::Reverse(likeness(entry, &self.library.entries[place as usize]))
            }),
        }
        places.truncate(LIKE);
        trouble
    }
}

/// Where these presets are, ascending.
fn placed(library: &Catalogue, ids: &BTreeSet<PresetId>) -> Vec<u32> {
    let mut places: Vec<u32> = ids.iter().filter_map(|id| library.place(*id)).map(|at| at as u32).collect();
    places.sort_unstable();
    places
}

/// How alike two presets are where nobody has seen them: shared code counts most, then the style, then energy and single
/// words.
fn likeness(a: &Entry, b: &Entry) -> u32 {
    let shared = (a.tags.0 & b.tags.0).count_ones();
    let different = (a.tags.0 ^ b.tags.0).count_ones();
    let author = super::style::author_key(a.name()) == super::style::author_key(b.name());
    16 + 12 * u32::from(a.family == b.family)
        + 8 * u32::from(a.cluster == b.cluster)
        + 2 * u32::from(a.energy == b.energy)
        + 2 * u32::from(author)
        + shared
        - different.min(16)
}

/// The thread that answers; the newest question wins.
pub struct SearchThread {
    sender: Option<SyncSender<()>>,
    wanted: Arc<Mutex<Option<(Arc<Catalogue>, SearchQuery)>>>,
    answers: Receiver<SearchResults>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl SearchThread {
    /// Starts the thread; `store` knows the performer's own words on presets.
    pub fn start(store: Store) -> std::io::Result<Self> {
        let (sender, asked) = sync_channel(1);
        let (answer, answers) = sync_channel(4);
        let wanted: Arc<Mutex<Option<(Arc<Catalogue>, SearchQuery)>>> = Arc::default();
        let shared = wanted.clone();
        let work = move || {
            let mut searcher: Option<SearchIndex> = None;
            while asked.recv().is_ok() {
                let next = shared.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some((library, question)) = next else { continue };
                let ready = searcher.take().filter(|ready| Arc::ptr_eq(&ready.library, &library));
                let ready = ready.unwrap_or_else(|| made_ready(library, &store));
                if answer.send(searcher.insert(ready).find(&question)).is_err() {
                    break; // Nobody asks any more.
                }
            }
        };
        let thread = std::thread::Builder::new().name("finder".into()).spawn(work)?;
        Ok(Self { sender: Some(sender), wanted, answers, thread: Some(thread) })
    }

    /// Asks; a question that was not answered yet is forgotten. Waits for nothing.
    pub fn ask(&self, library: &Arc<Catalogue>, question: SearchQuery) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some((library.clone(), question));
        if let Some(sender) = &self.sender {
            match sender.try_send(()) {
                Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {} // It looks anyway.
            }
        }
    }

    /// The newest answer since the last call.
    pub fn answer(&self) -> Option<SearchResults> {
        self.answers.try_iter().last()
    }
}

impl Drop for SearchThread {
    fn drop(&mut self) {
        self.sender = None;
        while self.answers.try_recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A thread that fell has no more answers.
        }
    }
}

fn made_ready(library: Arc<Catalogue>, store: &Store) -> SearchIndex {
    let labels = store.labels().unwrap_or_else(|error| {
        store.met(&error);
        log::warn!("the performer's own tags cannot be searched: {error}");
        HashMap::new()
    });
    let searcher = SearchIndex::new(library, &labels);
    searcher.looks.problems.iter().for_each(|problem| log::warn!("{problem}"));
    super::give_back_memory();
    searcher
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{Tag, load_built_in};

    fn found(question: &SearchQuery) -> Vec<Entry> {
        let library = load_built_in(&Store::in_memory().expect("opens")).expect("opens");
        let answer = SearchIndex::new(Arc::new(library), &HashMap::new()).find(question);
        answer.places.iter().map(|&place| answer.library.entries[place as usize].clone()).collect()
    }

    #[test]
    fn everything_asked_is_true_of_what_is_found() {
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

    #[test]
    fn presets_like_one_begin_with_its_style_and_leave_it_out() {
        let model = found(&SearchQuery::default()).remove(3);
        let like = found(&SearchQuery { like: Some(model.id), ..Default::default() });
        assert_eq!(like[0].cluster, model.cluster);
        assert!(like.iter().all(|entry| entry.id != model.id));
    }

    #[test]
    fn the_newest_question_is_answered() {
        let store = Store::in_memory().expect("opens");
        let library = Arc::new(load_built_in(&store).expect("opens"));
        let finder = SearchThread::start(store).expect("starts");
        for text in ["a", "am", "ambient"] {
            finder.ask(&library, SearchQuery { text: text.into(), ..Default::default() });
        }
        let answer = std::iter::from_fn(|| {
            std::thread::yield_now();
            Some(finder.answer())
        });
        let last = answer.flatten().find(|answer| answer.question.text == "ambient").expect("answered");
        assert!(!last.places.is_empty() && last.trouble.is_none());
    }
}
