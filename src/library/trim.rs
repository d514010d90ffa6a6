//! Memory that opening a large library took for a moment goes back to the system.

/// Gives back what the allocator keeps of memory that nobody uses any more. Takes some milliseconds: for threads that have
/// just opened a library, never for the one that draws.
pub fn give_back_memory() {
    // Only this allocator keeps freed memory by the hundred megabytes.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes a number and touches nothing but the allocator's own free lists.
    unsafe {
        libc::malloc_trim(0);
    }
}
