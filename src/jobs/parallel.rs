//! Parallel loops (rayon) whose results do not depend on the number of threads.
//!
//! Each call builds its own thread pool, so that its threads inherit the priority of the caller: a
//! low-priority bake stays at low priority on all of them.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayViewMut1, Axis};

/// Runs `work` in a pool of `threads` threads.
pub fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .thread_name(|number| format!("bake {number}"))
        .build()
        .expect("threads can be started");
    pool.install(work)
}

/// Calls `fill` with the index and the cells of every row, in parallel.
pub fn rows<T: Send + Sync>(
    matrix: &mut Array2<T>,
    threads: usize,
    fill: impl Fn(usize, ArrayViewMut1<T>) + Sync + Send,
) {
    on(threads, || {
        matrix.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(at, row)| fill(at, row));
    });
}

/// Maps every item in parallel; results are in the order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    on(threads, || items.par_iter().map(work).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let items: Vec<u64> = (0..1000).collect();
        for threads in [0, 1, 2, 7] {
            let squares = map(&items, threads, |item| item * item);
            assert!(squares.iter().zip(&items).all(|(square, item)| *square == item * item));
            let mut matrix = Array2::zeros((100, 3));
            rows(&mut matrix, threads, |at, mut row| row.fill(at));
            assert!(matrix.outer_iter().enumerate().all(|(at, row)| row.iter().all(|cell| *cell == at)));
        }
    }

    #[test]
    fn a_pool_has_no_more_threads_than_requested() {
        let seen = Mutex::new(BTreeSet::new());
        map(&[(); 64], 3, |()| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            seen.lock().expect("held").insert(std::thread::current().name().map(str::to_owned));
        });
        let names = ["bake 0", "bake 1", "bake 2"].map(|name| Some(name.to_owned()));
        assert!(seen.lock().expect("held").is_subset(&BTreeSet::from(names)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn threads_inherit_the_priority_of_the_caller() {
        // SAFETY: takes and returns integers.
        let niceness = || unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
        std::thread::spawn(move || {
            let before = niceness();
            crate::jobs::workers::lower_priority();
            let own = niceness();
            assert!(own > before || own == 19, "{before} {own}"); // 19 is the lowest priority.
            let others = map(&[(); 64], 2, |()| {
                std::thread::sleep(std::time::Duration::from_millis(1));
                niceness()
            });
            assert!(others.iter().all(|other| *other == own), "{others:?}");
        })
        .join()
        .expect("a low-priority thread");
    }
}
