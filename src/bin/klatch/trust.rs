//! What is done about a server that is seen for the first time.

use std::io::{BufRead, Write};

use klatch::client::UnknownServer;

use crate::clean;

/// Full screen: asks, before the screen is taken.
pub(crate) fn ask(unknown: &UnknownServer) -> bool {
    let mut terminal = std::io::stdout().lock();
    let question = format!(
        "The server {} is not known, and no authority vouches for it.\n\
         Its certificate is  {}\n\
         Compare it with what the server's operator says (klatchd prints it when it starts).\n\
         Trust it from now on? [y/N] ",
        clean::line(&unknown.server),
        unknown.fingerprint
    );
    if terminal.write_all(question.as_bytes()).and_then(|()| terminal.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Line mode: trusts and says so.
pub(crate) fn accept(unknown: &UnknownServer) -> bool {
    let file = unknown.known_servers.as_ref();
    let file = file.map_or("nowhere".into(), |file| file.display().to_string());
    crate::exit::note(&format!(
        "{} is not known; its certificate {} is trusted from now on (remembered in {file})",
        unknown.server, unknown.fingerprint
    ));
    true
}
