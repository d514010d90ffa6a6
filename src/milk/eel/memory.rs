//! `megabuf`: eight million numbers a preset may write, given out block by block when first written.

/// Numbers a program can address.
const SIZE: usize = 8 * 1024 * 1024;
/// Numbers of one block.
const BLOCK: usize = 65_536;
/// Most blocks of one memory that exist at once (32 MiB); what would need more is not stored.
const MAX_BLOCKS: usize = 64;

/// A preset's memory. Reading what was never written gives 0.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    blocks: Vec<Option<Box<[f64]>>>,
    given: usize,
}

impl Memory {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The place an index means: rounded to the nearest whole number, `None` outside.
    fn place(index: f64) -> Option<usize> {
        let place = (index + 0.0001).floor();
        (place >= 0.0 && place < SIZE as f64).then_some(place as usize)
    }

    /// The number at `index`.
    pub fn read(&self, index: f64) -> f64 {
        let Some(place) = Self::place(index) else { return 0.0 };
        match self.blocks.get(place / BLOCK) {
            Some(Some(block)) => block[place % BLOCK],
            _ => 0.0,
        }
    }

    /// Stores `value` at `index`; outside the memory, or beyond what it may hold, nothing happens.
    pub fn write(&mut self, index: f64, value: f64) {
        let Some(place) = Self::place(index) else { return };
        let number = place / BLOCK;
        if self.blocks.len() <= number {
            self.blocks.resize(number + 1, None);
        }
        if self.blocks[number].is_none() {
            if self.given >= MAX_BLOCKS || value == 0.0 {
                return;
            }
            self.given += 1;
            self.blocks[number] = Some(vec![0.0; BLOCK].into());
        }
        if let Some(block) = &mut self.blocks[number] {
            block[place % BLOCK] = value;
        }
    }

    /// Forgets everything from `index` on, to whole blocks.
    pub fn free_from(&mut self, index: f64) {
        let first = Self::place(index).map_or(0, |place| place.div_ceil(BLOCK));
        for block in self.blocks.iter_mut().skip(first) {
            self.given -= usize::from(block.take().is_some());
        }
    }
}
