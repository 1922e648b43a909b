//! The numbering plans of the world's regions: which national numbers are valid, of which kind, and where
//! their area ends.
//!
//! They are libphonenumber's (Google, Apache-2.0), kept in `data/phone_plans.tsv` in a form of ours. A
//! plan's patterns are read when the first number of the region comes.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use super::digit_pattern::DigitPattern;

/// One line a region, sorted by country code, the main region of a code first.
const DATA: &str = include_str!("../../data/phone_plans.tsv");

/// Every region's plan.
static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    DATA.lines().filter(|line| !line.starts_with('#')).filter_map(Plan::parse).collect()
});

/// Plans by country code.
static BY_CODE: LazyLock<HashMap<&'static [u8], Vec<&'static Plan>>> = LazyLock::new(|| {
    let mut plans: HashMap<&'static [u8], Vec<&'static Plan>> = HashMap::new();
    for plan in PLANS.iter() {
        plans.entry(plan.code.as_bytes()).or_default().push(plan);
    }
    plans
});

/// A region's plan.
pub(super) struct Plan {
    pub(super) region: &'static str,
    /// The country code, which regions may share.
    pub(super) code: &'static str,
    /// What is dialled before a national number inside the region.
    prefix: &'static str,
    /// Fixed line (with mobile, where they are alike), mobile, others.
    kinds: [Kind; 3],
    areas: &'static str,
    read: OnceLock<Vec<Area>>,
}

struct Kind {
    pattern: &'static str,
    read: OnceLock<Option<DigitPattern>>,
}

/// Digits of the area of numbers that begin so.
struct Area {
    leading: Option<DigitPattern>,
    digits: usize,
    others_min: usize,
    others_max: usize,
}

impl Plan {
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        let (region, code, prefix) = (next()?, next()?, next()?);
        let kind = |pattern: &'static str| {
            let pattern = if pattern == "=" { "" } else { pattern };
            Kind { pattern, read: OnceLock::new() }
        };
        let kinds = [kind(next()?), kind(next()?), kind(next()?)];
        let areas = next()?;
        Some(Self { region, code, prefix, kinds, areas, read: OnceLock::new() })
    }

    /// The pattern of one of its kinds.
    pub(super) fn kind(&self, kind: usize) -> Option<&DigitPattern> {
        let kind = self.kinds.get(kind).filter(|kind| !kind.pattern.is_empty())?;
        kind.read.get_or_init(|| DigitPattern::parse(kind.pattern)).as_ref()
    }

    /// The kind whose pattern a national number matches.
    fn kind_of(&self, number: &[u8]) -> Option<usize> {
        (0..self.kinds.len())
            .find(|kind| self.kind(*kind).is_some_and(|pattern| pattern.matches(number)))
    }

    /// The place in these digits at which the valid national number begins that they end with, and its
    /// kind: all of them, or those after the prefix.
    fn number_in(&self, digits: &[u8]) -> Option<(usize, usize)> {
        let after = digits.strip_prefix(self.prefix.as_bytes()).filter(|_| !self.prefix.is_empty());
        let whole = self.kind_of(digits).map(|kind| (0, kind));
        whole.or_else(|| Some((self.prefix.len(), self.kind_of(after?)?)))
    }

    /// Digits of a national number's area; 0 where numbers of its beginning have none.
    pub(super) fn area(&self, number: &[u8]) -> usize {
        // Regions write as the main region of their country code does.
        let main = BY_CODE.get(self.code.as_bytes()).and_then(|plans| plans.first());
        let plan = main.copied().unwrap_or(self);
        let areas =
            plan.read.get_or_init(|| plan.areas.split(' ').filter_map(Area::parse).collect());
        let area = areas.iter().find(|area| {
            let others = number.len().checked_sub(area.digits);
            others.is_some_and(|others| (area.others_min..=area.others_max).contains(&others))
                && area.leading.as_ref().is_none_or(|leading| leading.begins(number))
        });
        area.map_or(0, |area| area.digits)
    }
}

impl Area {
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('~');
        let leading = fields.next().filter(|leading| !leading.is_empty());
        let leading = match leading {
            Some(leading) => Some(DigitPattern::parse(leading)?),
            None => None,
        };
        let mut number = || fields.next()?.parse().ok();
        Some(Self { leading, digits: number()?, others_min: number()?, others_max: number()? })
    }
}

/// A valid number found in digits.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) plan: &'static Plan,
    pub(super) kind: usize,
    /// Digits before the national number.
    pub(super) before: usize,
}

/// The region of that name.
pub(super) fn region(name: &str) -> Option<&'static Plan> {
    PLANS.iter().find(|plan| plan.region == name)
}

/// The valid number in digits that begin with a country code.
pub(super) fn international(digits: &[u8]) -> Option<Found> {
    // No code begins with another one.
    let plans = (1..=3).find_map(|length| BY_CODE.get(digits.get(..length)?))?;
    let mut found = plans.iter().filter_map(|plan| {
        let (before, kind) = plan.number_in(digits.strip_prefix(plan.code.as_bytes())?)?;
        Some(Found { plan, kind, before: plan.code.len() + before })
    });
    found.next()
}

/// The valid number in digits that are dialled inside a region.
pub(super) fn national(digits: &[u8], plan: &'static Plan) -> Option<Found> {
    plan.number_in(digits).map(|(before, kind)| Found { plan, kind, before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_data_is_read() {
        assert_eq!(PLANS.len(), DATA.lines().filter(|line| !line.starts_with('#')).count());
        for plan in PLANS.iter() {
            for (number, kind) in plan.kinds.iter().enumerate() {
                assert_eq!(plan.kind(number).is_none(), kind.pattern.is_empty(), "{}", plan.region);
            }
            let mut areas = plan.areas.split(' ').filter(|area| !area.is_empty());
            assert!(areas.all(|area| Area::parse(area).is_some()), "{}", plan.region);
        }
    }

    #[test]
    fn numbers_and_their_areas() {
        for (digits, expected) in [
            ("4930901820", Some(("DE", 0, 2, 2))),
            ("49030901820", Some(("DE", 0, 3, 2))),
            ("4915123456789", Some(("DE", 1, 2, 4))),
            ("14155550132", Some(("US", 0, 1, 3))),
            ("14165550132", Some(("CA", 0, 1, 3))),
            ("390612345678", Some(("IT", 0, 2, 2))),
            ("79161234567", Some(("RU", 1, 1, 3))),
            ("493", None),
            ("99912345", None),
        ] {
            let found = international(digits.as_bytes()).map(|found| {
                let area = found.plan.area(&digits.as_bytes()[found.before..]);
                (found.plan.region, found.kind, found.before, area)
            });
            assert_eq!(found, expected, "{digits}");
        }
        let german = region("DE").unwrap();
        assert_eq!(national(b"030901820", german).map(|found| found.before), Some(1));
        assert!(region("XX").is_none());
    }

    #[test]
    fn what_is_valid_where_is_what_libphonenumber_says() {
        const NUMBERS: &str = include_str!("../../data/phone_numbers.tsv");
        let mut wrong = Vec::new();
        for line in NUMBERS.lines().filter(|line| !line.starts_with('#')) {
            let (digits, expected) = line.split_once('\t').unwrap();
            // A trunk prefix after the country code is ours to see.
            let found = international(digits.as_bytes());
            let plain = |found: &Found| found.before == found.plan.code.len();
            let region = found.filter(plain).map_or("", |found| found.plan.region);
            if region != expected {
                wrong.push(format!("{digits}: {region}, not {expected}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
