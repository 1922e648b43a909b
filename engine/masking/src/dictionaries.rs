//! Word lists by locale, from the `fake` crate, and how a locale's names, streets,
//! towns and companies are put together from them.
//!
//! The lists and the patterns below are part of the published mapping: the crate is
//! pinned to one version, and a change here raises a function's ABI version.

use std::marker::PhantomData;

use fake::locales::{
    AR_SA, CY_GB, DE_DE, Data, EN, FA_IR, FR_FR, IT_IT, JA_JP, NL_NL, PT_BR, PT_PT, TR_TR, ZH_CN,
    ZH_TW,
};

/// A list of words.
pub(crate) type Words = &'static [&'static str];

/// One piece of a pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece {
    /// One of the words, by key.
    Pick(Words),
    /// A number from 1 to this, by key.
    Number(u64),
    /// These characters.
    Text(&'static str),
}

/// What a locale has. A pattern that is empty is one it does not have.
pub(crate) struct Locale {
    /// Language, or language and region where a language has two.
    pub(crate) name: &'static str,
    /// First names.
    pub(crate) first: Words,
    /// Last names.
    pub(crate) last: Words,
    /// A person's whole name.
    pub(crate) full: &'static [Piece],
    /// Street and house number.
    pub(crate) street: &'static [Piece],
    /// A town.
    pub(crate) city: &'static [Piece],
    /// A company.
    pub(crate) company: &'static [Piece],
}

use Piece::{Number, Pick, Text};

const SPACE: Piece = Text(" ");
const AND: Piece = Text(" & ");
const FR_COMPANY: Words = &["SA", "SARL", "SAS", "SNC", "et Fils"];

/// The lists of one locale of the `fake` crate, as pieces of a pattern.
struct Of<D>(PhantomData<D>);

impl<D: Data> Of<D> {
    const FIRST: Piece = Pick(D::NAME_FIRST_NAME);
    const LAST: Piece = Pick(D::NAME_LAST_NAME);
    const WAY: Piece = Pick(D::ADDRESS_STREET_SUFFIX);
    const TOWN: Piece = Pick(D::ADDRESS_CITY_SUFFIX);
    const BEFORE: Piece = Pick(D::ADDRESS_CITY_PREFIX);
    const LTD: Piece = Pick(D::COMPANY_SUFFIX);

    /// A locale that has names only.
    const fn names(name: &'static str, full: &'static [Piece]) -> Locale {
        let (first, last) = (D::NAME_FIRST_NAME, D::NAME_LAST_NAME);
        Locale { name, first, last, full, street: &[], city: &[], company: &[] }
    }
}

type De = Of<DE_DE>;
type En = Of<EN>;
type Fr = Of<FR_FR>;
type It = Of<IT_IT>;
type Ja = Of<JA_JP>;
type Nl = Of<NL_NL>;
type Br = Of<PT_BR>;
type Pt = Of<PT_PT>;
type Tr = Of<TR_TR>;
type Zh = Of<ZH_CN>;

/// All locales, by name.
pub(crate) static LOCALES: &[Locale] = &[
    Of::<AR_SA>::names("ar", &[Of::<AR_SA>::FIRST, SPACE, Of::<AR_SA>::LAST]),
    Of::<CY_GB>::names("cy", &[Of::<CY_GB>::FIRST, SPACE, Of::<CY_GB>::LAST]),
    Locale {
        street: &[De::LAST, De::WAY, SPACE, Number(199)],
        city: &[De::LAST, De::TOWN],
        company: &[De::LAST, AND, De::LAST, SPACE, De::LTD],
        ..De::names("de", &[De::FIRST, SPACE, De::LAST])
    },
    Locale {
        street: &[Number(9_999), SPACE, En::LAST, SPACE, En::WAY],
        city: &[En::BEFORE, SPACE, En::LAST, En::TOWN],
        company: &[En::LAST, AND, En::LAST, SPACE, En::LTD],
        ..En::names("en", &[En::FIRST, SPACE, En::LAST])
    },
    Of::<FA_IR>::names("fa", &[Of::<FA_IR>::FIRST, SPACE, Of::<FA_IR>::LAST]),
    Locale {
        street: &[Number(299), SPACE, Fr::WAY, SPACE, Fr::LAST],
        city: &[Text("Saint-"), Fr::FIRST],
        company: &[Fr::LAST, AND, Fr::LAST, SPACE, Pick(FR_COMPANY)],
        ..Fr::names("fr", &[Fr::FIRST, SPACE, Fr::LAST])
    },
    Locale {
        street: &[It::WAY, SPACE, It::FIRST, SPACE, It::LAST, SPACE, Number(199)],
        city: &[It::BEFORE, SPACE, It::FIRST, SPACE, It::TOWN],
        company: &[It::LAST, AND, It::LAST, SPACE, It::LTD],
        ..It::names("it", &[It::FIRST, SPACE, It::LAST])
    },
    Locale {
        company: &[Ja::LTD, Ja::LAST, Ja::FIRST],
        ..Ja::names("ja", &[Ja::LAST, SPACE, Ja::FIRST])
    },
    Locale {
        street: &[Nl::LAST, Nl::WAY, SPACE, Number(199)],
        city: &[Nl::LAST, Nl::TOWN],
        company: &[Nl::LAST, AND, Nl::LAST, SPACE, Nl::LTD],
        ..Nl::names("nl", &[Nl::FIRST, SPACE, Nl::LAST])
    },
    Locale {
        street: &[Pt::WAY, SPACE, Pt::FIRST, SPACE, Pt::LAST, SPACE, Number(299)],
        city: &[Pt::BEFORE, SPACE, Pt::LAST, SPACE, Pt::TOWN],
        company: &[Pt::LAST, AND, Pt::LAST, SPACE, Pt::LTD],
        ..Pt::names("pt", &[Pt::FIRST, SPACE, Pt::LAST])
    },
    Locale {
        street: &[Br::WAY, SPACE, Br::FIRST, SPACE, Br::LAST, Text(", "), Number(1_999)],
        city: &[Text("Vila "), Br::FIRST, SPACE, Br::LAST],
        company: &[Br::LAST, AND, Br::LAST, SPACE, Br::LTD],
        ..Br::names("pt_BR", &[Br::FIRST, SPACE, Br::LAST])
    },
    Locale {
        street: &[Tr::FIRST, SPACE, Tr::LAST, SPACE, Tr::WAY, Text(" No: "), Number(199)],
        city: &[Tr::FIRST, SPACE, Tr::TOWN],
        ..Tr::names("tr", &[Tr::FIRST, SPACE, Tr::LAST])
    },
    Locale {
        street: &[Zh::FIRST, Zh::WAY, Number(999), Text("号")],
        city: &[Zh::FIRST, Zh::TOWN],
        company: &[Zh::FIRST, Zh::LTD],
        ..Zh::names("zh", &[Zh::LAST, Zh::FIRST])
    },
    Of::<ZH_TW>::names("zh_TW", &[Of::<ZH_TW>::LAST, Of::<ZH_TW>::FIRST]),
];

/// The locale of that name, `-` or `_` and capitals aside; else that of its language.
pub(crate) fn locale(name: &str) -> Option<&'static Locale> {
    let name = name.replace('-', "_");
    let language = name.split('_').next().unwrap_or_default();
    let exact = LOCALES.iter().find(|locale| locale.name.eq_ignore_ascii_case(&name));
    exact.or_else(|| LOCALES.iter().find(|locale| locale.name.eq_ignore_ascii_case(language)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_sorted_and_their_lists_can_be_chosen_from() {
        assert!(LOCALES.is_sorted_by_key(|locale| locale.name.to_ascii_lowercase()));
        for locale in LOCALES {
            let patterns = [locale.full, locale.street, locale.city, locale.company];
            for piece in patterns.into_iter().flatten() {
                if let Pick(words) = piece {
                    assert!(words.len() >= 2, "{}", locale.name);
                    assert!(words.iter().all(|word| !word.is_empty()), "{}", locale.name);
                }
            }
        }
    }

    #[test]
    fn regions_fall_back_to_their_language() {
        let name = |asked| locale(asked).map(|locale| locale.name);
        assert_eq!(name("de-AT"), Some("de"));
        assert_eq!(name("pt_br"), Some("pt_BR"));
        assert_eq!(name("pt_AO"), Some("pt"));
        assert_eq!(name("xx"), None);
    }
}
