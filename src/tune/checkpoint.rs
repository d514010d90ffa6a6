//! State of a training run after an epoch, saved to a file; the next run resumes from it and gives the same head.

use std::path::Path;

use super::error::TuneError;
use super::network::{Adam, Head};
use super::tensors::Tensors;

/// State of a training run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checkpoint {
    /// Number of finished epochs.
    pub epoch: usize,
    pub head: Head,
    pub adam: Adam,
    /// Head of the best epoch so far, which may be the untrained one.
    pub best: Head,
    /// Score of `best` on the validation presets.
    pub best_score: f64,
}

/// Prefixes of the parameters' names: the current head, the best one, and the means of the optimiser.
const PREFIXES: [&str; 4] = ["head", "best", "mean", "square"];

impl Checkpoint {
    /// Opens the checkpoint at `path`; `None` if there is none or it cannot be used. `on_note` receives a message.
    pub fn open(path: &Path, fingerprint: &str, on_note: &mut dyn FnMut(String)) -> Option<Self> {
        if !path.exists() {
            return None;
        }
        match Tensors::read(path).and_then(|tensors| Self::of(tensors, fingerprint)) {
            Ok(checkpoint) => {
                on_note(format!("resuming training after epoch {}", checkpoint.epoch));
                Some(checkpoint)
            }
            Err(why) => {
                on_note(format!("cannot resume from {} ({why}); training from the start", path.display()));
                None
            }
        }
    }

    fn of(mut tensors: Tensors, fingerprint: &str) -> Result<Self, String> {
        let metadata = tensors.metadata;
        let text = |key: &str| metadata.get(key).ok_or_else(|| format!("{key} is missing"));
        if text("fingerprint")? != fingerprint {
            return Err("the embeddings, labels or settings have changed".into());
        }
        let number = |key: &str| text(key)?.parse::<f64>().map_err(|error| format!("{key}: {error}"));
        let (epoch, steps, best_score) = (number("epoch")?, number("steps")?, number("best score")?);
        let [head, best, mean, square] =
            PREFIXES.map(|prefix| Head::of(|name| tensors.matrices.remove(&format!("{prefix}.{name}"))));
        let incomplete = || "a matrix is missing or has the wrong shape".to_owned();
        let values = |head: Option<Head>| {
            let head = head.ok_or_else(incomplete)?;
            Ok::<_, String>(head.parameters().into_iter().map(|(_, values)| values.clone()).collect())
        };
        let adam = Adam { means: values(mean)?, squares: values(square)?, steps: steps as i32 };
        let (head, best) = (head.ok_or_else(incomplete)?, best.ok_or_else(incomplete)?);
        Ok(Self { epoch: epoch as usize, head, adam, best, best_score })
    }

    /// Writes the checkpoint atomically.
    pub fn write(&self, path: &Path, fingerprint: &str) -> Result<(), TuneError> {
        let Self { epoch, head, adam, best, best_score } = self;
        let mut tensors = Tensors::default();
        let names: Vec<&str> = head.parameters().into_iter().map(|(name, _)| name).collect();
        let of_head = |head: &Head| -> Vec<_> {
            head.parameters().into_iter().map(|(_, values)| values.clone()).collect()
        };
        let parts = [of_head(head), of_head(best), adam.means.clone(), adam.squares.clone()];
        for (prefix, part) in PREFIXES.iter().zip(parts) {
            let named = names.iter().map(|name| format!("{prefix}.{name}"));
            tensors.matrices.extend(named.zip(part));
        }
        let entries = [
            ("fingerprint", fingerprint.to_owned()),
            ("epoch", epoch.to_string()),
            ("steps", adam.steps.to_string()),
            ("best score", best_score.to_string()),
        ];
        tensors.metadata.extend(entries.map(|(key, value)| (key.to_owned(), value)));
        Ok(tensors.write(path)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    #[test]
    fn a_checkpoint_reads_back_and_an_unusable_one_is_discarded_with_a_message() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("part.safetensors");
        let open = |fingerprint: &str| {
            let mut notes = Vec::new();
            let opened = Checkpoint::open(&path, fingerprint, &mut |note| notes.push(note));
            (opened, notes.join("\n"))
        };
        assert_eq!(open("same"), (None, String::new()));
        let head = Head::new(3, Some(2), &mut Rng::new(1));
        let adam = Adam { steps: 7, ..Adam::new(&head) };
        let best_score = 0.1 + 0.2;
        let checkpoint = Checkpoint { epoch: 4, best: head.clone(), head, adam, best_score };
        checkpoint.write(&path, "same").expect("written");
        assert_eq!(open("same"), (Some(checkpoint), "resuming training after epoch 4".into()));
        let (opened, note) = open("other");
        assert!(opened.is_none() && note.contains("have changed"), "{note}");
        let bytes = std::fs::read(&path).expect("there");
        std::fs::write(&path, &bytes[..bytes.len() - 9]).expect("written");
        let (opened, note) = open("same");
        assert!(opened.is_none() && note.contains("truncated") && note.contains("from the start"), "{note}");
    }
}
