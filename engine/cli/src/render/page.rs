//! The page of an error code: for `engine explain CODE`, and for the committed reference.

#[cfg(test)]
use engine_runtime::codes;
use engine_runtime::codes::Code;
use serde_json::{Value, json};

/// Longer lines are hard to read.
const WIDTH_MAX: usize = 90;

/// The page for the terminal, in lines of at most `width` columns. The example is left as it is.
pub(crate) fn text(code: &Code, width: usize) -> String {
    let wrapped = |body: &str| textwrap::wrap(body, width.min(WIDTH_MAX)).join("\n");
    let mut text = format!("{}: {}\n", code.id, code.title);
    for (heading, body) in [
        ("What happened", wrapped(code.what)),
        ("Why", wrapped(code.why)),
        ("Example", code.example.to_owned()),
        ("Fix", wrapped(code.fix)),
    ] {
        text.push_str(&format!("\n{heading}\n"));
        for line in body.lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text.push_str(&format!("\nExit code {}: {}.\n", code.exit.status(), code.exit.meaning()));
    text
}

/// The page as an object.
pub(crate) fn object(code: &Code) -> Value {
    json!({
        "code": code.id, "title": code.title, "what": code.what, "why": code.why,
        "example": code.example, "fix": code.fix, "exit": code.exit.status(),
    })
}

/// All pages as one Markdown file.
#[cfg(test)]
pub(crate) fn reference() -> String {
    let mut text = String::from(
        "# Errors\n\nEvery error has a code that never changes its meaning. `engine explain CODE` prints its page.\n\n\
         <!-- Generated from engine/runtime/src/codes; ENGINE_REWRITE=1 cargo test -p engine-cli rewrites it. -->\n",
    );
    for code in codes::all() {
        text.push_str(&format!(
            "\n## {}: {}\n\n{}\n\n**Why.** {}\n\n**Example.**\n\n```text\n{}\n```\n\n**Fix.** {}\n\nExit code {}: {}.\n",
            code.id, code.title, code.what, code.why, code.example, code.fix,
            code.exit.status(), code.exit.meaning(),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_all_parts_and_the_exit_code() {
        let page = text(codes::find("e0401").unwrap(), 60);
        for part in
            ["E0401: ", "What happened\n  ", "Why\n  ", "Example\n  ", "Fix\n  ", "Exit code 65"]
        {
            assert!(page.contains(part), "{part} in {page}");
        }
        let prose = page.split("Example").next().unwrap();
        assert!(prose.lines().all(|line| line.chars().count() <= 62), "{prose}");
    }
}
