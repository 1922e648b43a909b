//! Jinja: the functions a project may call, within bounds, without clock and chance.
//!
//! ```text
//!   source('crm', 'customers')  →  "crm"."customers"     recorded as a dependency
//!   ref('profile')              →  "models"."profile"    recorded as a dependency
//!   var('rows', 100)            →  the variable, or the default
//!   env_var('PASSWORD')         →  profiles.yml only; makes the result a secret
//!   target.name, target.vars    →  the chosen target
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, OutputSpan, UndefinedBehavior, Value};
use serde_json::Value as Json;

use crate::model::Relation;
use crate::problem::ProblemKind;
use crate::suggest::nearest;

/// Work one template may do; one unit is an instruction or about 64 bytes.
const FUEL: u64 = 200_000;
/// Levels of macros and nested blocks.
const RECURSION_MAX: usize = 64;

/// What templates of a step can see.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    /// Variables by name.
    pub(crate) vars: BTreeMap<String, Json>,
    /// Name and variables of the target, once it is known.
    pub(crate) target: Option<(String, Json)>,
    /// The environment; `None` where reading it is refused.
    pub(crate) environment: Option<BTreeMap<String, String>>,
}

/// What a template became.
pub(crate) struct Rendered<T> {
    /// The result.
    pub(crate) value: T,
    /// Whether the environment was read on the way.
    pub(crate) secret: bool,
    /// What `source` and `ref` were called with, in order.
    pub(crate) relations: Vec<Relation>,
}

/// Text and where its parts came from.
pub(crate) type SpannedText = (String, Vec<OutputSpan>);

/// Why a template failed, and where in its text.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ProblemKind,
    pub(crate) range: Range<usize>,
}

/// Renders templates of one step.
pub(crate) struct Templates {
    environment: Environment<'static>,
    shared: Arc<Shared>,
}

/// What the functions see and leave behind.
struct Shared {
    scope: Scope,
    secret: AtomicBool,
    relations: Mutex<Vec<Relation>>,
}

impl Templates {
    pub(crate) fn new(scope: Scope) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(RECURSION_MAX);
        // It would print everything a template can see.
        environment.remove_global("debug");
        let target = scope
            .target
            .as_ref()
            .map(|(name, vars)| serde_json::json!({"name": name, "vars": vars}));
        if let Some(target) = target {
            environment.add_global("target", Value::from(Serde(target)));
        }
        let shared = Arc::new(Shared {
            scope,
            secret: AtomicBool::new(false),
            relations: Mutex::new(Vec::new()),
        });
        let state = Arc::clone(&shared);
        environment.add_function("source", move |source: String, table: String| {
            state.relation(Relation::Table { source, table })
        });
        let state = Arc::clone(&shared);
        environment
            .add_function("ref", move |name: String| state.relation(Relation::Model { name }));
        let state = Arc::clone(&shared);
        environment.add_function("var", move |name: String, default: Option<Value>| {
            state.var(name, default)
        });
        let state = Arc::clone(&shared);
        environment.add_function("env_var", move |name: String, default: Option<Value>| {
            state.env_var(name, default)
        });
        Self { environment, shared }
    }

    /// Whether a text is wholly one `{{ … }}`; then what stands inside, and where.
    pub(crate) fn whole_expression<'t>(&self, text: &'t str) -> Option<(&'t str, usize)> {
        let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
        let inner = inner.strip_prefix('-').unwrap_or(inner);
        let inner = inner.strip_suffix('-').unwrap_or(inner);
        self.environment.compile_expression(inner).ok()?;
        Some((inner, text.find(inner)?))
    }

    /// Evaluates an expression to a typed value.
    pub(crate) fn expression(&self, text: &str) -> Result<Rendered<Json>, Failure> {
        self.reset();
        let result =
            self.environment.compile_expression(text).and_then(|expression| expression.eval(()));
        let value = result.map_err(|error| self.failure(text, &error))?;
        let whole = 0..text.len();
        if value.kind() == ValueKind::Undefined {
            return Err(Failure { kind: self.undefined(text.trim()), range: whole });
        }
        let json = serde_json::to_value(&value).map_err(|_| Failure {
            kind: ProblemKind::JinjaRuntime {
                detail: String::from("the result is not a value of YAML"),
                help: None,
            },
            range: whole,
        })?;
        Ok(self.finish(json))
    }

    /// Renders a text.
    pub(crate) fn text(&self, text: &str) -> Result<Rendered<SpannedText>, Failure> {
        self.reset();
        let template = self.environment.template_from_str(text);
        let result = template.and_then(|template| template.render_with_spans(()));
        result.map(|value| self.finish(value)).map_err(|error| self.failure(text, &error))
    }

    fn reset(&self) {
        self.shared.secret.store(false, Ordering::Relaxed);
        self.shared.relations().clear();
    }

    fn finish<T>(&self, value: T) -> Rendered<T> {
        let secret = self.shared.secret.load(Ordering::Relaxed);
        Rendered { value, secret, relations: std::mem::take(&mut *self.shared.relations()) }
    }

    fn failure(&self, text: &str, error: &Error) -> Failure {
        let range = error.range().or_else(|| error.line().and_then(|line| line_range(text, line)));
        let range =
            range.filter(|range| text.get(range.clone()).is_some()).unwrap_or(0..text.len());
        let own = std::error::Error::source(error)
            .and_then(|source| source.downcast_ref::<ProblemKind>());
        // Jinja's own words may quote what it worked on, which may be a secret.
        let secret = self.shared.secret.load(Ordering::Relaxed);
        let detail = match error.detail().filter(|_| !secret) {
            Some(detail) => detail.to_owned(),
            None => error.kind().to_string(),
        };
        let kind = match (own, error.kind()) {
            (Some(own), _) => own.clone(),
            (None, ErrorKind::SyntaxError | ErrorKind::BadEscape) => {
                ProblemKind::JinjaSyntax { detail }
            }
            (None, ErrorKind::UndefinedError) => {
                self.undefined(text.get(range.clone()).unwrap_or_default().trim())
            }
            (None, kind) => {
                let at = text.get(range.clone()).unwrap_or_default();
                runtime(kind, detail, at, self.shared.scope.environment.is_some())
            }
        };
        Failure { kind, range }
    }

    fn undefined(&self, name: &str) -> ProblemKind {
        let root = name
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .next()
            .unwrap_or(name);
        let calls: Vec<String> =
            self.shared.scope.vars.keys().map(|name| format!("var('{name}')")).collect();
        let wanted = format!("var('{root}')");
        let nearest = nearest(&wanted, calls.iter().map(String::as_str)).map(str::to_owned);
        ProblemKind::UndefinedVariable { name: name.to_owned(), nearest, valid: calls }
    }
}

impl Shared {
    fn relations(&self) -> std::sync::MutexGuard<'_, Vec<Relation>> {
        self.relations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn relation(&self, relation: Relation) -> String {
        let quoted = relation.quoted();
        self.relations().push(relation);
        quoted
    }

    fn var(&self, name: String, default: Option<Value>) -> Result<Value, Error> {
        let found = self.scope.vars.get(&name).map(|value| Value::from(Serde(value)));
        found.or(default).ok_or_else(|| {
            let valid: Vec<String> = self.scope.vars.keys().cloned().collect();
            let nearest = nearest(&name, valid.iter().map(String::as_str)).map(str::to_owned);
            refuse(ProblemKind::UndefinedVariable { name, nearest, valid })
        })
    }

    fn env_var(&self, name: String, default: Option<Value>) -> Result<Value, Error> {
        let Some(environment) = &self.scope.environment else {
            return Err(refuse(ProblemKind::SecretOutsideProfiles { name }));
        };
        if let Some(value) = environment.get(&name) {
            self.secret.store(true, Ordering::Relaxed);
            return Ok(Value::from(value.as_str()));
        }
        default.ok_or_else(|| refuse(ProblemKind::UnknownEnvironmentVariable { name }))
    }
}

/// The functions of a project and how each is called; the last one in `profiles.yml` only.
const FUNCTIONS: [(&str, &str); 4] = [
    ("source", "source('name', 'table')"),
    ("ref", "ref('model')"),
    ("var", "var('name') or var('name', 'default')"),
    ("env_var", "env_var('NAME') or env_var('NAME', 'default')"),
];

/// A failure of rendering, with the functions there are where one of them was meant.
fn runtime(kind: ErrorKind, detail: String, at: &str, environment: bool) -> ProblemKind {
    let name = at.split('(').next().unwrap_or_default().trim();
    let functions = if environment { &FUNCTIONS[..] } else { &FUNCTIONS[..3] };
    let (detail, help) = match kind {
        ErrorKind::UnknownFunction => {
            let names = functions.iter().map(|(name, _)| *name);
            let near = nearest(name, names.clone());
            let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let names: Vec<&str> = names.collect();
            let help = format!("{near}functions there are: {}", names.join(", "));
            (format!("there is no function `{name}`"), Some(help))
        }
        ErrorKind::MissingArgument | ErrorKind::TooManyArguments => {
            let call = functions.iter().find(|(known, _)| *known == name);
            (detail, call.map(|(_, call)| format!("it is called as {call}")))
        }
        ErrorKind::OutOfFuel => {
            let help =
                "a template may do a bounded amount of work; loop less, or write SQL that does it";
            (String::from("it does too much work"), Some(help.to_owned()))
        }
        _ => (detail, None),
    };
    ProblemKind::JinjaRuntime { detail, help }
}

fn refuse(kind: ProblemKind) -> Error {
    Error::new(ErrorKind::InvalidOperation, "refused").with_source(kind)
}

/// The bytes of a line, counted from 1, without its end.
fn line_range(text: &str, line: usize) -> Option<Range<usize>> {
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let length = text.get(start..)?.split('\n').next()?.len();
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates() -> Templates {
        let vars =
            [("rows".to_owned(), Json::from(5)), ("name".to_owned(), Json::from("x"))].into();
        let environment = Some([("SECRET".to_owned(), "canary".to_owned())].into());
        Templates::new(Scope {
            vars,
            target: Some(("dev".to_owned(), serde_json::json!({"a": 1}))),
            environment,
        })
    }

    #[test]
    fn expressions_keep_their_type() {
        let templates = templates();
        assert_eq!(templates.expression("var('rows') * 2").unwrap().value, Json::from(10));
        assert_eq!(
            templates.expression("var('gone', [1, 'a'])").unwrap().value,
            serde_json::json!([1, "a"])
        );
        assert_eq!(templates.expression("target.name").unwrap().value, Json::from("dev"));
        assert_eq!(templates.expression("target.vars.a").unwrap().value, Json::from(1));
        assert_eq!(templates.whole_expression(" {{ a }} "), Some((" a ", 3)));
        assert_eq!(templates.whole_expression("{{ a }}-{{ b }}"), None);
    }

    #[test]
    fn failures_know_their_cause_and_place() {
        let templates = templates();
        let failure = |text: &str| {
            let failure = templates.text(text).err().unwrap();
            (failure.kind, text[failure.range].to_owned())
        };
        let (kind, place) = failure("a {{ var('row') }}");
        assert!(
            matches!(kind, ProblemKind::UndefinedVariable { name, nearest: Some(nearest), .. } if name == "row" && nearest == "rows")
        );
        assert_eq!(place, "var('row')");
        let (kind, place) = failure("a {{ rows }}");
        assert!(
            matches!(kind, ProblemKind::UndefinedVariable { nearest: Some(nearest), .. } if nearest == "var('rows')")
        );
        assert_eq!(place, "rows");
        assert!(matches!(failure("a\n{{ 1 + }}").0, ProblemKind::JinjaSyntax { .. }));
        assert!(matches!(failure("{{ now() }}").0, ProblemKind::JinjaRuntime { .. }));
        assert!(matches!(failure("{{ debug() }}").0, ProblemKind::JinjaRuntime { .. }));
        assert!(matches!(
            failure("{{ env_var('GONE') }}").0,
            ProblemKind::UnknownEnvironmentVariable { .. }
        ));
        assert!(matches!(
            failure(
                "{% for x in range(9999) %}{% for y in range(9999) %}z{% endfor %}{% endfor %}"
            )
            .0,
            ProblemKind::JinjaRuntime { .. }
        ));
    }

    #[test]
    fn no_failure_quotes_the_environment() {
        let templates = templates();
        for text in [
            "{{ env_var('SECRET') | int }}",
            "{{ env_var('SECRET') + 1 }}",
            "{{ env_var('SECRET').x.y }}",
        ] {
            let failure = templates.text(text).err().unwrap();
            assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
        }
        assert!(templates.expression("env_var('SECRET')").unwrap().secret);
        assert!(!templates.expression("env_var('GONE', 1)").unwrap().secret);
    }

    #[test]
    fn relations_are_recorded() {
        let rendered = templates()
            .text("select * from {{ source('crm', 'a\"b') }} join {{ ref('m') }}")
            .unwrap();
        assert_eq!(rendered.value.0, "select * from \"crm\".\"a\"\"b\" join \"models\".\"m\"");
        assert_eq!(rendered.relations.len(), 2);
    }
}
