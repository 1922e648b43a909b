//! The table of locales: which lists each has, and in which order its names, streets, towns
//! and companies are written.

use std::marker::PhantomData;

use fake::locales::{
    AR_SA, CY_GB, DE_DE, Data, EN, FA_IR, FR_FR, IT_IT, JA_JP, NL_NL, PT_BR, PT_PT, TR_TR, ZH_CN,
    ZH_TW,
};

use super::List::{Sections, Words};
use super::Piece::{First, Last, Number, Pick, Text, Town};
use super::{List, Locale, Piece};

const SPACE: Piece = Text(" ");
const AND: Piece = Text(" & ");

/// One of a few words that stand here.
macro_rules! one_of {
    ($($word:literal),+) => {
        Pick(Words(&[$($word),+]))
    };
}

/// The file of a locale.
macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../data/", $name, ".txt"))
    };
}

/// The lists of one locale of the `fake` crate, as pieces of a pattern.
struct Of<D>(PhantomData<D>);

impl<D: Data> Of<D> {
    const FIRST: Piece = Pick(Words(D::NAME_FIRST_NAME));
    const LAST: Piece = Pick(Words(D::NAME_LAST_NAME));
    const WAY: Piece = Pick(Words(D::ADDRESS_STREET_SUFFIX));
    const TOWN: Piece = Pick(Words(D::ADDRESS_CITY_SUFFIX));
    const BEFORE: Piece = Pick(Words(D::ADDRESS_CITY_PREFIX));
    const LTD: Piece = Pick(Words(D::COMPANY_SUFFIX));

    /// A locale with names of the crate, and a file for the rest.
    const fn names(name: &'static str, country: &'static str, file: &'static str) -> Locale {
        let first = Words(D::NAME_FIRST_NAME);
        Locale { first, last: Words(D::NAME_LAST_NAME), ..listed(name, country, file) }
    }
}

/// First names of both genders.
const FIRST_NAMES: List = Sections(&["first_female", "first_male"]);

/// A locale whose lists are all in its file.
const fn listed(name: &'static str, country: &'static str, file: &'static str) -> Locale {
    Locale {
        name,
        country,
        words: file,
        places: file,
        first: FIRST_NAMES,
        last: Sections(&["last"]),
        full: &[First, SPACE, Last],
        street: &[],
        city: &[Pick(Sections(&["city"]))],
        company: &[],
        space: " ",
        stop: ".",
    }
}

/// A locale of [`listed`] whose last names differ by gender.
const fn by_gender(name: &'static str, country: &'static str, file: &'static str) -> Locale {
    Locale { last: Sections(&["last_female", "last_male"]), ..listed(name, country, file) }
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
    Locale {
        street: &[Text("شارع "), Last, SPACE, Number(199)],
        company: &[Text("شركة "), Last, Text(" و"), Last],
        ..Of::<AR_SA>::names("ar", "SA", file!("ar"))
    },
    Locale {
        street: &[Last, SPACE, one_of!["třída", "náměstí", "nábřeží"], SPACE, Number(199)],
        company: &[Last, Text(" a "), Last, SPACE, one_of!["a.s.", "s.r.o.", "v.o.s."]],
        ..by_gender("cs", "CZ", file!("cs"))
    },
    Locale { city: &[], ..Of::<CY_GB>::names("cy", "GB", "") },
    Locale {
        street: &[Last, one_of!["svej", "sgade", "s Allé", "s Plads"], SPACE, Number(199)],
        company: &[Last, Text(" og "), Last, SPACE, one_of!["A/S", "ApS", "I/S"]],
        ..listed("da", "DK", file!("da"))
    },
    Locale {
        street: &[De::LAST, De::WAY, SPACE, Number(199)],
        city: &[De::LAST, De::TOWN],
        company: &[De::LAST, AND, De::LAST, SPACE, De::LTD],
        ..De::names("de", "DE", file!("de"))
    },
    Locale {
        street: &[Number(9_999), SPACE, En::LAST, SPACE, En::WAY],
        city: &[En::BEFORE, SPACE, En::LAST, En::TOWN],
        company: &[En::LAST, AND, En::LAST, SPACE, En::LTD],
        ..En::names("en", "US", file!("en"))
    },
    Locale {
        places: file!("en_GB"),
        street: &[
            Number(199),
            SPACE,
            En::LAST,
            SPACE,
            one_of!["Avenue", "Close", "Crescent", "Drive", "Gardens", "Lane", "Road", "Street"],
        ],
        city: &[Town],
        company: &[En::LAST, AND, En::LAST, SPACE, one_of!["LLP", "Ltd", "PLC"]],
        ..En::names("en_GB", "GB", file!("en"))
    },
    Locale {
        street: &[
            one_of!["Avenida de", "Calle de", "Paseo de", "Plaza de"],
            SPACE,
            First,
            SPACE,
            Last,
            Text(", "),
            Number(199),
        ],
        company: &[Last, Text(" y "), Last, SPACE, one_of!["S.A.", "S.L.", "S.L.U."]],
        ..listed("es", "ES", file!("es"))
    },
    Locale {
        street: &[Text("خیابان "), Last, Text("، پلاک "), Number(199)],
        company: &[Text("شرکت "), Last, Text(" و "), Last],
        ..Of::<FA_IR>::names("fa", "IR", file!("fa"))
    },
    Locale {
        street: &[Last, one_of!["katu", "kuja", "polku", "tie"], SPACE, Number(199)],
        company: &[Last, AND, Last, SPACE, one_of!["Ky", "Oy", "Oyj"]],
        ..listed("fi", "FI", file!("fi"))
    },
    Locale {
        street: &[Number(299), SPACE, Fr::WAY, SPACE, Fr::LAST],
        city: &[Text("Saint-"), Fr::FIRST],
        company: &[Fr::LAST, AND, Fr::LAST, SPACE, one_of!["SA", "SARL", "SAS", "SNC", "et Fils"]],
        ..Fr::names("fr", "FR", file!("fr"))
    },
    Locale {
        street: &[It::WAY, SPACE, It::FIRST, SPACE, It::LAST, SPACE, Number(199)],
        city: &[It::BEFORE, SPACE, It::FIRST, SPACE, It::TOWN],
        company: &[It::LAST, AND, It::LAST, SPACE, It::LTD],
        ..It::names("it", "IT", file!("it"))
    },
    Locale {
        full: &[Last, SPACE, First],
        street: &[
            Last,
            Text("町"),
            Number(9),
            Text("丁目"),
            Number(29),
            Text("番"),
            Number(29),
            Text("号"),
        ],
        company: &[Ja::LTD, Ja::LAST, Ja::FIRST],
        space: "",
        stop: "。",
        ..Ja::names("ja", "JP", file!("ja"))
    },
    Locale {
        full: &[Last, First],
        street: &[First, one_of!["대로", "로", "길"], SPACE, Number(199)],
        company: &[Text("주식회사 "), Last, First],
        ..listed("ko", "KR", file!("ko"))
    },
    Locale {
        street: &[Last, one_of!["s gate", "s vei", "s plass", "s allé"], SPACE, Number(199)],
        city: &[Town],
        company: &[Last, Text(" og "), Last, SPACE, one_of!["AS", "ASA", "DA"]],
        ..listed("nb", "NO", file!("nb"))
    },
    Locale {
        street: &[Nl::LAST, Nl::WAY, SPACE, Number(199)],
        city: &[Nl::LAST, Nl::TOWN],
        company: &[Nl::LAST, AND, Nl::LAST, SPACE, Nl::LTD],
        ..Nl::names("nl", "NL", file!("nl"))
    },
    Locale {
        street: &[one_of!["ul.", "al.", "pl.", "os."], SPACE, Last, SPACE, Number(199)],
        company: &[Last, Text(" i "), Last, SPACE, one_of!["S.A.", "Sp. j.", "Sp. z o.o."]],
        ..by_gender("pl", "PL", file!("pl"))
    },
    Locale {
        street: &[Pt::WAY, SPACE, Pt::FIRST, SPACE, Pt::LAST, SPACE, Number(299)],
        city: &[Pt::BEFORE, SPACE, Pt::LAST, SPACE, Pt::TOWN],
        company: &[Pt::LAST, AND, Pt::LAST, SPACE, Pt::LTD],
        ..Pt::names("pt", "PT", file!("pt"))
    },
    Locale {
        street: &[Br::WAY, SPACE, Br::FIRST, SPACE, Br::LAST, Text(", "), Number(1_999)],
        city: &[Text("Vila "), Br::FIRST, SPACE, Br::LAST],
        company: &[Br::LAST, AND, Br::LAST, SPACE, Br::LTD],
        ..Br::names("pt_BR", "BR", file!("pt_BR"))
    },
    Locale {
        street: &[one_of!["ул.", "пер.", "пр."], SPACE, Last, Text(", д. "), Number(199)],
        company: &[
            one_of!["АО", "ЗАО", "ООО", "ПАО"],
            Text(" «"),
            Last,
            Text(" и "),
            Last,
            Text("»"),
        ],
        ..by_gender("ru", "RU", file!("ru"))
    },
    Locale {
        street: &[Last, one_of!["s gata", "s väg", "s gränd", "s torg"], SPACE, Number(199)],
        company: &[Last, AND, Last, SPACE, one_of!["AB", "HB", "KB"]],
        ..listed("sv", "SE", file!("sv"))
    },
    Locale {
        street: &[Tr::FIRST, SPACE, Tr::LAST, SPACE, Tr::WAY, Text(" No: "), Number(199)],
        city: &[Tr::FIRST, SPACE, Tr::TOWN],
        company: &[Last, Text(" ve "), Last, SPACE, one_of!["A.Ş.", "Ltd. Şti."]],
        ..listed("tr", "TR", file!("tr"))
    },
    Locale {
        full: &[Last, First],
        street: &[Zh::FIRST, Zh::WAY, Number(999), Text("号")],
        city: &[Zh::FIRST, Zh::TOWN],
        company: &[Zh::FIRST, Zh::LTD],
        space: "",
        stop: "。",
        ..Zh::names("zh", "CN", file!("zh"))
    },
    Locale {
        full: &[Last, First],
        street: &[First, one_of!["街", "路", "大道"], Number(999), Text("號")],
        company: &[Last, First, one_of!["有限公司", "股份有限公司"]],
        space: "",
        stop: "。",
        ..Of::<ZH_TW>::names("zh_TW", "TW", file!("zh_TW"))
    },
];
