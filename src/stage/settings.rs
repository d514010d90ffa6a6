//! Settings shared by all decks of a show.

/// Picture size, mesh size and frame rate of a deck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeckSettings {
    /// Width and height of the picture, pixels.
    pub size: [u32; 2],
    /// Columns and rows of the warp mesh.
    pub mesh: [u32; 2],
    /// Target frame rate of the show, frames per second.
    pub fps: f64,
}
