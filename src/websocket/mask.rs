//! Masking (RFC 6455 §5.3).

/// Unmasks payload data in place; `position` is the offset of its first octet in the frame's payload.
#[inline]
pub(super) fn unmask(data: &mut [u8], key: [u8; 4], position: u64) {
    let turned = turn(key, position);
    // Eight octets at a time; the compiler makes wider lanes of it.
    let wide = u64::from_ne_bytes([turned[0], turned[1], turned[2], turned[3], turned[0], turned[1], turned[2], turned[3]]);
    let (lanes, rest) = data.as_chunks_mut::<8>();
    for lane in lanes {
        *lane = (u64::from_ne_bytes(*lane) ^ wide).to_ne_bytes();
    }
    for (octet, key) in rest.iter_mut().zip(turned.iter().cycle()) {
        *octet ^= key;
    }
}

/// The key as it falls on the octet at `position`.
fn turn(key: [u8; 4], position: u64) -> [u8; 4] {
    let mut turned = key;
    turned.rotate_left((position % 4) as usize);
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octet_i_is_unmasked_by_key_octet_i_modulo_4_wherever_it_is_cut() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let payload: Vec<u8> = (0..100).collect();
        let masked: Vec<u8> = payload.iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]).collect();
        for cut in 0..payload.len() {
            let mut data = masked.clone();
            let (left, right) = data.split_at_mut(cut);
            unmask(left, key, 0);
            unmask(right, key, cut as u64);
            assert_eq!(data, payload, "cut at {cut}");
        }
    }
}
