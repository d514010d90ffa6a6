//! A vision model that embeds pictures and texts in the same space as the presets of a library.

use std::path::Path;

use image::DynamicImage;

/// The vision model of a library's embeddings.
pub trait Encoder: Send {
    /// Embeds a picture.
    ///
    /// # Errors
    /// Fails if the model cannot be used.
    fn picture(&mut self, picture: &DynamicImage) -> Result<Vec<f32>, String>;

    /// Embeds a text; `None` if the model embeds only pictures.
    ///
    /// # Errors
    /// Fails if the model cannot be used.
    fn text(&mut self, text: &str) -> Result<Option<Vec<f32>>, String>;
}

/// Opens the vision model of the embeddings in a bake folder; `None` if another embedder produced them, or the model
/// is not installed.
pub type OpenEncoder = fn(&Path) -> Result<Option<Box<dyn Encoder>>, String>;

/// The vision model of a library, opened when it is first needed.
pub(super) enum LazyEncoder {
    /// Not opened yet.
    Closed(OpenEncoder),
    /// Opened, if there is one.
    Open(Option<Box<dyn Encoder>>),
}

impl LazyEncoder {
    /// Returns the model of the embeddings in the folder `bake`; `None` if there is none or it cannot be opened.
    pub fn get(&mut self, bake: Option<&Path>) -> Option<&mut dyn Encoder> {
        if let Self::Closed(open) = *self {
            let opened = bake.map_or(Ok(None), open).unwrap_or_else(|why| {
                log::warn!("could not open the vision model of the embeddings: {why}");
                None
            });
            *self = Self::Open(opened);
        }
        match self {
            Self::Open(Some(encoder)) => Some(encoder.as_mut()),
            Self::Open(None) | Self::Closed(_) => None,
        }
    }
}
