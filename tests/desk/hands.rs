//! Input on the desk: typing, clicking and undoing, and which preset the keys of the Library page act on.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::{Moment, SIZE, heard, library_moment, moment, playing};
use aivj::archive::LibraryRequest;
use aivj::desk::{Action, Desk, DeskRequest, DeskView, Page, SettingsRequest, start_message};
use aivj::library::Setting;
use aivj::mind::director::ThemedStyle;
use aivj::show::{Command, FrameTimes, Undoable};

/// Runs `act` on a desk that shows `moment`; the last argument of `act` collects the desk's requests.
fn try_out(moment: &Moment, act: impl FnOnce(&mut Harness, &RefCell<Desk>, &RefCell<Vec<DeskRequest>>)) {
    let (keys, heard) = (aivj::app::keys(None).0, heard());
    let (desk, asked) = (RefCell::new(Desk::default()), RefCell::new(Vec::new()));
    desk.borrow_mut().open(moment.page);
    let mut harness = Harness::builder().with_size(SIZE).build_ui(|ui| {
        let prompt = moment.prompt.get();
        let view = DeskView {
            snapshot: &moment.snapshot,
            audio: &moment.audio,
            times: FrameTimes::default(),
            heard: &heard,
            preview: egui::TextureId::default(),
            preview_aspect: 1.5,
            device: "",
            prompts: prompt.as_slice(),
            messages: &moment.messages,
            log_problem: moment.log_problem,
            midi: &moment.midi,
            bake: &moment.bake,
            library: &moment.library,
            settings: &moment.settings,
            keys: &keys,
        };
        asked.borrow_mut().extend(desk.borrow_mut().show(ui, &view));
    });
    harness.run_steps(2);
    asked.borrow_mut().clear();
    act(&mut harness, &desk, &asked);
}

fn show(command: Command) -> DeskRequest {
    DeskRequest::Act(Action::Show(command))
}

fn opens(folder: &str) -> DeskRequest {
    DeskRequest::Settings(SettingsRequest::Set(Setting::Presets(Some(folder.into()))))
}

/// A file dropped on the desk.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the desk reads no files".into())
    }
}

#[test]
fn a_dropped_picture_is_searched_for_until_it_is_removed() {
    try_out(&library_moment(Page::Library), |harness, _, asked| {
        let searched = || -> Vec<Option<PathBuf>> {
            let picture = |request: DeskRequest| match request {
                DeskRequest::Library(LibraryRequest::Find(query)) => Some(query.picture),
                _ => None,
            };
            asked.take().into_iter().filter_map(picture).collect()
        };
        let path = PathBuf::from("pictures/sea.png");
        harness.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
        harness.run_steps(2);
        assert_eq!(searched(), [Some(path)]);
        harness.get_by_label("Like sea.png  ×").click();
        harness.run_steps(2);
        assert_eq!(searched(), [None]);
    });
}

#[test]
fn enter_opens_the_typed_folder() {
    try_out(&moment(Page::Settings, playing()), |harness, _, asked| {
        assert!(!harness.ctx.text_edit_focused());
        let field = harness.get_all_by_role(Role::TextInput).last().expect("the folder's field");
        field.click();
        harness.run_steps(2);
        assert!(harness.ctx.text_edit_focused(), "keys act on the show although the field has the focus");
        let field = harness.get_all_by_role(Role::TextInput).last().expect("the folder's field");
        field.type_text("/music/presets v2");
        harness.run_steps(2);
        assert_eq!(*asked.borrow(), [], "nothing is opened while the path is being typed");
        harness.key_press(Key::Enter);
        harness.run_steps(2);
        assert_eq!(*asked.borrow(), [opens("/music/presets v2")]);
    });
}

#[test]
fn terms_and_styles_of_the_theme_are_edited_by_clicking_them() {
    let mut moment = moment(Page::Live, playing());
    moment.snapshot.theme = "deep sea, nothing white".into();
    moment.library.themed_styles = [ThemedStyle { name: "Waves".into(), fit: 0.9, set: false }].into();
    let theme = |text: &str| [show(Command::Theme(text.into()))];
    try_out(&moment, |harness, _, asked| {
        harness.get_by_label("no white").click();
        harness.run_steps(2);
        assert_eq!(asked.take(), theme("deep sea, white"));
    });
    try_out(&moment, |harness, _, asked| {
        harness.get_by_label("Waves 90%").click();
        harness.run_steps(2);
        assert_eq!(asked.take(), theme(r#"deep sea, no white, style "waves" 10%"#));
    });
}

#[test]
fn a_theme_is_saved_under_a_name_and_chosen_from_the_list() {
    let mut moment = moment(Page::Live, playing());
    moment.snapshot.theme = "deep sea".into();
    let request = |request: LibraryRequest| [DeskRequest::Library(request)];
    try_out(&moment, |harness, _, asked| {
        harness.get_by_label("Save as…").click();
        harness.run_steps(2);
        // The last field is that of the theme.
        let at = harness.get_all_by_role(Role::TextInput).count() - 2;
        harness.get_all_by_role(Role::TextInput).nth(at).expect("the field of the name").click();
        harness.run_steps(2);
        harness.get_all_by_role(Role::TextInput).nth(at).expect("the field of the name").type_text("blue");
        harness.run_steps(2);
        asked.borrow_mut().clear();
        harness.key_press(Key::Enter);
        harness.run_steps(2);
        assert_eq!(asked.take(), request(LibraryRequest::SaveTheme("blue".into(), "deep sea".into())));
    });
    moment.library.themes = Arc::new([("blue".to_owned(), "deep sea".to_owned())].into());
    try_out(&moment, |harness, _, asked| {
        harness.get_by_label("Delete").click();
        harness.run_steps(2);
        assert_eq!(asked.take(), request(LibraryRequest::DeleteTheme("blue".into())));
    });
    moment.snapshot.theme = String::new();
    try_out(&moment, |harness, _, asked| {
        let field = harness.get_all_by_role(Role::TextInput).last().expect("the field of the theme");
        field.click();
        harness.run_steps(2);
        let field = harness.get_all_by_role(Role::TextInput).last().expect("the field of the theme");
        field.type_text("@blue");
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(2);
        assert_eq!(asked.take(), [show(Command::Theme("deep sea".into()))]);
    });
}

#[test]
fn a_missing_folder_can_be_located() {
    let mut moment = moment(Page::Live, playing());
    moment.library.missing = Some("/media/usb/presets".into());
    try_out(&moment, |harness, _, asked| {
        harness.get_by_label("Locate…").click();
        harness.run_steps(3);
        assert!(harness.ctx.text_edit_focused(), "the path can be corrected at once");
        asked.borrow_mut().clear();
        harness.key_press(Key::Enter);
        harness.run_steps(2);
        assert_eq!(*asked.borrow(), [opens("/media/usb/presets")]);
    });
}

#[test]
fn held_back_presets_can_be_played_and_unsaved_changes_are_shown() {
    let mut moment = moment(Page::Live, playing());
    moment.library.held_back = Some("cannot read the quality blacklist".into());
    moment.library.unsaved = 3;
    moment.library.save_problem = "the disk is full".into();
    moment.log_problem = "the disk is full";
    try_out(&moment, |harness, _, asked| {
        harness.get_by_label("Cannot read the quality blacklist");
        harness.get_by_label("3 changes not saved");
        harness.get_by_label("Set log not written");
        asked.borrow_mut().clear();
        harness.get_by_label("Play anyway").click();
        harness.run_steps(2);
        assert_eq!(*asked.borrow(), [DeskRequest::Library(LibraryRequest::PlayAnyway)]);
    });
}

#[test]
fn a_prompt_disappears_and_messages_stay() {
    let mut moment = moment(Page::Live, playing());
    moment.messages = vec!["the disk is full", "the input is silent", "the display is missing"];
    moment.prompt.set(Some("sprite number: 0_"));
    try_out(&moment, |harness, _, _| {
        harness.get_by_label("Sprite number: 0_");
        moment.prompt.set(None);
        harness.run_steps(2);
        assert!(harness.query_by_label("Sprite number: 0_").is_none());
        for message in ["The disk is full", "The input is silent", "The display is missing"] {
            harness.get_by_label(message);
        }
    });
}

#[test]
fn every_problem_found_at_the_start_is_listed() {
    let mut moment = moment(Page::Settings, playing());
    let problems = ["no graphics card found", "keys.toml: line 3: unknown key", "layers: [img00]: no img"];
    moment.settings.problems = problems.map(String::from).to_vec();
    let message = start_message(&moment.settings.problems).expect("a message");
    assert_eq!(message, "3 problems (see the Settings page), including: no graphics card found");
    assert_eq!(start_message(&moment.settings.problems[..1]).as_deref(), Some(problems[0]));
    try_out(&moment, |harness, _, _| {
        for label in ["No graphics card found", problems[1], "Layers: [img00]: no img"] {
            harness.get_by_label(label);
        }
    });
}

#[test]
fn keys_of_the_library_act_on_the_selection() {
    let moment = library_moment(Page::Library);
    let results = &moment.library.results;
    let first = &results.library.entries[results.indices[0] as usize];
    let (ban, favourite) = (Action::Show(Command::Ban), Action::Show(Command::Favourite));
    try_out(&moment, |harness, desk, _| {
        assert_eq!(
            desk.borrow().redirect(ban.clone()),
            None,
            "without a selection, Ban does not act on the preset on air"
        );
        harness.get_by_label(first.name()).click();
        harness.run_steps(2);
        let aimed = |action: &Action| desk.borrow().redirect(action.clone());
        assert_eq!(aimed(&ban), Some(Action::Show(Command::BanPreset(first.id))));
        assert_eq!(aimed(&favourite), Some(Action::Show(Command::FavouritePreset(first.id))));
        assert_eq!(aimed(&Action::Show(Command::Next)), Some(Action::Show(Command::Next)));
        desk.borrow_mut().open(Page::Live);
        assert_eq!(aimed(&ban), Some(ban.clone()), "on the Live page, Ban acts on the preset on air");
    });
}

#[test]
fn enter_selects_the_first_preset_found() {
    let moment = library_moment(Page::Library);
    let results = &moment.library.results;
    let first = results.library.entries[results.indices[0] as usize].id;
    try_out(&moment, |harness, desk, _| {
        harness.get_by_role(Role::TextInput).click();
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(2);
        let favourite = desk.borrow().redirect(Action::Show(Command::Favourite));
        assert_eq!(favourite, Some(Action::Show(Command::FavouritePreset(first))));
    });
}

#[test]
fn a_preset_rejected_by_an_audit_is_marked_and_can_be_rescued() {
    let moment = library_moment(Page::Library);
    let (id, _) = moment.library.rejected.first_key_value().expect("one was rejected");
    let library = &moment.library.results.library;
    let entry = &library.entries[library.index_of(*id).expect("listed")];
    try_out(&moment, |harness, _, asked| {
        harness.get_by_label(entry.name()).click();
        harness.run_steps(2);
        harness.get_by_label("Excluded: too dark");
        harness.get_by_label("Rescue").click();
        harness.run_steps(2);
        assert_eq!(*asked.borrow(), [show(Command::Rescue(*id))]);
    });
}

#[test]
fn a_mark_can_be_undone_for_a_while() {
    let mut moment = moment(Page::Live, playing());
    moment.snapshot.undo = Some(Undoable { what: "Banned Grey Noise".into(), at: moment.snapshot.now - 3.0 });
    try_out(&moment, |harness, _, asked| {
        harness.get_by_label("Banned Grey Noise");
        harness.get_by_label("Undo").click();
        harness.run_steps(2);
        assert_eq!(*asked.borrow(), [show(Command::Undo)]);
    });
    moment.snapshot.undo = Some(Undoable { what: "Banned Grey Noise".into(), at: 1.0 });
    try_out(&moment, |harness, _, _| assert!(harness.query_by_label("Undo").is_none(), "too late to undo"));
}

#[test]
fn the_layers_row_launches_layers_and_shows_a_typed_title() {
    let mut moment = moment(Page::Live, playing());
    moment.settings.settings.layers = Some("/layers".into());
    moment.snapshot.layers = [2, 1];
    try_out(&moment, |harness, _, asked| {
        let mut click = |label: &str| {
            harness.get_by_label(label).click();
            harness.run_steps(2);
            asked.borrow_mut().drain(..).collect::<Vec<_>>()
        };
        assert_eq!(click("Sprite"), [show(Command::Sprite(0))]);
        assert_eq!(click("Message"), [show(Command::Message(0))]);
        assert_eq!(click("Clear"), [show(Command::ClearSprites), show(Command::ClearText)]);
        harness.get_all_by_role(Role::TextInput).last().expect("the title's field").click();
        harness.run_steps(2);
        harness.get_all_by_role(Role::TextInput).last().expect("the title's field").type_text("Live");
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(2);
        let asked: Vec<_> = asked.borrow_mut().drain(..).collect();
        assert_eq!(asked, [show(Command::SetTitle("Live".into())), show(Command::LaunchTitle)]);
    });
}
