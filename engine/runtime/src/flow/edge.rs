//! Edges of the flow: from where, and how.

use std::collections::BTreeMap;
use std::fmt;

use engine_project::Relation;

/// How an output depends on a column.
///
/// The first group carries values, from the one that shows most to the ones that show least; the second
/// only decides which rows there are, how often and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// The value itself.
    Copied,
    /// The value in another type.
    Cast,
    /// A value that a condition holds beside it: equal in a join, near it in a range.
    Matched,
    /// An expression of the value.
    Computed,
    /// A window function of the value, or a rank by it.
    Windowed,
    /// A sum, mean or other summary of a group of values.
    Aggregated,
    /// One value of a group, or all of them: `min`, `first_value`, `array_agg`.
    Picked,
    /// A condition of `WHERE` or `HAVING`.
    Filter,
    /// A condition of a join.
    Join,
    /// A key rows are grouped or partitioned by.
    Group,
    /// A key rows are ordered by.
    Sort,
    /// Part of what must be distinct.
    Distinct,
    /// Decides which rows a limit lets through.
    Limit,
    /// Whether it is null is counted.
    Counted,
    /// The length of a list becomes a number of rows.
    Unnested,
    /// Divides the chunks of an export.
    Partition,
    /// Decides how another column is masked.
    Condition,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 17] = [
        Self::Copied,
        Self::Cast,
        Self::Matched,
        Self::Computed,
        Self::Windowed,
        Self::Aggregated,
        Self::Picked,
        Self::Filter,
        Self::Join,
        Self::Group,
        Self::Sort,
        Self::Distinct,
        Self::Limit,
        Self::Counted,
        Self::Unnested,
        Self::Partition,
        Self::Condition,
    ];

    /// Whether values of the origin reach the output.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        (self as u8) < (Self::Filter as u8)
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Cast => "cast",
            Self::Matched => "matched",
            Self::Computed => "computed",
            Self::Windowed => "window",
            Self::Aggregated => "aggregated",
            Self::Picked => "picked",
            Self::Filter => "filter",
            Self::Join => "join key",
            Self::Group => "group key",
            Self::Sort => "sort key",
            Self::Distinct => "distinct",
            Self::Limit => "limit order",
            Self::Counted => "counted",
            Self::Unnested => "list length",
            Self::Partition => "partition value",
            Self::Condition => "condition of a mask",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds(u32);

impl Kinds {
    /// The set of one kind.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self(kind.bit())
    }

    /// Its kinds, in order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.0 & kind.bit() != 0)
    }

    /// Whether it has this one.
    #[must_use]
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// The kinds of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Its kinds that carry values.
    #[must_use]
    pub fn direct(self) -> Self {
        self.only(Kind::is_direct)
    }

    /// Its kinds that do not.
    #[must_use]
    pub fn indirect(self) -> Self {
        self.only(|kind| !kind.is_direct())
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What becomes of it when a further step is taken: values that are copied and then summed are
    /// summed; what only decided about rows goes on doing so.
    #[must_use]
    pub fn then(self, step: Kind) -> Self {
        let stepped = |kind: Kind| if kind.is_direct() { kind.max(step) } else { kind };
        self.iter().fold(Self::default(), |found, kind| found.union(Self::of(stepped(kind))))
    }

    fn only(self, wanted: impl Fn(Kind) -> bool) -> Self {
        let kinds = self.iter().filter(|kind| wanted(*kind));
        kinds.fold(Self::default(), |found, kind| found.union(Self::of(kind)))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A column of a table or model, or the rows it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The table or model.
    pub relation: Relation,
    /// The column; none for which rows there are.
    pub column: Option<String>,
}

/// `crm.customers.email`, or `rows of crm.customers`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "{}.{column}", self.relation),
            None => write!(f, "rows of {}", self.relation),
        }
    }
}

/// What something depends on, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Influence(BTreeMap<Origin, Kinds>);

impl Influence {
    /// That of one origin.
    #[must_use]
    pub fn of(origin: Origin, kind: Kind) -> Self {
        Self(BTreeMap::from([(origin, Kinds::of(kind))]))
    }

    /// Adds what another has.
    pub fn add(&mut self, other: &Self) {
        for (origin, kinds) in &other.0 {
            self.insert(origin, *kinds);
        }
    }

    /// Adds an origin.
    pub fn insert(&mut self, origin: &Origin, kinds: Kinds) {
        if kinds.is_empty() {
            return;
        }
        match self.0.get_mut(origin) {
            Some(held) => *held = held.union(kinds),
            None => {
                self.0.insert(origin.clone(), kinds);
            }
        }
    }

    /// The same after a further step: see [`Kinds::then`].
    #[must_use]
    pub fn then(mut self, step: Kind) -> Self {
        for kinds in self.0.values_mut() {
            *kinds = kinds.then(step);
        }
        self
    }

    /// The same, with everything it depends on as a value: whether there are rows has become one.
    #[must_use]
    pub fn as_values(mut self) -> Self {
        for kinds in self.0.values_mut() {
            let indirect = !kinds.indirect().is_empty();
            let computed = if indirect { Kinds::of(Kind::Computed) } else { Kinds::default() };
            *kinds = kinds.direct().union(computed);
        }
        self
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same without origins and kinds that carry values.
    #[must_use]
    pub fn without_values(mut self) -> Self {
        self.0.retain(|_, kinds| {
            *kinds = kinds.indirect();
            !kinds.is_empty()
        });
        self
    }

    /// Its origins, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Origin, Kinds)> {
        self.0.iter().map(|(origin, kinds)| (origin, *kinds))
    }

    /// How it depends on an origin; empty when it does not.
    #[must_use]
    pub fn on(&self, origin: &Origin) -> Kinds {
        self.0.get(origin).copied().unwrap_or_default()
    }

    /// Origins whose values reach it.
    pub fn direct(&self) -> impl Iterator<Item = (&Origin, Kinds)> {
        self.iter().map(|(origin, kinds)| (origin, kinds.direct())).filter(|(_, k)| !k.is_empty())
    }

    /// Origins that only decide about rows.
    pub fn indirect(&self) -> impl Iterator<Item = (&Origin, Kinds)> {
        self.iter().map(|(origin, kinds)| (origin, kinds.indirect())).filter(|(_, k)| !k.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_its_least_telling_step_is() {
        let of = |kinds: &[Kind]| {
            kinds.iter().fold(Kinds::default(), |found, kind| found.union(Kinds::of(*kind)))
        };
        assert_eq!(of(&[Kind::Copied]).then(Kind::Cast), of(&[Kind::Cast]));
        assert_eq!(of(&[Kind::Aggregated]).then(Kind::Computed), of(&[Kind::Aggregated]));
        assert_eq!(of(&[Kind::Copied, Kind::Computed]).then(Kind::Computed), of(&[Kind::Computed]));
        // What was only a filter stays one, whatever is done with the rows.
        assert_eq!(
            of(&[Kind::Copied, Kind::Filter]).then(Kind::Group),
            of(&[Kind::Group, Kind::Filter])
        );
    }
}
