//! Returns memory to the system after a large library has been opened.

/// Returns the allocator's free memory to the system. Takes several milliseconds: call it on threads that
/// have just opened a library, never on the render thread.
pub fn release_memory() {
    // Only glibc retains hundreds of megabytes of freed memory.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call takes a number and only affects the allocator's free lists.
    unsafe {
        libc::malloc_trim(0);
    }
}
