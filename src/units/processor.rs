//! Processor time, which a busy machine does not stretch.

use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};

/// Processor time that all threads of this process took so far.
pub fn process_time() -> Duration {
    ProcessTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

/// Processor time that the calling thread took so far.
pub fn thread_time() -> Duration {
    ThreadTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_processor_time_and_sleep_does_not() {
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
