//! Memory that queues keep for what comes next.

use std::collections::VecDeque;

/// Of room for more than `kept` of which less than a quarter is used, twice that is left: so what moving takes is paid for by what was
/// taken out before.
#[inline]
pub(crate) fn shrink<T>(queue: &mut VecDeque<T>, kept: usize) {
    if queue.capacity() > kept && queue.len() < queue.capacity() / 4 {
        queue.shrink_to(2 * queue.len());
    }
}
