//! Checks and computed columns, as far as every database means the same by them.
//!
//! ```text
//!  condition := and {OR and}            and := not {AND not}          not := NOT not | predicate
//!  predicate := (condition) | sum IS [NOT] NULL | sum [NOT] IN (constants) | sum BETWEEN c AND c
//!             | sum = ANY (ARRAY[constants]) | sum (= | <> | < | <= | > | >=) sum
//!  sum       := product {(+|-) product} product := atom {* atom}      atom := column | number | (sum)
//! ```
//!
//! Texts are compared for equality only, since every database sorts them in its own way, and not at all
//! where a collation may call different texts equal. Division is left out: of integers it differs.

use super::constant::constant;
use super::layout::{Column, Context};
use super::mapping::Family;
use super::names::quoted;
use super::tokens::{Token, tokens};

/// A check of a table as PostgreSQL writes it; nothing where it is not surely the same.
pub(super) fn check(words: &str, columns: &[Column<'_>], context: &Context<'_>) -> Option<String> {
    let tokens = tokens(words)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, columns, context };
    let condition = parser.condition()?;
    parser.is_at_end().then_some(condition)
}

/// What PostgreSQL computes a column by: a sum or product of columns of its own type.
pub(super) fn generated(
    column: &Column<'_>,
    columns: &[Column<'_>],
    context: &Context<'_>,
) -> Option<String> {
    let words = column.of.generated.as_ref()?.expression.text()?;
    let family = &column.mapped.family;
    let tokens = tokens(words)?;
    let operands: Vec<_> = columns
        .iter()
        .filter(|other| other.of.generated.is_none() && other.mapped.family == *family)
        .map(|other| Column {
            of: other.of,
            name: other.name.clone(),
            mapped: other.mapped.clone(),
            generated: None,
        })
        .collect();
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, columns: &operands, context };
    let whole_numbers = !tokens.iter().any(|token| match token {
        Token::Number(digits) => digits.contains('.') || digits.len() > 4,
        _ => false,
    });
    match parser.sum()? {
        Operand::Typed(sql, result) if family.is_number() => {
            let is_number = result.is_number() && whole_numbers;
            (is_number && parser.is_at_end()).then_some(sql)
        }
        _ => None,
    }
}

/// How deep brackets may be: each level may be read twice.
const DEPTH_MAX: usize = 10;

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    columns: &'a [Column<'a>],
    context: &'a Context<'a>,
}

/// One side of a comparison.
enum Operand {
    /// SQL and what it gives.
    Typed(String, Family),
    /// A literal, which takes its type from the other side.
    Literal(Vec<Token>),
}

impl Parser<'_> {
    fn condition(&mut self) -> Option<String> {
        let mut parts = vec![self.conjunction()?];
        while self.word("or") {
            parts.push(self.conjunction()?);
        }
        Some(joined(parts, " OR "))
    }

    fn conjunction(&mut self) -> Option<String> {
        let mut parts = vec![self.negation()?];
        while self.word("and") {
            parts.push(self.negation()?);
        }
        Some(joined(parts, " AND "))
    }

    fn negation(&mut self) -> Option<String> {
        let mut count = 0;
        while self.word("not") {
            count += 1;
        }
        let predicate = self.predicate()?;
        Some(if count % 2 == 1 { format!("NOT ({predicate})") } else { predicate })
    }

    fn predicate(&mut self) -> Option<String> {
        let start = self.at;
        if self.symbol("(") && self.depth < DEPTH_MAX {
            self.depth += 1;
            let inner = self.condition().filter(|_| self.symbol(")"));
            self.depth -= 1;
            let goes_on = matches!(self.peek(), Some(Token::Symbol(symbol)) if *symbol != ")");
            if let Some(inner) = inner.filter(|_| !goes_on) {
                return Some(inner);
            }
        }
        self.at = start;
        self.comparison()
    }

    fn comparison(&mut self) -> Option<String> {
        let left = self.sum()?;
        if self.word("is") {
            let not = if self.word("not") { "NOT " } else { "" };
            let Operand::Typed(sql, _) = left else { return None };
            return self.word("null").then(|| format!("{sql} IS {not}NULL"));
        }
        let not = if self.word("not") { "NOT " } else { "" };
        if self.word("in") {
            let list = self.symbol("(").then(|| self.constants(&left, ")")).flatten()?;
            return Some(format!("{} {not}IN ({list})", typed(&left)?.0));
        }
        if self.word("between") {
            return self.between(&left, not);
        }
        if !not.is_empty() {
            return None;
        }
        let operator = self.operator()?;
        if operator == "=" && self.word("any") {
            return self.any(&left);
        }
        let right = self.sum()?;
        self.compared(&left, operator, &right)
    }

    fn between(&mut self, value: &Operand, not: &str) -> Option<String> {
        let (sql, family) = typed(value)?;
        let low = self.constant(family)?;
        let high = self.word("and").then(|| self.constant(family)).flatten()?;
        has_order(family).then(|| format!("{sql} {not}BETWEEN {low} AND {high}"))
    }

    /// `= ANY (ARRAY['a', 'b'])`: how PostgreSQL keeps an `IN`.
    fn any(&mut self, value: &Operand) -> Option<String> {
        let is_array = self.symbol("(");
        let in_brackets = self.symbol("(");
        if !is_array || !self.word("array") || !self.symbol("[") {
            return None;
        }
        let list = self.constants(value, "]")?;
        if in_brackets && !self.symbol(")") {
            return None;
        }
        let (sql, family) = typed(value)?;
        let is_whole = self.cast(Some(family)) && self.symbol(")");
        is_whole.then(|| format!("{sql} IN ({list})"))
    }

    fn constants(&mut self, value: &Operand, end: &str) -> Option<String> {
        let (_, family) = typed(value)?;
        let mut list = vec![self.constant(family)?];
        while self.symbol(",") {
            list.push(self.constant(family)?);
        }
        self.symbol(end).then(|| list.join(", "))
    }

    fn constant(&mut self, family: &Family) -> Option<String> {
        match self.atom()? {
            Operand::Literal(tokens) => self.literal(&tokens, family),
            Operand::Typed(..) => None,
        }
    }

    fn literal(&self, tokens: &[Token], family: &Family) -> Option<String> {
        constant(tokens, family, &|name, label| self.context.has_label(name, label))
    }

    fn compared(&self, left: &Operand, operator: &str, right: &Operand) -> Option<String> {
        let is_equality = matches!(operator, "=" | "<>");
        let fits = |family: &Family| is_equality || has_order(family);
        let (one, other) = match (left, right) {
            (Operand::Typed(one, family), Operand::Typed(other, other_family)) => {
                let numbers = family.is_number() && other_family.is_number();
                let alike = (numbers || family.comparable(other_family)) && fits(family);
                alike.then(|| (one.clone(), other.clone()))?
            }
            (Operand::Typed(one, family), Operand::Literal(tokens)) if fits(family) => {
                (one.clone(), self.literal(tokens, family)?)
            }
            (Operand::Literal(tokens), Operand::Typed(other, family)) if fits(family) => {
                (self.literal(tokens, family)?, other.clone())
            }
            _ => return None,
        };
        Some(format!("{one} {operator} {other}"))
    }

    fn sum(&mut self) -> Option<Operand> {
        let mut sum = self.product()?;
        while let Some(sign) = ["+", "-"].into_iter().find(|sign| self.symbol(sign)) {
            sum = computed(&sum, sign, &self.product()?)?;
        }
        Some(sum)
    }

    fn product(&mut self) -> Option<Operand> {
        let mut product = self.atom()?;
        while self.symbol("*") {
            product = computed(&product, "*", &self.atom()?)?;
        }
        Some(product)
    }

    /// A column, a literal or a sum in brackets, without the casts that change nothing.
    fn atom(&mut self) -> Option<Operand> {
        let operand = if self.symbol("(") && self.depth < DEPTH_MAX {
            self.depth += 1;
            let sum = self.sum();
            self.depth -= 1;
            sum.filter(|_| self.symbol(")"))?
        } else {
            self.leaf()?
        };
        let family = match &operand {
            Operand::Typed(_, family) => Some(family),
            Operand::Literal(_) => None,
        };
        self.cast(family).then_some(operand)
    }

    fn leaf(&mut self) -> Option<Operand> {
        let token = self.peek()?.clone();
        self.at += 1;
        match &token {
            Token::Symbol("-") => match self.peek()?.clone() {
                digits @ Token::Number(_) => {
                    self.at += 1;
                    Some(Operand::Literal(vec![token, digits]))
                }
                _ => None,
            },
            Token::Number(_) | Token::Text(_) => Some(Operand::Literal(vec![token])),
            Token::Word(word, _) if ["true", "false"].contains(&word.as_str()) => {
                Some(Operand::Literal(vec![token]))
            }
            Token::Word(_, written) => self.column(written, str::eq_ignore_ascii_case),
            // In MySQL these are texts.
            Token::Name(name) if !["mysql", "mariadb"].contains(&self.context.kind) => {
                self.column(name, |one, other| one == other)
            }
            _ => None,
        }
    }

    fn column(&self, name: &str, same: fn(&str, &str) -> bool) -> Option<Operand> {
        let mut found = self.columns.iter().filter(|column| same(&column.of.name, name));
        let column = found.next().filter(|_| found.next().is_none())?;
        let exact = ["binary", "c", "posix", "default"];
        let collation = column.of.collation.as_deref().map(str::to_lowercase);
        let is_exact = collation.is_none_or(|collation| exact.contains(&collation.as_str()));
        let (sql, family) = (quoted(&column.name), column.mapped.family.clone());
        is_exact.then_some(Operand::Typed(sql, family))
    }

    /// Goes over PostgreSQL's casts; false where one may change the value.
    fn cast(&mut self, family: Option<&Family>) -> bool {
        let names = ["text", "character", "varying", "numeric", "double", "precision"];
        while self.symbol("::") {
            let start = self.at;
            let mut is_text = false;
            while let Some(name) = names.into_iter().find(|name| self.word(name)) {
                is_text = ["text", "character", "varying"].contains(&name);
            }
            let is_array = self.symbol("[");
            let fits = match family {
                None => true,
                Some(Family::Text(_)) => is_text,
                Some(family) => family.is_number() && !is_text,
            };
            if self.at == start || (is_array && !self.symbol("]")) || !fits {
                return false;
            }
        }
        true
    }

    fn operator(&mut self) -> Option<&'static str> {
        let spellings = [
            ("=", "="),
            ("==", "="),
            ("<>", "<>"),
            ("!=", "<>"),
            ("<=", "<="),
            (">=", ">="),
            ("<", "<"),
            (">", ">"),
        ];
        spellings.into_iter().find(|(spelling, _)| self.symbol(spelling)).map(|(_, sql)| sql)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is_at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    fn symbol(&mut self, wanted: &str) -> bool {
        self.take(|token| matches!(token, Token::Symbol(symbol) if *symbol == wanted))
    }

    fn word(&mut self, wanted: &str) -> bool {
        self.take(|token| matches!(token, Token::Word(word, _) if word == wanted))
    }

    fn take(&mut self, is_wanted: impl Fn(&Token) -> bool) -> bool {
        let found = self.peek().is_some_and(is_wanted);
        self.at += usize::from(found);
        found
    }
}

fn joined(mut parts: Vec<String>, separator: &str) -> String {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            format!("({})", parts.join(separator))
        }
    }
}

fn typed(operand: &Operand) -> Option<(&str, &Family)> {
    match operand {
        Operand::Typed(sql, family) => Some((sql, family)),
        Operand::Literal(_) => None,
    }
}

fn has_order(family: &Family) -> bool {
    family.is_number() || matches!(family, Family::Date | Family::Timestamp)
}

/// A sum or product of numbers.
fn computed(one: &Operand, sign: &str, other: &Operand) -> Option<Operand> {
    let number = |operand: &Operand| match operand {
        Operand::Typed(sql, family) if family.is_number() => Some(sql.clone()),
        Operand::Literal(tokens) => match tokens.as_slice() {
            [Token::Number(digits)] => Some(digits.clone()),
            _ => None,
        },
        Operand::Typed(..) => None,
    };
    let sql = format!("({} {sign} {})", number(one)?, number(other)?);
    Some(Operand::Typed(sql, Family::Numeric(None)))
}
