//! A report as one page of HTML that needs nothing else.
//!
//! Everything that comes from outside goes through [`escaped`], and a policy in the page's head lets a
//! browser load and run nothing, should that ever fail.

mod chart;

use super::{
    super::plain,
    health::Verdict,
    view::{Align, Cell, Table, Tone, View},
};

const STYLE: &str = include_str!("style.css");

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn render(view: &View) -> String {
    let (title, subtitle) = (escaped(&view.title), escaped(&view.subtitle));
    let charts: String =
        view.charts.iter().enumerate().map(|(at, one)| chart::figure(one, at)).collect();
    let tables: String = view.tables.iter().map(table).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>{title}</h1>\n<p>{subtitle}</p>\n</header>\n<main>\n{}{}\
         <section aria-labelledby=\"days\">\n<h2 id=\"days\">Day by day</h2>\n\
         <div class=\"charts\">\n{charts}</div>\n</section>\n{tables}</main>\n\
         <footer><p>No value of any data is part of this page.</p></footer>\n</body>\n</html>\n",
        cards(view),
        checks(view),
    )
}

fn cards(view: &View) -> String {
    let card = |card: &super::view::Card| {
        format!(
            "<div class=\"card {}\"><dt>{}</dt><dd><span class=\"figure\">{}</span>\
             <span class=\"note\">{}</span></dd></div>\n",
            card.tone.class(),
            escaped(card.label),
            escaped(&card.value),
            escaped(&card.note),
        )
    };
    let cards: String = view.cards.iter().map(card).collect();
    format!(
        "<section aria-labelledby=\"figures\">\n<h2 id=\"figures\" class=\"hidden\">Key figures</h2>\n\
         <dl class=\"cards\">\n{cards}</dl>\n</section>\n"
    )
}

fn checks(view: &View) -> String {
    let check = |check: &super::health::Check| {
        let word = match check.verdict {
            Verdict::Well => "well",
            Verdict::Unknown => "unknown",
            Verdict::Warning => "warning",
            Verdict::Bad => "bad",
        };
        let badge = badge(word, Tone::from(check.verdict));
        let (name, words) = (escaped(&check.name), escaped(&check.words));
        format!("<li>{badge}<strong>{name}</strong><span>{words}</span></li>\n")
    };
    let checks: String = view.checks.iter().map(check).collect();
    format!(
        "<section aria-labelledby=\"health\">\n<h2 id=\"health\">Health</h2>\n\
         <ul class=\"checks\">\n{checks}</ul>\n</section>\n"
    )
}

fn table(table: &Table) -> String {
    let (title, caption) = (escaped(table.title), escaped(table.caption));
    let id = table.title.to_lowercase().replace(' ', "-");
    let begin = format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n");
    if table.rows.is_empty() {
        return format!("{begin}<p class=\"empty\">{}</p>\n</section>\n", escaped(table.empty));
    }
    let narrow = if table.columns.len() < 3 { " narrow" } else { "" };
    let head: String = table
        .columns
        .iter()
        .map(|column| {
            format!("<th scope=\"col\"{}>{}</th>", class(column.align), escaped(column.name))
        })
        .collect();
    let mut rows = String::new();
    for row in &table.rows {
        rows.push_str("<tr>");
        for (cell, column) in row.iter().zip(&table.columns) {
            rows.push_str(&format!("<td{}>{}</td>", class(column.align), shown(cell)));
        }
        rows.push_str("</tr>\n");
    }
    format!(
        "{begin}<div class=\"scroll{narrow}\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{id}\">\n\
         <table>\n<caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n</div>\n</section>\n"
    )
}

const fn class(align: Align) -> &'static str {
    match align {
        Align::Left => "",
        Align::Right => " class=\"number\"",
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escaped(text),
        Cell::Code(text) => format!("<code>{}</code>", escaped(text)),
        Cell::Badge(text, tone) => badge(text, *tone),
        Cell::Spark(values) => chart::spark(values),
    }
}

fn badge(text: &str, tone: Tone) -> String {
    format!("<span class=\"badge {}\">{}</span>", tone.class(), escaped(text))
}

/// Text that is text wherever it stands in HTML: in an element or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in plain::one_line(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            other => shown.push(other),
        }
    }
    shown
}
