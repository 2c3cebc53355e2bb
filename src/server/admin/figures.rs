//! The commands that are there for programs: the table itself, and the metrics.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::table::{Answer, COMMANDS, Given};
use crate::server::daemon::Daemon;
use crate::web::metrics;

type Doing = LocalBoxFuture<'static, Answer>;

pub(super) fn commands(_: Rc<Daemon>, _: Given) -> Doing {
    let row = |command: &super::table::Command| {
        let parameters = command.parameters.iter().map(|one| {
            json!({
                "name": one.name,
                "value": one.value,
                "help": one.help,
                "required": one.required,
            })
        });
        json!({
            "command": command.name,
            "help": command.help,
            "parameters": parameters.collect::<Vec<_>>(),
            "first": command.first,
        })
    };
    let rows = COMMANDS.iter().map(row).collect();
    async move { Ok(Value::Array(rows)) }.boxed_local()
}

pub(super) fn metrics(daemon: Rc<Daemon>, _: Given) -> Doing {
    async move {
        let survey = daemon.server.actors.look_around().await;
        let text = metrics::text(&daemon.server.tallies, survey)
            .map_err(|error| format!("the metrics cannot be written: {error}"))?;
        Ok(text.lines().filter_map(row).collect())
    }
    .boxed_local()
}

/// A line of the metrics: a name with its labels, then the value.
fn row(line: &str) -> Option<Value> {
    let (metric, value) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
    Some(json!({"metric": metric, "value": value.parse::<f64>().ok()?}))
}
