//! A keyed, monotone map of the numbers below one bound to those below another.
//!
//! ```text
//!  strict (the image twice as long, or longer)   left: its half, and a part of what is to spare
//!  otherwise                                     the halves share the value they meet at
//! ```

use crate::feistel::Direction;
use crate::forms::ROWS_TOGETHER;
use crate::key::LinkageKey;
use crate::lanes::Lanes;

/// Levels whose draws are made beforehand.
const LEVELS_KNOWN: u32 = 12;

/// A range of numbers and its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    first: u128,
    count: u128,
    image_first: u128,
    image_count: u128,
}

/// A number on its way down, and the node it is at.
#[derive(Debug, Clone, Copy)]
struct Walk {
    row: usize,
    number: u128,
    node: Node,
    /// Its place among the nodes, level by level, from 1.
    place: usize,
}

/// The map, as a tree of halves.
pub(super) struct Tree {
    key: LinkageKey,
    root: Node,
    /// Draws of the first levels, by place.
    known: Vec<u64>,
    strict: bool,
}

impl Tree {
    /// Maps the numbers below `count` to those below `image_count`; both at least 2.
    pub(super) fn new(key: LinkageKey, count: u128, image_count: u128) -> Self {
        let root = Node { first: 0, count, image_first: 0, image_count };
        let strict = image_count / 2 >= count;
        let mut lanes = key.lanes();
        // No draw has place 0. The image plays no part in a draw.
        let mut nodes = vec![root, root];
        for place in 1..1_usize << LEVELS_KNOWN {
            let node = nodes.get(place).copied().unwrap_or(root);
            push(&mut lanes, &node);
            let half = node.count / 2;
            nodes.push(Node { count: half, ..node });
            nodes.push(Node { first: node.first + half, count: node.count - half, ..node });
        }
        let known = [0].into_iter().chain(lanes.finish().iter().map(word)).collect();
        drop(lanes);
        Self { key, root, known, strict }
    }

    /// Whether no two numbers become the same.
    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Maps every number, or restores it if the map is strict: none where nothing maps to it.
    pub(super) fn map(&self, numbers: &mut [Option<u128>], direction: Direction) {
        for numbers in numbers.chunks_mut(ROWS_TOGETHER) {
            self.map_together(numbers, direction);
        }
    }

    fn map_together(&self, numbers: &mut [Option<u128>], direction: Direction) {
        let mut lanes = self.key.lanes();
        let rows = numbers.iter().enumerate();
        let mut walks: Vec<Walk> = rows
            .filter_map(|(row, number)| Some((row, (*number)?)))
            .map(|(row, number)| Walk { row, number, node: self.root, place: 1 })
            .collect();
        while !walks.is_empty() {
            // All are at the same level.
            let known = walks.first().is_some_and(|walk| walk.place < self.known.len());
            lanes.clear();
            if !known {
                walks.iter().for_each(|walk| push(&mut lanes, &walk.node));
            }
            let mut hashes = lanes.finish().iter();
            walks.retain_mut(|walk| {
                let drawn = match self.known.get(walk.place) {
                    Some(drawn) if known => *drawn,
                    _ => hashes.next().map(word).unwrap_or_default(),
                };
                let Some(end) = self.step(walk, drawn, direction) else { return true };
                if let Some(number) = numbers.get_mut(walk.row) {
                    *number = end;
                }
                false
            });
        }
    }

    /// One level down; at the end what the number becomes.
    #[inline]
    fn step(&self, walk: &mut Walk, drawn: u64, direction: Direction) -> Option<Option<u128>> {
        let Walk { number, node, place, .. } = walk;
        if node.count == 1 || node.image_count == 1 {
            let image = node.image_first + below(drawn, node.image_count);
            return Some(match direction {
                Direction::Mask => Some(image),
                Direction::Restore => (image == *number).then_some(node.first),
            });
        }
        let half = node.count / 2;
        // Where the image of the right half begins, and how long that of the left one is.
        let (begin, length) = if self.strict {
            let spare = node.image_count - node.count;
            let left = half + spare / 4 + below(drawn, spare / 2 + 1);
            (left, left)
        } else {
            let left = node.image_count / 4 + below(drawn, node.image_count / 2 + 1);
            (left, left + 1)
        };
        let right = match direction {
            Direction::Mask => *number >= node.first + half,
            Direction::Restore => *number >= node.image_first + begin,
        };
        *place = place.saturating_mul(2).saturating_add(usize::from(right));
        if right {
            node.first += half;
            node.count -= half;
            node.image_first += begin;
            node.image_count -= begin;
        } else {
            node.count = half;
            node.image_count = length;
        }
        None
    }
}

/// Adds a node to what is hashed.
#[inline]
fn push(lanes: &mut Lanes<'_>, node: &Node) {
    let mut input = [0; 32];
    let (first, count) = input.split_at_mut(16);
    first.copy_from_slice(&node.first.to_le_bytes());
    count.copy_from_slice(&node.count.to_le_bytes());
    lanes.push(&input);
}

#[inline]
fn word(hash: &[u8; 32]) -> u64 {
    u64::from_le_bytes(hash.first_chunk().copied().unwrap_or_default())
}

/// A number below `bound`: the high part of the product with a binary fraction of 64 bits.
#[inline]
fn below(fraction: u64, bound: u128) -> u128 {
    let (high, low) = (bound >> 64, bound & u128::from(u64::MAX));
    high * u128::from(fraction) + ((low * u128::from(fraction)) >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::EXAMPLE_MASTER;
    use proptest::prelude::*;

    fn tree(count: u128, image_count: u128, linkage: &str) -> Tree {
        let key = LinkageKey::derive(&EXAMPLE_MASTER, 1, linkage, "rank_preserving", 1);
        Tree::new(key, count, image_count)
    }

    fn mapped(tree: &Tree, numbers: impl Iterator<Item = u128>) -> Vec<u128> {
        let mut numbers: Vec<Option<u128>> = numbers.map(Some).collect();
        tree.map(&mut numbers, Direction::Mask);
        numbers.into_iter().map(Option::unwrap).collect()
    }

    #[test]
    fn whole_ranges_keep_their_order() {
        for (count, image_count) in
            [(2, 4), (2, 2), (1_000, 2_000), (1_000, 1_000), (1_000, 7), (70_000, 140_001)]
        {
            let tree = tree(count, image_count, "l");
            let images = mapped(&tree, 0..count);
            assert!(images.iter().all(|image| *image < image_count));
            assert!(images.is_sorted(), "{count} to {image_count}");
            if !tree.is_strict() {
                continue;
            }
            assert!(images.windows(2).all(|pair| pair[0] < pair[1]));
            let mut back: Vec<Option<u128>> = (0..image_count).map(Some).collect();
            tree.map(&mut back, Direction::Restore);
            let found: Vec<u128> = back.iter().flatten().copied().collect();
            assert_eq!(found, (0..count).collect::<Vec<u128>>());
            assert!(
                images.iter().zip(0..).all(|(image, number)| back[*image as usize] == Some(number))
            );
        }
    }

    #[test]
    fn few_neighbours_fall_together_in_an_image_as_long_as_the_range() {
        let images = mapped(&tree(1 << 20, 1 << 20, "l"), 0..1 << 20);
        let distinct: std::collections::BTreeSet<&u128> = images.iter().collect();
        assert!(distinct.len() > 1 << 18, "{}", distinct.len());
        let other = mapped(&tree(1 << 20, 1 << 20, "m"), 0..1 << 20);
        let same = images.iter().zip(&other).filter(|(left, right)| left == right).count();
        assert!(same < 1_000, "{same}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_two_numbers_keep_their_order(count in 2..=u128::MAX, image_count in 2..=u128::MAX, pairs in proptest::collection::vec((any::<u128>(), any::<u128>()), 1..20)) {
            let tree = tree(count, image_count, "l");
            for (left, right) in pairs {
                let (left, right) = (left % count, right % count);
                let images = mapped(&tree, [left, right].into_iter());
                prop_assert!(images.iter().all(|image| *image < image_count));
                prop_assert!(left == right || (left < right) == (images[0] < images[1]) || images[0] == images[1] && !tree.is_strict());
                if tree.is_strict() {
                    let mut back = [Some(images[0]), Some(images[1])];
                    tree.map(&mut back, Direction::Restore);
                    prop_assert_eq!(back, [Some(left), Some(right)]);
                }
            }
        }
    }
}
