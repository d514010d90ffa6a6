//! The newest picture of the show, for any number of windows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::handoff::Latest;
use crate::show::Rig;
use crate::stage::RenderContext;

/// The newest picture. The device draws it before any work that is submitted later, so readers need not wait for it.
#[derive(Clone)]
pub(in crate::app) struct NewestPicture {
    /// The device that draws the picture.
    pub context: Arc<RenderContext>,
    /// View of the picture on the device.
    pub view: wgpu::TextureView,
    /// Width and height, in pixels.
    pub size: [u32; 2],
    /// Increases with every new picture.
    pub number: u64,
}

/// Shares the show's newest picture with the windows.
#[derive(Clone)]
pub(in crate::app) struct Pictures {
    /// Cell with the newest picture.
    pub newest: Latest<NewestPicture>,
    /// Lets surfaces pause drawing while they are resized.
    pub pause: Pause,
}

impl Pictures {
    /// Creates the cell for the pictures of `rig`; it initially holds the picture as it is before the first frame.
    pub fn new(rig: &Rig, pause: Pause) -> Self {
        Self { newest: Latest::new(NewestPicture::of(rig, 0)), pause }
    }
}

impl NewestPicture {
    /// Returns the current picture of `rig`, numbered `number`.
    pub fn of(rig: &Rig, number: u64) -> Self {
        Self {
            context: rig.stage.render_context().clone(),
            view: rig.stage.picture().clone(),
            size: rig.stage.size(),
            number,
        }
    }
}

/// Pauses drawing briefly, because a surface can be configured only while the device is idle.
#[derive(Clone, Default)]
pub(in crate::app) struct Pause(Arc<AtomicUsize>);

/// A pause in drawing; it ends when this is dropped.
pub(in crate::app) struct Paused(Arc<AtomicUsize>);

impl Pause {
    /// Requests a pause, which lasts until the result is dropped.
    pub fn ask(&self) -> Paused {
        self.0.fetch_add(1, Ordering::Relaxed);
        Paused(self.0.clone())
    }

    /// Returns whether any surface is requesting a pause.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
