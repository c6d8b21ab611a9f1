//! Charging a connection's buckets to the sides that used it.

use crate::message::{Application, Bucket, Buckets, ConnectionRow, Direction, Side};

/// Octets by side, bucket and direction.
pub(crate) type Charges = [[[u64; 2]; 7]; 4];

/// Divides a connection's buckets among the sides; `None` when nobody used it: neither a row nor a WebSocket.
///
/// What was sent while WebSocket ran is WebSocket's. The rest (set-up, and what was sent while HTTP ran) is shared in
/// proportion to the octets of the sides' own rows, by cumulative floor division: the shares sum to the bucket exactly.
pub(crate) fn charges(row: &ConnectionRow) -> Option<Charges> {
    let mut weights = row.side_wire_bytes;
    if weights.iter().all(|&weight| weight == 0) {
        if row.websocket.is_none() && websocket_octets(&row.buckets) == 0 {
            return None;
        }
        weights[Side::WebSocket as usize] = 1;
    }
    let mut charges = Charges::default();
    for bucket in Bucket::ALL {
        for direction in Direction::BOTH {
            let cell = |application| row.buckets.get(application, bucket, direction);
            let shared = shares(cell(Application::None) + cell(Application::Http), weights);
            for side in Side::ALL {
                charges[side as usize][bucket as usize][direction as usize] = shared[side as usize];
            }
            charges[Side::WebSocket as usize][bucket as usize][direction as usize] += cell(Application::WebSocket);
        }
    }
    Some(charges)
}

fn websocket_octets(buckets: &Buckets) -> u64 {
    let cells = Bucket::ALL.iter().flat_map(|&bucket| Direction::BOTH.map(|direction| (bucket, direction)));
    cells.map(|(bucket, direction)| buckets.get(Application::WebSocket, bucket, direction)).sum()
}

/// `total` in proportion to weights, of which at least one is not 0: part i is ⌊T·Wᵢ/W⌋ − ⌊T·Wᵢ₋₁/W⌋ for cumulative weights Wᵢ.
fn shares(total: u64, weights: [u64; 4]) -> [u64; 4] {
    let whole: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    let (mut upto, mut given) = (0, 0);
    weights.map(|weight| {
        upto += u128::from(weight);
        let due = (u128::from(total) * upto).checked_div(whole).unwrap_or(0) as u64;
        let part = due - given;
        given = due;
        part
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_the_total() {
        // 100 octets over 1 : 1 : 0 : 1 → ⌊33.3⌋ = 33, ⌊66.7⌋ − 33 = 33, 0, 100 − 66 = 34.
        assert_eq!(shares(100, [1, 1, 0, 1]), [33, 33, 0, 34]);
        for total in [0, 1, 7, 1 << 40] {
            for weights in [[1, 2, 3, 4], [0, 0, 0, 9], [u64::MAX, 1, 0, 3]] {
                assert_eq!(shares(total, weights).iter().sum::<u64>(), total);
            }
        }
    }
}
