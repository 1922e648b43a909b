//! Histories: that the columns they name are published, and can be compared.

use engine_project::{History, HistoryReference, Project, Spanned};
use engine_tracking::history::{HistoryError, Reference, Vault};

use super::BoundExport;
use super::exports::unknown_column;
use crate::codes::tracking;
use crate::diagnostic::Diagnostic;

/// What is wrong with the histories of the exports that are bound.
pub(super) fn check(project: &Project, exports: &[BoundExport]) -> Vec<Diagnostic> {
    let histories = project.tracking.histories.iter();
    let own = histories.clone().filter_map(|history| Some((history, export_of(history, exports)?)));
    let mut findings: Vec<Diagnostic> =
        own.flat_map(|(history, export)| one(project, exports, history, export)).collect();
    for export in exports {
        let declared = project.export(&export.name).and_then(|export| export.tenant.as_ref());
        findings.extend(declared.and_then(|tenant| unpublished(export, tenant)));
    }
    findings
}

fn export_of<'e>(history: &History, exports: &'e [BoundExport]) -> Option<&'e BoundExport> {
    exports.iter().find(|export| export.name == history.of.value)
}

fn one(
    project: &Project,
    exports: &[BoundExport],
    history: &History,
    export: &BoundExport,
) -> Vec<Diagnostic> {
    let named = history.key.iter().chain(&history.tenant);
    let of_references =
        history.references.iter().flat_map(|one| one.columns.iter().chain(&one.tenant));
    let mut findings: Vec<Diagnostic> =
        named.chain(of_references).filter_map(|name| unpublished(export, name)).collect();
    if !findings.is_empty() {
        return findings;
    }
    let keys: Vec<&str> = history.key.iter().map(|key| key.value.as_str()).collect();
    let tenant = history.tenant.as_ref().map(|tenant| tenant.value.as_str());
    let references: Vec<Reference> = history.references.iter().map(reference).collect();
    let name = &history.name.value;
    if let Err(error) = Vault::new(name, &export.schema(), &keys, tenant, &references) {
        findings.push(invalid(history, &error));
    }
    for reference in &history.references {
        let to = project.tracking.history(&reference.to.value);
        let to = to.and_then(|to| Some((to, export_of(to, exports)?)));
        findings.extend(to.and_then(|(to, other)| misfit(export, reference, to, other)));
    }
    findings
}

fn unpublished(export: &BoundExport, name: &Spanned<String>) -> Option<Diagnostic> {
    let names: Vec<&str> = export.columns.iter().map(|column| column.name.as_str()).collect();
    let within = format!("export `{}`", export.name);
    (!names.contains(&name.value.as_str())).then(|| unknown_column(&within, name, &names))
}

fn reference(declared: &HistoryReference) -> Reference {
    Reference {
        name: declared.name.clone(),
        columns: declared.columns.iter().map(|column| column.value.clone()).collect(),
        tenant: declared.tenant.as_ref().map(|tenant| tenant.value.clone()),
    }
}

fn invalid(history: &History, error: &HistoryError) -> Diagnostic {
    let message = format!("history `{}` cannot be kept: {error}", history.name.value);
    Diagnostic::new(&tracking::HISTORY_INVALID, message)
        .at(history.at, "this history")
        .help("publish the column under another name or in another type")
}

/// A reference whose columns have other types than the key has: its hashes would never be those of keys.
fn misfit(
    export: &BoundExport,
    reference: &HistoryReference,
    to: &History,
    other: &BoundExport,
) -> Option<Diagnostic> {
    let type_of = |export: &BoundExport, name: &str| {
        let schema = export.schema();
        schema.field_with_name(name).ok().map(|field| crate::types::stored_name(field.data_type()))
    };
    let tenants = reference.tenant.iter().zip(&to.tenant);
    let pairs = reference.columns.iter().zip(&to.key).chain(tenants);
    let odd = pairs
        .map(|(from, key)| (from, type_of(export, &from.value), key, type_of(other, &key.value)));
    let mut odd = odd.filter(|(_, one, _, other)| one.is_some() && other.is_some() && one != other);
    let (from, one, key, other) = odd.next()?;
    let message = format!(
        "column `{}` has type {}, and `{}` of history `{}` has type {}",
        from.value,
        one.unwrap_or_default(),
        key.value,
        to.name.value,
        other.unwrap_or_default()
    );
    let finding = Diagnostic::new(&tracking::HISTORY_INVALID, message);
    Some(finding.at(from.at, "refers to nothing").help("publish both in one type"))
}
