//! Draws the desk with egui onto its window.

use winit::event::{ElementState, WindowEvent};
use winit::window::Window;

use super::keys::acts_while_typing;
use super::surface::WindowSurface;
use crate::stage::Gpu;

/// egui with its window integration and renderer.
pub(super) struct Painter {
    pub context: egui::Context,
    input: egui_winit::State,
    renderer: egui_wgpu::Renderer,
    /// Whether a pointer button was pressed since the desk was drawn.
    clicked: bool,
    /// The output picture as an egui texture.
    pub preview: egui::TextureId,
}

impl Painter {
    pub fn new(gpu: &Gpu, surface: &WindowSurface, picture: &wgpu::TextureView) -> Self {
        let context = egui::Context::default();
        let options = egui_wgpu::RendererOptions::default();
        let mut renderer = egui_wgpu::Renderer::new(&gpu.device, surface.format(), options);
        let preview = renderer.register_native_texture(&gpu.device, picture, wgpu::FilterMode::Linear);
        let scale = surface.window.scale_factor() as f32;
        let input = egui_winit::State::new(
            context.clone(),
            egui::ViewportId::ROOT,
            &surface.window,
            Some(scale),
            None,
            Some(gpu.device.limits().max_texture_dimension_2d as usize),
        );
        Self { context, input, renderer, clicked: false, preview }
    }

    /// Passes an event to egui; returns whether it must not act on the show. Keys go to egui only while a text field has
    /// focus, or may have after a click that was not drawn yet, because the rest of the desk has its own keys.
    pub fn event(&mut self, window: &Window, event: &WindowEvent) -> bool {
        if let WindowEvent::MouseInput { state: ElementState::Pressed, .. } = event {
            self.clicked = true;
        }
        let key = match event {
            WindowEvent::KeyboardInput { event, .. } if event.state == ElementState::Pressed => event,
            _ => return self.input.on_window_event(window, event).consumed,
        };
        if !self.clicked && !self.context.text_edit_focused() {
            return false;
        }
        let _ = self.input.on_window_event(window, event);
        !acts_while_typing(&key.logical_key)
    }

    /// Runs `ui` and presents the result.
    pub fn paint(&mut self, gpu: &Gpu, surface: &mut WindowSurface, ui: impl FnMut(&mut egui::Ui)) {
        let raw = self.input.take_egui_input(&surface.window);
        self.clicked = false;
        let output = self.context.run_ui(raw, ui);
        self.input.handle_platform_output(&surface.window, output.platform_output);
        let jobs = self.context.tessellate(output.shapes, output.pixels_per_point);
        for (id, deltas) in &output.textures_delta.set {
            for delta in deltas {
                self.renderer.update_texture(&gpu.device, &gpu.queue, *id, delta);
            }
        }
        let screen = egui_wgpu::ScreenDescriptor {
            size_in_pixels: surface.size(),
            pixels_per_point: output.pixels_per_point,
        };
        let renderer = &mut self.renderer;
        surface.show(gpu, |view, encoder| {
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
    }
}
