//! JUnit's XML, as CI systems read it: one test for each change; those that widen what can be read fail.

use engine_runtime::plan::{Change, Plan};

use super::{sentence, subject};

pub(super) fn text(plan: &Plan) -> String {
    let failures = plan.widenings().count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" \
         tests=\"{}\" failures=\"{failures}\">\n",
        escaped(&format!("plan of {} for {}", plan.project, plan.target)),
        plan.changes.len()
    );
    for change in &plan.changes {
        xml.push_str(&case(change));
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(change: &Change) -> String {
    let name = escaped(&format!("{}: {}", subject(change), change.kind.replace('_', " ")));
    let class = escaped(change.section.title());
    let file = change.place.as_ref().map(|place| format!(" file=\"{}\"", escaped(place)));
    let file = file.unwrap_or_default();
    let open = format!("    <testcase classname=\"{class}\" name=\"{name}\"{file}");
    if change.widens {
        let words = escaped(&sentence(change));
        format!("{open}>\n      <failure type=\"widens\" message=\"{words}\"/>\n    </testcase>\n")
    } else {
        format!("{open}/>\n")
    }
}

/// Text in an attribute; control characters have no place in XML 1.0.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
