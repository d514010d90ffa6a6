//! Rates a library for the theme of the night, on a separate thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::persistence::open_store;
use crate::find::{OpenEncoder, SearchIndex, SearchQuery};
use crate::mind::director::{Pool, Theme};
use crate::show::NextLibrary;
use crate::store::Store;

/// A pool with its theme, and a message if part of the theme could not be applied.
pub type ThemedPool = (Arc<Pool>, Option<String>);

/// A library with its theme, and a message if part of the theme could not be applied.
type ThemedLibrary = (NextLibrary, Option<String>);

/// Returns `pool` with the theme `text`, or without a theme if `text` is blank. `open_encoder` opens the vision model
/// that compares presets with descriptions. Takes seconds for 100,000 presets.
pub fn themed(
    pool: &Pool,
    text: &str,
    store: &Store,
    open_encoder: Option<OpenEncoder>,
) -> anyhow::Result<ThemedPool> {
    if text.trim().is_empty() {
        return Ok((Arc::new(pool.with_theme(None)), None));
    }
    let mut index = SearchIndex::new(pool.catalogue.clone(), &store.labels()?);
    if let Some(open) = open_encoder {
        index = index.with_encoder(open);
    }
    index.prepare(&SearchQuery { text: text.to_owned(), describe: true, ..SearchQuery::default() }, store);
    let (theme, problem) = Theme::of(text, &mut index);
    Ok((Arc::new(pool.with_theme(Some(theme))), problem.map(|problem| format!("theme: {problem}"))))
}

/// The rating of a library for a theme, in progress on another thread.
pub(super) struct Theming {
    /// Text of the theme.
    pub text: String,
    done: Receiver<anyhow::Result<ThemedLibrary>>,
}

impl Theming {
    /// Starts the thread. If the returned value is dropped, the result of the rating is discarded.
    pub fn start(pool: Arc<Pool>, text: String, open_encoder: Option<OpenEncoder>) -> std::io::Result<Self> {
        let (sender, done) = sync_channel(1);
        let theme = text.clone();
        let work = move || {
            let result = open_store().and_then(|(store, _)| themed(&pool, &theme, &store, open_encoder));
            let result = result.map(|(pool, problem)| (NextLibrary::from(pool), problem));
            sender.send(result).ok(); // Fails if the theme or library has changed since.
        };
        std::thread::Builder::new().name("theme".into()).spawn(work)?;
        Ok(Self { text, done })
    }

    /// Returns the result once it is available.
    pub fn result(&self) -> Option<anyhow::Result<ThemedLibrary>> {
        match self.done.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(anyhow::anyhow!("the theme thread exited unexpectedly")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::find::Encoder;
    use crate::library::LibraryLocation;

    /// A fake vision model that embeds only the text "jellyfish".
    struct Fake;

    impl Encoder for Fake {
        fn picture(&mut self, _: &image::DynamicImage) -> Result<Vec<f32>, String> {
            Err("unused".into())
        }

        fn text(&mut self, text: &str) -> Result<Option<Vec<f32>>, String> {
            Ok((text == "jellyfish").then(|| vec![0.0, 1.0]))
        }
    }

    fn open_fake(_: &Path) -> Result<Option<Box<dyn Encoder>>, String> {
        Ok(Some(Box::new(Fake)))
    }

    #[test]
    fn a_vision_model_rates_presets_for_a_theme() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a", "b"] {
            let path = folder.path().join(format!("{name}.milk"));
            std::fs::write(path, format!("zoom={name}")).expect("written");
        }
        let rows = ndarray::arr2(&[[0.9, 0.1], [0.1, 0.9]]);
        std::fs::write(folder.path().join("embeddings.npy"), crate::disk::npy::encode(&rows))
            .expect("written");
        std::fs::write(folder.path().join("ids.txt"), "a.milk\nb.milk\n").expect("written");
        let store = Store::in_memory().expect("opens");
        let place = LibraryLocation::of(folder.path());
        let library = crate::library::open(&store, &place, 1, |_| ()).expect("opens").catalogue;
        let pool = Pool::new(Arc::new(library));
        let (themed_pool, problem) = themed(&pool, "jellyfish", &store, Some(open_fake)).expect("themed");
        assert_eq!(problem, None);
        let fits =
            themed_pool.theme().map(|theme| serde_json::to_value(theme).expect("JSON")["fits"].clone());
        assert_eq!(fits, Some("az".into()));
        let (_, problem) = themed(&pool, "jellyfish", &store, None).expect("themed");
        assert!(problem.is_some_and(|problem| problem.contains("not understood: jellyfish")));
    }
}
