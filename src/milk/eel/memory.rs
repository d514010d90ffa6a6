//! `megabuf`: eight million numbers a preset may write, given out block by block when first written.

/// Numbers a program can address.
const SIZE: usize = 8 * 1024 * 1024;
/// Numbers of one block.
const BLOCK: usize = 65_536;
/// Most blocks all memories of one preset hold together (128 MiB); what would need more is not stored.
const MAX_BLOCKS: u32 = 256;

/// How many more blocks the memories of one preset may hold.
#[derive(Clone, Copy, Debug)]
pub struct MemoryQuota(u32);

impl Default for MemoryQuota {
    fn default() -> Self {
        Self(MAX_BLOCKS)
    }
}

/// A preset's memory. Reading what was never written gives 0.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    blocks: Vec<Option<Box<[f64]>>>,
}

impl Memory {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The place an index means: the whole number below, but for errors of rounding; `None` outside.
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

    /// Stores `value` at `index`; outside the memory, or where there is no `room`, nothing happens. True when that took
    /// a new block, which costs far more than a number.
    pub fn write(&mut self, index: f64, value: f64, room: &mut MemoryQuota) -> bool {
        let Some(place) = Self::place(index) else { return false };
        let number = place / BLOCK;
        if self.blocks.len() <= number {
            self.blocks.resize(number + 1, None);
        }
        let new = self.blocks[number].is_none();
        if new {
            if room.0 == 0 || value == 0.0 {
                return false;
            }
            room.0 -= 1;
            self.blocks[number] = Some(vec![0.0; BLOCK].into());
        }
        if let Some(block) = &mut self.blocks[number] {
            block[place % BLOCK] = value;
        }
        new
    }

    /// Forgets everything from `index` on, to whole blocks; how many blocks that gave back.
    pub fn free_from(&mut self, index: f64, room: &mut MemoryQuota) -> u32 {
        let first = Self::place(index).map_or(0, |place| place.div_ceil(BLOCK));
        let freed = self.blocks.iter_mut().skip(first).filter_map(Option::take).count() as u32;
        self.blocks.truncate(first);
        room.0 += freed;
        freed
    }
}
