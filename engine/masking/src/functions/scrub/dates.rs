//! Dates in a text: read by the calendar, and written again as they were.
//!
//! ```text
//!  2024-02-29  2024/2/29       year first
//!  29.02.2024  29-2-2024       day first
//!  02/29/2024                  month or day first, as the locale has it, or as the calendar allows
//!  29 February 2024            month by name, in any of the locales known here; written as 2024-02-29
//!  February 29, 2024
//! ```

use chrono::{Datelike, NaiveDate};

/// How the names of months begin: English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish,
/// Danish and Polish.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "stycz"],
    &["feb", "fév", "fev", "fébr", "lut"],
    &["mar", "mär", "mrz", "maa", "mrt"],
    &["apr", "avr", "abr", "kwie"],
    &["may", "mai", "mag", "mei", "maj"],
    &["jun", "juin", "giu", "czerw"],
    &["jul", "juil", "lug", "lip"],
    &["aug", "aoû", "aou", "ago", "sier"],
    &["sep", "set", "wrz"],
    &["oct", "okt", "ott", "out", "paź"],
    &["nov", "lis"],
    &["dec", "dez", "déc", "dic", "gru"],
];

/// Most letters of a month's name.
const MONTH_LETTERS_MAX: usize = 12;

/// Words between the parts of a date.
const BETWEEN: &[&str] = &["de", "del", "of", "d", "den"];

/// What comes first where a date is written with slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slashes {
    DayFirst,
    MonthFirst,
}

impl Slashes {
    /// As the locale writes dates: the month first in the United States.
    pub(super) fn of(locale: Option<&str>) -> Self {
        match locale {
            None | Some("en" | "en_US") => Self::MonthFirst,
            Some(_) => Self::DayFirst,
        }
    }
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Year,
    Day,
    Month,
    Named,
}

/// A date and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) date: NaiveDate,
    layout: Layout,
    separator: char,
    short_year: bool,
}

impl Date {
    /// The whole text as a date.
    pub(super) fn read(text: &str, slashes: Slashes) -> Option<Self> {
        match numeric(text, 0, slashes) {
            Some((end, date)) if end == text.len() => return Some(date),
            _ => {}
        }
        let year = text.rfind(|character: char| !character.is_ascii_digit())? + 1;
        let (start, date) = named(text, year)?;
        (start == 0).then_some(date)
    }

    /// Writes another date as this one is written.
    pub(super) fn write(self, other: NaiveDate) -> String {
        let Self { separator, short_year, .. } = self;
        let (day, month) = (other.day(), other.month());
        let year = match short_year {
            true => format!("{:02}", other.year().rem_euclid(100)),
            false => format!("{:04}", other.year()),
        };
        match self.layout {
            Layout::Year => format!("{year}{separator}{month:02}{separator}{day:02}"),
            Layout::Day => format!("{day:02}{separator}{month:02}{separator}{year}"),
            Layout::Month => format!("{month:02}{separator}{day:02}{separator}{year}"),
            Layout::Named => format!("{year}-{month:02}-{day:02}"),
        }
    }
}

/// A date of three numbers that begins here, and where it ends. A fourth number makes it none.
pub(super) fn numeric(text: &str, start: usize, slashes: Slashes) -> Option<(usize, Date)> {
    let rest = text.get(start..)?;
    let (first, first_digits) = number(rest)?;
    let separator = rest.as_bytes().get(first_digits).copied()?;
    if !matches!(separator, b'-' | b'.' | b'/') {
        return None;
    }
    let second_at = first_digits + 1;
    let (second, second_digits) = number(rest.get(second_at..)?)?;
    if rest.as_bytes().get(second_at + second_digits) != Some(&separator) || second_digits > 2 {
        return None;
    }
    let third_at = second_at + second_digits + 1;
    let (third, third_digits) = number(rest.get(third_at..)?)?;
    let end = third_at + third_digits;
    if goes_on(rest.as_bytes().get(end..).unwrap_or_default()) {
        return None;
    }
    let with = |layout, year: u32, month, day| {
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        let short_year = third_digits == 2 && layout != Layout::Year;
        Some(Date { date, layout, separator: char::from(separator), short_year })
    };
    let date = match (first_digits, third_digits, separator) {
        (4, 1..=2, _) if is_year(first) => with(Layout::Year, first, second, third),
        (1..=2, 4, b'/') if is_year(third) => {
            by_slashes(slashes, |month_first| match month_first {
                true => with(Layout::Month, third, first, second),
                false => with(Layout::Day, third, second, first),
            })
        }
        (1..=2, 2, b'/') => by_slashes(slashes, |month_first| match month_first {
            true => with(Layout::Month, century(third), first, second),
            false => with(Layout::Day, century(third), second, first),
        }),
        (1..=2, 4, _) if is_year(third) => with(Layout::Day, third, second, first)
            .or_else(|| with(Layout::Month, third, first, second)),
        _ => None,
    };
    Some((start + end, date?))
}

/// The reading that the locale has, else the other one.
fn by_slashes(slashes: Slashes, read: impl Fn(bool) -> Option<Date>) -> Option<Date> {
    let month_first = slashes == Slashes::MonthFirst;
    read(month_first).or_else(|| read(!month_first))
}

/// A date with its month by name whose year begins here, and where it begins.
pub(super) fn named(text: &str, year_at: usize) -> Option<(usize, Date)> {
    let (year, digits) = number(text.get(year_at..)?)?;
    if digits != 4 || !is_year(year) {
        return None;
    }
    let (last_at, last) = word_before(text, year_at)?;
    let (first_at, first) = word_before(text, last_at)?;
    let (month, day) = match (month(last), day(first)) {
        (Some(month), Some(day)) => (month, day),
        _ => (month(first)?, day(last)?),
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some((first_at, Date { date, layout: Layout::Named, separator: '-', short_year: false }))
}

/// The word that stands before this place, and where it begins; words between parts are passed over.
fn word_before(text: &str, end: usize) -> Option<(usize, &str)> {
    let mut end = end;
    for _ in 0..2 {
        let head = text.get(..end)?;
        let trimmed = head.trim_end_matches([' ', ',', '.', '-', '/', '\u{a0}', '\'', '’']);
        if head.len() - trimmed.len() > 3 {
            return None;
        }
        let start = trimmed
            .char_indices()
            .rev()
            .take(MONTH_LETTERS_MAX + 1)
            .take_while(|(_, character)| character.is_alphanumeric())
            .last()?
            .0;
        let word = trimmed.get(start..)?;
        if !BETWEEN.iter().any(|between| between.eq_ignore_ascii_case(word)) {
            return Some((start, word));
        }
        end = start;
    }
    None
}

fn month(word: &str) -> Option<u32> {
    if word.chars().count() > MONTH_LETTERS_MAX || !word.chars().all(char::is_alphabetic) {
        return None;
    }
    let word: String = word.chars().flat_map(char::to_lowercase).collect();
    let known = |names: &&[&str]| names.iter().any(|name| word.starts_with(name));
    let place = MONTHS.iter().position(known)?;
    u32::try_from(place + 1).ok()
}

/// A day of the month, with or without an ending (`1st`, `2nd`).
fn day(word: &str) -> Option<u32> {
    let (day, digits) = number(word)?;
    let ending = word.get(digits..)?.to_ascii_lowercase();
    let is_day = digits <= 2 && matches!(ending.as_str(), "" | "st" | "nd" | "rd" | "th" | "er");
    is_day.then_some(day).filter(|day| (1..=31).contains(day))
}

/// The number at the start, of at most four digits, and how many they are.
fn number(text: &str) -> Option<(u32, usize)> {
    let digits = text.bytes().take(5).take_while(u8::is_ascii_digit).count();
    let number = text.get(..digits)?.parse().ok()?;
    (digits <= 4).then_some((number, digits))
}

/// Whether what follows belongs to the same number: a letter (but that before a time), a digit, or
/// a separator and a digit.
fn goes_on(rest: &[u8]) -> bool {
    match rest {
        [b'T' | b't', digit, ..] if digit.is_ascii_digit() => false,
        [b'-' | b'.' | b'/', digit, ..] => digit.is_ascii_digit(),
        [byte, ..] => byte.is_ascii_alphanumeric(),
        [] => false,
    }
}

fn is_year(year: u32) -> bool {
    (1800..2200).contains(&year)
}

/// A year of two digits: POSIX has 69 to 99 in the 20th century.
fn century(year: u32) -> u32 {
    if year >= 69 { 1900 + year } else { 2000 + year }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written_as_they_were() {
        let other = NaiveDate::from_ymd_opt(1985, 1, 2).unwrap();
        for (text, date, written) in [
            ("2024-02-29", "2024-02-29", "1985-01-02"),
            ("2024/2/9", "2024-02-09", "1985/01/02"),
            ("17.5.1984", "1984-05-17", "02.01.1985"),
            ("05/17/1984", "1984-05-17", "01/02/1985"),
            ("17/05/1984", "1984-05-17", "02/01/1985"),
            ("05/06/84", "1984-05-06", "01/02/85"),
            ("17 May 1984", "1984-05-17", "1985-01-02"),
            ("17. März 1984", "1984-03-17", "1985-01-02"),
            ("May 17th, 1984", "1984-05-17", "1985-01-02"),
            ("17 de marzo de 1984", "1984-03-17", "1985-01-02"),
            ("1er août 1984", "1984-08-01", "1985-01-02"),
            ("17-Mar-1984", "1984-03-17", "1985-01-02"),
        ] {
            let read = Date::read(text, Slashes::MonthFirst).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.date.to_string(), date, "{text}");
            assert_eq!(read.write(other), written, "{text}");
        }
        let read = Date::read("05/06/1984", Slashes::DayFirst).unwrap();
        assert_eq!(read.date.to_string(), "1984-06-05");
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "2024-02-30",
            "2023-13-01",
            "1.2.24",
            "10.0.19045.3693",
            "1.2.2024.5",
            "12/10/2",
            "2024-05",
            "32 May 2024",
            "May 2024",
            "Smarch 12 2024",
            "12 300",
            "2024-02-29x",
        ] {
            assert_eq!(Date::read(text, Slashes::MonthFirst), None, "{text}");
        }
    }
}
