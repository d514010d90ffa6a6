//! Peak memory of a function, measured by an allocator for the whole test program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Maximum size of a single allocation; a larger request ends the program.
const LARGEST: usize = 1 << 30;

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Bytes in use, and the peak since the last reset. Bytes count once allocated, whether touched or not.
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Counts an allocation of `bytes` bytes, unless it has failed.
fn counted(pointer: *mut u8, bytes: usize) -> *mut u8 {
    if !pointer.is_null() {
        let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
        PEAK.fetch_max(live, Ordering::Relaxed);
    }
    pointer
}

// SAFETY: every call is forwarded to the system's allocator unchanged, or fails with a null pointer.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST {
            return std::ptr::null_mut();
        }
        // SAFETY: guaranteed by the caller.
        counted(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST {
            return std::ptr::null_mut();
        }
        // SAFETY: guaranteed by the caller.
        counted(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > LARGEST {
            return std::ptr::null_mut();
        }
        // SAFETY: guaranteed by the caller.
        let moved = counted(unsafe { System.realloc(pointer, layout, size) }, size);
        if !moved.is_null() {
            LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        }
        moved
    }
}

/// Runs `work`; returns its result and the peak growth of the program's memory meanwhile, in bytes, including
/// other threads. Concurrent calls are serialised.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let done = work();
    let peak = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    drop(alone);
    (done, peak)
}

#[test]
fn a_failed_allocation_is_not_counted() {
    // No address space has room for this alignment.
    let layout = Layout::from_size_align(LARGEST, 1 << (usize::BITS - 2)).expect("a layout");
    // SAFETY: the layout has a size, and a null pointer is never used.
    let (failed, peak) = peak_of(|| unsafe { COUNTING.alloc(layout) }.is_null());
    assert!(failed && peak < LARGEST, "{peak}");
}
