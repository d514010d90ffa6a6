//! Settings shared by all decks of a show.

/// Picture size, mesh size and frame rate of a deck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeckSettings {
    /// Width and height of the picture, in pixels.
    pub size: [u32; 2],
    /// Columns and rows of the warp mesh.
    pub mesh: [u32; 2],
    /// Target frame rate of the show, in Hz.
    pub fps: f64,
}

impl DeckSettings {
    /// Returns the settings with the sizes of the picture and the mesh multiplied by `scale`. No side of the picture
    /// shrinks below 16 pixels, and no side of the mesh below 4 cells.
    pub fn scaled(self, scale: f64) -> Self {
        let side = |side: u32, least: u32| ((f64::from(side) * scale).round() as u32).max(least.min(side));
        Self {
            size: self.size.map(|length| side(length, 16)),
            mesh: self.mesh.map(|count| side(count, 4)),
            ..self
        }
    }
}
