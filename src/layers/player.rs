//! Runs the layers on air and turns each frame into textured triangles.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use super::files::LayerFiles;
use super::frame::{Blend, LayerDraw, LayerFrame, LayerInput, LayerVertex};
use super::message::{MessageStyle, TextState};
use super::mipmap::Mipmap;
use super::on_air::{LayerContent, LayerOnAir};
use super::sprite::{Sprite, SpriteRun, SpriteState};
use super::text::{Lettering, LetteringError};

/// Number of columns and rows of the mesh of a rippling song title.
const RIPPLE_MESH: [u32; 2] = [32, 6];

/// A title with its style, or why it cannot be drawn.
type DrawnTitle = Result<(Lettering, MessageStyle), LetteringError>;

/// A layer that has been launched.
enum Running {
    Sprite(Arc<Sprite>, Box<SpriteRun>),
    Text {
        lettering: Lettering,
        style: MessageStyle,
        /// Whether the text has been drawn at least once.
        drawn: bool,
    },
    /// A title whose letters are being drawn on another thread.
    Drawing(Receiver<DrawnTitle>),
    /// The layer has ended or could not be launched.
    Ended,
}

impl Running {
    fn text((lettering, style): (Lettering, MessageStyle), seed: u64) -> Self {
        Self::Text { lettering, style: style.launched(seed), drawn: false }
    }

    /// Like [`Self::text`], but for a title: adds a message if the font lacks letters, or if the title cannot be drawn.
    fn title(drawn: DrawnTitle, seed: u64, messages: &mut Vec<String>) -> Self {
        let (running, problem) = match drawn {
            Ok(text) => {
                let problem = text.0.problem();
                (Self::text(text, seed), problem)
            }
            Err(why) => (Self::Ended, Some(why.to_string())),
        };
        messages.extend(problem.map(|why| format!("title: {why}")));
        running
    }
}

/// The running layers of a show.
#[derive(Default)]
pub struct LayerPlayer {
    running: BTreeMap<u64, Running>,
    messages: Vec<String>,
    /// Layers that are no longer needed, to be freed by the caller.
    retired: Vec<Box<dyn Send>>,
    title_threads: bool,
}

impl LayerPlayer {
    /// Creates a player. If `title_threads` is true, separate threads draw the letters of titles, and a title
    /// appears once they are drawn; otherwise it appears in the frame that launches it.
    pub fn new(title_threads: bool) -> Self {
        Self { title_threads, ..Self::default() }
    }

    /// Returns whether separate threads draw the letters of titles.
    pub fn title_threads(&self) -> bool {
        self.title_threads
    }

    /// Runs one frame of the layers `on_air` and fills `out`.
    pub fn step(
        &mut self,
        files: &Arc<LayerFiles>,
        on_air: &[LayerOnAir],
        input: &LayerInput,
        out: &mut LayerFrame,
    ) {
        out.vertices.clear();
        out.draws.clear();
        let Self { running: all, messages, retired, title_threads } = self;
        for (_, gone) in all.extract_if(.., |id, _| !on_air.iter().any(|layer| layer.id == *id)) {
            retired.push(Box::new(gone));
        }
        for layer in on_air {
            let running =
                all.entry(layer.id).or_insert_with(|| launch(files, layer, *title_threads, messages));
            if let Running::Drawing(letters) = running {
                match letters.try_recv() {
                    Err(TryRecvError::Empty) => {}
                    Ok(drawn) => *running = Running::title(drawn, layer.seed, messages),
                    Err(TryRecvError::Disconnected) => {
                        messages.push("title: the thread that draws it failed".to_owned());
                        *running = Running::Ended;
                    }
                }
            }
            let ended = match running {
                Running::Sprite(sprite, run) => match run.step(sprite, layer.age_secs, input) {
                    Some(state) => {
                        out.sprite(&sprite.image, &state, input.aspect);
                        state.done
                    }
                    None => {
                        messages.push(format!("{} removed: its code takes too long", name(&layer.content)));
                        true
                    }
                },
                Running::Text { lettering, style, drawn } => {
                    let state = style.at(layer.age_secs, lettering, input.aspect);
                    // The text is not drawn if its time passed before it could be drawn once.
                    if *drawn || !state.ended {
                        out.text(&lettering.image, &state, input.aspect);
                    }
                    *drawn = true;
                    state.ended
                }
                Running::Drawing(_) | Running::Ended => false,
            };
            if ended {
                retired.push(Box::new(std::mem::replace(running, Running::Ended)));
            }
        }
    }

    /// Iterates over the IDs of layers that have ended but are still on air.
    pub fn ended(&self) -> impl Iterator<Item = u64> {
        self.running.iter().filter(|(_, running)| matches!(running, Running::Ended)).map(|(id, _)| *id)
    }

    /// Takes the messages for the performer.
    pub fn take_messages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.messages)
    }

    /// Takes the layers that are no longer needed. Freeing them may take longer than a frame.
    pub fn take_retired(&mut self) -> Vec<Box<dyn Send>> {
        std::mem::take(&mut self.retired)
    }
}

fn launch(
    files: &Arc<LayerFiles>,
    layer: &LayerOnAir,
    title_threads: bool,
    messages: &mut Vec<String>,
) -> Running {
    let found = match &layer.content {
        LayerContent::Sprite(number) => files
            .sprites
            .get(number)
            .map(|sprite| Running::Sprite(sprite.clone(), Box::new(SpriteRun::new(sprite, layer.seed)))),
        LayerContent::Message(number) => {
            files.messages.get(number).cloned().map(|text| Running::text(text, layer.seed))
        }
        LayerContent::Title(title) => {
            let drawing = if title_threads { draw_on_thread(files, title) } else { None };
            Some(match drawing {
                Some(letters) => Running::Drawing(letters),
                None => Running::title(files.title(title), layer.seed, messages),
            })
        }
    };
    found.unwrap_or_else(|| {
        messages.push(format!("{} not found", name(&layer.content)));
        Running::Ended
    })
}

/// Draws the letters of a title on a separate thread, because drawing them may take longer than a frame. Returns
/// `None` if the thread cannot be started.
fn draw_on_thread(files: &Arc<LayerFiles>, title: &Arc<str>) -> Option<Receiver<DrawnTitle>> {
    let (files, title) = (files.clone(), title.clone());
    let (drawn, letters) = mpsc::sync_channel(1);
    let work = move || {
        drawn.send(files.title(&title)).ok(); // Fails only if the title has gone off air.
    };
    match thread::Builder::new().name("title".into()).spawn(work) {
        Ok(_) => Some(letters),
        Err(error) => {
            log::debug!("drawing a title on the calling thread: {error}");
            None
        }
    }
}

fn name(content: &LayerContent) -> String {
    match content {
        LayerContent::Sprite(number) => format!("sprite {number:02}"),
        LayerContent::Message(number) => format!("message {number:02}"),
        LayerContent::Title(_) => "title".to_owned(),
    }
}

impl LayerFrame {
    fn sprite(&mut self, image: &Arc<Mipmap>, state: &SpriteState, aspect: f32) {
        let &SpriteState { center, size, rotation, flip, repeat, blend, mut color, burn, done: _ } = state;
        let tall = image.aspect();
        // At scale 1, the longer side of the image is as long as the picture is wide.
        let half = [size[0] / tall.max(1.0), size[1] * tall.min(1.0)];
        let (sin, cos) = rotation.sin_cos();
        match blend {
            Blend::Decal => color[3] = 1.0,
            Blend::SourceColor => {
                color = [color[0] * color[3], color[1] * color[3], color[2] * color[3], 1.0];
            }
            Blend::Mix | Blend::Additive | Blend::Keyed => {}
        }
        let keyed = f32::from(u8::from(blend == Blend::Keyed));
        let corner = |[u, v]: [f32; 2]| {
            let [x, y] = [(u * 2.0 - 1.0) * half[0], (1.0 - v * 2.0) * half[1]];
            let turned = [x * cos - y * sin, (x * sin + y * cos) * aspect];
            let tile = |share: f32, axis: usize| {
                let share = if flip[axis] { 1.0 - share } else { share };
                (share - 0.5) * repeat[axis] + 0.5
            };
            LayerVertex {
                at: [turned[0] + center[0] * 2.0 - 1.0, turned[1] + center[1] * 2.0 - 1.0],
                uv: [tile(u, 0), tile(v, 1)],
                color,
                keyed,
            }
        };
        let tiled = repeat.iter().any(|times| *times > 1.0);
        self.mesh(
            [1, 1],
            corner,
            LayerDraw { image: image.clone(), range: 0..0, blend, tiled, burned: burn },
        );
    }

    fn text(&mut self, image: &Arc<Mipmap>, state: &TextState, aspect: f32) {
        let &TextState { center, size, slant, ripple, color, ended } = state;
        let corner = |[u, v]: [f32; 2]| {
            let [x, y] = [(u * 2.0 - 1.0) * size[0], (1.0 - v * 2.0) * size[1]];
            let wave = |along: f32| (along * std::f32::consts::TAU + ripple * 9.0).sin() * ripple;
            let moved =
                [x * (1.0 + ripple) + y * slant + 0.15 * wave(v), y * (1.0 + ripple) + 0.25 * wave(u * 1.5)];
            let at = [moved[0] + center[0] * 2.0 - 1.0, moved[1] * aspect + center[1] * 2.0 - 1.0];
            LayerVertex { at, uv: [u, v], color, keyed: 1.0 }
        };
        let mesh = if ripple > 0.0 { RIPPLE_MESH } else { [1, 1] };
        let (image, blend) = (image.clone(), Blend::Keyed);
        self.mesh(mesh, corner, LayerDraw { image, range: 0..0, blend, tiled: false, burned: ended });
    }

    /// Adds `draw` as a mesh of `columns` by `rows` cells; `corner` maps positions in the image to vertices.
    fn mesh(&mut self, [columns, rows]: [u32; 2], corner: impl Fn([f32; 2]) -> LayerVertex, draw: LayerDraw) {
        let start = self.vertices.len() as u32;
        for cell in 0..columns * rows {
            let (column, row) = (cell % columns, cell / columns);
            let at = |right: u32, down: u32| {
                corner([(column + right) as f32 / columns as f32, (row + down) as f32 / rows as f32])
            };
            self.vertices.extend([at(0, 0), at(1, 0), at(1, 1), at(0, 0), at(1, 1), at(0, 1)]);
        }
        let range = start..self.vertices.len() as u32;
        self.draws.push(LayerDraw { range, ..draw });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::milk::PresetAudio;

    /// Returns the layers of a folder with this `MILK_IMG.INI`, the 8x4 image `a.png`, and message 00.
    fn files(sprites: &str) -> Arc<LayerFiles> {
        let folder = tempfile::tempdir().expect("a folder");
        image::RgbaImage::new(8, 4).save(folder.path().join("a.png")).expect("saved");
        std::fs::write(folder.path().join("milk_img.ini"), sprites).expect("written");
        std::fs::write(folder.path().join("milk_msg.ini"), "[message00]\ntext=Hi\ntime=2\n")
            .expect("written");
        let files = LayerFiles::read(folder.path());
        assert_eq!(files.problems(), [""; 0]);
        Arc::new(files)
    }

    fn layer(id: u64, age_secs: f64, content: LayerContent) -> LayerOnAir {
        LayerOnAir { id, age_secs, seed: 3, content }
    }

    fn step(player: &mut LayerPlayer, files: &Arc<LayerFiles>, on_air: &[LayerOnAir]) -> LayerFrame {
        let mut out = LayerFrame::default();
        let audio = PresetAudio::default();
        player.step(files, on_air, &LayerInput { audio: &audio, fps: 30.0, aspect: 2.0 }, &mut out);
        out
    }

    #[test]
    fn a_sprite_keeps_the_shape_of_its_image() {
        let files = files("[img00]\nimg=a.png\ncode_1=sx = 0.5; sy = 0.5; x = 0.5; y = 0.75; repeatx = 2;\n");
        let frame = step(&mut LayerPlayer::default(), &files, &[layer(1, 0.0, LayerContent::Sprite(0))]);
        let [top_left, _, bottom_right] = frame.vertices[..3] else { panic!("{frame:?}") };
        assert_eq!([top_left.at, bottom_right.at], [[-0.5, 1.0], [0.5, 0.0]]);
        assert_eq!([top_left.uv, bottom_right.uv], [[-0.5, 0.0], [1.5, 1.0]]);
    }

    #[test]
    fn a_sprite_ends_with_its_own_code_and_burns_in_its_last_frame() {
        let files = files("[img00]\nimg=a.png\ncode_1=done = above(time, 0.9); burn = done;\n");
        let mut player = LayerPlayer::default();
        let burned = |frame: &LayerFrame| frame.draws.iter().map(|draw| draw.burned).collect::<Vec<_>>();
        let at = |secs: f64| [layer(7, secs, LayerContent::Sprite(0))];
        assert_eq!(burned(&step(&mut player, &files, &at(0.5))), [false]);
        assert_eq!(burned(&step(&mut player, &files, &at(1.0))), [true]);
        assert_eq!(player.ended().collect::<Vec<_>>(), [7]);
        assert_eq!(burned(&step(&mut player, &files, &at(1.1))), [false; 0]);
        step(&mut player, &files, &[]);
        assert_eq!(player.ended().count(), 0, "no longer on air");
    }

    #[test]
    fn a_message_ends_after_its_time_and_burns_in_its_last_frame() {
        let files = files("");
        let mut player = LayerPlayer::default();
        let at = |secs: f64| [layer(1, secs, LayerContent::Message(0))];
        let burned: Vec<bool> =
            [0.0, 1.9, 2.1].map(|secs| step(&mut player, &files, &at(secs)).draws[0].burned).to_vec();
        assert_eq!(burned, [false, false, true]);
        assert!(step(&mut player, &files, &at(2.2)).draws.is_empty());
    }

    #[test]
    fn a_message_whose_time_passed_before_it_was_drawn_is_never_drawn() {
        let files = files("");
        let mut player = LayerPlayer::default();
        assert!(step(&mut player, &files, &[layer(1, 2.1, LayerContent::Message(0))]).draws.is_empty());
        assert_eq!(player.ended().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_title_ripples_into_place() {
        let files = files("");
        let mut player = LayerPlayer::default();
        let mut count = |secs: f64| {
            let title = LayerContent::Title("A song".into());
            step(&mut player, &files, &[layer(1, secs, title)]).vertices.len()
        };
        assert_eq!([count(0.1), count(4.0)], [32 * 6 * 6, 6]);
    }

    #[test]
    fn titles_drawn_on_a_thread_look_the_same() {
        let files = files("");
        let on_air =
            [(1, "A song"), (2, "")].map(|(id, title)| layer(id, 1.0, LayerContent::Title(title.into())));
        let in_place = step(&mut LayerPlayer::default(), &files, &on_air);
        let mut player = LayerPlayer::new(true);
        let mut frame = LayerFrame::default();
        for _ in 0..10_000 {
            frame = step(&mut player, &files, &on_air);
            if frame.draws.len() + player.ended().count() == on_air.len() {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(frame.vertices, in_place.vertices);
        assert!(frame.draws[0].image.levels() == in_place.draws[0].image.levels());
        assert_eq!(player.ended().collect::<Vec<_>>(), [2]);
        assert_eq!(player.take_messages(), ["title: no visible letters"]);
    }

    #[test]
    fn a_title_that_cannot_be_drawn_is_reported_with_the_reason() {
        let mut messages = Vec::new();
        for why in [LetteringError::Damaged, LetteringError::TooLarge, LetteringError::NoLetters] {
            assert!(matches!(Running::title(Err(why), 3, &mut messages), Running::Ended));
        }
        let reasons = ["the font is damaged", "the letters of the font are too large", "no visible letters"];
        assert_eq!(messages, reasons.map(|why| format!("title: {why}")));
        // A thread that panics sends nothing.
        let mut player = LayerPlayer::new(true);
        player.running.insert(1, Running::Drawing(mpsc::sync_channel(1).1));
        step(&mut player, &files(""), &[layer(1, 1.0, LayerContent::Title("A song".into()))]);
        assert_eq!(player.take_messages(), ["title: the thread that draws it failed"]);
        assert_eq!(player.ended().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn missing_letters_of_a_title_are_reported_once() {
        let files = files("");
        for title_threads in [false, true] {
            let (mut player, mut messages) = (LayerPlayer::new(title_threads), Vec::new());
            let mut frames = 0; // Frames that show the title.
            for _ in 0..10_000 {
                let title = layer(1, 1.0, LayerContent::Title("Live \u{6771}".into()));
                frames += step(&mut player, &files, &[title]).draws.len();
                messages.extend(player.take_messages());
                if frames == 3 {
                    break;
                }
                thread::sleep(Duration::from_millis(1));
            }
            let [message] = &messages[..] else { panic!("{messages:?}") };
            assert!(
                message.starts_with("title: missing in the font") && message.contains('\u{6771}'),
                "{message}"
            );
        }
    }

    #[test]
    fn layers_are_retired_when_they_end_or_go_off_air() {
        let files = files("[img00]\nimg=a.png\ncode_1=done = above(time, 0.9);\n");
        let mut player = LayerPlayer::default();
        let sprite = |secs: f64| layer(1, secs, LayerContent::Sprite(0));
        let title = layer(2, 0.5, LayerContent::Title("A song".into()));
        let image = Arc::downgrade(&step(&mut player, &files, &[sprite(0.5), title]).draws[1].image);
        assert_eq!(player.take_retired().len(), 0);
        step(&mut player, &files, &[sprite(1.0)]);
        assert!(image.strong_count() > 0, "not freed yet");
        assert_eq!(player.take_retired().len(), 2);
        assert_eq!(image.strong_count(), 0);
    }

    #[test]
    fn layers_that_cannot_run_are_reported_once() {
        let files = files("[img05]\nimg=a.png\ncode_1=loop(1000000, loop(1000000, x += 1));\n");
        let mut player = LayerPlayer::default();
        let on_air = [
            layer(1, 0.0, LayerContent::Sprite(4)),
            layer(2, 0.0, LayerContent::Message(99)),
            layer(3, 0.0, LayerContent::Title("".into())),
            layer(4, 0.0, LayerContent::Sprite(5)),
        ];
        for _ in 0..2 {
            assert!(step(&mut player, &files, &on_air).draws.is_empty());
        }
        let messages = player.take_messages();
        assert_eq!(
            messages,
            [
                "sprite 04 not found",
                "message 99 not found",
                "title: no visible letters",
                "sprite 05 removed: its code takes too long"
            ]
        );
        assert_eq!(player.ended().collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}
