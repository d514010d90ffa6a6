//! Lowers the priority of background threads.

/// Amount added to the niceness of a thread, which then gets about a third of the CPU time of a normal thread
/// when cores are scarce.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// Lowers the priority of the calling thread and, on Linux, of the threads that it starts later. Does nothing on
/// systems other than Linux and Windows.
pub fn lower_thread_priority() {
    // SAFETY: `nice` takes an integer and touches no memory. On Linux, it affects only the calling thread.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::nice(NICENESS)
    };
    #[cfg(windows)]
    {
        use windows_sys::Win32::System::Threading::{
            GetCurrentThread, SetThreadPriority, THREAD_PRIORITY_BELOW_NORMAL,
        };
        // SAFETY: the handle of the current thread is always valid, and a thread may always change its own priority.
        unsafe { SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL) };
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_this_thread_and_those_it_starts_are_lowered() {
        // SAFETY: `getpriority` takes and returns integers.
        let niceness = || unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
        let before = niceness();
        let lowered = std::thread::spawn(move || {
            lower_thread_priority();
            [niceness(), std::thread::spawn(niceness).join().expect("a thread")]
        });
        let expected = (before + NICENESS).min(19); // 19 is the lowest priority.
        assert_eq!(lowered.join().expect("a thread"), [expected; 2]);
        assert_eq!(niceness(), before);
    }
}
