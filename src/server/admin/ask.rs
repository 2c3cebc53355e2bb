//! The other side of the admin socket: what `klatchd admin` does.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::table::{Failure, Given};

/// Longer than any command takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Has the server at `socket` do a command.
pub fn ask(socket: &Path, command: &str, arguments: &Given) -> Result<Value, Failure> {
    let path = socket.display();
    let line = talk(socket, &json!({"command": command, "arguments": arguments}).to_string())
        .map_err(|error| format!("no server answers at {path}: {error}{}", advice(&error)))?;
    let mut answer: Value = serde_json::from_str(&line)
        .map_err(|error| format!("the server at {path} answers nonsense: {error}"))?;
    let result = answer.get_mut("result").map(Value::take).unwrap_or_default();
    if answer.get("ok") == Some(&Value::Bool(true)) {
        return Ok(result);
    }
    let why = answer.get("error").and_then(Value::as_str).unwrap_or("it does not say why");
    Err(Failure { why: why.to_owned(), details: result })
}

fn talk(socket: &Path, request: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    writeln!(stream, "{request}")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if line.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(line) }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are open: most have no advice")]
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            "; is it running, and with this configuration? Give the same --config and --set"
        }
        io::ErrorKind::PermissionDenied => "; be root, or the server's own user",
        _ => "",
    }
}
