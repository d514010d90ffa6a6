//! Draws windows, mainly the desk, with egui: passes input to egui, paints its output and presents the result.

use std::sync::Arc;
use std::time::Duration;

use winit::event::{ElementState, WindowEvent};
use winit::window::Window;

use super::canvas::{Canvas, DeskFrame};
use super::keys::acts_while_typing;
use super::live::NewestPicture;
use super::surface::{AFTER_PANIC, WindowSurface, caught};
use crate::stage::RenderContext;

/// Delay before the next attempt to paint while the graphics device is lost.
const RETRY: Duration = Duration::from_millis(50);

/// Paints a window with egui.
pub(super) struct Painter {
    context: egui::Context,
    input: egui_winit::State,
    canvas: Canvas,
    /// The device that the canvas is painted with.
    render_context: Arc<RenderContext>,
    surface: WindowSurface,
    /// The picture in the preview, and its number.
    previewed: (wgpu::TextureView, u64),
    /// Whether the window shows the current contents of the canvas.
    presented: bool,
    /// Whether a pointer button has been pressed since the window was last painted.
    clicked: bool,
}

/// egui's response to an event.
pub(super) struct EventResult {
    /// Whether egui consumed the event; if so, it must not also trigger an action.
    pub consumed: bool,
    /// Whether the window needs to be repainted.
    pub repaint: bool,
}

impl Painter {
    /// Creates a painter for `window`, with `picture` as the preview.
    pub fn new(window: &Window, surface: WindowSurface, picture: &NewestPicture) -> Self {
        let context = egui::Context::default();
        let gpu = &picture.context.gpu;
        let input = egui_winit::State::new(
            context.clone(),
            egui::ViewportId::ROOT,
            window,
            Some(window.scale_factor() as f32),
            None,
            Some(gpu.device.limits().max_texture_dimension_2d as usize),
        );
        Self {
            context,
            input,
            canvas: Canvas::new(gpu, surface.format(), &picture.view),
            render_context: picture.context.clone(),
            surface,
            previewed: (picture.view.clone(), picture.number),
            presented: false,
            clicked: false,
        }
    }

    /// Passes an event to egui. Key presses go to egui only while a text field has focus, or may have gained
    /// it by a click that egui has not processed yet; elsewhere on the desk, keys trigger actions.
    pub fn event(&mut self, window: &Window, event: &WindowEvent) -> EventResult {
        self.clicked |= matches!(event, WindowEvent::MouseInput { state: ElementState::Pressed, .. });
        let key = match event {
            WindowEvent::KeyboardInput { event, .. } => Some(event),
            _ => None,
        };
        let key = key.filter(|key| key.state == ElementState::Pressed);
        if key.is_some() && !self.clicked && !self.context.text_edit_focused() {
            return EventResult { consumed: false, repaint: false };
        }
        let response = self.input.on_window_event(window, event);
        let consumed = key.map_or(response.consumed, |key| !acts_while_typing(&key.logical_key));
        EventResult { consumed, repaint: response.repaint }
    }

    /// Makes the next [`Self::paint`] present the window's contents, because the window has lost them.
    pub fn expose(&mut self) {
        self.presented = false;
    }

    /// Runs `ui`, which gets the preview's texture, and presents the result if it differs from what the
    /// window shows. Returns the delay before the next repaint if nothing else requests one sooner.
    pub fn paint(
        &mut self,
        window: &Window,
        size: [u32; 2],
        picture: &NewestPicture,
        mut ui: impl FnMut(&mut egui::Ui, egui::TextureId),
    ) -> Duration {
        let gpu = &picture.context.gpu;
        if gpu.lost() {
            return RETRY; // A picture from the replacement device will arrive soon.
        }
        if !Arc::ptr_eq(&self.render_context, &picture.context) {
            self.render_context = picture.context.clone();
            self.canvas.renew(gpu, self.surface.format(), &picture.view);
            self.previewed = (picture.view.clone(), picture.number);
        }
        let (view, number) = &self.previewed;
        let new_picture = *number != picture.number || *view != picture.view;
        if *view != picture.view {
            self.canvas.show_preview(gpu, &picture.view);
        }
        self.previewed = (picture.view.clone(), picture.number);
        let raw = self.input.take_egui_input(window);
        self.clicked = false;
        let preview = self.canvas.preview();
        let output = self.context.run_ui(raw, |root| ui(root, preview));
        self.input.handle_platform_output(window, output.platform_output);
        let frame = DeskFrame {
            shapes: output.shapes,
            textures: output.textures_delta,
            pixels_per_point: output.pixels_per_point,
            size,
        };
        self.canvas.keep(&frame.textures);
        let (canvas, context) = (&mut self.canvas, &self.context);
        // If the device is lost here, everything is repainted on its replacement.
        let painted = gpu.shielded(|| canvas.paint(gpu, context, frame, new_picture)).unwrap_or(false);
        if painted || !self.presented {
            let (canvas, surface) = (self.canvas.texture(), &mut self.surface);
            let shown = canvas.map(|canvas| caught(|| surface.show_copy(&picture.context, canvas)));
            self.presented = shown == Some(Some(true));
            if shown == Some(None) {
                log::error!("could not present a window because of an internal error; retrying");
                self.surface.reset();
                return AFTER_PANIC;
            }
        }
        let viewport = output.viewport_output.get(&egui::ViewportId::ROOT);
        let delay = viewport.map_or(Duration::MAX, |viewport| viewport.repaint_delay);
        if self.presented && !self.canvas.is_late() { delay } else { Duration::ZERO }
    }
}
