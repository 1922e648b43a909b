//! Words that say what the number after them is, in the languages of the locales.

/// Words between such a word and the number, which say nothing.
const FILLERS: &[&str] = &[
    "is", "at", "on", "to", "me", "him", "her", "us", "them", "back", "no", "nr", "number", "num",
    "nummer", "numero", "numéro", "número", "n", "my", "his", "new", "the", "under", "unter",
    "ist", "lautet", "auf", "au", "le", "la", "el", "al", "es", "o", "op", "su", "mi", "é", "est",
    "neu",
];

/// Beginnings of words before a phone number.
pub(super) const PHONES: &[&str] = &[
    "phone",
    "tel",
    "tél",
    "telefon",
    "téléphone",
    "mobil",
    "móvil",
    "handy",
    "cell",
    "celular",
    "fax",
    "call",
    "called",
    "ring",
    "dial",
    "text",
    "sms",
    "whatsapp",
    "signal",
    "anruf",
    "rückruf",
    "ruf",
    "erreichbar",
    "appel",
    "portable",
    "llam",
    "chiam",
    "ligar",
    "ligue",
    "bel",
    "gsm",
    "mob",
    "puh",
    "dzwo",
    "kom",
    "ring",
    "telemóvel",
    "fono",
    "hotline",
    "durchwahl",
    "電話",
    "电话",
    "手机",
    "携帯",
    "전화",
];

/// Beginnings of words before a person's number.
pub(super) const PERSONS: &[&str] = &[
    "ssn",
    "social",
    "security",
    "id",
    "identi",
    "national",
    "passport",
    "tin",
    "tax",
    "nin",
    "steuer",
    "idnr",
    "personal",
    "person",
    "perso",
    "personnummer",
    "bsn",
    "burgerservice",
    "sofi",
    "nif",
    "contribuinte",
    "dni",
    "nie",
    "cpf",
    "pesel",
    "oib",
    "rut",
    "run",
    "nir",
    "sécu",
    "secu",
    "niss",
    "ahv",
    "avs",
    "hetu",
    "codice",
    "fiscal",
    "fødselsnummer",
    "fnr",
    "cédula",
    "cedula",
    "rijksregister",
];

/// Words looked at before a number.
const WORDS_MAX: usize = 5;

/// Whether one of these words stands before the number that begins here, with nothing but fillers
/// between.
pub(super) fn stand_before(text: &str, start: usize, words: &[&str]) -> bool {
    let head = just_before(text, start);
    let before = head.rsplit(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in before.take(WORDS_MAX) {
        if words.iter().any(|known| says(word, known)) {
            return true;
        }
        if !FILLERS.iter().any(|filler| is(word, filler)) {
            return false;
        }
    }
    false
}

/// The end of the text before this place: enough of it for the words that count.
pub(super) fn just_before(text: &str, start: usize) -> &str {
    const BYTES: usize = 120;
    text.get(text.ceil_char_boundary(start.saturating_sub(BYTES))..start).unwrap_or_default()
}

/// Whether the word begins with the known one; holds it where no spaces are written. Short ones
/// (`id`, `bel`, `run`) are whole words.
fn says(word: &str, known: &str) -> bool {
    const UNSPACED: char = '\u{2e80}';
    if known.starts_with(|c: char| c >= UNSPACED) {
        return word.contains(known);
    }
    let short = known.chars().count() <= 3;
    begins(word, known) && (!short || word.chars().count() <= known.chars().count() + 1)
}

fn is(word: &str, known: &str) -> bool {
    word.len() == known.len() && begins(word, known)
}

/// `known` is in small letters.
fn begins(word: &str, known: &str) -> bool {
    let mut letters = word.chars().flat_map(char::to_lowercase);
    known.chars().all(|letter| letters.next() == Some(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_before_a_number() {
        for (text, says) in [
            ("Tel.: ", true),
            ("call me back at ", true),
            ("Telefonnummer ist ", true),
            ("RÜCKRUF unter ", true),
            ("電話番号は", true),
            ("hotel ", false),
            ("call about order ", false),
            ("", false),
            ("5 ", false),
        ] {
            assert_eq!(stand_before(text, text.len(), PHONES), says, "{text}");
        }
    }
}
