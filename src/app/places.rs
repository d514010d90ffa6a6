//! Where the windows are, so that a restarted show opens them there again.

use serde::{Deserialize, Serialize};
use winit::dpi::{PhysicalPosition, PhysicalSize};
use winit::window::{Fullscreen, Window};

/// Where both windows are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Places {
    /// The output.
    pub output: Place,
    /// The desk.
    pub desk: Place,
    /// Whether the desk is hidden.
    pub desk_hidden: bool,
}

/// Where a window is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Left and top edge, pixels; `None` where the system does not tell.
    pub position: Option<[i32; 2]>,
    /// Width and height of its contents, pixels.
    pub size: [u32; 2],
    /// Name of the display that it fills, if it does.
    pub fills: Option<String>,
}

impl Place {
    /// Returns where `window` is.
    pub fn of(window: &Window) -> Self {
        let size = window.inner_size();
        let monitor = window.fullscreen().map(|_| window.current_monitor());
        Self {
            position: window.outer_position().ok().map(|at| [at.x, at.y]),
            size: [size.width, size.height],
            fills: monitor.map(|monitor| monitor.and_then(|monitor| monitor.name()).unwrap_or_default()),
        }
    }

    /// Puts `window` there.
    pub fn apply(&self, window: &Window) {
        if let Some([left, top]) = self.position {
            window.set_outer_position(PhysicalPosition::new(left, top));
        }
        if let Some(name) = &self.fills {
            let named = window.available_monitors().find(|monitor| monitor.name().as_ref() == Some(name));
            window.set_cursor_visible(false);
            window.set_fullscreen(Some(Fullscreen::Borderless(named)));
        } else if !self.size.contains(&0) {
            // The window may only get its size later; then it is announced as resized.
            let [width, height] = self.size;
            let _later = window.request_inner_size(PhysicalSize::new(width, height));
        }
    }
}
