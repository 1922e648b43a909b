//! `init`: writes a project that runs at once.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::schema;
use crate::codes::commands;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::files;
use crate::metadata;

/// A file of a template: its path in the project and its bytes.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    /// Relative, with `/`.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InitReport {
    /// The project's directory.
    pub directory: PathBuf,
    /// The files, relative to it.
    pub files: Vec<String>,
}

/// Writes a template into a new or empty directory, with the schemas that editors complete from. The
/// project's name becomes the directory's.
///
/// # Errors
/// The directory has something in it, or cannot be written.
pub fn init(directory: &Path, template: &[TemplateFile]) -> Outcome<InitReport> {
    if !files::is_vacant(directory).map_err(|error| Diagnostic::unwritable(directory, &error))? {
        let message = format!("`{}` is not empty", directory.display());
        return Err(Diagnostic::new(&commands::DIRECTORY_NOT_EMPTY, message)
            .help("name a new directory; nothing that exists is overwritten")
            .into());
    }
    let name = project_name(directory);
    let mut written = Vec::new();
    for file in template {
        let path = directory.join(file.path);
        let bytes = named(file, &name);
        files::write(&path, &bytes).map_err(|error| Diagnostic::unwritable(&path, &error))?;
        written.push(file.path.to_owned());
    }
    for (kind, value) in schema::all() {
        let relative = format!(".engine/schemas/{kind}.json");
        let path = directory.join(&relative);
        files::write(&path, schema::text(&value).as_bytes())
            .map_err(|error| Diagnostic::unwritable(&path, &error))?;
        written.push(relative);
    }
    written.sort();
    // Outside a repository there is nothing to register it in.
    metadata::register(directory);
    Ok(InitReport { directory: directory.to_path_buf(), files: written })
}

/// The template's `engine.yml` with the project's own name.
fn named(file: &TemplateFile, name: &str) -> Vec<u8> {
    match std::str::from_utf8(file.bytes) {
        Ok(text) if file.path == "engine.yml" => {
            text.replace("name: my_project", &format!("name: {name}")).into_bytes()
        }
        _ => file.bytes.to_vec(),
    }
}

/// A project name made from a directory's: lower case, `_` for what a name may not hold.
fn project_name(directory: &Path) -> String {
    let absolute = std::path::absolute(directory).unwrap_or_default();
    let stem = absolute.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain: String = stem
        .chars()
        .map(|one| if one.is_ascii_alphanumeric() { one } else { '_' })
        .take(63)
        .collect();
    match plain.chars().next() {
        Some(first) if first.is_ascii_lowercase() => plain,
        _ => "my_project".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_named_after_its_directory() {
        assert_eq!(project_name(Path::new("/tmp/My Shop")), "my_shop");
        assert_eq!(project_name(Path::new("/tmp/1st")), "my_project");
    }

    #[test]
    fn nothing_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        files::write(&directory.path().join("kept"), b"mine").unwrap();
        let refused = init(directory.path(), &[]).unwrap_err();
        assert_eq!(refused.diagnostics.first().unwrap().code.id, "E0901");
        assert_eq!(files::read(&directory.path().join("kept"), 10).unwrap(), b"mine");
    }
}
