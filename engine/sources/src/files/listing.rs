//! Which files a path or glob means.

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use glob::{MatchOptions, Pattern};
use object_store::path::{DELIMITER, Path};
use object_store::{ObjectMeta, ObjectStoreExt};

use super::stores::{Place, replaced};
use crate::error::{SourceError, SourceErrorKind};
use crate::params::invalid;

/// Files of one table at most. More are a mistaken glob, or a table to be compacted.
const FILES_MAX: usize = 100_000;

/// A file of a table.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Its path, size and what changes with its content.
    pub(crate) meta: ObjectMeta,
    /// Its path below the connection's URL, for messages.
    pub(crate) shown: String,
}

/// `*` and `?` stay within a directory, `**` crosses them, hidden files are left out.
const GLOB: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that a path or glob below `place` matches, sorted by name; at least one.
///
/// # Errors
/// A path that leads out of the place, a bad glob, and no match.
pub(crate) async fn matching(place: &Place, path: &str) -> Result<Vec<SourceFile>, SourceError> {
    let pattern = Pattern::new(path)
        .map_err(|error| invalid("path", format!("must be a path or glob: {}", error.msg)))?;
    // Rejects `..`, empty and absolute paths.
    let misfit = || invalid("path", "must be a path below the connection's url");
    let literal = path.split(DELIMITER).take_while(|part| !is_glob(part));
    let literal: String = literal.collect::<Vec<_>>().join(DELIMITER);
    let literal_path = Path::parse(&literal).map_err(|_| misfit())?;
    if path.is_empty() || path.starts_with(DELIMITER) || path.split(DELIMITER).any(|p| p == "..") {
        return Err(misfit());
    }
    let nothing = || SourceError::new(SourceErrorKind::NoMatch { pattern: path.to_owned() });
    if !path.split(DELIMITER).any(is_glob) {
        let location = below(&place.root, &literal_path);
        return match place.store.head(&location).await {
            Ok(meta) => Ok(vec![SourceFile { meta, shown: path.to_owned() }]),
            Err(object_store::Error::NotFound { .. }) => Err(nothing()),
            Err(error) => Err(replaced(error).in_file(path)),
        };
    }
    let directory = below(&place.root, &literal_path);
    let below_directory = path.split(DELIMITER).skip_while(|part| !is_glob(part)).count();
    // A pattern of one part looks into one directory, however deep the tree is.
    let mut files = if below_directory == 1 {
        let found = place.store.list_with_delimiter(Some(&directory)).await.map_err(replaced)?;
        let found = futures::stream::iter(found.objects.into_iter().map(Ok));
        listed(place, found.boxed()).await?
    } else {
        all(place, &directory).await?
    };
    files.retain(|file| pattern.matches_with(&file.shown, GLOB));
    if files.is_empty() { Err(nothing()) } else { Ok(files) }
}

/// All files below a directory of a place, sorted by name.
///
/// # Errors
/// A directory that cannot be read, or with more files than a table may have.
pub(crate) async fn all(place: &Place, directory: &Path) -> Result<Vec<SourceFile>, SourceError> {
    listed(place, place.store.list(Some(directory))).await
}

async fn listed(
    place: &Place,
    mut found: BoxStream<'_, object_store::Result<ObjectMeta>>,
) -> Result<Vec<SourceFile>, SourceError> {
    let mut files = Vec::new();
    while let Some(meta) = found.try_next().await.map_err(replaced)? {
        let Some(parts) = meta.location.prefix_match(&place.root) else { continue };
        let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
        let shown = parts.join(DELIMITER);
        if files.len() >= FILES_MAX {
            let what = format!("a directory of more than {FILES_MAX} files");
            return Err(SourceErrorKind::Unsupported { what }.into());
        }
        files.push(SourceFile { meta, shown });
    }
    files.sort_by(|a, b| a.shown.cmp(&b.shown));
    Ok(files)
}

/// A digest of paths, sizes, times and tags.
pub(crate) fn fingerprint(files: &[SourceFile]) -> String {
    let mut digest = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        digest.update(&(bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    for file in files {
        part(file.shown.as_bytes());
        part(&file.meta.size.to_le_bytes());
        part(file.meta.last_modified.to_rfc3339().as_bytes());
        part(file.meta.e_tag.as_deref().unwrap_or_default().as_bytes());
        part(file.meta.version.as_deref().unwrap_or_default().as_bytes());
    }
    digest.finalize().to_hex().to_string()
}

fn below(root: &Path, path: &Path) -> Path {
    root.parts().chain(path.parts()).collect()
}

fn is_glob(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::ConnectContext;
    use crate::files::stores::resolve;

    async fn names(place: &Place, path: &str) -> Result<Vec<String>, SourceError> {
        let files = matching(place, path).await?;
        Ok(files.into_iter().map(|file| file.shown).collect())
    }

    #[tokio::test]
    async fn globs_are_sorted_and_stay_below_the_url() {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        std::fs::create_dir_all(data.join("sub")).expect("directories");
        for name in ["b-2.csv", "b-10.csv", "a.csv", ".hidden.csv", "sub/c.csv", "ä #1?.csv"] {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true).open(data.join(name)).expect("a file");
        }
        let context = ConnectContext { base: directory.path().to_owned(), ..Default::default() };
        let place = resolve("data", &serde_json::Value::Null, &context).expect("a place");
        assert_eq!(names(&place, "b-*.csv").await.expect("two"), ["b-10.csv", "b-2.csv"]);
        assert_eq!(names(&place, "**/*.csv").await.expect("all").len(), 5);
        assert_eq!(names(&place, "*/c.csv").await.expect("one"), ["sub/c.csv"]);
        assert_eq!(names(&place, "a.csv").await.expect("one"), ["a.csv"]);
        for nothing in ["x*.csv", "nope.csv", "nowhere/*.csv"] {
            let error = names(&place, nothing).await.expect_err(nothing);
            assert!(matches!(error.kind(), SourceErrorKind::NoMatch { .. }), "{error}");
        }
        for outside in ["../data/a.csv", "/a.csv", "", "sub/../a.csv", "../*.csv", "[a.csv"] {
            let error = names(&place, outside).await.expect_err(outside);
            assert!(matches!(error.kind(), SourceErrorKind::Parameter { .. }), "{error}");
        }
    }
}
