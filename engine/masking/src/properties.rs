//! What a bound mask declares about its outputs. Plan-time checks rely on it.

/// How distinct inputs relate to distinct outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// Distinct values always give distinct values; those that do not fit are refused. Two spellings
    /// of one value (an IPv6 address with and without its zeros) count as one value.
    Bijective,
    /// Distinct values give distinct values but for chance: outputs are uniform
    /// over `2^bits` values, so `n` distinct inputs collide somewhere with a
    /// probability below `n^2 / 2^(bits + 1)` (the birthday bound). Values that the
    /// rule's own `normalize` makes equal count as one value.
    Injective {
        /// Size of the output space, as a power of two, rounded down.
        bits: u32,
    },
    /// Distinct values may well give the same value. Wrong for a unique key.
    Lossy,
}

impl Uniqueness {
    /// Upper bound of the probability that any two of `rows` distinct values
    /// collide; 1 where nothing is promised.
    #[must_use]
    pub fn collision_bound(self, rows: u64) -> f64 {
        match self {
            Self::Bijective => 0.0,
            Self::Injective { bits } => {
                let pairs = rows as f64 * rows as f64 / 2.0;
                let space = (0..bits.min(1023)).fold(1.0_f64, |space, _| space * 2.0);
                (pairs / space).min(1.0)
            }
            Self::Lossy => 1.0,
        }
    }
}

/// What of the input can still be seen in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preserves {
    /// The number of characters.
    pub length: bool,
    /// Which characters are digits, letters or separators, or a valid form.
    pub format: bool,
    /// Some first characters.
    pub prefix: bool,
    /// The order of values (within one entity, where the mask works per entity).
    pub order: bool,
    /// Null gives null.
    pub null: bool,
}

/// Declared properties of a bound mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Properties {
    /// Equal values (and equal other inputs) give equal values under one key.
    pub deterministic: bool,
    /// The holder of the key can compute the input from the output.
    pub reversible: bool,
    /// How distinct inputs relate to distinct outputs.
    pub uniqueness: Uniqueness,
    /// What of the input can still be seen.
    pub preserves: Preserves,
    /// Some non-null, non-empty values may come out as they went in (a number that
    /// already is a bucket's lower bound; a constant that equals the value).
    pub may_return_input: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collision_bound_is_the_birthday_bound() {
        assert_eq!(Uniqueness::Lossy.collision_bound(1), 1.0);
        assert_eq!(Uniqueness::Bijective.collision_bound(u64::MAX), 0.0);
        assert_eq!(Uniqueness::Injective { bits: 4 }.collision_bound(4), 0.5);
        assert_eq!(Uniqueness::Injective { bits: 1 }.collision_bound(1_000), 1.0);
        assert!(Uniqueness::Injective { bits: 128 }.collision_bound(1_000_000_000) < 1e-20);
    }
}
