//! How a table is spread over parts in PostgreSQL.

use std::collections::BTreeSet;

use super::constant::{HasLabel, constant};
use super::layout::{Column, Table};
use super::names::list;
use super::tokens::{Token, tokens};
use crate::schema::{Part, PartitionStrategy, Partitioning, Term, Words};

/// What PostgreSQL gets of a partitioning.
#[derive(Default)]
pub(super) struct Plan {
    /// `PARTITION BY …`; empty where the table stays in one piece.
    pub(super) clause: String,
    /// The columns in it, by their names in the source.
    pub(super) columns: Vec<String>,
    /// Each part's wanted name and bounds.
    pub(super) parts: Vec<(String, String)>,
    /// What was not translated.
    pub(super) notes: Vec<String>,
}

/// The plan for a table. Where the bounds of some part are not known, a part for everything takes their
/// place, so that rows find one.
pub(super) fn plan(table: &Table<'_>, has_label: HasLabel<'_>) -> Plan {
    let Some(partitioning) = &table.of.partitions else { return Plan::default() };
    let refused = |why: &str| Plan {
        notes: vec![format!("not partitioned by {}: {why}", partitioning.strategy.word())],
        ..Plan::default()
    };
    let Some((names, columns)) = columns(table, partitioning) else {
        return refused("an expression or a column that is not there decides");
    };
    let is_list = partitioning.strategy == PartitionStrategy::List;
    if columns.iter().any(|column| column.generated.is_some()) || (is_list && columns.len() > 1) {
        return refused("PostgreSQL does not do so by these columns");
    }
    let bounds = bounds(partitioning, &columns, has_label);
    if bounds.is_none() && partitioning.strategy == PartitionStrategy::Hash {
        return refused("the bounds of its parts are not known");
    }
    let strategy = partitioning.strategy.word().to_uppercase();
    let quoted = list(columns.iter().map(|column| &column.name));
    let parts = bounds.map(|bounds| {
        let names = partitioning.parts.iter().map(|part| part.name.clone());
        names.zip(bounds).collect()
    });
    let notes = match parts {
        Some(_) => Vec::new(),
        None => vec!["the bounds of its parts are not known: one part takes every row".to_owned()],
    };
    let everything = || vec![(format!("{}_default", table.of.name), "DEFAULT".to_owned())];
    Plan {
        clause: format!(" PARTITION BY {strategy} ({quoted})"),
        columns: names,
        parts: parts.unwrap_or_else(everything),
        notes,
    }
}

fn columns<'t, 'a>(
    table: &'t Table<'a>,
    partitioning: &Partitioning,
) -> Option<(Vec<String>, Vec<&'t Column<'a>>)> {
    let names = partitioning.columns.iter().map(|term| match term {
        Term::Column(name) => Some(name.clone()),
        Term::Expression(_) => None,
    });
    let names: Vec<_> = names.collect::<Option<_>>()?;
    let columns = table.columns_of(&names)?;
    Some((names, columns))
}

/// The bounds of all parts; nothing where there is none or one is not surely understood.
fn bounds(
    partitioning: &Partitioning,
    columns: &[&Column<'_>],
    has_label: HasLabel<'_>,
) -> Option<Vec<String>> {
    let of = |part: &Part| {
        let words = part.bounds.as_ref().and_then(Words::text)?;
        part_bounds(words, partitioning.strategy, columns, has_label)
    };
    let all: Vec<_> = partitioning.parts.iter().map(of).collect::<Option<_>>()?;
    let distinct: BTreeSet<_> = all.iter().collect();
    // PostgreSQL wants each modulus to be a factor of the next; one modulus is what people use.
    let moduli = all.iter().filter_map(|sql| sql.split_once(", REMAINDER")).map(|(with, _)| with);
    let is_even = moduli.collect::<BTreeSet<_>>().len() <= 1;
    (!all.is_empty() && distinct.len() == all.len() && is_even).then_some(all)
}

/// `DEFAULT`, `FOR VALUES IN (…)`, `FOR VALUES FROM (…) TO (…)`, `FOR VALUES WITH (modulus …)`.
fn part_bounds(
    words: &str,
    strategy: PartitionStrategy,
    columns: &[&Column<'_>],
    has_label: HasLabel<'_>,
) -> Option<String> {
    let tokens = tokens(words)?;
    let mut rest = Rest(&tokens);
    let is_default = rest.word("default") && rest.0.is_empty();
    if is_default && strategy != PartitionStrategy::Hash {
        return Some("DEFAULT".to_owned());
    }
    if !rest.word("for") || !rest.word("values") {
        return None;
    }
    let value =
        |at: usize, tokens: &[Token]| constant(tokens, &columns.get(at)?.mapped.family, has_label);
    let bound = |at: usize, tokens: &[Token]| match tokens {
        [Token::Word(word, _)] if ["minvalue", "maxvalue"].contains(&word.as_str()) => {
            Some(word.to_uppercase())
        }
        _ => value(at, tokens),
    };
    let sql = match strategy {
        PartitionStrategy::List => {
            let values = rest.word("in").then(|| rest.values(&|_, tokens| value(0, tokens)))??;
            format!("FOR VALUES IN ({})", values.join(", "))
        }
        PartitionStrategy::Range => {
            let from = rest.word("from").then(|| rest.values(&bound))??;
            let to = rest.word("to").then(|| rest.values(&bound))??;
            let fits = from.len() == columns.len() && to.len() == columns.len() && from != to;
            fits.then(|| format!("FOR VALUES FROM ({}) TO ({})", from.join(", "), to.join(", ")))?
        }
        PartitionStrategy::Hash => hash(&mut rest)?,
    };
    rest.0.is_empty().then_some(sql)
}

fn hash(rest: &mut Rest<'_>) -> Option<String> {
    let start = rest.word("with") && rest.symbol("(") && rest.word("modulus");
    let modulus = start.then(|| rest.number())??;
    let next = rest.symbol(",") && rest.word("remainder");
    let remainder = next.then(|| rest.number())??;
    let fits = rest.symbol(")") && remainder < modulus;
    fits.then(|| format!("FOR VALUES WITH (MODULUS {modulus}, REMAINDER {remainder})"))
}

/// What is left to read.
struct Rest<'a>(&'a [Token]);

impl Rest<'_> {
    /// Values in brackets, each read by its place.
    fn values(&mut self, read: &dyn Fn(usize, &[Token]) -> Option<String>) -> Option<Vec<String>> {
        if !self.symbol("(") {
            return None;
        }
        let end = self.0.iter().position(|token| *token == Token::Symbol(")"))?;
        let (inner, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        let values = inner.split(|token| *token == Token::Symbol(",")).enumerate();
        let values = values.map(|(at, tokens)| read(at, tokens)).collect::<Option<_>>()?;
        self.symbol(")").then_some(values)
    }

    fn number(&mut self) -> Option<u16> {
        match self.0 {
            [Token::Number(digits), rest @ ..] => {
                self.0 = rest;
                digits.parse().ok()
            }
            _ => None,
        }
    }

    fn word(&mut self, wanted: &str) -> bool {
        self.take(|token| matches!(token, Token::Word(word, _) if word == wanted))
    }

    fn symbol(&mut self, wanted: &str) -> bool {
        self.take(|token| matches!(token, Token::Symbol(symbol) if *symbol == wanted))
    }

    fn take(&mut self, is_wanted: impl Fn(&Token) -> bool) -> bool {
        match self.0 {
            [first, rest @ ..] if is_wanted(first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
}
