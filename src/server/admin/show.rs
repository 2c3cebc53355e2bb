//! Answers of the server, for people: a list of rows as a table, anything else as lines.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The text of an answer, with the fields that it is to begin with; it ends with a line break.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of JSON are what they are")]
pub fn text(answer: &Value, first: &[&str]) -> String {
    let mut text = String::new();
    match answer {
        Value::Array(rows) => table(rows, first, &mut text),
        Value::Object(fields) => lines(fields, first, &mut text),
        other => line(&cell(other), &mut text),
    }
    text
}

fn line(content: &str, text: &mut String) {
    text.push_str(content.trim_end());
    text.push('\n');
}

/// The names of fields, those of `first` in front.
fn order<'a>(fields: &'a Map<String, Value>, first: &[&str]) -> Vec<&'a String> {
    let place = |name: &str| first.iter().position(|one| *one == name).unwrap_or(first.len());
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort_by(|one, other| (place(one), one).cmp(&(place(other), other)));
    names
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of JSON are what they are")]
fn lines(fields: &Map<String, Value>, first: &[&str], text: &mut String) {
    let shown = fields.iter().filter(|(_, value)| !value.is_null());
    let width = shown.map(|(name, _)| name.len()).max().unwrap_or_default();
    for name in order(fields, first) {
        let value = fields.get(name).unwrap_or(&Value::Null);
        let is_table = |rows: &Vec<Value>| rows.iter().any(Value::is_object);
        match value {
            Value::Null => {}
            Value::Array(rows) if is_table(rows) => {
                line(&format!("{}:", words(name)), text);
                table(rows, first, text);
            }
            value => line(&format!("{:width$}  {}", words(name), cell(value)), text),
        }
    }
}

fn table(rows: &[Value], first: &[&str], text: &mut String) {
    let Some(Value::Object(top)) = rows.first() else {
        return line("none", text);
    };
    let names = order(top, first);
    let head = names.iter().map(|name| words(name)).collect();
    let mut grid: Vec<Vec<String>> = vec![head];
    for row in rows {
        let value = |name: &&String| row.get(name.as_str()).map(cell).unwrap_or_default();
        grid.push(names.iter().map(value).collect());
    }
    let width = |column: usize| {
        grid.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..names.len()).filter_map(width).collect();
    for row in &grid {
        let mut out = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "{cell:width$}  ");
        }
        line(&out, text);
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Without what could steer a terminal: names and addresses come from strangers.
fn cell(value: &Value) -> String {
    let raw = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(pair) => match (pair.get("now"), pair.get("most")) {
            (Some(now), Some(most)) => format!("{now} of {most}"),
            _ => value.to_string(),
        },
        Value::Number(number) => number.to_string(),
    };
    raw.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_become_a_table_and_fields_lines() {
        let rows = json!([{"name": "ann", "tls": true}, {"name": null, "tls": false}]);
        assert_eq!(text(&rows, &["name"]), "name  tls\nann   yes\n-     no\n");
        let fields = json!({"connections": {"now": 1, "most": 9}, "names": ["a", "b"], "no": null});
        assert_eq!(text(&fields, &[]), "connections  1 of 9\nnames        a, b\n");
        assert_eq!(text(&json!([]), &[]), "none\n");
        assert_eq!(text(&json!({"x": "a\u{1b}[2Jb"}), &[]), "x  a\u{fffd}[2Jb\n");
    }
}
