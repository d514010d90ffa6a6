//! The theme of the night: the field in which the performer describes it, its terms and styles with their weights, and
//! the saved themes.

use egui::{Button, Color32, ComboBox, Response, RichText, ScrollArea, Sense, TextEdit, Ui};

use super::field::entered;
use super::style;
use super::view::DeskView;
use crate::archive::LibraryRequest;
use crate::find::{Description, StyleFit, WEIGHTS, style_key};
use crate::mind::director::ThemedStyle;
use crate::show::Command;

/// Number of best and of worst styles that are shown.
const STYLES: usize = 3;
/// Change of a weight or fit per point of a drag.
const PER_POINT: f32 = 0.01;

/// The controls for the theme.
#[derive(Default)]
pub(super) struct ThemeField {
    /// The text being typed; `None` while the field is not being edited.
    draft: Option<String>,
    /// The theme of the show that is being replaced, and the theme as edited through its chips.
    edited: Option<(String, Description)>,
    /// The name being typed for the theme; `None` while it is not being saved.
    name: Option<String>,
}

impl ThemeField {
    /// Draws the controls. The theme changes when the field loses focus, for example after Enter, when a chip is
    /// clicked, and when the drag of a chip ends.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &DeskView,
        commands: &mut Vec<Command>,
        requests: &mut Vec<LibraryRequest>,
    ) {
        let current = view.snapshot.theme.as_str();
        ui.horizontal(|ui| {
            let caption = ui.label(RichText::new("Theme").color(style::OFF));
            self.saved(ui, &caption, view, commands, requests);
        });
        if let Some(name) = &mut self.name {
            let field = TextEdit::singleline(name).hint_text("Name, then Enter");
            let field = ui.add(field.desired_width(f32::INFINITY));
            if entered(&field) && !name.trim().is_empty() {
                requests.push(LibraryRequest::SaveTheme(name.trim().to_owned(), current.to_owned()));
                self.name = None;
            }
        }
        let mut text = self.draft.take().unwrap_or_else(|| current.to_owned());
        let field = TextEdit::singleline(&mut text).hint_text("deep sea, nothing white");
        let field = ui.add(field.desired_width(f32::INFINITY));
        if field.lost_focus() && text != current {
            let saved = text.trim().strip_prefix('@').and_then(|name| view.library.themes.get(name));
            commands.push(Command::Theme(saved.map_or(text.trim(), String::as_str).to_owned()));
        } else if field.has_focus() {
            self.draft = Some(text.clone());
        }
        // The show adopts an edited theme a few frames later.
        if self.edited.as_ref().is_some_and(|(replaced, _)| replaced != current) {
            self.edited = None;
        }
        let mut description = match &self.edited {
            Some((_, edited)) if self.draft.is_none() => edited.clone(),
            _ => Description::parse(&text),
        };
        let mut edit = Edit::None;
        ScrollArea::vertical().id_salt("theme").show(ui, |ui| {
            ui.horizontal_wrapped(|ui| terms(ui, &mut description, &mut edit));
            let styles = &view.library.themed_styles;
            ui.horizontal_wrapped(|ui| self::styles(ui, styles, &mut description, &mut edit));
        });
        if edit == Edit::Done {
            commands.push(Command::Theme(description.text()));
        }
        if edit != Edit::None {
            (self.draft, self.edited) = (None, Some((current.to_owned(), description)));
        }
    }

    /// Draws the list of saved themes next to its caption, and the buttons that save and delete the current one.
    fn saved(
        &mut self,
        ui: &mut Ui,
        caption: &Response,
        view: &DeskView,
        commands: &mut Vec<Command>,
        requests: &mut Vec<LibraryRequest>,
    ) {
        let (themes, current) = (&view.library.themes, view.snapshot.theme.as_str());
        let is_current = |text: &str| !current.is_empty() && text == current;
        let name = themes.iter().find(|(_, text)| is_current(text.as_str())).map(|(name, _)| name);
        if !themes.is_empty() {
            let title = name.map_or("Saved", String::as_str);
            let list = ComboBox::from_id_salt("saved themes").width(90.0).selected_text(title);
            let list = list.show_ui(ui, |ui| {
                for (name, text) in themes.iter() {
                    if ui.selectable_label(is_current(text.as_str()), name).clicked() {
                        (self.draft, self.edited) = (None, None);
                        commands.push(Command::Theme(text.clone()));
                    }
                }
            });
            list.response.labelled_by(caption.id);
        }
        match name {
            Some(name) => {
                if ui.small_button("Delete").on_hover_text("Remove this theme from the list").clicked() {
                    requests.push(LibraryRequest::DeleteTheme(name.clone()));
                }
            }
            None if current.is_empty() => self.name = None,
            None => {
                let saves = ui.selectable_label(self.name.is_some(), "Save as…");
                if saves.on_hover_text("Save this theme under a name").clicked() {
                    self.name = if self.name.is_some() { None } else { Some(String::new()) };
                }
            }
        }
    }
}

/// How the performer is editing the theme through its chips.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edit {
    None,
    /// A chip is being dragged.
    Dragged,
    /// The theme is to be applied.
    Done,
}

/// Draws the terms of the theme.
fn terms(ui: &mut Ui, description: &mut Description, edit: &mut Edit) {
    if let Some(example) = description.example() {
        ui.label(RichText::new(example).small().color(style::OFF));
    }
    let mut removed = None;
    for (at, term) in description.terms.iter_mut().enumerate() {
        let color = if term.negated { style::BAD } else { style::GOOD };
        let chip = chip(ui, &term.label(), color);
        if let Some(change) = dragged(&chip, edit) {
            let weight = term.weight + change;
            term.weight = weight.clamp(*WEIGHTS.start(), *WEIGHTS.end());
        }
        if chip.clicked() {
            term.negated = !term.negated;
            *edit = Edit::Done;
        } else if chip.secondary_clicked() {
            removed = Some(at);
            *edit = Edit::Done;
        }
        let help = "Click to negate, drag left or right to change the weight, right-click to remove";
        chip.on_hover_text(help);
    }
    if let Some(at) = removed {
        description.terms.remove(at);
    }
}

/// Draws the styles that fit the theme best and worst, and those whose fit the performer set.
fn styles(ui: &mut Ui, styles: &[ThemedStyle], description: &mut Description, edit: &mut Edit) {
    let (best, worst) = (STYLES, styles.len().saturating_sub(STYLES));
    for (at, themed) in styles.iter().enumerate() {
        let key = style_key(&themed.name);
        let set = description.styles.iter().position(|style| style.key == key);
        if (best..worst).contains(&at) && set.is_none() {
            continue;
        }
        let fit = set.map_or(themed.fit as f32, |set| description.styles[set].fit);
        let color = if set.is_some() { style::ACCENT } else { style::TEXT };
        let chip = chip(ui, &format!("{} {:.0}%", themed.name, fit * 100.0), color);
        let changed = dragged(&chip, edit).map(|change| fit + change);
        if chip.clicked() {
            *edit = Edit::Done;
        }
        // A click sets the opposite, and another one undoes it.
        match (changed.or_else(|| chip.clicked().then_some(1.0 - fit)), set) {
            (Some(_), Some(set)) if chip.clicked() => {
                description.styles.remove(set);
            }
            (Some(fit), Some(set)) => description.styles[set].fit = fit.clamp(0.0, 1.0),
            (Some(fit), None) => description.styles.push(StyleFit { key, fit: fit.clamp(0.0, 1.0) }),
            (None, _) => {}
        }
        let help = "How well this style fits. Drag left or right to change it. Click to set the opposite; if you have \
                    set a fit, click to return to the computed one.";
        chip.on_hover_text(help);
    }
}

fn chip(ui: &mut Ui, text: &str, color: Color32) -> Response {
    ui.add(Button::new(RichText::new(text).small().color(color)).sense(Sense::click_and_drag()))
}

/// Returns by how much dragging a chip changes its weight or fit in this frame; `None` if it is not dragged.
fn dragged(chip: &Response, edit: &mut Edit) -> Option<f32> {
    if chip.drag_stopped() {
        *edit = Edit::Done;
    } else if chip.dragged() && *edit == Edit::None {
        *edit = Edit::Dragged;
    }
    (chip.dragged() || chip.drag_stopped()).then(|| chip.drag_delta().x * PER_POINT)
}
