//! Changes of how a project is written, and of nothing it says: comments, blanks, quotes, brackets, the
//! order of keys, the case of keywords.
//!
//! A restyling takes a text and may find no place in it; then it is `None`. Each takes what others made.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::harness::Dice;

/// The files of a project, by path.
pub(crate) type Files = BTreeMap<String, String>;

type Restyle = fn(&str, &mut Dice) -> Option<String>;

const YAML: [(&str, Restyle); 12] = [
    ("a comment", comment),
    ("a comment at the end", comment_at_end),
    ("a blank line", blank_line),
    ("blanks at the end", blanks_at_end),
    ("blanks after a colon", blanks_after_colon),
    ("a quoted value", quoted),
    ("a quoted key", quoted_key),
    ("a flow made a block", opened),
    ("a block made a flow", closed),
    ("keys of a flow in another order", flow_reordered),
    ("keys of a block in another order", block_reordered),
    ("another indentation", indented),
];

const SQL: [(&str, Restyle); 7] = [
    ("the case of a keyword", keyword_case),
    ("a line break", sql_line_break),
    ("an SQL comment", sql_comment),
    ("a Jinja comment", jinja_comment),
    ("brackets around a comparison", bracketed),
    ("blanks around a sign", blanks_around_sign),
    ("a semicolon", semicolon),
];

/// Restyles one of the files in one way, and says how.
pub(crate) fn restyle(files: &mut Files, dice: &mut Dice) -> String {
    loop {
        // There is little SQL among much YAML.
        let weight = |path: &String| if path.ends_with(".sql") { 4 } else { 1 };
        let paths: Vec<&String> =
            files.keys().flat_map(|path| std::iter::repeat_n(path, weight(path))).collect();
        let path = pick(&paths, dice).clone();
        let text = files[&path].replace("\r\n", "\n");
        let windows = text.len() != files[&path].len();
        let (how, restyled) = match dice.below(24) {
            0 => ("other line ends", Some(if windows { text } else { text.replace('\n', "\r\n") })),
            1 => ("another name", renamed(&path, files, dice)),
            _ => {
                let (how, restyle) =
                    if path.ends_with(".sql") { pick(&SQL, dice) } else { pick(&YAML, dice) };
                let ends = if windows { "\r\n" } else { "\n" };
                // It looks at places by chance, of which few may do.
                let restyled = (0..30).find_map(|_| restyle(&text, dice));
                (how, restyled.map(|text| text.replace('\n', ends)))
            }
        };
        let Some(text) = restyled else { continue };
        match files.get_mut(&path) {
            Some(before) if *before == text => continue,
            Some(before) => *before = text,
            // It is there under its new name already.
            None => {}
        }
        return format!("{path}: {how}");
    }
}

fn pick<T: Copy>(from: &[T], dice: &mut Dice) -> T {
    from[usize::try_from(dice.below(from.len() as u64)).unwrap()]
}

/// Moves a file that may have any name, and gives its text. Files that come first still do: the exports of
/// a plan stand in the order of the files.
fn renamed(path: &str, files: &mut Files, dice: &mut Dice) -> Option<String> {
    let (folder, name) = path.split_once('/')?;
    let stem = name.strip_suffix(".yml")?;
    let new = format!("{folder}/{stem}{}.yml", pick(&["_", "_more", "0"], dice));
    let between = files.range(path.to_owned()..new.clone()).count();
    if between > 1 || files.contains_key(&new) || stem.len() > 40 {
        return None;
    }
    let text = files.remove(path)?;
    files.insert(new, text.clone());
    Some(text)
}

// YAML, line by line: no flow goes over several lines.

/// The lines of a text, and which of them are neither blank nor a comment.
fn lines(text: &str) -> (Vec<String>, Vec<usize>) {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let places = (0..lines.len()).filter(|place| !is_idle(&lines[*place])).collect();
    (lines, places)
}

fn joined(lines: &[String]) -> Option<String> {
    Some(lines.join("\n") + "\n")
}

/// Whether a line is blank or a comment.
fn is_idle(line: &str) -> bool {
    matches!(line.trim_start().bytes().next(), None | Some(b'#'))
}

/// A line without the comment at its end.
fn code(line: &str) -> &str {
    &line[..line.find(" #").unwrap_or(line.len())]
}

/// The column in which a line's text begins.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The column of a line's key, which may stand behind the dash of an item.
fn key_column(line: &str) -> usize {
    let text = line.trim_start();
    indent(line) + if text.starts_with("- ") { indent(&text[1..]) + 1 } else { 0 }
}

/// Where commas stand outside of quotes and of inner brackets.
fn commas(text: &str) -> Vec<usize> {
    let (mut depth, mut quote, mut found) = (0, None, Vec::new());
    let mut before = ' ';
    for (place, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            // An apostrophe within a word quotes nothing.
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(letter),
            (None, _) if letter == ',' && depth == 0 => found.push(place),
            (None, '{' | '[' | '(') => depth += 1,
            (None, '}' | ']' | ')') => depth -= 1,
            _ => {}
        }
        before = letter;
    }
    found
}

/// The parts of a flow, without its brackets.
fn parts(flow: &str) -> Vec<String> {
    let inner = &flow[1..flow.len() - 1];
    let mut ends = commas(inner);
    ends.push(inner.len());
    let mut start = 0;
    let mut parts = Vec::new();
    for end in ends {
        parts.push(inner[start..end].trim().to_owned());
        start = (end + 1).min(inner.len());
    }
    parts
}

/// The flow that is all of a line's value, to the end of the line.
fn flow(line: &str) -> Option<Range<usize>> {
    let start = key_column(line);
    let text = &line[start..];
    let begin = match text.bytes().next()? {
        b'{' | b'[' => start,
        _ => start + text.find(": ")? + 2,
    };
    let begin = begin + indent(&line[begin..]);
    let value = line[begin..].trim_end();
    let is_flow = (value.starts_with('{') && value.ends_with('}'))
        || (value.starts_with('[') && value.ends_with(']'));
    (is_flow && !parts(value).iter().any(String::is_empty)).then(|| begin..begin + value.len())
}

fn comment(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, _) = lines(text);
    let place = usize::try_from(dice.below(lines.len() as u64 + 1)).unwrap();
    let indent = usize::try_from(dice.below(12)).unwrap();
    lines.insert(place, format!("{:indent$}# note: {{of}} ['nothing\" - x", ""));
    joined(&lines)
}

fn comment_at_end(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    lines[pick(&places, dice)].push_str("  # note: it's");
    joined(&lines)
}

fn blank_line(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    lines.insert(pick(&places, dice), pick(&["", "   "], dice).to_owned());
    joined(&lines)
}

fn blanks_at_end(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    lines[pick(&places, dice)].push_str(pick(&[" ", "    ", "\t"], dice));
    joined(&lines)
}

fn blanks_after_colon(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    let line = &mut lines[pick(&places, dice)];
    *line = line.replacen(": ", ":   ", 1);
    joined(&lines)
}

/// Where a value stands that is a word or a few: no number, no truth, nothing that is quoted.
fn words(line: &str) -> Vec<Range<usize>> {
    let line = code(line);
    let mut found = Vec::new();
    for (colon, _) in line.match_indices(": ") {
        let start = colon + 2;
        let rest = &line[start..];
        let length =
            rest.find([',', '}', ']', '[', '{', '"', '\'', ':', '(']).unwrap_or(rest.len());
        let value = rest[..length].trim_end();
        let stops = rest[length..].chars().next().is_none_or(|stop| stop == ',' || stop == '}');
        let is_word = value.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && !["true", "false", "null"].contains(&value);
        // In a block, a comma is part of the value.
        let is_block = !line[..start].contains('{') && length < rest.len();
        if stops && is_word && !is_block {
            found.push(start..start + value.len());
        }
    }
    found
}

fn quoted(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    let line = &mut lines[pick(&places, dice)];
    let values = words(line);
    if values.is_empty() {
        return None;
    }
    let value = values[usize::try_from(dice.below(values.len() as u64)).unwrap()].clone();
    let sign = pick(&["'", "\""], dice);
    line.insert_str(value.end, sign);
    line.insert_str(value.start, sign);
    joined(&lines)
}

fn quoted_key(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    let line = &mut lines[pick(&places, dice)];
    let start = key_column(line);
    let end = start + line[start..].find(':')?;
    if !line[start..end].bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return None;
    }
    let sign = pick(&["'", "\""], dice);
    line.insert_str(end, sign);
    line.insert_str(start, sign);
    joined(&lines)
}

/// `{a: 1, b: [2]}` as lines, of which some may be opened again.
fn opened(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    let place = pick(&places, dice);
    let line = lines[place].clone();
    let range = flow(&line)?;
    let dash = if line[range.clone()].starts_with('[') { "- " } else { "" };
    let column = key_column(&line);
    let parts = parts(&line[range.clone()]);
    let mut anew = Vec::new();
    if range.start == column {
        // The item of a list: its first part stands behind the dash.
        anew.push(format!("{}{dash}{}", &line[..column], parts[0]));
        anew.extend(parts[1..].iter().map(|part| format!("{:column$}{dash}{part}", "")));
    } else {
        anew.push(line[..range.start].trim_end().to_owned());
        anew.extend(parts.iter().map(|part| format!("{:column$}  {dash}{part}", "")));
    }
    lines.splice(place..=place, anew);
    joined(&lines)
}

/// Whether a line is a key with a value that may stand in a flow.
fn flows(line: &str) -> bool {
    let text = &line[key_column(line)..];
    let value = text.split_once(": ").map_or("", |(_, value)| value.trim());
    let closes = value.starts_with(['{', '[', '"', '\'']);
    let is_plain = !value.contains([',', '[', ']', '{', '}', '"', '\'']);
    let is_key = !text.starts_with(['{', '[']) && !value.is_empty();
    is_key && !line.contains('#') && (closes || is_plain)
}

/// An item of lines, each a key with its value, as one flow.
fn closed(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    let place = pick(&places, dice);
    let column = key_column(&lines[place]);
    if column == indent(&lines[place]) || !flows(&lines[place]) {
        return None;
    }
    let follows =
        |line: &&String| indent(line) == column && flows(line) && key_column(line) == column;
    let end = place + 1 + lines[place + 1..].iter().take_while(follows).count();
    let next = lines[end..].iter().find(|line| !is_idle(line));
    if next.is_some_and(|line| indent(line) >= column) {
        return None;
    }
    let parts: Vec<&str> = lines[place..end].iter().map(|line| line[column..].trim_end()).collect();
    let line = format!("{}{{{}}}", &lines[place][..column], parts.join(", "));
    lines.splice(place..end, [line]);
    joined(&lines)
}

fn flow_reordered(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    let line = &mut lines[pick(&places, dice)];
    let range = flow(line)?;
    let mut parts = parts(&line[range.clone()]);
    if line[range.clone()].starts_with('[') || parts.len() < 2 {
        return None;
    }
    let by = usize::try_from(dice.below(parts.len() as u64 - 1)).unwrap();
    parts.rotate_left(by + 1);
    line.replace_range(range, &format!("{{ {} }}", parts.join(", ")));
    joined(&lines)
}

/// Two keys that follow each other, each with its value in its line, change places.
fn block_reordered(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    let place = pick(&places, dice);
    let column = key_column(&lines[place]);
    let second = lines.get(place + 1)?.clone();
    let is_pair = |line: &str| !line[column..].starts_with(['{', '[']) && code(line).contains(": ");
    if is_idle(&second) || key_column(&second) != column || indent(&second) != column {
        return None;
    }
    let next = lines[place + 2..].iter().find(|line| !is_idle(line));
    if next.is_some_and(|line| indent(line) > column)
        || !is_pair(&lines[place])
        || !is_pair(&second)
    {
        return None;
    }
    let first = lines[place].split_off(column);
    lines[place].push_str(&second[column..]);
    lines[place + 1] = format!("{:column$}{first}", "");
    joined(&lines)
}

/// A list below a key moves to the right, or as far to the left as it may.
fn indented(text: &str, dice: &mut Dice) -> Option<String> {
    let (mut lines, places) = lines(text);
    let place = pick(&places, dice);
    let column = key_column(&lines[place]);
    let mut below = (place + 1..lines.len()).filter(|place| !is_idle(&lines[*place]));
    let first = below.next()?;
    let from = indent(&lines[first]);
    let is_list = lines[first].trim_start().starts_with("- ");
    if !is_list || from < column {
        return None;
    }
    let ends = |line: &str| {
        indent(line) < from || (indent(line) == from && !line.trim_start().starts_with("- "))
    };
    let end = below.find(|place| ends(&lines[*place])).unwrap_or(lines.len());
    let to = if from > column && dice.below(2) == 0 { column } else { from + 1 };
    for line in lines[first..end].iter_mut().filter(|line| !is_idle(line)) {
        *line = format!("{:1$}{2}", "", indent(line) + to - from, line.trim_start());
    }
    joined(&lines)
}

// SQL, token by token.

const KEYWORDS: [&str; 14] = [
    "select", "as", "from", "join", "on", "where", "and", "group", "by", "count", "sum", "min",
    "max", "or",
];

const COMPARISONS: [&str; 6] = ["=", "<>", "<", ">", "<=", ">="];

/// Comments, expressions of Jinja, texts, words with what qualifies them, blanks, and signs.
fn tokens(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let to = |end: &str| rest[1..].find(end).map_or(rest.len(), |at| at + 1 + end.len());
        let run = |is: fn(char) -> bool| rest.find(|letter| !is(letter)).unwrap_or(rest.len());
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => to("*/"),
            '{' if rest.starts_with("{{") => to("}}"),
            '{' if rest.starts_with("{#") => to("#}"),
            '{' if rest.starts_with("{%") => to("%}"),
            '\'' => to("'"),
            _ if first.is_whitespace() => run(char::is_whitespace),
            _ if is_word(first) => run(is_word),
            '<' | '>' if rest[1..].starts_with(['=', '>']) => 2,
            _ => first.len_utf8(),
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '.'
}

/// The tokens, and one of the places where `is` holds.
fn token(sql: &str, dice: &mut Dice, is: fn(&str) -> bool) -> Option<(Vec<String>, usize)> {
    let tokens = tokens(sql);
    let places: Vec<usize> = (0..tokens.len()).filter(|place| is(&tokens[*place])).collect();
    if places.is_empty() {
        return None;
    }
    let place = pick(&places, dice);
    Some((tokens, place))
}

fn is_blank(token: &str) -> bool {
    token.trim().is_empty()
}

fn keyword_case(sql: &str, dice: &mut Dice) -> Option<String> {
    let is_keyword = |token: &str| KEYWORDS.contains(&token.to_lowercase().as_str());
    let (mut tokens, place) = token(sql, dice, is_keyword)?;
    let lower = tokens[place].to_lowercase();
    let title = lower[..1].to_uppercase() + &lower[1..];
    tokens[place] =
        [lower.to_uppercase(), title, lower][usize::try_from(dice.below(3)).unwrap()].clone();
    Some(tokens.concat())
}

fn sql_line_break(sql: &str, dice: &mut Dice) -> Option<String> {
    let (mut tokens, place) = token(sql, dice, is_blank)?;
    // The line of a comment ends where it does.
    let anew = pick(&["\n", "\n\n    ", "\n\t"], dice);
    tokens[place] = anew.to_owned();
    Some(tokens.concat())
}

fn sql_comment(sql: &str, dice: &mut Dice) -> Option<String> {
    let (mut tokens, place) = token(sql, dice, is_blank)?;
    let note = pick(&["/* note; it's ( */ ", "-- note; it's (\n", "/* of two\nlines */\n"], dice);
    tokens[place].push_str(note);
    Some(tokens.concat())
}

fn jinja_comment(sql: &str, dice: &mut Dice) -> Option<String> {
    let (mut tokens, place) = token(sql, dice, is_blank)?;
    tokens[place].push_str("{# note; it's ( #} ");
    Some(tokens.concat())
}

fn bracketed(sql: &str, dice: &mut Dice) -> Option<String> {
    let (mut tokens, place) = token(sql, dice, |token| COMPARISONS.contains(&token))?;
    let is_operand = |token: &String| {
        token.starts_with("{{") || token.starts_with(|first| is_word(first) || first == '\'')
    };
    let left = (0..place).rev().find(|at| !is_blank(&tokens[*at]))?;
    let right = (place + 1..tokens.len()).find(|at| !is_blank(&tokens[*at]))?;
    if !is_operand(&tokens[left]) || !is_operand(&tokens[right]) {
        return None;
    }
    tokens[left].insert(0, '(');
    tokens[right].push(')');
    Some(tokens.concat())
}

fn blanks_around_sign(sql: &str, dice: &mut Dice) -> Option<String> {
    let (mut tokens, place) = token(sql, dice, |token| ["(", ")", ",", "*", "="].contains(&token))?;
    tokens[place] = format!(" {}  ", tokens[place]);
    Some(tokens.concat())
}

fn semicolon(sql: &str, _: &mut Dice) -> Option<String> {
    let has_one = tokens(sql).iter().any(|token| token == ";");
    (!has_one).then(|| format!("{}\n;\n", sql.trim_end()))
}
