//! Returns memory to the system after a large library was opened.

/// Returns the allocator's free memory to the system. Takes some milliseconds: for threads that have just opened a
/// library, never the render thread.
pub fn release_memory() {
    // Only glibc retains hundreds of megabytes of freed memory.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call takes a number and only affects the allocator's free lists.
    unsafe {
        libc::malloc_trim(0);
    }
}
