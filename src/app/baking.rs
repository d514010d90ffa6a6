//! Runs a bake during a show, in a child process so that it can neither slow down nor crash the show.

use std::collections::VecDeque;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use crate::desk::{BakeOptions, BakePicture, BakeRequest, BakeView};
use crate::disk;
use crate::embed::installed_models;
use crate::handoff::Latest;
use crate::jobs::lossy_lines;
use crate::jobs::progress::Progress;
use crate::library::{LibraryLocation, UserFolders};
use crate::night::{self, BakeEvent, BakeOutcome, STAGES, library_of, same_folder, stage_label};

/// Maximum number of notes kept for the Bake page.
const NOTES: usize = 200;
/// Maximum number of thumbnails kept for the Bake page.
const PICTURES: usize = 24;
/// Side of a thumbnail, in pixels.
const THUMB_SIDE: u32 = 96;
/// Seconds over which the rate is averaged.
const RATE_SECS: f64 = 30.0;

/// Runs bakes of the library that the show plays, one at a time.
pub struct Baking {
    library: Option<PathBuf>,
    textures: Vec<PathBuf>,
    view: Latest<BakeView>,
    child: Option<(Child, Option<ChildStdin>)>,
}

impl Baking {
    /// Creates the state of the Bake page; no bake is running yet.
    pub fn new(library: Option<&Path>, textures: &[PathBuf]) -> Self {
        // The path may be the manifest of a pack.
        let library = library.map(|place| LibraryLocation::of(place).folder);
        let shown = library.as_ref().map(|folder| folder.display().to_string());
        let stages = STAGES.map(|stage| stage_label(stage).to_owned()).to_vec();
        let models = UserFolders::of_user().map(|places| installed_models(&places.data.join("models")));
        let models = models.unwrap_or_default();
        let can_restore = library.as_deref().is_some_and(night::has_previous_index);
        let view =
            Latest::new(BakeView { library: shown, stages, models, can_restore, ..BakeView::default() });
        Self { library, textures: textures.to_vec(), view, child: None }
    }

    /// Sets the library for the next bake; a running bake is not affected.
    pub fn switch_to(&mut self, library: Option<&Path>) {
        self.library = library.map(|place| LibraryLocation::of(place).folder);
    }

    /// Returns the state of the Bake page.
    pub fn view(&self) -> Arc<BakeView> {
        let view = self.view.read();
        let library = self.library.as_ref().map(|folder| folder.display().to_string());
        if view.running || view.library == library {
            return view;
        }
        // Messages about another library would be misleading.
        let BakeView { models, stages, .. } = view.as_ref().clone();
        let can_restore = self.library.as_deref().is_some_and(night::has_previous_index);
        self.view.publish(BakeView { library, models, stages, can_restore, ..BakeView::default() });
        self.view.read()
    }

    /// Handles a request from the Bake page; the error is a message for the performer.
    pub fn handle(&mut self, request: &BakeRequest) -> Result<(), String> {
        match request {
            BakeRequest::Start(options) => self.start(options),
            BakeRequest::Stop => {
                if let Some((_, input)) = &mut self.child {
                    // Writing fails only if the child has already exited.
                    if let Some(mut input) = input.take() {
                        writeln!(input, "stop").ok();
                    }
                }
                Ok(())
            }
            BakeRequest::RestoreIndex => match &self.library {
                Some(library) => night::restore_index(library).map_err(|error| error.to_string()),
                None => Ok(()),
            },
        }
    }

    fn start(&mut self, options: &BakeOptions) -> Result<(), String> {
        self.view(); // Makes the page show this library from now on.
        let Some(library) = &self.library else { return Ok(()) };
        if let Some((child, _)) = &mut self.child
            && matches!(child.try_wait(), Ok(None))
        {
            return Ok(());
        }
        let failed = |error: std::io::Error| format!("could not start the bake: {error}");
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .args(["bake", "overnight", "--json", "--stop-on-eof", "--low-priority", "--library"])
            .arg(library);
        let own = options.pack.trim();
        let pack = if own.is_empty() { pack_name(library) } else { own.to_owned() };
        command.arg(format!("--pack={pack}"));
        if !options.embedder.is_empty() {
            command.arg(format!("--embedder={}", options.embedder));
        }
        command.arg("--hours").arg(options.hours.to_string());
        for folder in &self.textures {
            command.arg("--textures").arg(folder);
        }
        if options.limit > 0 {
            command.arg("--limit").arg(options.limit.to_string());
        }
        if options.clusters > 0 {
            command.arg("--k").arg(options.clusters.clamp(8, 256).to_string());
        }
        if options.tune {
            command.arg("--tune");
        }
        if options.smoke {
            command.arg("--smoke");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut page = BakeProgress::new(self.view.clone());
        let listen = move || {
            for line in output.into_iter().flat_map(|output| lossy_lines(BufReader::new(output))) {
                if let Ok(event) = serde_json::from_str(&line) {
                    page.handle(event);
                }
            }
            page.end();
        };
        std::thread::Builder::new().name("bake events".into()).spawn(listen).map_err(failed)?;
        self.child = Some((child, input));
        Ok(())
    }
}

impl Drop for Baking {
    /// Kills a running bake when the program exits; the next bake resumes it.
    fn drop(&mut self) {
        if let Some((child, input)) = &mut self.child {
            drop(input.take());
            child.kill().ok(); // It may have ended already.
            child.wait().ok();
        }
    }
}

/// Returns a pack name that is a safe folder name: the library folder's name, with a number appended if
/// another library already uses it.
fn pack_name(library: &Path) -> String {
    let folder =
        library.file_name().map(|name| name.to_string_lossy().replace(['/', '\\'], " ")).unwrap_or_default();
    let plain = folder.trim().trim_start_matches('.');
    let plain = if plain.is_empty() { "library" } else { plain };
    let packs = UserFolders::of_user().map(|places| places.data.join("packs"));
    let free = |name: &String| {
        let pack = packs.as_ref().map(|packs| packs.join(name));
        // The library may itself be a pack, copied from another computer.
        let itself = pack.as_ref().is_some_and(|pack| same_folder(pack, library));
        !itself && pack.and_then(|pack| library_of(&pack)).is_none_or(|other| same_folder(&other, library))
    };
    let numbered = (2..).map(|number| format!("{plain} {number}"));
    std::iter::once(plain.to_owned()).chain(numbered).find(free).unwrap_or_else(|| plain.to_owned())
}

/// Returns a thumbnail of the picture's central square. In a strip of three frames, that square lies in the middle
/// frame.
fn thumbnail(picture: &image::DynamicImage) -> image::RgbImage {
    let side = picture.width().min(picture.height());
    let (left, top) = ((picture.width() - side) / 2, (picture.height() - side) / 2);
    picture.crop_imm(left, top, side, side).thumbnail_exact(THUMB_SIDE, THUMB_SIDE).to_rgb8()
}

/// Turns bake events into the state of the Bake page.
struct BakeProgress {
    view: BakeView,
    shown: Latest<BakeView>,
    pace: VecDeque<(Instant, usize)>,
    pictures: u64,
    /// Whether the bake has reported how it ended.
    ended: bool,
}

impl BakeProgress {
    fn new(shown: Latest<BakeView>) -> Self {
        let BakeView { library, models, stages, .. } = shown.read().as_ref().clone();
        let page = Self {
            view: BakeView { library, models, stages, running: true, ..BakeView::default() },
            shown,
            pace: VecDeque::new(),
            pictures: 0,
            ended: false,
        };
        page.shown.publish(page.view.clone());
        page
    }

    fn handle(&mut self, event: BakeEvent) {
        match event {
            BakeEvent::Check(check) => self.note(format!("{}: {}", check.what, check.message)),
            BakeEvent::Note { text } => self.note(text),
            BakeEvent::Failed { why } => self.finish(Some(why)),
            BakeEvent::Ended { outcome: BakeOutcome::Finished } => self.finish(None),
            BakeEvent::Ended { outcome: BakeOutcome::Stopped } => {
                self.note("stopped; start the bake again to resume".into());
                self.finish(None);
            }
            BakeEvent::Stage { stage } => {
                self.view.stage = stage_label(&stage).to_owned();
                self.note(self.view.stage.clone());
                (self.view.done, self.view.total, self.view.left_secs) = (0, 0, None);
                self.pace.clear();
            }
            BakeEvent::Progress(progress) => self.progress(&progress),
        }
        self.shown.publish(self.view.clone());
    }

    fn progress(&mut self, progress: &Progress) {
        let now = Instant::now();
        (self.view.done, self.view.total) = (progress.done, progress.total);
        self.pace.push_back((now, progress.done));
        while self.pace.front().is_some_and(|(at, _)| (now - *at).as_secs_f64() > RATE_SECS) {
            self.pace.pop_front();
        }
        if let Some((at, done)) = self.pace.front() {
            let secs = (now - *at).as_secs_f64();
            self.view.rate =
                if secs > 0.0 { (progress.done.saturating_sub(*done)) as f64 / secs } else { 0.0 };
            let open = progress.total.saturating_sub(progress.done) as f64;
            self.view.left_secs = (self.view.rate > 0.0).then(|| open / self.view.rate);
        }
        // A picture that cannot be opened is not shown.
        if let Some(picture) = progress.picture.as_ref().and_then(|path| disk::picture(path).ok()) {
            let small = thumbnail(&picture);
            self.pictures += 1;
            let size = [small.width() as usize, small.height() as usize];
            let rgb = Arc::new(small.into_raw());
            self.view.pictures.push(BakePicture { number: self.pictures, size, rgb });
            let over = self.view.pictures.len().saturating_sub(PICTURES);
            self.view.pictures.drain(..over);
        }
    }

    fn note(&mut self, text: String) {
        self.view.notes.push(text);
        let over = self.view.notes.len().saturating_sub(NOTES);
        self.view.notes.drain(..over);
    }

    fn finish(&mut self, problem: Option<String>) {
        self.ended = true;
        self.view.problem = problem;
    }

    /// Handles the end of the bake process.
    fn end(&mut self) {
        if !self.ended {
            let what = "the bake exited unexpectedly; start it again to resume";
            self.finish(Some(what.into()));
        }
        self.view.running = false;
        self.view.can_restore =
            self.view.library.as_deref().is_some_and(|library| night::has_previous_index(Path::new(library)));
        self.shown.publish(self.view.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbnail_of_a_strip_is_its_middle_frame() {
        let strip = image::RgbImage::from_fn(384, 72, |x, _| image::Rgb([(x / 128 * 100) as u8, 0, 0]));
        let small = thumbnail(&image::DynamicImage::ImageRgb8(strip));
        assert_eq!(small.dimensions(), (THUMB_SIDE, THUMB_SIDE));
        assert!(small.pixels().all(|pixel| pixel.0[0] == 100));
    }

    #[test]
    fn pack_names_are_safe() {
        assert_eq!(pack_name(Path::new("/presets/.hidden")), "hidden");
        assert_eq!(pack_name(Path::new("/")), "library");
    }

    #[test]
    fn events_update_the_page() {
        let shown = Latest::new(BakeView::default());
        let mut page = BakeProgress::new(shown.clone());
        page.handle(BakeEvent::Stage { stage: "render frames".into() });
        page.handle(BakeEvent::Progress(Progress::at("render frames", 3, 30)));
        page.handle(BakeEvent::Note { text: "ten failed".into() });
        let view = shown.read();
        assert_eq!((view.running, view.done, view.total), (true, 3, 30));
        assert_eq!(view.stage, "Render frames");
        assert_eq!(view.notes, ["Render frames", "ten failed"]);
        page.handle(BakeEvent::Ended { outcome: BakeOutcome::Finished });
        page.end();
        assert!(!shown.read().running && shown.read().notes.len() == 2 && shown.read().problem.is_none());
    }

    #[test]
    fn failures_and_unexpected_exits_are_shown() {
        let shown = Latest::new(BakeView::default());
        let mut page = BakeProgress::new(shown.clone());
        page.handle(BakeEvent::Failed { why: "the disk is full".into() });
        page.end();
        assert_eq!(shown.read().problem.as_deref(), Some("the disk is full"));
        BakeProgress::new(shown.clone()).end();
        assert!(shown.read().problem.as_ref().is_some_and(|problem| problem.contains("unexpectedly")));
    }

    #[test]
    fn the_page_shows_the_library_to_bake() {
        let mut baking = Baking::new(Some(Path::new("/presets/a")), &[]);
        BakeProgress::new(baking.view.clone()).handle(BakeEvent::Note { text: "of a".into() });
        baking.switch_to(Some(Path::new("/presets/b")));
        assert_eq!((baking.view().library.as_deref(), baking.view().running), (Some("/presets/a"), true));
        BakeProgress::new(baking.view.clone()).end();
        let view = baking.view();
        assert_eq!(
            (view.library.as_deref(), view.notes.len(), view.problem.as_ref()),
            (Some("/presets/b"), 0, None)
        );
    }
}
