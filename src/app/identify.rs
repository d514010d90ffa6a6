//! Briefly shows each display's number in a small window at the centre of the display.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use winit::dpi::{PhysicalPosition, PhysicalSize};
use winit::event_loop::ActiveEventLoop;
use winit::window::{Window, WindowId, WindowLevel};

use super::live::Pictures;
use super::painter::Painter;
use super::surface::WindowSurface;

/// How long the numbers are shown.
const SHOWN: Duration = Duration::from_secs(3);
/// Height of a display divided by the side length of its window.
const SHARE: u32 = 3;

/// The windows that show the numbers; they close when this is dropped.
pub(super) struct Identify {
    windows: Vec<NumberWindow>,
    until: Instant,
}

struct NumberWindow {
    number: usize,
    name: String,
    painter: Painter,
    window: Arc<Window>,
}

impl Identify {
    /// Opens a window on every display.
    pub fn show(events: &ActiveEventLoop, pictures: &Pictures) -> anyhow::Result<Self> {
        let picture = pictures.newest.read();
        let gpu = &picture.context.gpu;
        let mut windows = Vec::new();
        for (number, display) in events.available_monitors().enumerate() {
            let (size, corner) = (display.size(), display.position());
            let side = (size.height / SHARE).max(1);
            let at = |start: i32, length: u32| start + (length.saturating_sub(side) / 2) as i32;
            let attributes = Window::default_attributes()
                .with_title(format!("aivj display {number}"))
                .with_decorations(false)
                .with_resizable(false)
                .with_active(false)
                .with_window_level(WindowLevel::AlwaysOnTop)
                .with_inner_size(PhysicalSize::new(side, side))
                .with_position(PhysicalPosition::new(at(corner.x, size.width), at(corner.y, size.height)));
            let window = Arc::new(events.create_window(attributes).context("opening a window")?);
            let surface = gpu.instance.create_surface(window.clone()).context("drawing to a window")?;
            let surface = WindowSurface::new(gpu, window.clone(), surface, false, pictures.pause.clone())?;
            let painter = Painter::new(&window, surface, &picture);
            window.request_redraw();
            windows.push(NumberWindow { number, name: display.name().unwrap_or_default(), painter, window });
        }
        Ok(Self { windows, until: Instant::now() + SHOWN })
    }

    /// Returns when the windows should close.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Paints the window with `id`, if it is one of these.
    pub fn paint(&mut self, id: WindowId, pictures: &Pictures) {
        let Some(shown) = self.windows.iter_mut().find(|shown| shown.window.id() == id) else { return };
        let NumberWindow { number, name, painter, window } = shown;
        let picture = pictures.newest.read();
        painter.expose();
        painter.paint(window, window.inner_size().into(), &picture, |ui, _| {
            crate::desk::display_number(ui, *number, name);
        });
    }
}
