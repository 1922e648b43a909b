//! What selectors select.

use engine_project::{LoadOptions, ProblemKind, Selector, States, select};

use crate::folder::load_with;

/// Selected exports, models and tables in one line.
fn selected(include: &[&str], exclude: &[&str]) -> String {
    let project = load_with(&[], &LoadOptions::default()).unwrap();
    let parse = |texts: &[&str]| {
        texts.iter().map(|text| Selector::parse(text).unwrap()).collect::<Vec<_>>()
    };
    let selection = select(&project, &parse(include), &parse(exclude), &states());
    let tables: Vec<String> = selection.tables.iter().map(ToString::to_string).collect();
    assert_eq!(
        selection.is_empty(),
        tables.len() + selection.models.len() + selection.exports.len() == 0
    );
    format!(
        "{} | {} | {}",
        selection.exports.join(" "),
        selection.models.join(" "),
        tables.join(" ")
    )
}

/// One export is new, the other changed.
fn states() -> States {
    let only = |name: &str| [name.to_owned()].into();
    States { new: only("profiles"), changed: only("customers") }
}

#[test]
fn methods_and_operators() {
    let everything = "customers profiles | profile summary | crm.customers crm.employees";
    for (include, exclude, expected) in [
        (&[][..], &[][..], everything),
        (&["*"], &[], everything),
        (&["customers"], &[], "customers |  | crm.customers"),
        (&["export:c*"], &[], "customers |  | "),
        (&["export:profiles"], &[], "profiles |  | "),
        (&["+export:profiles"], &[], "profiles | profile | crm.customers"),
        (&["model:profile+"], &[], "profiles | profile summary | "),
        (&["+model:profile+"], &[], "profiles | profile summary | crm.customers"),
        (&["tag:nightly"], &[], " | profile | "),
        (&["tag:raw"], &[], " |  | crm.customers crm.employees"),
        (&["source:crm"], &[], " |  | crm.customers crm.employees"),
        (&["source:crm.c*"], &[], " |  | crm.customers"),
        (&["class:pii"], &[], "customers profiles | profile | crm.customers"),
        (&["class:quasi.birth_date"], &[], "customers |  | crm.customers"),
        (&["class:pii.phone"], &[], " |  | "),
        (&["nothing"], &[], " |  | "),
        (&["state:new"], &[], "profiles |  | "),
        (&["state:modified"], &[], "customers profiles |  | "),
        (&["1+state:new"], &[], "profiles | profile | "),
        (&["2+state:new"], &[], "profiles | profile | crm.customers"),
        (&["source:crm.customers+1"], &[], "customers | profile | crm.customers"),
        (&["@model:profile"], &[], "profiles | profile summary | crm.customers"),
        (&["column:crm.customers.email"], &[], "customers |  | crm.customers"),
        (&["column:email"], &[], "customers profiles | profile | crm.customers"),
        (&["state:modified,export:c*"], &[], "customers |  | "),
        (&["class:pii,tag:nightly"], &[], " | profile | "),
        (&["tag:nightly", "export:customers"], &[], "customers | profile | "),
        (&[], &["source:crm+"], " |  | "),
        (&["*"], &["export:*", "model:summary"], " | profile | crm.customers crm.employees"),
    ] {
        assert_eq!(selected(include, exclude), expected, "{include:?} - {exclude:?}");
    }
}

#[test]
fn bad_selectors_are_refused() {
    for text in
        ["", "+", "++", "tag:", "tags:x", "state:changed", "a@b", "a,", "a b", "@", "column:a."]
    {
        assert!(matches!(Selector::parse(text), Err(ProblemKind::SelectorSyntax { .. })), "{text}");
    }
    let message = Selector::parse("tags:x").unwrap_err().message();
    assert!(message.contains("did you mean `tag:`"), "{message}");
}
