//! Patterns of digits as a machine that counts: which numbers match, how many there are, and which is
//! the n-th of them.
//!
//! ```text
//!  1(?:5[12]|7)\d{2} ── parse ──▶ places ── sets of places ──▶ states ──▶ per state and length: how many match
//! ```
//!
//! A pattern is digits, `\d`, `[2-57]`, groups, `|`, `?`, `{n}` and `{m,n}`, as in the metadata of
//! libphonenumber. Choosing uniformly among the matching numbers needs no trial and error: the counts
//! say which digit the n-th number has next (Knuth, "The Art of Computer Programming", 4A, 7.2.1).

use std::collections::HashMap;

/// Longest number: ITU-T E.164, section 6, with what some regions allow beyond.
const DIGITS_MAX: usize = 17;
/// Most states, and most places a pattern may have.
const STATES_MAX: usize = 100_000;

enum Node {
    /// A digit of the set, one bit each.
    Digit(u16),
    All(Vec<Node>),
    Any(Vec<Node>),
    Repeat(Box<Node>, usize, usize),
}

/// Reads a pattern from its text.
struct Reader<'t> {
    rest: &'t [u8],
}

impl Reader<'_> {
    fn next_if(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn any(&mut self) -> Option<Node> {
        let mut any = vec![self.all()?];
        while self.next_if(b'|') {
            any.push(self.all()?);
        }
        Some(Node::Any(any))
    }

    fn all(&mut self) -> Option<Node> {
        let mut all = Vec::new();
        while !matches!(self.rest.first(), None | Some(b'|' | b')')) {
            let node = self.one()?;
            let (least, most) = self.quantifier()?;
            all.push(match (least, most) {
                (1, 1) => node,
                _ => Node::Repeat(Box::new(node), least, most),
            });
        }
        Some(Node::All(all))
    }

    fn one(&mut self) -> Option<Node> {
        match self.next()? {
            digit @ b'0'..=b'9' => Some(Node::Digit(1 << (digit - b'0'))),
            b'\\' => self.next_if(b'd').then_some(Node::Digit(0b11_1111_1111)),
            b'[' => self.class(),
            b'(' => {
                let plain = self.next_if(b'?');
                if plain && !self.next_if(b':') {
                    return None;
                }
                let inside = self.any()?;
                self.next_if(b')').then_some(inside)
            }
            _ => None,
        }
    }

    fn class(&mut self) -> Option<Node> {
        let mut set = 0;
        while !self.next_if(b']') {
            let first = self.next().filter(u8::is_ascii_digit)?;
            let last = match self.next_if(b'-') {
                true => self.next().filter(u8::is_ascii_digit)?,
                false => first,
            };
            set |= (first..=last).fold(0, |set, digit| set | 1 << (digit - b'0'));
        }
        Some(Node::Digit(set))
    }

    fn quantifier(&mut self) -> Option<(usize, usize)> {
        if self.next_if(b'?') {
            return Some((0, 1));
        }
        if !self.next_if(b'{') {
            return Some((1, 1));
        }
        let least = self.number()?;
        let most = if self.next_if(b',') { self.number()? } else { least };
        (self.next_if(b'}') && most <= DIGITS_MAX && least <= most).then_some((least, most))
    }

    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        std::str::from_utf8(number).ok()?.parse().ok()
    }
}

/// A place in a pattern: what may come next there.
enum Place {
    End,
    Digit(u16, usize),
    Either(Vec<usize>),
}

/// Adds the places of `node`, after which comes `next`, and gives the first of them.
fn places(node: &Node, next: usize, all: &mut Vec<Place>) -> Option<usize> {
    match node {
        Node::Digit(set) => add(Place::Digit(*set, next), all),
        Node::All(nodes) => nodes.iter().rev().try_fold(next, |next, node| places(node, next, all)),
        Node::Any(nodes) => {
            let firsts = nodes.iter().map(|node| places(node, next, all)).collect::<Option<_>>()?;
            add(Place::Either(firsts), all)
        }
        Node::Repeat(node, least, most) => {
            let mut first = next;
            for _ in *least..*most {
                let once = places(node, first, all)?;
                first = add(Place::Either(vec![once, next]), all)?;
            }
            (0..*least).try_fold(first, |next, _| places(node, next, all))
        }
    }
}

fn add(place: Place, all: &mut Vec<Place>) -> Option<usize> {
    all.push(place);
    (all.len() <= STATES_MAX).then_some(all.len() - 1)
}

/// The places with an end or a digit that can be reached from here without one, in order.
fn reach(from: impl Iterator<Item = usize>, all: &[Place]) -> Vec<usize> {
    let mut open: Vec<usize> = from.collect();
    let mut reached = Vec::new();
    while let Some(place) = open.pop() {
        match all.get(place) {
            Some(Place::Either(firsts)) => open.extend(firsts),
            _ => reached.push(place),
        }
    }
    reached.sort_unstable();
    reached.dedup();
    reached
}

#[derive(Default)]
struct State {
    next: [Option<u32>; 10],
    is_end: bool,
    /// Matching numbers by what is left of their length.
    counts: [u64; DIGITS_MAX + 1],
}

/// A pattern, ready to count.
pub(super) struct DigitPattern {
    states: Vec<State>,
}

impl DigitPattern {
    /// Reads a pattern; none if it is not of the form above.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let mut reader = Reader { rest: pattern.as_bytes() };
        let node = reader.any().filter(|_| reader.rest.is_empty())?;
        let mut all = vec![Place::End];
        let first = places(&node, 0, &mut all)?;
        let start = reach(std::iter::once(first), &all);
        let mut known = HashMap::from([(start.clone(), 0_u32)]);
        let mut sets = vec![start];
        let mut states: Vec<State> = Vec::new();
        while let Some(set) = sets.get(states.len()).cloned() {
            let is_end = set.iter().any(|place| matches!(all.get(*place), Some(Place::End)));
            let mut state = State { is_end, ..State::default() };
            for (digit, next) in state.next.iter_mut().enumerate() {
                let after = set.iter().filter_map(|place| match all.get(*place) {
                    Some(Place::Digit(digits, next)) if digits >> digit & 1 == 1 => Some(*next),
                    _ => None,
                });
                let after = reach(after, &all);
                if !after.is_empty() {
                    let number = u32::try_from(known.len()).ok()?;
                    *next = Some(*known.entry(after.clone()).or_insert(number));
                    if known.len() > sets.len() {
                        sets.push(after);
                    }
                }
            }
            states.push(state);
            if states.len() > STATES_MAX {
                return None;
            }
        }
        let mut pattern = Self { states };
        pattern.count();
        Some(pattern)
    }

    fn count(&mut self) {
        for left in 0..=DIGITS_MAX {
            let counts: Vec<u64> =
                self.states.iter().map(|state| self.matching(state, left)).collect();
            for (state, count) in self.states.iter_mut().zip(counts) {
                if let Some(slot) = state.counts.get_mut(left) {
                    *slot = count;
                }
            }
        }
    }

    fn matching(&self, state: &State, left: usize) -> u64 {
        match left.checked_sub(1) {
            None => u64::from(state.is_end),
            Some(left) => {
                state.next.iter().flatten().fold(0, |sum, next| sum + self.left(*next, left))
            }
        }
    }

    /// Matching numbers with so many digits from this state on.
    fn left(&self, state: u32, digits: usize) -> u64 {
        let state = self.states.get(state as usize);
        state.and_then(|state| state.counts.get(digits)).copied().unwrap_or_default()
    }

    /// The state after these digits.
    fn after(&self, digits: &[u8]) -> Option<u32> {
        digits.iter().try_fold(0, |state, digit| self.step(state, *digit))
    }

    fn step(&self, state: u32, digit: u8) -> Option<u32> {
        let place = usize::from(digit.checked_sub(b'0')?);
        self.states.get(state as usize)?.next.get(place).copied().flatten()
    }

    /// Whether the digits match.
    pub(super) fn matches(&self, digits: &[u8]) -> bool {
        self.after(digits).is_some_and(|state| self.left(state, 0) == 1)
    }

    /// Whether some number that begins with these digits, or what they begin with, matches.
    pub(super) fn begins(&self, digits: &[u8]) -> bool {
        let mut state = Some(0);
        for digit in digits {
            match state {
                Some(reached) if self.left(reached, 0) == 1 => return true,
                Some(reached) => state = self.step(reached, *digit),
                None => return false,
            }
        }
        state.is_some_and(|state| self.left(state, 0) == 1)
    }

    /// How many numbers of so many digits match that begin with these.
    pub(super) fn count_of(&self, begin: &[u8], digits: usize) -> u64 {
        let left = digits.checked_sub(begin.len());
        self.after(begin).zip(left).map_or(0, |(state, left)| self.left(state, left))
    }

    /// Appends the `index`-th of those numbers.
    pub(super) fn write(&self, begin: &[u8], digits: usize, mut index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(begin);
        let Some(mut state) = self.after(begin) else { return };
        for left in (0..digits.saturating_sub(begin.len())).rev() {
            for digit in b'0'..=b'9' {
                let Some(next) = self.step(state, digit) else { continue };
                let count = self.left(next, left);
                if index < count {
                    out.push(digit);
                    state = next;
                    break;
                }
                index -= count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pattern: &DigitPattern, begin: &str, digits: usize) -> Vec<String> {
        let number = |index| {
            let mut out = Vec::new();
            pattern.write(begin.as_bytes(), digits, index, &mut out);
            String::from_utf8(out).unwrap()
        };
        (0..pattern.count_of(begin.as_bytes(), digits)).map(number).collect()
    }

    #[test]
    fn the_numbers_of_a_pattern_are_those_that_match() {
        for pattern in
            [r"1(?:5[12]|7)\d", r"[1-35]\d{2,3}", r"2(?:3?4)?\d{0,2}|23[4-6]", r"(?:12){2}3?"]
        {
            let machine = DigitPattern::parse(pattern).unwrap();
            let expression = regex_of(pattern);
            for digits in 0..=5_u32 {
                let numbers = (0..10_u32.pow(digits))
                    .map(|number| format!("{number:05}")[5 - digits as usize..].to_owned());
                let expected: Vec<String> = numbers.filter(|number| expression(number)).collect();
                assert_eq!(all(&machine, "", digits as usize), expected, "{pattern}");
                assert!(expected.iter().all(|number| machine.matches(number.as_bytes())));
                let begun: Vec<String> =
                    expected.into_iter().filter(|number| number.starts_with("23")).collect();
                if digits >= 2 {
                    assert_eq!(all(&machine, "23", digits as usize), begun, "{pattern}");
                }
            }
        }
    }

    /// The same patterns, matched by hand.
    fn regex_of(pattern: &str) -> fn(&str) -> bool {
        match pattern {
            r"1(?:5[12]|7)\d" => |text| {
                (text.len() == 4 && (text.starts_with("151") || text.starts_with("152")))
                    || (text.len() == 3 && text.starts_with("17"))
            },
            r"[1-35]\d{2,3}" => {
                |text| (3..=4).contains(&text.len()) && text.starts_with(['1', '2', '3', '5'])
            }
            r"2(?:3?4)?\d{0,2}|23[4-6]" => |text| {
                let after = |begin: &str, most| {
                    text.strip_prefix(begin).is_some_and(|rest| rest.len() <= most)
                };
                after("2", 2) || after("24", 2) || after("234", 2)
            },
            _ => |text| text == "1212" || text == "12123",
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["(", "[1", "a", r"\w", "1{", "1{3,2}", "1)", "(?=1)", "1{999}"] {
            assert!(DigitPattern::parse(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn beginnings() {
        let pattern = DigitPattern::parse("3[02]|40").unwrap();
        assert!(pattern.begins(b"309") && pattern.begins(b"40") && !pattern.begins(b"31"));
        assert!(!pattern.begins(b"3") && DigitPattern::parse("").unwrap().begins(b"1"));
    }
}
