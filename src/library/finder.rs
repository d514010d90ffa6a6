//! Searching a library while somebody types: a thread of its own answers, so that nobody waits.
//!
//! Words go to the store's full-text index; everything else is decided by the table in memory.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::store::{Store, StoreError};
use super::{Catalogue, Energy, Entry, PresetId, Tags};

/// What is looked for. Everything asked has to be true of a preset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
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
pub struct Answer {
    /// The question.
    pub question: Question,
    /// The library that was asked.
    pub library: Arc<Catalogue>,
    /// Places in that library.
    pub places: Vec<u32>,
    /// Why nothing could be found, in words.
    pub trouble: Option<String>,
}

/// How many presets "like this one" lists.
const LIKE: usize = 500;

/// The presets of a library that answer a question, in the library's order or the likest first.
pub fn find(store: &Store, library: &Catalogue, question: &Question) -> Result<Vec<u32>, StoreError> {
    let fits = |entry: &Entry| {
        entry.tags.has_all(question.tags)
            && question.energy.is_none_or(|energy| energy == entry.energy)
            && question.cluster.is_none_or(|cluster| cluster == entry.cluster)
            && question.only.as_ref().is_none_or(|only| only.contains(&entry.id))
    };
    let fits_at = |place: &u32| fits(&library.entries[*place as usize]);
    let mut places: Vec<u32> = if question.text.chars().any(char::is_alphanumeric) {
        let mut places = library.places_of_rows(&store.search_rows(&question.text)?);
        places.retain(fits_at);
        places
    } else {
        (0..library.entries.len() as u32).filter(fits_at).collect()
    };
    if let Some(model) = question.like.and_then(|id| library.place(id)) {
        let model = &library.entries[model];
        places.retain(|&place| library.entries[place as usize].id != model.id);
        places.sort_by_key(|&place| std::cmp::Reverse(likeness(model, &library.entries[place as usize])));
        places.truncate(LIKE);
    }
    Ok(places)
}

/// How alike two presets are: shared code counts most, then the style, then energy and single words.
fn likeness(a: &Entry, b: &Entry) -> u32 {
    let shared = (a.tags.0 & b.tags.0).count_ones();
    let different = (a.tags.0 ^ b.tags.0).count_ones();
    let author = super::style::author_key(&a.name) == super::style::author_key(&b.name);
    16 + 12 * u32::from(a.family == b.family)
        + 8 * u32::from(a.cluster == b.cluster)
        + 2 * u32::from(a.energy == b.energy)
        + 2 * u32::from(author)
        + shared
        - different.min(16)
}

/// The thread that answers; the newest question wins.
pub struct Finder {
    sender: Option<SyncSender<()>>,
    wanted: Arc<Mutex<Option<(Arc<Catalogue>, Question)>>>,
    answers: Receiver<Answer>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Finder {
    /// Starts the thread.
    pub fn start(store: Store) -> std::io::Result<Self> {
        let (sender, asked) = sync_channel(1);
        let (answer, answers) = sync_channel(4);
        let wanted: Arc<Mutex<Option<(Arc<Catalogue>, Question)>>> = Arc::default();
        let shared = wanted.clone();
        let work = move || {
            while asked.recv().is_ok() {
                let next = shared.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some((library, question)) = next else { continue };
                let (places, trouble) = match find(&store, &library, &question) {
                    Ok(places) => (places, None),
                    Err(error) => (Vec::new(), Some(format!("nothing can be searched: {error}"))),
                };
                if answer.send(Answer { question, library, places, trouble }).is_err() {
                    break; // Nobody asks any more.
                }
            }
        };
        let thread = std::thread::Builder::new().name("finder".into()).spawn(work)?;
        Ok(Self { sender: Some(sender), wanted, answers, thread: Some(thread) })
    }

    /// Asks; a question that was not answered yet is forgotten. Waits for nothing.
    pub fn ask(&self, library: &Arc<Catalogue>, question: Question) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some((library.clone(), question));
        if let Some(sender) = &self.sender {
            match sender.try_send(()) {
                Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {} // It looks anyway.
            }
        }
    }

    /// The newest answer since the last call.
    pub fn answer(&self) -> Option<Answer> {
        self.answers.try_iter().last()
    }
}

impl Drop for Finder {
    fn drop(&mut self) {
        self.sender = None;
        while self.answers.try_recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A thread that fell has no more answers.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{Tag, load_built_in};

    fn found(question: &Question) -> Vec<Entry> {
        let store = Store::in_memory().expect("opens");
        let library = load_built_in(&store).expect("opens");
        let places = find(&store, &library, question).expect("searched");
        places.into_iter().map(|place| library.entries[place as usize].clone()).collect()
    }

    #[test]
    fn everything_asked_is_true_of_what_is_found() {
        let all = found(&Question::default()).len();
        let techno = found(&Question { text: "techno".into(), ..Default::default() });
        assert!(!techno.is_empty() && techno.len() < all);
        assert!(techno.iter().all(|entry| entry.path.starts_with("techno/")));
        let tags: Tags = [Tag::Shader].into_iter().collect();
        let energy = Some(Energy::Peak);
        let both = found(&Question { text: "tech".into(), tags, energy, ..Default::default() });
        assert!(both.iter().all(|entry| entry.tags.has(Tag::Shader) && entry.energy == Energy::Peak));
        assert!(found(&Question { text: "xyzzy".into(), ..Default::default() }).is_empty());
        let one = Arc::new(BTreeSet::from([techno[0].id]));
        assert_eq!(found(&Question { only: Some(one), ..Default::default() }).len(), 1);
    }

    #[test]
    fn presets_like_one_begin_with_its_style_and_leave_it_out() {
        let model = found(&Question::default()).remove(3);
        let like = found(&Question { like: Some(model.id), ..Default::default() });
        assert_eq!(like[0].cluster, model.cluster);
        assert!(like.iter().all(|entry| entry.id != model.id));
    }

    #[test]
    fn the_newest_question_is_answered() {
        let store = Store::in_memory().expect("opens");
        let library = Arc::new(load_built_in(&store).expect("opens"));
        let finder = Finder::start(store).expect("starts");
        for text in ["a", "am", "ambient"] {
            finder.ask(&library, Question { text: text.into(), ..Default::default() });
        }
        let answer = std::iter::from_fn(|| {
            std::thread::yield_now();
            Some(finder.answer())
        });
        let last = answer.flatten().find(|answer| answer.question.text == "ambient").expect("answered");
        assert!(!last.places.is_empty() && last.trouble.is_none());
    }
}
