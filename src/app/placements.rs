//! Placement of the windows, restored when a show restarts after a crash.

use serde::{Deserialize, Serialize};
use winit::dpi::{PhysicalPosition, PhysicalSize};
use winit::window::{Fullscreen, Window};

/// Placement of both windows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowPlacements {
    /// Placement of the output window.
    pub output: WindowPlacement,
    /// Placement of the desk window.
    pub desk: WindowPlacement,
    /// Whether the desk is hidden.
    pub desk_hidden: bool,
    /// The display of the output.
    pub screen: ScreenChoice,
}

/// The choice of the output's display, where the settings leave it open or were overridden.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenChoice {
    /// Name of the display that the output last filled; unlike the display's number, it stays the same when other
    /// displays come and go.
    pub name: Option<String>,
    /// Whether the output is full screen, if the full-screen key has overridden the settings; otherwise `None`.
    pub by_hand: Option<bool>,
}

/// Position, size and full-screen state of a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowPlacement {
    /// Left and top edges of the window, in pixels; `None` if the system does not report them.
    pub position: Option<[i32; 2]>,
    /// Width and height of the window's contents, in pixels.
    pub size: [u32; 2],
    /// Name of the display that the window fills, empty if that display has no name; `None` if the window is not full
    /// screen.
    pub fills: Option<String>,
}

impl WindowPlacement {
    /// Returns the placement of `window`.
    pub fn of(window: &Window) -> Self {
        let size = window.inner_size();
        let monitor = window.fullscreen().map(|_| window.current_monitor());
        Self {
            position: window.outer_position().ok().map(|at| [at.x, at.y]),
            size: [size.width, size.height],
            fills: monitor.map(|monitor| monitor.and_then(|monitor| monitor.name()).unwrap_or_default()),
        }
    }

    /// Moves `window` to its saved position, and resizes it or makes it full screen.
    pub fn apply(&self, window: &Window) {
        if let Some([left, top]) = self.position {
            window.set_outer_position(PhysicalPosition::new(left, top));
        }
        if let Some(name) = &self.fills {
            let named = window.available_monitors().find(|monitor| monitor.name().as_ref() == Some(name));
            window.set_cursor_visible(false);
            window.set_fullscreen(Some(Fullscreen::Borderless(named)));
        } else if !self.size.contains(&0) {
            // The system may apply the size later; an event then reports it.
            let [width, height] = self.size;
            let _later = window.request_inner_size(PhysicalSize::new(width, height));
        }
    }
}
