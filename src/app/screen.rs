//! The display that the output fills: followed when it is unplugged and when it returns. A missing display never stops
//! the show.

use std::time::{Duration, Instant};

use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoop};
use winit::window::{Fullscreen, Window, WindowId};

/// Interval between checks of the displays.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The display that the output fills.
pub(super) struct Screen {
    /// Counted from 0; `None` if the performer toggles full screen by hand.
    wanted: Option<usize>,
    looked: Option<Instant>,
    message: Option<String>,
}

impl Screen {
    /// Fills display `wanted`, if any, as soon as it is connected.
    pub fn wanted(wanted: Option<usize>) -> Self {
        Self { wanted, looked: None, message: None }
    }

    /// Returns the message for the desk, if any.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns when to check the displays next.
    pub fn next_look(&self) -> Instant {
        self.looked.map_or_else(Instant::now, |looked| looked + LOOK_EVERY)
    }

    /// Checks the displays at intervals: fills the wanted one if connected, and leaves full screen if not.
    pub fn look(&mut self, window: &Window) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let Some(number) = self.wanted else { return };
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
                        "display {number} is not connected ({count} found, numbered from 0); the output stays in a window \
                         until it is"
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

    /// Switches to another display, or to a window.
    pub fn turn_to(&mut self, wanted: Option<usize>, window: &Window) {
        *self = Self::wanted(wanted);
        fill(window, None);
        self.look(window);
    }

    /// Toggles full screen on the output's current display.
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

/// Lists the displays of this machine, or returns why there are none.
pub fn screens() -> Result<Vec<String>, String> {
    let events = event_loop::<()>()?;
    let mut list = DisplayList(Vec::new());
    events.run_app(&mut list).map_err(|error| error.to_string())?;
    Ok(list.0)
}

/// Opens a connection to the display server, or returns why there is none.
pub(super) fn event_loop<T: 'static>() -> Result<EventLoop<T>, String> {
    let named = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| std::env::var_os(name).is_some());
    if cfg!(target_os = "linux") && !named {
        return Err("neither DISPLAY nor WAYLAND_DISPLAY is set".into());
    }
    EventLoop::with_user_event().build().map_err(|_| "the display server does not respond".into())
}

/// Lists the displays and exits.
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
