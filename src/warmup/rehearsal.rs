//! Draws the first frames of a preset on a separate device before the show's device draws the preset.
//!
//! A software rasteriser compiles a shader in the device's queue, when the shader is first used to draw; the
//! show's frames would wait for it there, for up to a few seconds. The compiled code goes into a cache on
//! disk that all devices share, so that the show's device only has to load it. The device and its threads run
//! at low priority: compilers take all the CPU time they can get, and the show needs the cores.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::handoff::lower_thread_priority;
use crate::milk::{PresetAudio, Program};
use crate::pacing::Quality;
use crate::stage::{Deck, DeckSettings, RenderContext, StageError};

/// Number of frames to draw: two, because the first one has no previous picture to read.
const FRAMES: u32 = 2;

/// Stack size of the thread, in bytes; drivers compile deeply nested shaders on it.
const STACK_BYTES: usize = 64 << 20;

/// Returns the scales at which a preset is rehearsed. Shaders that read blurred pictures are compiled anew for some
/// sizes (Mesa's llvmpipe treats sides that are powers of two differently), and the size may change with the quality
/// while the deck is on air.
fn scales(program: &Program) -> &'static [f64] {
    let second = program.second.as_ref().map_or(0, |(second, _)| second.blur_levels());
    match program.blur_levels().max(second) {
        0 => &Quality::SCALES[..1],
        _ => &Quality::SCALES,
    }
}

/// The device for rehearsals, opened when it is first needed.
#[derive(Clone)]
pub(super) struct Rehearsal {
    /// Context of the show's device.
    show: Arc<RenderContext>,
    context: Arc<Mutex<Option<Arc<RenderContext>>>>,
}

impl Rehearsal {
    /// Returns a rehearsal for shows on the device of `show`; `None` if that device is not a software
    /// rasteriser, because other drivers compile shaders outside the queue.
    pub fn for_show(show: &Arc<RenderContext>) -> Option<Self> {
        show.gpu.software().then(|| Self { show: show.clone(), context: Arc::default() })
    }

    /// Draws the first frames of a preset. Blocks until they are finished.
    ///
    /// # Errors
    /// Returns an error if the rehearsal's device was lost or did not finish in time; the preset must then not be drawn
    /// on the show's device either. Any other failure is ignored here, because the show's device will report it.
    pub fn draw(
        &self,
        program: Arc<Program>,
        settings: DeckSettings,
        seed: u64,
        audio: &PresetAudio,
    ) -> Result<(), StageError> {
        thread::scope(|scope| {
            let work = || {
                lower_thread_priority();
                let Some(context) = self.open() else { return Ok(()) };
                let drawn = scales(&program).iter().try_for_each(|scale| {
                    Deck::prepare(&context, program.clone(), settings.scaled(*scale), seed)?
                        .warm_up(&context, audio, FRAMES)
                });
                self.judge(drawn)
            };
            match thread::Builder::new()
                .name("rehearsal".into())
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, work)
            {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(error) => {
                    log::debug!("could not start a thread to compile shaders ahead of time: {error}");
                    Ok(())
                }
            }
        })
    }

    /// Returns only errors after which the preset must not be drawn on the show's device; after such an error, closes
    /// the rehearsal's device.
    fn judge(&self, drawn: Result<(), StageError>) -> Result<(), StageError> {
        let Err(error) = drawn else { return Ok(()) };
        log::debug!("could not compile the shaders of a preset ahead of time: {error}");
        if matches!(error, StageError::Lost(_) | StageError::Timeout(_)) {
            self.context.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(error);
        }
        Ok(())
    }

    fn open(&self) -> Option<Arc<RenderContext>> {
        let mut context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        if context.is_none() {
            match self.show.reopen() {
                Ok(opened) => *context = Some(Arc::new(opened)),
                Err(error) => {
                    log::debug!("could not open a device to compile shaders ahead of time: {error}");
                }
            }
        }
        context.clone()
    }
}
