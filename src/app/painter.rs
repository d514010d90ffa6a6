//! Draws the desk with egui onto its window.

use std::time::Duration;

use winit::event::{ElementState, WindowEvent};
use winit::window::Window;

use super::live::NewestPicture;
use super::surface::WindowSurface;

/// egui with its window integration and renderer.
pub(super) struct Painter {
    context: egui::Context,
    input: egui_winit::State,
    renderer: egui_wgpu::Renderer,
    surface: WindowSurface,
    /// The output picture as an egui texture.
    preview: egui::TextureId,
    /// What `preview` shows.
    previewed: wgpu::TextureView,
}

/// What egui wants after an event.
pub(super) struct Wanted {
    /// Whether egui consumed the event.
    pub consumed: bool,
    /// Whether the desk looks different now.
    pub repaint: bool,
}

impl Painter {
    /// Starts with the desk's window and the picture for the preview.
    pub fn new(window: &Window, surface: WindowSurface, picture: &NewestPicture) -> Self {
        let context = egui::Context::default();
        let gpu = &picture.context.gpu;
        let options = egui_wgpu::RendererOptions::default();
        let mut renderer = egui_wgpu::Renderer::new(&gpu.device, surface.format(), options);
        let preview = renderer.register_native_texture(&gpu.device, &picture.view, wgpu::FilterMode::Linear);
        let input = egui_winit::State::new(
            context.clone(),
            egui::ViewportId::ROOT,
            window,
            Some(window.scale_factor() as f32),
            None,
            Some(gpu.device.limits().max_texture_dimension_2d as usize),
        );
        Self { context, input, renderer, surface, preview, previewed: picture.view.clone() }
    }

    /// Passes an event to egui. Keys go to egui only while a text field has focus, because the rest of the desk has its
    /// own keys.
    pub fn event(&mut self, window: &Window, event: &WindowEvent) -> Wanted {
        let key_down = |event: &WindowEvent| matches!(event, WindowEvent::KeyboardInput { event, .. } if event.state == ElementState::Pressed);
        if key_down(event) && !self.context.text_edit_focused() {
            return Wanted { consumed: false, repaint: false };
        }
        let response = self.input.on_window_event(window, event);
        Wanted { consumed: response.consumed, repaint: response.repaint }
    }

    /// Runs `ui`, which gets the preview's texture, and presents the result. Returns when the desk wants to be painted
    /// again if nothing else happens, or `None` if the window was not ready.
    pub fn paint(
        &mut self,
        window: &Window,
        size: [u32; 2],
        picture: &NewestPicture,
        mut ui: impl FnMut(&mut egui::Ui, egui::TextureId),
    ) -> Option<Duration> {
        let gpu = &picture.context.gpu;
        if self.previewed != picture.view {
            let (device, filter) = (&gpu.device, wgpu::FilterMode::Linear);
            self.renderer.update_egui_texture_from_wgpu_texture(device, &picture.view, filter, self.preview);
            self.previewed = picture.view.clone();
        }
        let raw = self.input.take_egui_input(window);
        let preview = self.preview;
        let output = self.context.run_ui(raw, |root| ui(root, preview));
        self.input.handle_platform_output(window, output.platform_output);
        let jobs = self.context.tessellate(output.shapes, output.pixels_per_point);
        for (id, deltas) in &output.textures_delta.set {
            for delta in deltas {
                self.renderer.update_texture(&gpu.device, &gpu.queue, *id, delta);
            }
        }
        let screen = egui_wgpu::ScreenDescriptor {
            size_in_pixels: size,
            pixels_per_point: output.pixels_per_point,
        };
        let renderer = &mut self.renderer;
        let shown = self.surface.show(gpu, size, |view, encoder| {
            let extra = renderer.update_buffers(&gpu.device, &gpu.queue, encoder, &jobs, &screen);
            gpu.queue.submit(extra);
            let pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("desk"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                ..Default::default()
            });
            renderer.render(&mut pass.forget_lifetime(), &jobs, &screen);
        });
        for id in &output.textures_delta.free {
            self.renderer.free_texture(id);
        }
        let delay = output.viewport_output.get(&egui::ViewportId::ROOT).map(|viewport| viewport.repaint_delay);
        shown.then(|| delay.unwrap_or(Duration::MAX))
    }
}
