//! The whole way from a folder to a checked project.
//!
//! ```text
//!  1 read, parse     every file                        ─ problems? stop
//!  2 engine.yml ─▶ profiles.yml ─▶ other files, SQL    render, check shapes  ─ problems? stop
//!  3 resolve                                           ─ problems? stop
//! ```

mod target;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::de::from_node;
use crate::location::{FileId, Location, SourceMap, Spanned};
use crate::model::Project;
use crate::node::{Node, Value};
use crate::problem::{Problem, ProblemKind, Problems};
use crate::raw::{RawRoot, RawSections};
use crate::render::{self, Findings};
use crate::resolve::{self, Inputs, SqlFile};
use crate::schema::{self, FileKind};
use crate::template::{Scope, Templates};
use crate::{literal, read, scalar, shape, yaml};

const ROOT_FILE: &str = "engine.yml";
const PROFILES_FILE: &str = "profiles.yml";
const SECTION_FOLDERS: [&str; 4] = ["exports", "models", "policies", "sources"];

/// What a caller chooses. `Debug` shows the names of the environment's variables only.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// The target; `None` for the default one of `engine.yml` or `profiles.yml`.
    pub target: Option<String>,
    /// What `env_var` may read.
    pub environment: BTreeMap<String, String>,
    /// Variables of the command line, as text; they are read as YAML scalars.
    pub vars: BTreeMap<String, String>,
}

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("target", &self.target)
            .field("environment", &self.environment.keys())
            .field("vars", &self.vars.keys())
            .finish()
    }
}

/// Reads and checks the project in a folder.
///
/// # Errors
/// All problems of the first step that finds any, sorted by file and position.
pub fn load(root: &Path, options: &LoadOptions) -> Result<Project, Problems> {
    let mut loading = Loading::default();
    let project = loading.files(root).and_then(|files| {
        let inputs = loading.inputs(root, options, files)?;
        resolve::resolve(inputs).map_err(|problems| loading.problems.extend(problems)).ok()
    });
    project.ok_or_else(|| {
        let Loading { files, mut problems } = loading;
        let path = |at: Option<Location>| {
            at.and_then(|at| files.get(at.file)).map(|file| file.path.clone())
        };
        problems.sort_by_cached_key(|problem| (path(problem.at), problem.at));
        problems.dedup();
        Problems { problems, files }
    })
}

/// A file as it was read; `text` has everything, unlike the one in the [`SourceMap`].
struct Parsed {
    text: String,
    node: Node,
}

/// An SQL file as it was read.
struct Sql {
    file: FileId,
    stem: String,
    text: String,
}

/// All files of a project, parsed.
struct Files {
    root: Parsed,
    profiles: Parsed,
    sections: Vec<Parsed>,
    sql: Vec<Sql>,
    lookups: BTreeMap<String, String>,
}

#[derive(Default)]
struct Loading {
    files: SourceMap,
    problems: Vec<Problem>,
}

impl Loading {
    /// Step 1. `None` when there are problems.
    fn files(&mut self, root: &Path) -> Option<Files> {
        let Some(text) = self.read(root, ROOT_FILE) else {
            if self.problems.is_empty() {
                let kind = ProblemKind::NotAProject { root: root.display().to_string() };
                self.problems.push(Problem::everywhere(kind));
            }
            return None;
        };
        let root_file = self.parse(ROOT_FILE, text);
        let profile = root_file.as_ref().and_then(|parsed| parsed.node.get("profile"));
        let profile_at = profile.map(|node| node.at);
        let profile = profile.and_then(Node::as_str).unwrap_or(PROFILES_FILE).to_owned();
        let profiles = self.profiles(root, &profile, profile_at);
        let sections = SECTION_FOLDERS.map(|folder| self.list(root, folder, &["yml", "yaml"]));
        let parsed: Vec<_> = self
            .read_all(root, sections.concat())
            .into_par_iter()
            .map(|read| read.map(|(_, file, text)| (yaml::parse(file, &text), text)))
            .collect();
        let mut kept = |(node, text): (Result<Node, Vec<Problem>>, String)| {
            let node = node.map_err(|problems| self.problems.extend(problems)).ok()?;
            Some(Parsed { text, node })
        };
        let sections: Vec<Option<Parsed>> =
            parsed.into_iter().map(|parsed| parsed.and_then(&mut kept)).collect();
        let sql = self.sql(root);
        let lookups = self
            .list(root, "lookups", &["csv"])
            .into_iter()
            .map(|path| (stem(&path).to_owned(), path));
        let lookups = lookups.collect();
        let sections = sections.into_iter().collect::<Option<Vec<Parsed>>>();
        let files =
            Files { root: root_file?, profiles: profiles?, sections: sections?, sql, lookups };
        self.problems.is_empty().then_some(files)
    }

    fn profiles(&mut self, root: &Path, path: &str, at: Option<Location>) -> Option<Parsed> {
        let before = self.problems.len();
        let Some(text) = self.read(root, path) else {
            if self.problems.len() == before {
                let kind = ProblemKind::UnreadableFile {
                    path: path.to_owned(),
                    detail: String::from("no such file"),
                };
                self.problems.push(Problem { kind, at, related: Vec::new() });
            }
            return None;
        };
        // The text to show depends on the parsed tree, which needs the file's number first.
        let file = self.files.next_id();
        let parsed = yaml::parse(file, &text);
        let shown = match &parsed {
            Ok(node) => literal::blank(&text, literal::find(node).into_iter().map(|(_, at)| at)),
            Err(_) => literal::blank_unparsed(&text),
        };
        self.files.add(path.to_owned(), &shown);
        let node = parsed.map_err(|problems| self.problems.extend(problems)).ok()?;
        Some(Parsed { text, node })
    }

    fn sql(&mut self, root: &Path) -> Vec<Sql> {
        let paths = self.list(root, "models", &["sql"]);
        let read = self.read_all(root, paths).into_iter().flatten();
        read.map(|(path, file, text)| Sql { file, stem: stem(&path).to_owned(), text }).collect()
    }

    /// The files of these paths, those that can be read, each where its path stands.
    fn read_all(
        &mut self,
        root: &Path,
        paths: Vec<String>,
    ) -> Vec<Option<(String, FileId, String)>> {
        let texts = read::texts(root, &paths);
        let each = paths.into_iter().zip(texts).map(|(path, text)| {
            let text = self.readable(text)?;
            let file = self.files.add(path.clone(), &text);
            Some((path, file, text))
        });
        each.collect()
    }

    fn read(&mut self, root: &Path, path: &str) -> Option<String> {
        self.readable(read::text(root, path))
    }

    fn readable(&mut self, read: Result<Option<String>, ProblemKind>) -> Option<String> {
        let mut text =
            read.map_err(|kind| self.problems.push(Problem::everywhere(kind))).ok().flatten()?;
        // A byte order mark is no part of what was written.
        if text.starts_with('\u{feff}') {
            text.remove(0);
        }
        Some(text)
    }

    fn list(&mut self, root: &Path, folder: &str, extensions: &[&str]) -> Vec<String> {
        let found = read::list(root, folder, extensions);
        found.map_err(|kind| self.problems.push(Problem::everywhere(kind))).unwrap_or_default()
    }

    fn parse(&mut self, path: &str, text: String) -> Option<Parsed> {
        let file = self.files.add(path.to_owned(), &text);
        let node =
            yaml::parse(file, &text).map_err(|problems| self.problems.extend(problems)).ok()?;
        Some(Parsed { text, node })
    }

    /// Step 2. `None` when there are problems.
    fn inputs(&mut self, folder: &Path, options: &LoadOptions, files: Files) -> Option<Inputs> {
        let Files { root, profiles, sections, sql, lookups } = files;
        let mut vars: BTreeMap<String, Json> =
            options.vars.iter().map(|(name, text)| (name.clone(), variable(text))).collect();
        let mut findings = Findings::default();
        let root: Option<RawRoot> =
            self.rendered(FileKind::Root, &Templates::new(scope(&vars)), root, &mut findings);
        for (name, value) in root
            .as_ref()
            .and_then(|root| root.vars.as_ref())
            .map(Node::entries)
            .into_iter()
            .flatten()
        {
            vars.entry(name.value.clone()).or_insert_with(|| value.redacted_json());
        }
        let chosen = match &root {
            Some(root) => self.target(options, &vars, root, profiles, &mut findings),
            None => {
                self.shape(FileKind::Profiles, &profiles.node);
                None
            }
        };
        let Some((target_name, target)) = chosen else {
            sections.iter().for_each(|parsed| self.shape(FileKind::Sections, &parsed.node));
            self.problems.append(&mut findings.problems);
            return None;
        };
        let target_vars = target
            .value
            .vars
            .as_ref()
            .map(Node::redacted_json)
            .unwrap_or_else(|| Json::Object(serde_json::Map::default()));
        for (name, value) in target_vars.as_object().into_iter().flatten() {
            if !options.vars.contains_key(name) {
                vars.insert(name.clone(), value.clone());
            }
        }
        let scope =
            Scope { target: Some((target_name.value.clone(), target_vars)), ..scope(&vars) };
        let templates = Templates::new(scope);
        let sections = self.sections(&templates, sections, &mut findings);
        let sql: Vec<SqlFile> =
            sql.into_iter().filter_map(|file| self.model(&templates, file)).collect();
        self.problems.append(&mut findings.problems);
        let (root, sections) = (root?, sections?);
        let files = self.files.clone();
        let relations = findings.relations;
        let inputs = Inputs {
            folder: folder.to_owned(),
            root,
            target,
            target_name,
            sections,
            sql,
            relations,
            vars,
            lookups,
            files,
        };
        self.problems.is_empty().then_some(inputs)
    }

    /// Renders the files of sections one after another, and reads them side by side.
    fn sections(
        &mut self,
        templates: &Templates,
        parsed: Vec<Parsed>,
        findings: &mut Findings,
    ) -> Option<Vec<RawSections>> {
        let rendered: Vec<Node> = parsed
            .into_iter()
            .map(|parsed| render::node(templates, &parsed.text, parsed.node, findings))
            .collect();
        let is_rendered = findings.problems.is_empty();
        let read: Vec<_> = rendered.par_iter().map(|node| sections(node, is_rendered)).collect();
        let kept = read
            .into_iter()
            .map(|read| read.map_err(|problems| self.problems.extend(problems)).ok().flatten());
        // Collected twice: the problems of all files count, not only those of the first.
        kept.collect::<Vec<_>>().into_iter().collect()
    }

    fn model(&mut self, templates: &Templates, file: Sql) -> Option<SqlFile> {
        let Sql { file, stem, text } = file;
        let name = Spanned::new(stem, Location::new(file, 0, 0));
        match render::sql(templates, file, &text) {
            Ok((sql, depends_on)) => Some(SqlFile { name, sql, depends_on }),
            Err(problem) => {
                self.problems.push(*problem);
                None
            }
        }
    }

    /// Renders a file, checks its shape and reads it.
    fn rendered<T: for<'n> Deserialize<'n>>(
        &mut self,
        kind: FileKind,
        templates: &Templates,
        parsed: Parsed,
        findings: &mut Findings,
    ) -> Option<T> {
        let node = render::node(templates, &parsed.text, parsed.node, findings);
        self.checked(kind, &node, &node, findings)
    }

    /// Checks the shape of a tree and reads a part of it.
    fn checked<T: for<'n> Deserialize<'n>>(
        &mut self,
        kind: FileKind,
        node: &Node,
        part: &Node,
        findings: &Findings,
    ) -> Option<T> {
        let read = checked(kind, node, part, findings.problems.is_empty());
        read.map_err(|problems| self.problems.extend(problems)).ok().flatten()
    }

    fn shape(&mut self, kind: FileKind, node: &Node) {
        if node.value != Value::Null || kind != FileKind::Sections {
            self.problems.extend(shape::check(schema::rendered(kind), kind, node));
        }
    }
}

/// Reads a file of sections.
fn sections(node: &Node, is_rendered: bool) -> Result<Option<RawSections>, Vec<Problem>> {
    match node.value {
        // A file with nothing but comments.
        Value::Null => Ok(Some(RawSections::default())),
        _ => checked(FileKind::Sections, node, node, is_rendered),
    }
}

/// Checks the shape of a tree, and reads a part of it where all scalars were rendered.
fn checked<T: for<'n> Deserialize<'n>>(
    kind: FileKind,
    node: &Node,
    part: &Node,
    is_rendered: bool,
) -> Result<Option<T>, Vec<Problem>> {
    let problems = shape::check(schema::rendered(kind), kind, node);
    if !problems.is_empty() {
        return Err(problems);
    }
    if !is_rendered {
        return Ok(None);
    }
    let read = from_node(part).map_err(|error| {
        let kind = ProblemKind::InvalidValue {
            path: String::from("this value"),
            expected: error.message,
            nearest: None,
        };
        vec![Problem::new(kind, error.at.unwrap_or(part.at))]
    });
    read.map(Some)
}

fn scope(vars: &BTreeMap<String, Json>) -> Scope {
    Scope { vars: vars.clone(), target: None, environment: None }
}

/// A variable of the command line, as YAML would read it.
fn variable(text: &str) -> Json {
    let at = Location::new(FileId(0), 0, 0);
    let value = scalar::resolve(text).unwrap_or_else(|_| Value::Str(text.to_owned()));
    Node::new(at, value).redacted_json()
}

/// The name of a file without folders and extension.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
