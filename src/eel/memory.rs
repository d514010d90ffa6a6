//! The memories `megabuf` and `gmegabuf`: 8,388,608 numbers each, in blocks that are allocated on the first
//! write of a value other than 0.

/// Number of values in a memory.
pub(super) const SIZE: usize = 8 * 1024 * 1024;
/// Number of values in a block.
pub(super) const BLOCK: usize = 65_536;
/// Number of blocks in a memory.
pub(super) const BLOCKS: usize = SIZE / BLOCK;
/// Added to an index before it is rounded down, so that rounding errors do not select the previous number.
pub(super) const INDEX_TOLERANCE: f64 = 0.0001;
/// Maximum number of blocks in all memories of a preset (128 MiB). Writes that would need more are discarded.
pub const MAX_BLOCKS: u32 = 256;

/// Number of memory blocks that a preset may still allocate.
#[derive(Clone, Copy, Debug)]
pub struct MemoryQuota(u32);

impl Default for MemoryQuota {
    fn default() -> Self {
        Self(MAX_BLOCKS)
    }
}

impl MemoryQuota {
    /// Creates a quota of `blocks` blocks.
    pub(super) fn of_blocks(blocks: u32) -> Self {
        Self(blocks)
    }
}

/// Sparse memory; unwritten numbers read as 0.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    blocks: Vec<Option<Box<[f64]>>>,
}

impl Memory {
    /// Creates memory with no blocks allocated.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns `index` plus [`INDEX_TOLERANCE`], rounded down; `None` if the result is out of range.
    pub(super) fn address(index: f64) -> Option<usize> {
        let address = (index + INDEX_TOLERANCE).floor();
        (address >= 0.0 && address < SIZE as f64).then_some(address as usize)
    }

    /// Returns the number at `index`; 0 if `index` is out of range.
    pub fn read(&self, index: f64) -> f64 {
        let Some(address) = Self::address(index) else { return 0.0 };
        match self.blocks.get(address / BLOCK) {
            Some(Some(block)) => block[address % BLOCK],
            _ => 0.0,
        }
    }

    /// Stores `value` at `index`; does nothing if `index` is out of range, or if the write needs a new block
    /// and the quota is used up. Returns true if it allocated a block, which is far slower than a plain
    /// write.
    pub fn write(&mut self, index: f64, value: f64, quota: &mut MemoryQuota) -> bool {
        let Some(address) = Self::address(index) else { return false };
        let number = address / BLOCK;
        if self.blocks.len() <= number {
            self.blocks.resize(number + 1, None);
        }
        let unallocated = self.blocks[number].is_none();
        if unallocated {
            if quota.0 == 0 || value == 0.0 {
                return false;
            }
            quota.0 -= 1;
            self.blocks[number] = Some(vec![0.0; BLOCK].into());
        }
        if let Some(block) = &mut self.blocks[number] {
            block[address % BLOCK] = value;
        }
        unallocated
    }

    /// Returns a pointer to the first number of each block, null for unallocated blocks. The pointers are
    /// valid until the next call that takes `&mut self`.
    pub(super) fn block_pointers(&mut self) -> [*mut f64; BLOCKS] {
        let mut pointers = [std::ptr::null_mut(); BLOCKS];
        for (pointer, block) in pointers.iter_mut().zip(&mut self.blocks) {
            if let Some(block) = block {
                *pointer = block.as_mut_ptr();
            }
        }
        pointers
    }

    /// Frees all blocks that start at or after `index`, or all blocks if `index` is out of range. Returns the
    /// number of blocks freed.
    pub fn free_from(&mut self, index: f64, quota: &mut MemoryQuota) -> u32 {
        let first = Self::address(index).map_or(0, |address| address.div_ceil(BLOCK));
        let freed = self.blocks.iter_mut().skip(first).filter_map(Option::take).count() as u32;
        self.blocks.truncate(first);
        quota.0 += freed;
        freed
    }
}
