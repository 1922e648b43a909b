//! Which elements of a sequence kept their order, so that few need to be called moved.

use std::collections::BTreeSet;

/// The indexes of a longest common subsequence, given for each element of the former sequence its
/// position in the present one and a key of its own.
///
/// Of several longest ones it is the one whose keys come first: the answer is the same whichever of
/// the two sequences is called the former.
pub(super) fn kept<K: Ord>(elements: &[(usize, K)]) -> BTreeSet<usize> {
    if elements.is_sorted_by_key(|(position, _)| *position) {
        return (0..elements.len()).collect();
    }
    let lengths = chain_lengths(elements);
    let mut kept = BTreeSet::new();
    let mut last: Option<(usize, usize)> = None;
    for length in (1..=lengths.iter().copied().max().unwrap_or(0)).rev() {
        let candidates = elements.iter().zip(&lengths).enumerate();
        let next = candidates
            .filter(|(index, ((position, _), chain))| {
                let follows = last.is_none_or(|(after, at)| *index > after && *position > at);
                **chain == length && follows
            })
            .min_by(|(_, ((_, one), _)), (_, ((_, other), _))| one.cmp(other));
        if let Some((index, ((position, _), _))) = next {
            kept.insert(index);
            last = Some((index, *position));
        }
    }
    kept
}

/// For each element the length of the longest ordered chain that starts with it.
fn chain_lengths<K>(elements: &[(usize, K)]) -> Vec<usize> {
    let mut lengths: Vec<usize> = Vec::with_capacity(elements.len());
    for (position, _) in elements.iter().rev() {
        let later = elements.iter().rev().zip(&lengths);
        let longest = later.filter(|((at, _), _)| at > position).map(|(_, length)| *length).max();
        lengths.push(longest.unwrap_or(0) + 1);
    }
    lengths.reverse();
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(before: &str, after: &str) -> String {
        let elements: Vec<_> = before
            .chars()
            .map(|key| (after.chars().position(|c| c == key).unwrap(), key))
            .collect();
        let kept = kept(&elements);
        before
            .chars()
            .enumerate()
            .filter(|(at, _)| !kept.contains(at))
            .map(|(_, key)| key)
            .collect()
    }

    #[test]
    fn only_what_moved_relative_to_the_others_is_said_to_have() {
        assert_eq!(moved("abcde", "abcde"), "");
        assert_eq!(moved("abcde", "bcdea"), "a");
        assert_eq!(moved("abcde", "eabcd"), "e");
        assert_eq!(moved("abcdef", "abefcd"), "ef");
        assert_eq!(moved("", ""), "");
    }

    #[test]
    fn ties_are_decided_the_same_in_both_directions() {
        for (one, other) in [("ab", "ba"), ("abcd", "cdab"), ("abcdef", "fbdace")] {
            let mut back: Vec<_> = moved(other, one).chars().collect();
            let mut forth: Vec<_> = moved(one, other).chars().collect();
            back.sort_unstable();
            forth.sort_unstable();
            assert_eq!(forth, back);
        }
    }
}
