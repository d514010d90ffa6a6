//! The screen the output fills: followed when it goes and when it comes back, never a reason not to play.

use std::time::{Duration, Instant};

use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoop};
use winit::window::{Fullscreen, Window, WindowId};

/// Screens are looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Which screen the output shall fill.
pub(super) struct Screen {
    /// Counted from 0; none when the performer decides by hand.
    wanted: Option<usize>,
    looked: Option<Instant>,
    message: Option<String>,
}

impl Screen {
    /// The output shall fill screen `wanted`, if any, as soon as there is one.
    pub fn wanted(wanted: Option<usize>) -> Self {
        Self { wanted, looked: None, message: None }
    }

    /// What is wrong, for the desk.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Every now and then: fills the wanted screen when it is there, and leaves it when it has gone.
    pub fn look(&mut self, window: &Window) {
        let Some(number) = self.wanted else { return };
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let fills = window.fullscreen().is_some();
        let count = window.available_monitors().count();
        match window.available_monitors().nth(number) {
            Some(_) if fills => {}
            Some(screen) => {
                self.message = None;
                fill(window, Some(Fullscreen::Borderless(Some(screen))));
            }
            None => {
                if self.message.is_none() {
                    let message = format!(
                        "there is no screen {number} (counted from 0, {count} found): the output stays in its window \
                         and fills the screen when it appears"
                    );
                    eprintln!("aivj: {message}");
                    self.message = Some(message);
                }
                if fills {
                    fill(window, None);
                }
            }
        }
    }

    /// Another screen is wanted from now on, or none.
    pub fn turn_to(&mut self, wanted: Option<usize>, window: &Window) {
        *self = Self::wanted(wanted);
        fill(window, None);
        self.look(window);
    }

    /// By hand: fills the screen the output is on, or leaves it.
    pub fn toggle(&mut self, window: &Window) {
        (self.wanted, self.message) = (None, None);
        let fills = window.fullscreen().is_some();
        fill(window, (!fills).then_some(Fullscreen::Borderless(None)));
    }
}

fn fill(window: &Window, how: Option<Fullscreen>) {
    window.set_cursor_visible(how.is_none());
    window.set_fullscreen(how);
}

/// The screens of this machine, in words; why there are none.
pub fn screens() -> Result<Vec<String>, String> {
    let events = event_loop()?;
    let mut census = DisplayList(Vec::new());
    events.run_app(&mut census).map_err(|error| error.to_string())?;
    Ok(census.0)
}

/// A connection to the display; in words for users why there is none.
pub(super) fn event_loop() -> Result<EventLoop<()>, String> {
    let named = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| std::env::var_os(name).is_some());
    if cfg!(target_os = "linux") && !named {
        return Err("neither DISPLAY nor WAYLAND_DISPLAY is set".into());
    }
    EventLoop::new().map_err(|_| "the display does not answer".into())
}

/// Counts the screens and ends.
struct DisplayList(Vec<String>);

impl ApplicationHandler for DisplayList {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        let lines = events.available_monitors().enumerate().map(|(number, screen)| {
            let name = screen.name().unwrap_or_else(|| "without a name".into());
            format!("screen {number}: {name}, {}x{}", screen.size().width, screen.size().height)
        });
        self.0 = lines.collect();
        events.exit();
    }

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}
}
