//! Masking of payload data (RFC 6455 §5.3).

/// Masks or unmasks a piece of payload data in place: the operation is its own inverse.
///
/// `offset` is the position of the piece's first octet within the frame's payload data, in octets: octet i is XORed with
/// octet i mod 4 of the key.
#[inline]
pub(crate) fn unmask(payload: &mut [u8], key: [u8; 4], offset: u64) {
    let mut key = key;
    key.rotate_left((offset % 4) as usize);
    let word = u32::from_ne_bytes(key);
    // Four keys side by side: the same in memory for either byte order. The compiler widens it further.
    let lane = u128::from_ne_bytes([key; 4].as_flattened().try_into().expect("4 × 4 octets are 16"));
    let (lanes, rest) = payload.as_chunks_mut::<16>();
    for octets in lanes {
        *octets = (u128::from_ne_bytes(*octets) ^ lane).to_ne_bytes();
    }
    let (words, tail) = rest.as_chunks_mut::<4>();
    for octets in words {
        *octets = (u32::from_ne_bytes(*octets) ^ word).to_ne_bytes();
    }
    for (octet, key) in tail.iter_mut().zip(key) {
        *octet ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6455_example_hello() {
        // RFC 6455 §5.7: a single-frame masked text message, key 37 fa 21 3d.
        let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        unmask(&mut payload, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(&payload, b"Hello");
    }

    #[test]
    fn any_cut_gives_the_octets_of_one_piece() {
        let key = [1, 2, 4, 8];
        let wanted: Vec<u8> = (0..70u8).map(|i| i ^ key[usize::from(i % 4)]).collect();
        for cut in 0..=70 {
            let mut payload: Vec<u8> = (0..70).collect();
            let (left, right) = payload.split_at_mut(cut);
            unmask(left, key, 0);
            unmask(right, key, cut as u64);
            assert_eq!(payload, wanted);
        }
    }
}
