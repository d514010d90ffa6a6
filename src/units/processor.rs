//! CPU time, which depends far less on the load of the machine than elapsed time does.

use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};

/// Returns the CPU time used by all threads of this process; zero if it is unavailable.
pub fn process_time() -> Duration {
    ProcessTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

/// Returns the CPU time used by the calling thread; zero if it is unavailable.
pub fn thread_time() -> Duration {
    ThreadTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_cpu_time_and_sleep_does_not() {
        let (process, thread) = (process_time(), thread_time());
        let mut sum = 0_u64;
        while thread_time() - thread < Duration::from_millis(40) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        assert!(process_time() - process >= Duration::from_millis(40));
        let thread = thread_time();
        std::thread::sleep(Duration::from_millis(100));
        assert!(thread_time() - thread < Duration::from_millis(50));
    }
}
