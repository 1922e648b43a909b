//! A comment for a pull request: the most important first, details folded, within the limit of the
//! platforms.

use engine_runtime::plan::{
    BaseName, Change, Plan, PlannedColumn, PlannedExport, PlannedTreatment, Section,
};

use super::{subject, turn};
use crate::render::kept;
use engine_runtime::retention::Amount;

/// Characters of a comment. GitHub takes 65,536.
const CHARACTERS_MAX: usize = 60_000;

/// What is said when there is no room for all of it.
const CUT: &str = "\n_There is more than fits into a comment: see `plan.json`._\n";

pub(super) fn text(plan: &Plan) -> String {
    let mut page = Page { text: heading(plan), is_full: false };
    for section in Section::ALL {
        let changes: Vec<&Change> =
            plan.changes.iter().filter(|change| change.section == section).collect();
        if !changes.is_empty() {
            page.section(plan, section, &changes);
        }
    }
    page.retention(plan);
    page.statements(plan);
    page.details(plan);
    page.text
}

fn heading(plan: &Plan) -> String {
    let widening = plan.widenings().count();
    let words = match widening {
        0 => "Nothing more can be read than before.".to_owned(),
        1 => "**1 change widens what can be read.**".to_owned(),
        count => format!("**{count} changes widen what can be read.**"),
    };
    let base = match &plan.base {
        BaseName::Nothing => "Compared with nothing: the keys were not at hand.".to_owned(),
        BaseName::Store => "Compared with the newest snapshots.".to_owned(),
        BaseName::Plan(digest) => format!("Compared with plan {}.", code(digest)),
        BaseName::Commit(commit) => format!("Compared with commit {}.", code(commit)),
        BaseName::Target(target) => format!("Compared with the snapshots of {}.", code(target)),
    };
    let (before, after) = (plan.coverage.before.unwrap_or_default(), plan.coverage.after);
    format!(
        "## Plan of {} for {}\n\n{words} Masked {} of {} columns before, {} of {} after. {base}\n\n\
         Digest {}\n",
        code(&plan.project),
        code(&plan.target),
        before.masked,
        before.columns,
        after.masked,
        after.columns,
        code(&plan.digest)
    )
}

struct Page {
    text: String,
    is_full: bool,
}

impl Page {
    /// Adds a piece where there is room for it and for what may have to close it.
    fn push(&mut self, piece: &str) {
        if self.is_full {
            return;
        }
        let length = self.text.chars().count() + piece.chars().count();
        if length + CUT.chars().count() + 64 > CHARACTERS_MAX {
            self.text.push_str(CUT);
            self.is_full = true;
        } else {
            self.text.push_str(piece);
        }
    }

    fn section(&mut self, plan: &Plan, section: Section, changes: &[&Change]) {
        self.push(&format!("\n### {}\n\n", section.title()));
        self.push("| | what | change | why | who | where |\n|---|---|---|---|---|---|\n");
        for change in changes {
            let mark = if change.widens { "⚠️" } else { "" };
            let kind = cell(&change.kind.replace('_', " "));
            let turn = turn(change);
            let turn = if turn.is_empty() { turn } else { format!(": {}", code(&turn)) };
            let reason = plan.table_words(change).unwrap_or_else(|| change.reason.clone());
            let optional = |text: &Option<String>| text.as_deref().map(code).unwrap_or_default();
            self.push(&format!(
                "| {mark} | {} | {kind}{turn} | {} | {} | {} |\n",
                code(&subject(change)),
                cell(&reason),
                optional(&change.owner),
                optional(&change.place)
            ));
        }
    }

    /// What retention wants gone.
    fn retention(&mut self, plan: &Plan) {
        if plan.beside.retention.is_empty() {
            return;
        }
        self.push("\n### Retention\n\n");
        self.push(
            "| export | policy | deleted softly | destroyed | rows | why |\n|---|---|---|---|---|---|\n",
        );
        for export in &plan.beside.retention {
            let newest = if export.newest_goes { ", ⚠️ the newest among them" } else { "" };
            let amount = |of: &Amount| match of.is_nothing() {
                true => String::new(),
                false => cell(&kept::shown(of)),
            };
            let rows = export.rows.as_ref().map(kept::of_rows);
            let rows = rows.or_else(|| export.history.as_ref().map(kept::of_versions));
            let rows = rows.unwrap_or_default();
            self.push(&format!(
                "| {} | {} | {}{newest} | {} | {} | {} |\n",
                code(&export.export),
                code(export.policy.as_deref().unwrap_or("none")),
                amount(&export.tombstone),
                amount(&export.destroy),
                cell(&rows),
                cell(export.basis.as_deref().unwrap_or_default())
            ));
        }
    }

    /// SQL that differs from the base's, and the statements of loads that run.
    fn statements(&mut self, plan: &Plan) {
        for (node, diff) in &plan.beside.sql_diff {
            self.push(&block(&format!("SQL of {node}"), "diff", diff));
        }
        let filled = |node: &str| {
            plan.changes
                .iter()
                .any(|change| change.section == Section::Loads && change.node == node)
        };
        for export in plan.exports.iter().filter(|export| filled(&export.name)) {
            for load in &export.loads {
                let title = format!("Table {}.{} of {}", load.connection, load.table, export.name);
                let statements: Vec<String> =
                    load.statements.iter().map(|statement| format!("{statement};\n")).collect();
                self.push(&block(&title, "sql", &statements.concat()));
            }
        }
    }

    fn details(&mut self, plan: &Plan) {
        for export in &plan.exports {
            if self.is_full {
                return;
            }
            self.push(&folded(export));
        }
    }
}

/// A folded block of code.
fn block(title: &str, language: &str, text: &str) -> String {
    // Longer than any fence inside.
    let runs = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(runs.max(2) + 1);
    let safe: String = text
        .chars()
        .map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter })
        .collect();
    format!(
        "\n<details><summary>{}</summary>\n\n{fence}{language}\n{}\n{fence}\n\n</details>\n",
        html(title),
        safe.trim_end()
    )
}

fn folded(export: &PlannedExport) -> String {
    let mut text = format!(
        "\n<details><summary>{}: {} columns from {}</summary>\n\n| column | type | class | treatment \
         |\n|---|---|---|---|\n",
        html(&export.name),
        export.columns.len(),
        html(&export.from)
    );
    for column in &export.columns {
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            code(&column.name),
            cell(&column.data_type),
            column.class.as_deref().map(code).unwrap_or_default(),
            cell(&said(column))
        ));
    }
    for used in &export.indirect {
        let how = used.how.join(", ");
        text.push_str(&format!("\nRows depend on {} as {}.\n", code(&used.column), cell(&how)));
    }
    for history in &export.histories {
        let words = cell(&history.words());
        text.push_str(&format!("\nEvery version of its rows is kept in history {words}.\n"));
    }
    text + "\n</details>\n"
}

/// What happens to a column, and how likely values that must stay distinct do not.
fn said(column: &PlannedColumn) -> String {
    let collision = column.collision.as_ref().map(|one| format!("; {}", one.words()));
    treatment(column) + &collision.unwrap_or_default()
}

fn treatment(column: &PlannedColumn) -> String {
    match &column.treatment {
        PlannedTreatment::Masked { rule, function, when, .. } => {
            let when = when.as_ref().map(|when| format!(", {}", when.words()));
            format!("masked with {function} by rule {rule}{}", when.unwrap_or_default())
        }
        PlannedTreatment::Kept { rule, owner, reason, .. } => {
            format!("kept by rule {rule}, {owner}: {reason}")
        }
        PlannedTreatment::Open { by: Some(by), owner, reason, expression, .. } => {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let sql = expression.as_ref().map(|sql| format!(" ({sql})")).unwrap_or_default();
            format!("open by {by}{sql}, {}: {}", text(owner), text(reason))
        }
        PlannedTreatment::Open { by: None, .. } => "shows no sensitive value".to_owned(),
    }
}

/// Text in a cell: it starts no markup, mentions nobody, and ends no cell.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '!' => {
                safe.push('\\');
                safe.push(letter);
            }
            // A zero-width space keeps `@name` from being a mention.
            '@' => safe.push_str("@\u{200b}"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Text as code, which may hold backticks and bars.
fn code(text: &str) -> String {
    let plain: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let runs = plain.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(runs + 1);
    let pad = if runs > 0 { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", plain.replace('|', "\\|"))
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_project_becomes_markup() {
        assert_eq!(cell("a|b<script>@dpo\n"), "a\\|b\\<script\\>@\u{200b}dpo ");
        assert_eq!(code("a`|b"), "`` a`\\|b ``");
    }
}
