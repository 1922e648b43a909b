//! Did you mean: the nearest of a list of names.

/// The nearest name by optimal string alignment distance, when it is near: at most a
/// third of the longer name may differ. Case does not count. The first of equals wins.
#[must_use]
pub fn nearest<'n>(name: &str, among: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = name.to_lowercase();
    // Names beyond this length are no typing errors, and the distance costs the product of both lengths.
    if wanted.len() > 128 {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in among.into_iter().filter(|candidate| candidate.len() <= 128) {
        let distance = strsim::osa_distance(&wanted, &candidate.to_lowercase());
        let bound = (wanted.chars().count().max(candidate.chars().count()) / 3).max(1);
        if distance <= bound && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["columns", "connection", "where"];
        assert_eq!(nearest("colums", names), Some("columns"));
        assert_eq!(nearest("Where", names), Some("where"));
        assert_eq!(nearest("partition", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("ab", ["ba", "xy"]), Some("ba"));
    }
}
