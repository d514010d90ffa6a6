//! A vision model in a worker process, which may read only the model, the runtime and the frames, and has no network
//! access.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ndarray::{Array2, aview1};
use serde::{Deserialize, Serialize};

use super::onnx::{Onnx, library_folders};
use super::{BakeItem, Embedder, EmbedderId, PresetInput};
use crate::confine::Rights;
use crate::disk::{self, WirePath};
use crate::jobs::workers::{self, Limits, Outcome, PoolSettings, Worker, WorkerCount};

/// Number of presets per request.
const TOGETHER: usize = 32;
/// Limits of one request, generous because models and computers differ.
const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(4 * 3600),
    wall: Duration::from_secs(1800),
    memory_mib: 256 << 10,
    recycle_mib: 256 << 10,
};

/// Where a vision model runs, and its number of threads.
#[derive(Clone, Copy, Debug)]
pub enum ModelHost {
    /// A confined worker process.
    Worker(usize),
    /// This process, for tests.
    Here(usize),
}

impl ModelHost {
    /// Returns the number of threads.
    pub fn threads(self) -> usize {
        let (Self::Worker(threads) | Self::Here(threads)) = self;
        threads
    }

    /// Opens and tests the model in `folder`; a worker may read the frames of `items`.
    pub(super) fn open(self, folder: &Path, items: &[BakeItem]) -> Result<Box<dyn VisionModel>, String> {
        let model: Box<dyn VisionModel> = match self {
            Self::Worker(threads) => Box::new(ModelProcess::open(folder, threads, items)?),
            Self::Here(threads) => Box::new(Onnx::open(folder, threads)?),
        };
        Ok(model)
    }
}

/// A vision model that is ready to run.
pub(super) trait VisionModel: Embedder {
    /// Returns the number of dimensions of a row.
    fn width(&self) -> usize;

    /// Describes the output size, the runtime and the number of threads.
    fn description(&self) -> String;
}

impl VisionModel for Onnx {
    fn width(&self) -> usize {
        Self::width(self)
    }

    fn description(&self) -> String {
        Self::description(self)
    }
}

#[derive(Serialize, Deserialize)]
struct ModelSettings {
    folder: WirePath,
    threads: usize,
}

/// The frames of each preset.
type Request = Vec<Vec<WirePath>>;

/// The model, and the row of each preset.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    id: EmbedderId,
    width: usize,
    description: String,
    rows: Vec<Vec<f32>>,
}

struct ModelProcess {
    worker: Worker,
    id: EmbedderId,
    width: usize,
    description: String,
}

impl ModelProcess {
    fn open(folder: &Path, threads: usize, items: &[BakeItem]) -> Result<Self, String> {
        let settings = ModelSettings { folder: WirePath(folder.to_owned()), threads };
        let settings = serde_json::to_string(&settings).map_err(|error| error.to_string())?;
        let mut worker = Worker::new(PoolSettings {
            workers: WorkerCount::Fixed(1),
            limits: LIMITS,
            arguments: vec!["worker".into(), "model".into(), settings],
            rights: rights(folder, items),
            environment: Vec::new(),
            start_pauses: &[],
            pause_for: None,
            stop: Arc::default(),
        });
        let Answer { id, width, description, rows: _ } = ask(&mut worker, &Vec::new())?;
        Ok(Self { worker, id, width, description })
    }
}

fn ask(worker: &mut Worker, request: &Request) -> Result<Answer, String> {
    match worker.run::<Request, Result<Answer, String>>(request) {
        Outcome::Done(answer) => answer,
        Outcome::Hang(why)
        | Outcome::Stuck(why)
        | Outcome::Memory(why)
        | Outcome::Died(why)
        | Outcome::Skipped(why) => Err(format!("the vision model process failed: {why}")),
    }
}

impl VisionModel for ModelProcess {
    fn width(&self) -> usize {
        self.width
    }

    fn description(&self) -> String {
        self.description.clone()
    }
}

impl Embedder for ModelProcess {
    fn id(&self) -> EmbedderId {
        self.id.clone()
    }

    fn rows(&mut self, presets: &[PresetInput]) -> Result<Array2<f32>, String> {
        let mut rows = Array2::zeros((presets.len(), self.width));
        for (first, batch) in (0..).step_by(TOGETHER).zip(presets.chunks(TOGETHER)) {
            let request: Request =
                batch.iter().map(|preset| preset.frames.iter().cloned().map(WirePath).collect()).collect();
            let answer = ask(&mut self.worker, &request)?;
            if answer.rows.len() != batch.len() || answer.rows.iter().any(|row| row.len() != self.width) {
                return Err("the vision model process returned rows of the wrong shape".into());
            }
            for (at, row) in (first..).zip(&answer.rows) {
                rows.row_mut(at).assign(&aview1(row));
            }
        }
        Ok(rows)
    }
}

/// Returns what the worker may read: the model, including the targets of symbolic links in its folder, the runtime, and
/// the frames.
fn rights(folder: &Path, items: &[BakeItem]) -> Rights {
    let mut read = vec![folder.to_owned()];
    for folder in ["", "onnx", "visual"].map(|below| folder.join(below)) {
        let found = disk::list(&folder).into_iter().flatten().map(|item| folder.join(item.name));
        read.extend(found.filter_map(|path| path.canonicalize().ok()));
    }
    read.extend(library_folders());
    read.extend(common_folder(items.iter().flat_map(|item| &item.frames)));
    Rights { read, write: Vec::new() }
}

/// Returns the deepest folder that contains all of these files, unless that is the whole disk.
fn common_folder<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Option<PathBuf> {
    let folders = files.filter_map(|file| file.parent()).map(Path::to_owned);
    let common = folders.reduce(|common, folder| {
        let both = common.components().zip(folder.components());
        both.take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    });
    common.filter(|folder| folder.parent().is_some())
}

/// Runs this process as a worker that embeds frames with a vision model. The model is opened for the first request; if
/// that fails, every answer says why.
///
/// # Errors
/// Fails if the settings or a request are invalid, or a pipe is closed.
pub fn serve_model(settings: &str) -> io::Result<()> {
    let ModelSettings { folder, threads } = serde_json::from_str(settings).map_err(io::Error::other)?;
    let mut opened = None;
    workers::serve(|request: Request| {
        let model = opened.get_or_insert_with(|| Onnx::open(&folder.0, threads));
        ControlFlow::Continue(match model {
            Ok(model) => answer(model, request),
            Err(why) => Err(why.clone()),
        })
    })
}

fn answer(model: &mut Onnx, request: Request) -> Result<Answer, String> {
    let plain = |frames: Vec<WirePath>| -> Vec<PathBuf> { frames.into_iter().map(|path| path.0).collect() };
    let presets: Vec<PresetInput> =
        request.into_iter().map(|frames| PresetInput { bytes: Vec::new(), frames: plain(frames) }).collect();
    let rows = model.rows(&presets)?.outer_iter().map(|row| row.to_vec()).collect();
    Ok(Answer { id: model.id(), width: model.width(), description: model.description(), rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::onnx::tests::tower_folder;

    #[test]
    fn a_worker_may_read_the_model_and_the_folder_of_all_frames() {
        let files = ["/night/frames/01/a.webp", "/night/frames/02/b/c.webp"].map(PathBuf::from);
        assert_eq!(common_folder(files.iter()), Some("/night/frames".into()));
        assert_eq!(common_folder(["/a/1.webp", "/b/2.webp"].map(PathBuf::from).iter()), None);
        assert_eq!(common_folder(std::iter::empty()), None);
        let folder = tower_folder();
        let Rights { read, write } = rights(folder.path(), &[]);
        assert!(read.contains(&folder.path().to_owned()) && write.is_empty(), "{read:?}");
    }

    #[cfg(unix)]
    #[test]
    fn the_target_of_a_linked_model_may_be_read() {
        let (folder, blobs) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let blob = blobs.path().canonicalize().expect("there").join("weights");
        std::fs::write(&blob, "1").expect("written");
        std::os::unix::fs::symlink(&blob, folder.path().join("model.onnx")).expect("linked");
        assert!(rights(folder.path(), &[]).read.contains(&blob));
    }

    #[test]
    fn a_request_is_answered_with_the_rows_of_the_model() {
        let folder = tower_folder();
        let mut model = Onnx::open(folder.path(), 1).expect("opened");
        let frame = folder.path().join("frame.png");
        image::RgbImage::from_pixel(16, 16, image::Rgb([250, 10, 10])).save(&frame).expect("saved");
        let frames = vec![frame];
        let request = vec![Vec::new(), frames.iter().cloned().map(WirePath).collect()];
        let answer = answer(&mut model, request).expect("answered");
        let alone = model.rows(&[PresetInput { bytes: Vec::new(), frames }]).expect("embedded");
        assert_eq!((answer.rows.len(), answer.width), (2, model.width()));
        assert!(answer.rows[0].iter().all(|value| *value == 0.0));
        assert_eq!(answer.rows[1], alone.row(0).to_vec());
        let text = serde_json::to_string(&answer).expect("JSON");
        assert_eq!(serde_json::from_str::<Answer>(&text).expect("valid").rows, answer.rows);
    }
}
