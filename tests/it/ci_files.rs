//! The CI files of a new project: they fit the schemas of their platforms, and the commands in them work.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::Project;
use crate::python;

/// A file, the schema it must fit, and a text in it with another that the schema refuses.
const FILES: [(&str, &str, [&str; 2]); 2] = [
    (
        ".github/workflows/engine.yml",
        "vendor.github-workflows",
        ["cancel-in-progress:", "cancel_in_progress:"],
    ),
    (".gitlab-ci.yml", "vendor.gitlab-ci", ["expose_as:", "exposed_as:"]),
];

/// Whether a file fits a schema that `check-jsonschema` brings, and what it says.
fn fits(schema: &str, path: &Path) -> (bool, String) {
    let output = Command::new(python::interpreter())
        .args(["-B", "-m", "check_jsonschema", "--builtin-schema", schema])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The commands of a file that run the program, each as one line.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.trim().trim_start_matches("- "));
    lines.filter(|line| line.starts_with("engine ")).map(str::to_owned).collect()
}

/// Runs a line of a shell in which `engine` is the program. A variable that is not set is an error.
fn shell(project: &Project, line: &str) {
    let script = format!("engine() {{ \"$0\" \"$@\"; }}\n{line}");
    project.run_by(&["sh", "-euc", &script], &[]).success();
}

fn git(project: &Project, arguments: &[&str]) {
    let ended = Command::new("git")
        .current_dir(project.root())
        .args(["-c", "user.name=tests", "-c", "user.email=tests@example.com"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn ci_files_fit_the_schemas_of_their_platforms() {
    let project = Project::empty();
    project.run(&["init"]).success();
    for (file, schema, [right, wrong]) in FILES {
        let (is_right, said) = fits(schema, &project.path(file));
        assert!(is_right, "{said}");
        project.replace(file, right, wrong);
        let (is_right, said) = fits(schema, &project.path(file));
        assert!(!is_right && said.contains(wrong.trim_end_matches(':')), "{said}");
    }
}

#[test]
fn the_commands_of_ci_files_work() {
    for (file, ..) in FILES {
        let mut project = Project::empty();
        project.run(&["init"]).success();
        git(&project, &["init", "--quiet"]);
        git(&project, &["add", "--all"]);
        git(&project, &["commit", "--quiet", "--message", "new"]);
        git(&project, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
        project.set("BASE", "main");
        project.set("CI_MERGE_REQUEST_DIFF_BASE_SHA", "HEAD");
        let text = project.read(file);
        let (reviews, runs): (Vec<String>, Vec<String>) = commands(&text)
            .into_iter()
            .partition(|line| line.contains("--base") || line.contains("metadata check"));
        assert_eq!((reviews.len(), runs.len()), (2, 3), "{file}: {reviews:?} {runs:?}");
        // A review has no passphrase.
        reviews.iter().for_each(|line| shell(&project, line));
        project.set("ENGINE_PASSPHRASE", "a passphrase of the tests");
        project.run(&["keys", "init"]).success();
        runs.iter().for_each(|line| shell(&project, line));
        // What the jobs show and keep was written.
        let separates = |letter: char| letter.is_whitespace() || ",=[]".contains(letter);
        let named = text.split(separates).filter(|word| word.starts_with("target/"));
        let missing: Vec<&str> = named.filter(|word| !project.path(word).exists()).collect();
        assert!(missing.is_empty(), "{file}: {missing:?}");
    }
}
