//! Errors about names that are not there, with the nearest one that is.

use crate::error::{SourceError, SourceErrorKind};

/// Similarity (Jaro-Winkler, 0 to 1) from which a name is worth suggesting.
const SIMILAR: f64 = 0.8;

/// A column that the data does not have.
pub(crate) fn column<'a>(name: &str, available: impl Iterator<Item = &'a str>) -> SourceError {
    let available: Vec<String> = available.map(str::to_owned).collect();
    let hint = suggestion(name, &available);
    let error = SourceError::new(SourceErrorKind::MissingColumn { available }).in_column(name);
    hinted(error, hint)
}

/// A table that the database does not have.
pub(crate) fn table(name: &str, available: Vec<String>) -> SourceError {
    let hint = suggestion(name, &available);
    hinted(SourceError::new(SourceErrorKind::MissingTable { available }), hint)
}

fn hinted(error: SourceError, hint: Option<String>) -> SourceError {
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn suggestion(name: &str, available: &[String]) -> Option<String> {
    let wanted = name.to_lowercase();
    let similarity = |candidate: &String| strsim::jaro_winkler(&wanted, &candidate.to_lowercase());
    available
        .iter()
        .map(|candidate| (similarity(candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, nearest)| format!("did you mean `{nearest}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let error = column("emial", ["id", "email", "Country"].into_iter());
        assert_eq!(error.hint(), Some("did you mean `email`?"));
        let error = table("country", vec!["id".to_owned(), "Country".to_owned()]);
        assert_eq!(error.hint(), Some("did you mean `Country`?"));
        assert_eq!(column("x", ["id"].into_iter()).hint(), None);
    }
}
