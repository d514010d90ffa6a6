//! Rows of a matrix filled by several threads; which thread fills a row changes nothing.

use ndarray::{Array2, ArrayViewMut1, Axis};

/// Calls `fill` with the number and the cells of every row.
pub fn rows<T: Send>(matrix: &mut Array2<T>, threads: usize, fill: impl Fn(usize, ArrayViewMut1<T>) + Sync) {
    let share = matrix.nrows().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        for (part, mut chunk) in matrix.axis_chunks_iter_mut(Axis(0), share).enumerate() {
            let fill = &fill;
            scope.spawn(move || {
                for (offset, row) in chunk.outer_iter_mut().enumerate() {
                    fill(part * share + offset, row);
                }
            });
        }
    });
}

/// `work` done on every item by several threads, results in the items' order.
pub fn map<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(share)
            .map(|chunk| {
                let work = &work;
                scope.spawn(move || chunk.iter().map(work).collect::<Vec<R>>())
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
