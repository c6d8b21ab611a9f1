//! Work on several threads.

/// Does work on each item, on as many threads as there are jobs; with one, on this thread. Items are dealt out in turn.
pub(crate) fn for_each<T: Send>(items: Vec<T>, jobs: usize, work: impl Fn(T) + Sync) {
    let jobs = jobs.clamp(1, items.len().max(1));
    if jobs == 1 {
        return items.into_iter().for_each(work);
    }
    let mut hands: Vec<Vec<T>> = (0..jobs).map(|_| Vec::with_capacity(items.len() / jobs + 1)).collect();
    items.into_iter().enumerate().for_each(|(at, item)| hands[at % jobs].push(item));
    let own = hands.pop();
    std::thread::scope(|scope| {
        for hand in hands {
            scope.spawn(|| hand.into_iter().for_each(&work));
        }
        own.into_iter().flatten().for_each(&work);
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
