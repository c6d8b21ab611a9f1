//! Work on several threads.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A piece of work; what comes of it goes where whoever made it said.
pub(crate) type Work = Box<dyn FnOnce() + Send>;

/// Threads that work while this one goes on. They are there once there is work, and gone with the pool.
pub(crate) struct Pool {
    queue: Arc<Queue>,
    /// Threads wanted beside this one.
    helpers: usize,
    threads: Vec<JoinHandle<()>>,
}

/// Work that nobody has begun.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    is_closed: bool,
}

impl Pool {
    /// A pool of so many threads, this one included.
    pub(crate) fn new(jobs: usize) -> Self {
        Self { queue: Arc::default(), helpers: jobs.saturating_sub(1), threads: Vec::new() }
    }

    /// Whether anybody works beside this thread.
    pub(crate) fn has_helpers(&self) -> bool {
        self.helpers > 0
    }

    /// Hands over work. Where no thread can be had it waits for [`help`](Self::help).
    pub(crate) fn submit(&mut self, work: Work) {
        if self.threads.is_empty() {
            let spawned = (0..self.helpers).map_while(|_| {
                let queue = Arc::clone(&self.queue);
                thread::Builder::new().name("content".into()).spawn(move || queue.work()).ok()
            });
            self.threads = spawned.collect();
        }
        self.queue.lock().waiting.push_back(work);
        self.queue.changed.notify_one();
    }

    /// Does on this thread what nobody else has begun, until there is no more of it. It takes what came last, the others what came
    /// first: where the same work comes in the same order again, each thread finds more of it in its own cache.
    pub(crate) fn help(&self) {
        while let Some(work) = self.queue.last() {
            work();
        }
    }
}

impl Drop for Pool {
    /// What nobody has begun is not done: nobody is there any more who wants it.
    fn drop(&mut self) {
        {
            let mut state = self.queue.lock();
            state.waiting.clear();
            state.is_closed = true;
        }
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pool").field("helpers", &self.helpers).finish_non_exhaustive()
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Work is done outside the lock, so the state is whole whatever became of it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> Option<Work> {
        self.lock().waiting.pop_back()
    }

    /// Does what comes until the queue is closed.
    fn work(&self) {
        loop {
            let idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
            let mut state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
            let Some(work) = state.waiting.pop_front() else { return };
            drop(state);
            work();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn all_work_is_done_once_beside_this_thread_or_on_it() {
        for jobs in [0, 1, 2, 3, 100] {
            for count in [0, 1, 2, 7, 64] {
                let mut pool = Pool::new(jobs);
                let (done, all) = mpsc::channel();
                for number in 0..count {
                    let done = done.clone();
                    pool.submit(Box::new(move || done.send(number).expect("somebody listens")));
                }
                drop(done);
                pool.help();
                let mut numbers: Vec<u64> = all.into_iter().collect();
                numbers.sort_unstable();
                assert_eq!(numbers, (0..count).collect::<Vec<_>>(), "{jobs} {count}");
            }
        }
    }

    #[test]
    fn work_goes_on_without_this_thread() {
        let mut pool = Pool::new(2);
        let (done, result) = mpsc::channel();
        pool.submit(Box::new(move || done.send(7).expect("somebody listens")));
        assert_eq!(result.recv(), Ok(7));
    }

    #[test]
    fn what_was_not_begun_is_dropped_with_the_pool() {
        let mut pool = Pool::new(1);
        let (done, result) = mpsc::channel();
        pool.submit(Box::new(move || done.send(7).expect("somebody listens")));
        drop(pool);
        assert_eq!(result.recv(), Err(mpsc::RecvError));
    }
}
