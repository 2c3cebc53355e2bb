//! The server's side of the admin socket: a line of JSON comes, a line goes back.
//!
//! The file is the server's own (0600), and besides the peer's credentials are looked at: root and
//! the server's own user are heard, nobody else.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::table::{self, Failure, Given};
use crate::server::daemon::Daemon;

/// Longest request.
const LONGEST: u64 = 64 * 1024;
/// How long a request may take to come, and its answer to go.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Request {
    command: String,
    #[serde(default)]
    arguments: Given,
}

/// Listens until it is dropped; the file goes with it.
pub(crate) struct Listening {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        drop(std::fs::remove_file(&self.path));
    }
}

/// Listens at `path`. A server that cannot is not the worse for those who chat: it says so.
pub(crate) fn listen(path: &Path, daemon: &Rc<Daemon>) -> Option<Listening> {
    match bind(path) {
        Ok(listener) => {
            let task = tokio::task::spawn_local(accept(listener, Rc::clone(daemon)));
            Some(Listening { path: path.to_owned(), task })
        }
        Err(error) => {
            let path = path.display();
            log::warn!(
                "`klatchd admin` will not work: cannot listen at {path}: {error}; set server.admin"
            );
            None
        }
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there"));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

#[expect(clippy::infinite_loop, reason = "it ends with its task")]
async fn accept(listener: UnixListener, daemon: Rc<Daemon>) {
    loop {
        match listener.accept().await {
            // One at a time: they are few, and none of them takes long.
            Ok((stream, _)) => {
                let served =
                    tokio::time::timeout(PATIENCE, serve(stream, Rc::clone(&daemon))).await;
                match served {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => log::debug!("an admin connection failed: {error}"),
                    Err(_) => log::warn!("an admin connection took too long"),
                }
            }
            Err(error) => {
                log::warn!("the admin socket failed: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Whether a process of this user may run the server.
fn may_run(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

async fn serve(stream: UnixStream, daemon: Rc<Daemon>) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let (read, mut write) = stream.into_split();
    // Read in any case: who is not heard is to hear that.
    let mut line = String::new();
    BufReader::new(read.take(LONGEST)).read_line(&mut line).await?;
    let answer = if may_run(uid) {
        let answer = answer(&line, daemon).await;
        log::debug!(uid = uid; "an administrator asked something");
        answer
    } else {
        log::warn!(uid = uid; "the admin socket was used by somebody who may not");
        Err("only root and the server's own user may do this".to_owned().into())
    };
    let mut text = match answer {
        Ok(result) => json!({"ok": true, "result": result}),
        Err(Failure { why, details }) => json!({"ok": false, "error": why, "result": details}),
    }
    .to_string();
    text.push('\n');
    write.write_all(text.as_bytes()).await?;
    write.shutdown().await
}

async fn answer(line: &str, daemon: Rc<Daemon>) -> Result<Value, Failure> {
    let request: Request =
        serde_json::from_str(line).map_err(|error| format!("this is not a request: {error}"))?;
    table::run(daemon, &request.command, request.arguments).await
}
