//! The night's work beside a running show: a child process of its own, so that it can neither slow nor fell the show.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use crate::desk::{BakeOptions, BakePicture, BakeRequest, BakeView};
use crate::embed::models;
use crate::handoff::Latest;
use crate::jobs::progress::Progress;
use crate::library::{LibraryLocation, UserFolders};
use crate::night::{NightEvent, NightOutcome, STAGES, library_of, same_folder};

/// Notes and pictures kept for the page.
const NOTES: usize = 200;
const PICTURES: usize = 24;
/// Pixels of a picture's side.
const THUMB_SIDE: u32 = 96;
/// Seconds over which the rate is told.
const RATE_SECS: f64 = 30.0;

/// The baking of the library that the show plays.
pub struct Baking {
    library: Option<PathBuf>,
    textures: Vec<PathBuf>,
    view: Latest<BakeView>,
    child: Option<(Child, Option<ChildStdin>)>,
}

impl Baking {
    /// Nothing is baked yet.
    pub fn of(library: Option<&Path>, textures: &[PathBuf]) -> Self {
        // A pack may be named by its manifest.
        let library = library.map(|place| LibraryLocation::of(place).folder);
        let shown = library.as_ref().map(|folder| folder.display().to_string());
        let stages = STAGES.map(str::to_owned).to_vec();
        let models = UserFolders::of_user().map(|places| models::list(&places.data.join("models")));
        let models = models.unwrap_or_default();
        let view = Latest::new(BakeView { library: shown, stages, models, ..BakeView::default() });
        Self { library, textures: textures.to_vec(), view, child: None }
    }

    /// The show plays another library now; a night that is at work goes on with its own.
    pub fn turn_to(&mut self, library: Option<&Path>) {
        self.library = library.map(|place| LibraryLocation::of(place).folder);
    }

    /// What the page shows.
    pub fn view(&self) -> Arc<BakeView> {
        let view = self.view.read();
        let library = self.library.as_ref().map(|folder| folder.display().to_string());
        if view.running || view.library == library {
            return view;
        }
        // What is said of another library's night would be taken for this one's.
        let BakeView { models, stages, .. } = view.as_ref().clone();
        self.view.publish(BakeView { library, models, stages, ..BakeView::default() });
        self.view.read()
    }

    /// Does what the performer asks; fails in words.
    pub fn asked(&mut self, ask: &BakeRequest) -> Result<(), String> {
        match ask {
            BakeRequest::Start(options) => self.start(options),
            BakeRequest::Stop => {
                if let Some((_, input)) = &mut self.child {
                    // A child that no longer listens has ended already.
                    if let Some(mut input) = input.take() {
                        writeln!(input, "stop").ok();
                    }
                }
                Ok(())
            }
        }
    }

    fn start(&mut self, options: &BakeOptions) -> Result<(), String> {
        self.view(); // From here on the page tells of this library.
        let Some(library) = &self.library else { return Ok(()) };
        if let Some((child, _)) = &mut self.child
            && matches!(child.try_wait(), Ok(None))
        {
            return Ok(());
        }
        let told = |error: std::io::Error| format!("the bake could not be started: {error}");
        let mut command = Command::new(std::env::current_exe().map_err(told)?);
        command.args(["bake", "overnight", "--json", "--tethered", "--modest", "--library"]).arg(library);
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
        if options.smoke {
            command.arg("--smoke");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(told)?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut page = BakeProgress::new(self.view.clone());
        let listen = move || {
            let lines =
                output.into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok));
            for line in lines {
                if let Ok(news) = serde_json::from_str(&line) {
                    page.hear(news);
                }
            }
            page.end();
        };
        std::thread::Builder::new().name("bake news".into()).spawn(listen).map_err(told)?;
        self.child = Some((child, input));
        Ok(())
    }
}

impl Drop for Baking {
    /// The night ends with the program; the next one goes on from here.
    fn drop(&mut self) {
        if let Some((child, input)) = &mut self.child {
            drop(input.take());
            child.kill().ok(); // Already ended is as good.
            child.wait().ok();
        }
    }
}

/// The name a library's pack gets: its folder's, made plain, and numbered where that is the pack of another library.
fn pack_name(library: &Path) -> String {
    let folder =
        library.file_name().map(|name| name.to_string_lossy().replace(['/', '\\'], " ")).unwrap_or_default();
    let plain = folder.trim().trim_start_matches('.');
    let plain = if plain.is_empty() { "library" } else { plain };
    let packs = UserFolders::of_user().map(|places| places.data.join("packs"));
    let free = |name: &String| {
        let holds = packs.as_ref().and_then(|packs| library_of(&packs.join(name)));
        holds.is_none_or(|other| same_folder(&other, library))
    };
    let numbered = (2..).map(|number| format!("{plain} {number}"));
    std::iter::once(plain.to_owned()).chain(numbered).find(free).unwrap_or_else(|| plain.to_owned())
}

/// The middle square of a picture, small: of a strip of frames that is the one in the middle.
fn thumbnail(picture: &image::DynamicImage) -> image::RgbImage {
    let side = picture.width().min(picture.height());
    let (left, top) = ((picture.width() - side) / 2, (picture.height() - side) / 2);
    picture.crop_imm(left, top, side, side).thumbnail_exact(THUMB_SIDE, THUMB_SIDE).to_rgb8()
}

/// The page as the news make it.
struct BakeProgress {
    view: BakeView,
    shown: Latest<BakeView>,
    pace: VecDeque<(Instant, usize)>,
    pictures: u64,
    /// It has told its last.
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

    fn hear(&mut self, news: NightEvent) {
        match news {
            NightEvent::Check(check) => self.note(format!("{}: {}", check.what, check.said)),
            NightEvent::Note { text } => self.note(text),
            NightEvent::Failed { why } => self.ends(Some(why)),
            NightEvent::Ended { ending: NightOutcome::Finished } => self.ends(None),
            NightEvent::Ended { ending: NightOutcome::Stopped } => {
                self.note("stopped; the next start goes on from here".into());
                self.ends(None);
            }
            NightEvent::Stage { stage } => {
                self.note(format!("[overnight] {stage}"));
                self.view.stage = stage;
                (self.view.done, self.view.total, self.view.left_secs) = (0, 0, None);
                self.pace.clear();
            }
            NightEvent::Progress(progress) => self.progress(&progress),
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
        // A frame that cannot be opened is no news.
        if let Some(picture) = progress.picture.as_ref().and_then(|path| image::open(path).ok()) {
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

    fn ends(&mut self, trouble: Option<String>) {
        self.ended = true;
        self.view.trouble = trouble;
    }

    /// Its process is gone.
    fn end(&mut self) {
        if !self.ended {
            let what = "the bake broke off without a word; start it again to go on from there";
            self.ends(Some(what.into()));
        }
        self.view.running = false;
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
    fn a_pack_has_a_plain_name() {
        assert_eq!(pack_name(Path::new("/presets/.hidden")), "hidden");
        assert_eq!(pack_name(Path::new("/")), "library");
    }

    #[test]
    fn news_become_a_page() {
        let shown = Latest::new(BakeView::default());
        let mut page = BakeProgress::new(shown.clone());
        page.hear(NightEvent::Stage { stage: "render frames".into() });
        page.hear(NightEvent::Progress(Progress::at("render frames", 3, 30)));
        page.hear(NightEvent::Note { text: "ten failed".into() });
        let view = shown.read();
        assert_eq!((view.running, view.done, view.total), (true, 3, 30));
        assert_eq!(view.notes, ["[overnight] render frames", "ten failed"]);
        page.hear(NightEvent::Ended { ending: NightOutcome::Finished });
        page.end();
        assert!(!shown.read().running && shown.read().notes.len() == 2 && shown.read().trouble.is_none());
    }

    #[test]
    fn a_night_that_fails_says_why_and_one_that_breaks_off_is_told() {
        let shown = Latest::new(BakeView::default());
        let mut page = BakeProgress::new(shown.clone());
        page.hear(NightEvent::Failed { why: "the disk is full".into() });
        page.end();
        assert_eq!(shown.read().trouble.as_deref(), Some("the disk is full"));
        BakeProgress::new(shown.clone()).end();
        assert!(shown.read().trouble.as_ref().is_some_and(|trouble| trouble.contains("broke off")));
    }

    #[test]
    fn the_page_tells_of_the_library_that_would_be_baked() {
        let mut baking = Baking::of(Some(Path::new("/presets/a")), &[]);
        BakeProgress::new(baking.view.clone()).hear(NightEvent::Note { text: "of a".into() });
        baking.turn_to(Some(Path::new("/presets/b")));
        assert_eq!((baking.view().library.as_deref(), baking.view().running), (Some("/presets/a"), true));
        BakeProgress::new(baking.view.clone()).end();
        let view = baking.view();
        assert_eq!(
            (view.library.as_deref(), view.notes.len(), view.trouble.as_ref()),
            (Some("/presets/b"), 0, None)
        );
    }
}
