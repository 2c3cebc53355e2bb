//! A value as somebody wrote it, before anything is known of its meaning.

use std::fmt;

use ::config::{Value, ValueKind};

/// What stands behind a key: a value of a TOML file, or the text of a variable or a flag.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::config) enum Written {
    Text(String),
    Number(i64),
    List(Vec<Self>),
    /// No key takes this: what kind it is, and how it looks.
    Other(&'static str, String),
}

impl From<&Value> for Written {
    fn from(value: &Value) -> Self {
        let other = |kind| Self::Other(kind, value.to_string());
        match &value.kind {
            ValueKind::String(text) => Self::Text(text.clone()),
            ValueKind::I64(number) => Self::Number(*number),
            ValueKind::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => other("this number"),
            ValueKind::Float(_) => other("a fraction"),
            ValueKind::Boolean(_) => other("a truth value"),
            ValueKind::Table(_) => Self::Other("a table", "{..}".into()),
            ValueKind::Nil => other("nothing"),
        }
    }
}

impl Written {
    /// The text of a value that has to be one.
    pub(super) fn text(&self) -> Result<&str, String> {
        let kind = match self {
            Self::Text(text) => return Ok(text),
            Self::Number(_) => "a plain number",
            Self::List(_) => "a list",
            Self::Other(kind, _) => kind,
        };
        Err(format!("{kind} does not fit"))
    }

    /// A plain number if it is one, otherwise what `parse` makes of the text.
    pub(super) fn number<E>(
        &self,
        parse: fn(&str) -> Result<u64, E>,
        why: &str,
    ) -> Result<u64, String> {
        if let Self::Number(number) = self {
            return u64::try_from(*number).map_err(|_| "this is out of range".into());
        }
        parse(self.text()?).map_err(|_| why.into())
    }

    /// The items of a list; a text has commas between them.
    pub(super) fn items(&self) -> Result<Vec<Self>, String> {
        if let Self::List(items) = self {
            return Ok(items.clone());
        }
        let items = self.text()?.split(',').map(str::trim).filter(|item| !item.is_empty());
        Ok(items.map(|item| Self::Text(item.into())).collect())
    }
}

/// On one line and not long, whatever was written.
impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 60;
        let text = match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Number(number) => number.to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Other(_, text) => text.clone(),
        };
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "{}...", text.get(..end).unwrap_or_default()),
            None => f.write_str(&text),
        }
    }
}
