//! Bytes with many zeros, written shorter.
//!
//! Numbers of fixed width and empty lists are mostly zeros, and stand next to each other. A run
//! of zeros becomes one zero and its length; all other bytes stay as they are.

/// Writes runs of zeros shorter.
pub(super) fn squeeze(bytes: &[u8]) -> Vec<u8> {
    let mut squeezed = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        squeezed.push(*first);
        rest = after;
        if *first == 0 {
            let more = rest.iter().take(usize::from(u8::MAX) - 1).take_while(|byte| **byte == 0);
            let more = more.count();
            squeezed.push(u8::try_from(more + 1).unwrap_or(u8::MAX));
            rest = &rest[more..];
        }
    }
    squeezed
}

/// Undoes it. Nothing comes of bytes that nobody squeezed.
pub(super) fn spread(squeezed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(squeezed.len() * 2);
    let mut rest = squeezed;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == 0 {
            let (n, after) = rest.split_first().filter(|(n, _)| **n > 0)?;
            bytes.resize(bytes.len() + usize::from(*n), 0);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_squeezed_comes_back(
            parts in prop::collection::vec((any::<u8>(), 0..600_usize), 0..8)
        ) {
            let bytes: Vec<u8> =
                parts.iter().flat_map(|(byte, n)| [vec![*byte], vec![0; *n]].concat()).collect();
            prop_assert_eq!(spread(&squeeze(&bytes)), Some(bytes));
        }

        #[test]
        fn any_bytes_are_spread_or_refused(bytes in prop::collection::vec(0..4_u8, 0..64)) {
            if let Some(spread) = spread(&bytes) {
                prop_assert!(spread.len() <= bytes.len() * 128);
            }
        }
    }

    #[test]
    fn half_a_run_and_a_run_of_none_are_refused() {
        assert_eq!(spread(&[1, 0]), None);
        assert_eq!(spread(&[0, 0, 1]), None);
    }
}
