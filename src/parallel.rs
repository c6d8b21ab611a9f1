//! Work on several threads.

use std::sync::{Mutex, PoisonError};

/// Does work on each item, on as many threads as there are jobs; with one, on this thread. Whoever has done with one takes the
/// next.
pub(crate) fn for_each<T: Send>(items: Vec<T>, jobs: usize, work: impl Fn(T) + Sync) {
    let jobs = jobs.clamp(1, items.len().max(1));
    if jobs == 1 {
        return items.into_iter().for_each(work);
    }
    let items = Mutex::new(items.into_iter());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work_on = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(work_on);
        }
        work_on();
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        for jobs in [0, 1, 2, 3, 100] {
            for count in [0, 1, 2, 7, 64] {
                let (sum, times) = (AtomicU64::new(0), AtomicU64::new(0));
                for_each((0..count).collect(), jobs, |item: u64| {
                    sum.fetch_add(item, Ordering::Relaxed);
                    times.fetch_add(1, Ordering::Relaxed);
                });
                assert_eq!((sum.into_inner(), times.into_inner()), ((0..count).sum(), count), "{jobs} {count}");
            }
        }
    }
}
