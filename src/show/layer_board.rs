//! The performer's layers on air: sprites, and a message or song title. The stage draws them.

use std::sync::Arc;

use crate::layers::{LayerContent, LayerOnAir, MAX_SPRITES, MAX_TITLE};
use crate::units::Rng;

/// The layers on air, oldest first, and the title to show when launched.
pub(super) struct LayerBoard {
    on_air: Vec<LayerOnAir>,
    launched: u64,
    rng: Rng,
    title: Arc<str>,
}

impl LayerBoard {
    /// Creates an empty board; `rng` provides the seeds of the layers.
    pub fn new(rng: Rng) -> Self {
        Self { on_air: Vec::new(), launched: 0, rng, title: "".into() }
    }

    /// Puts the layers of an earlier show back on the air.
    pub fn resume(&mut self, on_air: &[LayerOnAir]) {
        self.on_air = on_air.to_vec();
        self.launched = on_air.iter().map(|layer| layer.id).max().unwrap_or(0);
    }

    /// Advances the layers by `dt` seconds.
    pub fn advance(&mut self, dt: f64) {
        self.on_air.iter_mut().for_each(|layer| layer.age_secs += dt);
    }

    /// Removes the layers with these IDs, which have ended on their own.
    pub fn end(&mut self, ended: impl Iterator<Item = u64>) {
        for id in ended {
            self.on_air.retain(|layer| layer.id != id);
        }
    }

    pub fn on_air(&self) -> &[LayerOnAir] {
        &self.on_air
    }

    /// Returns the number of sprites on air, and the number of messages and titles.
    pub fn counts(&self) -> [usize; 2] {
        let sprites = self.on_air.iter().filter(|layer| is_sprite(layer)).count();
        [sprites, self.on_air.len() - sprites]
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    /// Sets the title without showing it. Surrounding white space and control characters are removed, and the title is
    /// truncated to [`MAX_TITLE`] characters.
    pub fn set_title(&mut self, title: &str) {
        let letters = title.trim().chars().filter(|letter| !letter.is_control());
        self.title = letters.take(MAX_TITLE).collect::<String>().into();
    }

    /// Launches the title.
    pub fn launch_title(&mut self) {
        self.launch(LayerContent::Title(self.title.clone()));
    }

    /// Launches a layer. A message or title replaces the one on air; a sprite beyond the maximum replaces the
    /// oldest sprite.
    pub fn launch(&mut self, content: LayerContent) {
        if !matches!(content, LayerContent::Sprite(_)) {
            self.clear_text();
        } else if self.counts()[0] >= MAX_SPRITES
            && let Some(oldest) = self.on_air.iter().position(is_sprite)
        {
            self.on_air.remove(oldest);
        }
        self.launched += 1;
        let seed = self.rng.fork(self.launched).next_u64();
        self.on_air.push(LayerOnAir { id: self.launched, age_secs: 0.0, seed, content });
    }

    /// Takes all sprites off the air.
    pub fn clear_sprites(&mut self) {
        self.on_air.retain(|layer| !is_sprite(layer));
    }

    /// Takes the message or title off the air.
    pub fn clear_text(&mut self) {
        self.on_air.retain(is_sprite);
    }
}

fn is_sprite(layer: &LayerOnAir) -> bool {
    matches!(layer.content, LayerContent::Sprite(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> LayerBoard {
        LayerBoard::new(Rng::new(5))
    }

    fn contents(board: &LayerBoard) -> Vec<LayerContent> {
        board.on_air().iter().map(|layer| layer.content.clone()).collect()
    }

    #[test]
    fn a_message_replaces_a_title_and_leaves_sprites() {
        let mut board = board();
        board.launch(LayerContent::Sprite(3));
        board.set_title("  A\tsong ");
        board.launch_title();
        board.advance(0.5);
        assert_eq!(contents(&board), [LayerContent::Sprite(3), LayerContent::Title("Asong".into())]);
        board.launch(LayerContent::Message(7));
        assert_eq!(contents(&board), [LayerContent::Sprite(3), LayerContent::Message(7)]);
        assert_eq!([board.on_air()[0].age_secs, board.on_air()[1].age_secs], [0.5, 0.0]);
        board.clear_sprites();
        assert_eq!(contents(&board), [LayerContent::Message(7)]);
        board.clear_text();
        assert!(board.on_air().is_empty() && board.title() == "Asong");
    }

    #[test]
    fn a_sprite_beyond_the_maximum_replaces_the_oldest() {
        let mut board = board();
        (0..=MAX_SPRITES).for_each(|number| board.launch(LayerContent::Sprite(number as u8)));
        assert_eq!(board.on_air().len(), MAX_SPRITES);
        assert_eq!(board.on_air()[0].content, LayerContent::Sprite(1));
    }

    #[test]
    fn equal_seeds_give_equal_launches() {
        let seeds = |mut board: LayerBoard| {
            (0..3).for_each(|_| board.launch(LayerContent::Sprite(0)));
            board.on_air().iter().map(|layer| (layer.id, layer.seed)).collect::<Vec<_>>()
        };
        let launched = seeds(board());
        assert_eq!(launched, seeds(board()));
        assert!(launched[0].1 != launched[1].1 && launched != seeds(LayerBoard::new(Rng::new(6))));
    }

    #[test]
    fn resumed_layers_keep_their_age_and_new_ones_get_other_ids() {
        let (mut earlier, mut board) = (board(), board());
        earlier.launch(LayerContent::Message(2));
        earlier.launch(LayerContent::Sprite(3));
        earlier.advance(2.0);
        board.resume(earlier.on_air());
        assert_eq!(board.on_air(), earlier.on_air());
        board.launch(LayerContent::Sprite(3));
        assert_eq!(board.on_air().iter().map(|layer| layer.id).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn long_titles_are_truncated() {
        let mut board = board();
        board.set_title(&"é".repeat(500));
        assert_eq!(board.title().chars().count(), MAX_TITLE);
    }
}
