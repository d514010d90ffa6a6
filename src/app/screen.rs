//! Keeps the output on its display, and moves it back when a disconnected display returns. A missing display never
//! stops the show.

use std::time::{Duration, Instant};

use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoop};
use winit::monitor::MonitorHandle;
use winit::window::{Fullscreen, Window, WindowId};

use super::placements::ScreenChoice;
use crate::library::OutputDisplay;

/// Interval between checks of the displays.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// Largest difference, in pixels, that rounding may cause between the output and the display that it fills.
const ROUNDING: u32 = 2;
/// Maximum number of consecutive attempts to fill a display again, because a window manager may prevent it.
const MAX_ATTEMPTS: u32 = 3;

/// The display that the output fills.
pub(super) struct Screen {
    wanted: OutputDisplay,
    choice: ScreenChoice,
    checked: Option<Instant>,
    /// Number of consecutive attempts to make a full-screen output cover its display again.
    attempts: u32,
    message: Option<String>,
}

/// Properties of a display that determine whether it is chosen.
#[derive(Clone, Debug, PartialEq)]
struct Display {
    name: Option<String>,
    /// Whether the display shows the desk.
    desk: bool,
}

impl Screen {
    /// Creates a screen that fills the wanted display as soon as it is connected, unless a previous `choice` says
    /// otherwise.
    pub fn new(wanted: OutputDisplay, choice: ScreenChoice) -> Self {
        Self { wanted, choice, checked: None, attempts: 0, message: None }
    }

    /// Returns the state to restore after a restart.
    pub fn choice(&self) -> &ScreenChoice {
        &self.choice
    }

    /// Returns the message for the desk, if any.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns when to check the displays next.
    pub fn next_check(&self) -> Instant {
        self.checked.map_or_else(Instant::now, |checked| checked + CHECK_INTERVAL)
    }

    /// Every [`CHECK_INTERVAL`], fills the wanted display or, if it is not connected, leaves full screen.
    /// Does nothing while the full-screen key overrides the choice. Returns whether [`Self::choice`] has changed.
    pub fn check(&mut self, output: &Window, desk: &Window) -> bool {
        if self.checked.is_some_and(|checked| checked.elapsed() < CHECK_INTERVAL) {
            return false;
        }
        self.checked = Some(Instant::now());
        let before = self.choice.clone();
        let display = self.display(output, desk);
        if !self.overridden(display.is_some()) {
            self.follow(display, output);
        }
        self.choice != before
    }

    /// Fills the chosen display or, if it is not connected, leaves full screen.
    fn follow(&mut self, display: Option<MonitorHandle>, output: &Window) {
        match display {
            Some(display) => {
                self.message = None;
                self.choice.name = display.name().or(self.choice.name.take());
                let fills =
                    matches!(output.fullscreen(), Some(Fullscreen::Borderless(Some(on))) if on == display);
                if !fills {
                    self.attempts = 0;
                    fill(output, Some(Fullscreen::Borderless(Some(display))));
                } else if covers(output, &display) {
                    self.attempts = 0;
                } else if self.attempts < MAX_ATTEMPTS {
                    // The display was unplugged and reconnected between two checks, and the window has moved.
                    self.attempts += 1;
                    fill(output, None);
                    fill(output, Some(Fullscreen::Borderless(Some(display))));
                }
            }
            None => {
                if self.message.is_none() {
                    self.message = self.missing_message(output.available_monitors().count());
                    self.message.iter().for_each(|message| eprintln!("aivj: {message}"));
                }
                if output.fullscreen().is_some() {
                    fill(output, None);
                }
            }
        }
    }

    /// Switches to another display, or to a window.
    pub fn switch_to(&mut self, wanted: OutputDisplay, output: &Window, desk: &Window) {
        *self = Self::new(wanted, ScreenChoice::default());
        self.check(output, desk);
    }

    /// Toggles full screen on the chosen display or, if none is available, on the output's current one.
    pub fn toggle(&mut self, output: &Window, desk: &Window) {
        let fills = output.fullscreen().is_some();
        let display = self.display(output, desk);
        self.set_by_hand(!fills, display.is_some());
        self.message = None;
        if fills {
            fill(output, None);
        } else {
            self.choice.name = display.as_ref().and_then(MonitorHandle::name).or(self.choice.name.take());
            fill(output, Some(Fullscreen::Borderless(display)));
        }
    }

    /// Records that the full-screen key made the output full screen, or a window. `connected` is whether the chosen
    /// display is connected, and thus whether the output would be full screen without the key.
    fn set_by_hand(&mut self, full_screen: bool, connected: bool) {
        self.choice.by_hand = (full_screen != connected).then_some(full_screen);
    }

    /// Returns whether the full-screen key overrides the choice. The override ends when the chosen display is connected
    /// or disconnected, because the output is then the same without it.
    fn overridden(&mut self, connected: bool) -> bool {
        self.choice.by_hand = self.choice.by_hand.filter(|full_screen| *full_screen != connected);
        self.choice.by_hand.is_some()
    }

    fn display(&self, output: &Window, desk: &Window) -> Option<MonitorHandle> {
        let shows_desk = desk.current_monitor();
        let mut monitors: Vec<MonitorHandle> = output.available_monitors().collect();
        let display = |monitor: &MonitorHandle| Display {
            name: monitor.name(),
            desk: shows_desk.as_ref() == Some(monitor),
        };
        let displays: Vec<Display> = monitors.iter().map(display).collect();
        choose(self.wanted, self.choice.name.as_deref(), &displays).map(|number| monitors.swap_remove(number))
    }

    /// Returns a message about the missing display; `None` if a window is wanted, or if the choice is
    /// automatic and no display was filled before. `count` is the number of connected displays.
    fn missing_message(&self, count: usize) -> Option<String> {
        let which = match (self.wanted, &self.choice.name) {
            (OutputDisplay::Window, _) | (OutputDisplay::Automatic, None) => return None,
            (_, Some(name)) => format!("display {name} was disconnected"),
            (OutputDisplay::Number(number), None) => {
                format!("display {number} is not connected ({count} found, numbered from 0)")
            }
        };
        Some(format!("{which}; the output stays in a window until the display is connected"))
    }
}

/// Returns the number of the output's display, and whether the output is full screen; `None` if unknown.
pub(super) fn place(output: &Window) -> Option<(usize, bool)> {
    let on = output.current_monitor()?;
    let number = output.available_monitors().position(|monitor| monitor == on)?;
    Some((number, output.fullscreen().is_some()))
}

/// Returns the index of the display to fill, if any; `filled` is the name of the display last filled.
fn choose(wanted: OutputDisplay, filled: Option<&str>, displays: &[Display]) -> Option<usize> {
    if wanted == OutputDisplay::Window {
        return None;
    }
    if let Some(filled) = filled
        && let Some(number) = displays.iter().position(|display| display.name.as_deref() == Some(filled))
    {
        return Some(number);
    }
    match wanted {
        OutputDisplay::Number(number) if filled.is_none() => (number < displays.len()).then_some(number),
        OutputDisplay::Number(_) | OutputDisplay::Window => None,
        // Some systems do not report which display the desk is on; it is then assumed to be on the first.
        OutputDisplay::Automatic => {
            let desk = displays.iter().position(|display| display.desk).unwrap_or(0);
            (0..displays.len()).find(|number| *number != desk)
        }
    }
}

/// Returns whether the output covers the display; true if the system does not report the output's position.
fn covers(output: &Window, display: &MonitorHandle) -> bool {
    let Ok(at) = output.outer_position() else { return true };
    let (size, wanted) = (output.inner_size(), display.size());
    lies_on(([at.x, at.y], size.into()), ([display.position().x, display.position().y], wanted.into()))
}

/// Returns whether a window covers a display. Both are given as `([left, top], [width, height])`, in pixels.
fn lies_on(window: ([i32; 2], [u32; 2]), display: ([i32; 2], [u32; 2])) -> bool {
    let near = |a: &[u32; 2], b: &[u32; 2]| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= ROUNDING);
    let corners = window.0.iter().zip(&display.0);
    corners.map(|(a, b)| a.abs_diff(*b)).all(|off| off <= ROUNDING) && near(&window.1, &display.1)
}

fn fill(window: &Window, how: Option<Fullscreen>) {
    window.set_cursor_visible(how.is_none());
    window.set_fullscreen(how);
}

/// Lists the displays of this computer, or returns why they cannot be listed.
pub fn screens() -> Result<Vec<String>, String> {
    let events = event_loop::<()>()?;
    let mut list = DisplayList(Vec::new());
    events.run_app(&mut list).map_err(|error| error.to_string())?;
    Ok(list.0)
}

/// Creates an event loop connected to the display server, or returns why it cannot be created.
pub(super) fn event_loop<T: 'static>() -> Result<EventLoop<T>, String> {
    let named = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| std::env::var_os(name).is_some());
    if cfg!(target_os = "linux") && !named {
        return Err("neither DISPLAY nor WAYLAND_DISPLAY is set".into());
    }
    EventLoop::with_user_event().build().map_err(|_| "cannot connect to the display server".into())
}

/// Event handler that lists the displays and exits.
struct DisplayList(Vec<String>);

impl ApplicationHandler for DisplayList {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        let lines = events.available_monitors().enumerate().map(|(number, screen)| {
            let name = screen.name().unwrap_or_else(|| "unnamed".into());
            format!("{number}: {name}, {}x{}", screen.size().width, screen.size().height)
        });
        self.0 = lines.collect();
        events.exit();
    }

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn displays(names: &[&str], desk: Option<usize>) -> Vec<Display> {
        let display = |(number, name): (usize, &&str)| Display {
            name: Some((*name).to_owned()),
            desk: desk == Some(number),
        };
        names.iter().enumerate().map(display).collect()
    }

    #[test]
    fn without_a_setting_the_output_opens_on_the_display_without_the_desk() {
        let choose = |displays: &[Display]| choose(OutputDisplay::Automatic, None, displays);
        assert_eq!(choose(&displays(&["laptop", "projector"], Some(0))), Some(1));
        assert_eq!(choose(&displays(&["projector", "laptop"], Some(1))), Some(0));
        assert_eq!(choose(&displays(&["laptop", "projector"], None)), Some(1), "the desk's place is unknown");
        assert_eq!(choose(&displays(&["laptop"], Some(0))), None);
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn a_window_that_was_moved_off_its_display_does_not_fill_it() {
        let display = ([1920, 0], [1280, 720]);
        assert!(lies_on(display, display));
        assert!(lies_on(([1921, 0], [1279, 720]), display), "scaling rounds");
        assert!(!lies_on(([0, 0], [1280, 720]), display), "on the desk's display");
        assert!(!lies_on(([1920, 0], [960, 540]), display), "a window");
    }

    #[test]
    fn the_chosen_display_is_kept_when_others_come_and_go() {
        let (both, laptop) = (displays(&["laptop", "projector"], Some(0)), displays(&["laptop"], Some(0)));
        let three = displays(&["tablet", "laptop", "projector"], Some(1));
        for wanted in [OutputDisplay::Number(1), OutputDisplay::Automatic] {
            assert_eq!(choose(wanted, Some("projector"), &both), Some(1));
            assert_eq!(choose(wanted, Some("projector"), &laptop), None);
            assert_eq!(choose(wanted, Some("projector"), &three), Some(2), "its number has changed");
        }
        // The desk was dragged to the output's display.
        let dragged = displays(&["laptop", "projector"], Some(1));
        assert_eq!(choose(OutputDisplay::Automatic, Some("projector"), &dragged), Some(1));
    }

    #[test]
    fn an_unknown_display_number_and_a_window_fill_nothing() {
        let both = displays(&["laptop", "projector"], Some(0));
        assert_eq!(choose(OutputDisplay::Number(2), None, &both), None);
        assert_eq!(choose(OutputDisplay::Number(0), None, &both), Some(0));
        assert_eq!(choose(OutputDisplay::Window, Some("projector"), &both), None);
        let screen = |wanted| Screen::new(wanted, ScreenChoice::default());
        let message = screen(OutputDisplay::Number(2)).missing_message(2).expect("a message");
        assert!(message.contains("display 2 is not connected (2 found"), "{message}");
        assert_eq!(screen(OutputDisplay::Automatic).missing_message(1), None, "not a problem");
    }

    #[test]
    fn the_full_screen_key_keeps_its_effect_after_a_restart() {
        for connected in [false, true] {
            let mut screen = Screen::new(OutputDisplay::Automatic, ScreenChoice::default());
            assert!(!screen.overridden(connected));
            screen.set_by_hand(!connected, connected);
            let saved = serde_json::to_string(screen.choice()).expect("written");
            let restored = serde_json::from_str(&saved).expect("read");
            let mut screen = Screen::new(OutputDisplay::Automatic, restored);
            assert!(screen.overridden(connected), "connected: {connected}");
            screen.set_by_hand(connected, connected);
            assert!(!screen.overridden(connected), "the key was pressed again");
        }
    }

    #[test]
    fn a_reconnected_display_is_filled_again_whatever_the_full_screen_key_did_meanwhile() {
        for presses in [&[true][..], &[true, false]] {
            let choice = ScreenChoice { name: Some("projector".into()), by_hand: None };
            let mut screen = Screen::new(OutputDisplay::Automatic, choice);
            for full_screen in presses {
                screen.set_by_hand(*full_screen, false);
            }
            assert!(!screen.overridden(true), "{presses:?}");
            assert!(!screen.overridden(false), "disconnected again");
            assert_eq!(screen.choice().name.as_deref(), Some("projector"));
        }
    }
}
