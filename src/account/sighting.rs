//! What was seen, and where to look at it.

use std::ops::AddAssign;

/// Frames that are kept: enough to look at, few enough to print.
const FRAMES: usize = 5;

/// The first frames (`frame.number`) that show something, ascending; 0 where there are fewer. Parts merge in any order to the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstFrames([u64; FRAMES]);

impl FirstFrames {
    /// Keeps a frame if it is one of the first.
    #[inline]
    pub fn add(&mut self, frame: u64) {
        // 0 stands for "none" and therefore sorts last.
        let last = self.0[FRAMES - 1];
        if frame != 0 && (last == 0 || frame < last) {
            self.insert(frame);
        }
    }

    #[cold]
    fn insert(&mut self, frame: u64) {
        if !self.0.contains(&frame) {
            self.0[FRAMES - 1] = frame;
            self.0.sort_unstable_by_key(|&frame| if frame == 0 { u64::MAX } else { frame });
        }
    }

    /// Ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> + use<> {
        self.0.into_iter().take_while(|&frame| frame > 0)
    }
}

impl AddAssign for FirstFrames {
    fn add_assign(&mut self, other: Self) {
        other.iter().for_each(|frame| self.add(frame));
    }
}

/// Something seen that costs bytes: how often, how many octets, and the first frames that show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// How often it was seen.
    pub count: u64,
    /// Octets it cost.
    pub bytes: u64,
    /// The first frames that show it.
    pub frames: FirstFrames,
}

impl Sighting {
    /// Adds one sighting at a frame (`frame.number`).
    pub fn add(&mut self, bytes: u64, frame: u64) {
        self.count += 1;
        self.bytes += bytes;
        self.frames.add(frame);
    }
}

impl AddAssign for Sighting {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.bytes += other.bytes;
        self.frames += other.frames;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sighting_keeps_the_first_frames_in_any_order() {
        let mut forwards = Sighting::default();
        let mut backwards = Sighting::default();
        (1..=9).for_each(|frame| forwards.add(10, frame));
        (1..=9).rev().for_each(|frame| backwards.add(10, frame));
        assert_eq!(forwards, backwards);
        assert_eq!((forwards.bytes, forwards.frames.iter().collect::<Vec<_>>()), (90, vec![1, 2, 3, 4, 5]));
    }
}
