//! Word lists by locale, and how a locale's names, streets, towns and companies are put
//! together from them.
//!
//! The lists come from the `fake` crate, and from the files under `data/`, whose README names
//! their origins. Lists and patterns are part of the published mapping: the crate is pinned to
//! one version, and a change here raises a function's ABI version.

use std::sync::LazyLock;

mod locales;

pub(crate) use locales::LOCALES;

/// A list of words of the `fake` crate.
type Words = &'static [&'static str];

/// A list of words to choose from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum List {
    /// Of the `fake` crate.
    Words(Words),
    /// Of these sections of the locale's file, one after the other.
    Sections(&'static [&'static str]),
}

/// One piece of a pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece {
    /// One of the words, by key.
    Pick(List),
    /// A first name.
    First,
    /// A last name.
    Last,
    /// The town of one of the locale's places.
    Town,
    /// The postcode of one of the locale's places.
    Postcode,
    /// Some of the locale's words.
    Sentence,
    /// A number from 1 to this, by key.
    Number(u64),
    /// These characters.
    Text(&'static str),
}

/// Whose name it is, where that makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gender {
    /// Not known, or not said.
    Any,
    Female,
    Male,
}

/// What a locale has. A pattern that is empty is one it does not have.
pub(crate) struct Locale {
    /// Language, or language and region where a language has two.
    pub(crate) name: &'static str,
    /// The country of its places: ISO 3166-1 alpha-2.
    pub(crate) country: &'static str,
    /// Its file of words; empty where it has none.
    words: &'static str,
    /// The file of its places; empty where it has none.
    places: &'static str,
    /// First names of anybody.
    pub(crate) first: List,
    /// Last names of anybody.
    pub(crate) last: List,
    /// A person's whole name.
    pub(crate) full: &'static [Piece],
    /// Street and house number.
    pub(crate) street: &'static [Piece],
    /// A town.
    pub(crate) city: &'static [Piece],
    /// A company.
    pub(crate) company: &'static [Piece],
    /// What stands between the words of a sentence.
    pub(crate) space: &'static str,
    /// What stands at the end of a sentence.
    pub(crate) stop: &'static str,
}

/// A town with its region and the form of its postcodes: the digits its post uses there, `#` for any digit,
/// `?` for a letter, `*` for a digit other than 0, 2 and 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) postcode: &'static str,
    pub(crate) city: &'static str,
    pub(crate) region: &'static str,
}

impl Locale {
    /// The text of its lists.
    pub(crate) fn words(&self) -> &'static str {
        self.words
    }

    /// Whether its first names are known by gender.
    pub(crate) fn has_genders(&self) -> bool {
        !self.words.is_empty()
    }

    /// Whether a last name says the gender, too.
    pub(crate) fn has_last_names_by_gender(&self) -> bool {
        section(self.words, "last_female").next().is_some()
    }

    /// First names of a gender: of anybody where it has none by gender.
    pub(crate) fn first_names(&self, gender: Gender) -> List {
        match gender {
            Gender::Female if self.has_genders() => List::Sections(&["first_female"]),
            Gender::Male if self.has_genders() => List::Sections(&["first_male"]),
            _ => self.first,
        }
    }

    /// Last names of a gender: of anybody where they do not differ.
    pub(crate) fn last_names(&self, gender: Gender) -> List {
        match gender {
            Gender::Female if self.has_last_names_by_gender() => List::Sections(&["last_female"]),
            Gender::Male if self.has_last_names_by_gender() => List::Sections(&["last_male"]),
            _ => self.last,
        }
    }

    /// The words of a list, in its order.
    pub(crate) fn list(&self, list: List) -> Vec<&'static str> {
        match list {
            List::Words(words) => words.to_vec(),
            List::Sections(names) => {
                names.iter().flat_map(|name| section(self.words, name)).collect()
            }
        }
    }

    /// Its towns.
    pub(crate) fn places(&self) -> Vec<Place> {
        let place = |line: &'static str| {
            let (postcode, rest) = line.split_once('|')?;
            let (city, region) = rest.split_once('|')?;
            Some(Place { postcode, city, region })
        };
        section(self.places, "place").filter_map(place).collect()
    }

    /// Names of the countries of [`countries`], in that order.
    pub(crate) fn country_names(&self) -> Vec<&'static str> {
        section(self.words, "country").collect()
    }
}

/// The lines of a section: those after `# name`, up to the next such line.
fn section(text: &'static str, name: &str) -> impl Iterator<Item = &'static str> + use<> {
    let is_title = |line: &&str| line.starts_with("# ");
    let mut lines = text.lines();
    let wanted = name.to_owned();
    let found = lines.any(|line| line.strip_prefix("# ") == Some(wanted.as_str()));
    lines.take_while(move |line| found && !is_title(line))
}

/// The countries of ISO 3166-1, as alpha-2 and alpha-3 codes, by the former.
pub(crate) fn countries() -> &'static [(&'static str, &'static str)] {
    static ALL: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
        include_str!("../data/countries.txt")
            .lines()
            .filter_map(|line| line.split_once(' '))
            .collect()
    });
    &ALL
}

/// The locale of that name, `-` or `_` and capitals aside; else that of its language.
pub(crate) fn locale(name: &str) -> Option<&'static Locale> {
    let name = name.replace('-', "_");
    let language = name.split('_').next().unwrap_or_default();
    let named =
        |wanted: &str| LOCALES.iter().find(|locale| locale.name.eq_ignore_ascii_case(wanted));
    // `no` is what many say for Norwegian; its lists are Bokmål's.
    let language = if language.eq_ignore_ascii_case("no") { "nb" } else { language };
    named(&name).or_else(|| named(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_sorted_and_their_lists_can_be_chosen_from() {
        assert!(LOCALES.is_sorted_by_key(|locale| locale.name.to_ascii_lowercase()));
        for locale in LOCALES {
            let patterns = [locale.full, locale.street, locale.city, locale.company];
            let lists = patterns.into_iter().flatten().filter_map(|piece| match piece {
                Piece::Pick(list) => Some(*list),
                Piece::First => Some(locale.first),
                Piece::Last => Some(locale.last),
                _ => None,
            });
            for list in lists {
                let words = locale.list(list);
                assert!(words.len() >= 2, "{}", locale.name);
                assert!(words.iter().all(|word| !word.is_empty()), "{}", locale.name);
            }
        }
    }

    #[test]
    fn files_have_what_the_functions_choose_from() {
        let full: Vec<_> = LOCALES.iter().filter(|locale| locale.has_genders()).collect();
        assert!(full.len() >= 20);
        for locale in full {
            for (name, least) in
                [("first_female", 80), ("first_male", 80), ("job", 50), ("word", 150)]
            {
                let words = section(locale.words, name).count();
                assert!(words >= least, "{} {name}", locale.name);
            }
            for gender in [Gender::Female, Gender::Male, Gender::Any] {
                assert!(locale.list(locale.last_names(gender)).len() >= 40, "{}", locale.name);
            }
            assert!(!locale.street.is_empty() && !locale.city.is_empty(), "{}", locale.name);
            assert!(!locale.company.is_empty(), "{}", locale.name);
            assert_eq!(locale.country_names().len(), countries().len(), "{}", locale.name);
            assert!(locale.places().len() >= 18, "{}", locale.name);
        }
    }

    #[test]
    fn places_are_whole_and_their_country_is_one() {
        for locale in LOCALES {
            assert!(countries().iter().any(|(code, _)| *code == locale.country), "{}", locale.name);
            let lines = section(locale.places, "place").count();
            assert_eq!(locale.places().len(), lines, "{}", locale.name);
            for place in locale.places() {
                assert!(place.postcode.contains(['#', '*']), "{place:?}");
                assert!(!place.city.is_empty() && !place.region.is_empty(), "{place:?}");
            }
        }
    }

    #[test]
    fn regions_fall_back_to_their_language() {
        let name = |asked| locale(asked).map(|locale| locale.name);
        assert_eq!(name("de-AT"), Some("de"));
        assert_eq!(name("pt_br"), Some("pt_BR"));
        assert_eq!(name("pt_AO"), Some("pt"));
        assert_eq!(name("no"), Some("nb"));
        assert_eq!(name("en-gb"), Some("en_GB"));
        assert_eq!(name("xx"), None);
    }
}
