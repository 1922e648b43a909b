//! What `engine init` writes: the project template and the examples, as they stand in the repository.

use engine_runtime::ops::init::TemplateFile;

/// Files of a folder of the repository, embedded.
macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(TemplateFile {
            path: $path,
            bytes: include_bytes!(concat!("../../../", $folder, "/", $path)),
        }),+]
    };
}

/// A small project of one's own.
pub(crate) const PROJECT: &[TemplateFile] = files!("project-template":
    ".gitattributes",
    ".github/workflows/engine.yml",
    ".gitignore",
    ".gitlab-ci.yml",
    "README.md",
    "data/customers.csv",
    "data/orders.csv",
    "engine.yml",
    "exports/shop.yml",
    "models/customer_totals.sql",
    "models/customer_totals.yml",
    "policies/masking.yml",
    "policies/retention.yml",
    "profiles.yml",
    "sources/shop.yml",
);

const CHINOOK: &[TemplateFile] = files!("examples/chinook":
    ".env",
    ".gitattributes",
    ".gitignore",
    "README.md",
    "data/LICENSE.md",
    "data/chinook.sqlite",
    "engine.yml",
    "exports/catalogue.yml",
    "exports/people.yml",
    "exports/sales.yml",
    "keyring.json",
    "models/customer_spending.sql",
    "models/customer_spending.yml",
    "policies/masking.yml",
    "profiles.yml",
    "sources/chinook.yml",
);

const CITIZENS: &[TemplateFile] = files!("examples/citizen-profile":
    ".env",
    ".gitattributes",
    ".gitignore",
    "README.md",
    "data/2026-01/citizens/east.csv",
    "data/2026-01/citizens/north.csv",
    "data/2026-01/citizens/south.csv",
    "data/2026-01/citizens/west.csv",
    "data/2026-02/citizens/east.csv",
    "data/2026-02/citizens/north.csv",
    "data/2026-02/citizens/south.csv",
    "data/2026-02/citizens/west.csv",
    "data/LICENSE.md",
    "data/benefits.csv",
    "data/make.py",
    "engine.yml",
    "exports/profile.yml",
    "keyring.json",
    "models/attributes.sql",
    "models/eligibility.sql",
    "models/models.yml",
    "models/regions.sql",
    "models/risk.sql",
    "policies/masking.yml",
    "policies/tracking.yml",
    "profiles.yml",
    "sources/register.yml",
);

const EXAMPLES: &[(&str, &[TemplateFile])] = &[("chinook", CHINOOK), ("citizen-profile", CITIZENS)];

/// The files of an example.
pub(crate) fn example(name: &str) -> Option<&'static [TemplateFile]> {
    EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, files)| *files)
}

/// The names of the examples.
pub(crate) fn names() -> Vec<&'static str> {
    EXAMPLES.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// What Git has of a folder: a run leaves other files there.
    fn committed(folder: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let output = Command::new("git").arg("ls-files").current_dir(root).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let schemas = |path: &&str| !path.starts_with(".engine/");
        let mut files: Vec<String> = text.lines().filter(schemas).map(str::to_owned).collect();
        files.sort();
        files
    }

    #[test]
    fn every_committed_file_of_a_folder_is_embedded() {
        for (folder, files) in [("project-template", PROJECT), ("examples/chinook", CHINOOK)] {
            let embedded: Vec<&str> = files.iter().map(|file| file.path).collect();
            assert_eq!(embedded, committed(folder), "{folder}");
        }
    }
}
