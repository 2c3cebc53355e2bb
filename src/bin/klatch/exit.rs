//! How the program ends: exit codes, after sysexits where they fit, and words on standard error.

use std::io::Write;
use std::process::ExitCode;

use klatch::client::Error;
use klatch::protocol::status::Code;

use crate::clean;

/// A message was refused.
pub(crate) const REFUSED: u8 = 1;
/// The command line makes no sense.
pub(crate) const USAGE: u8 = 64;
/// There is no connection, or none any more.
pub(crate) const NO_CONNECTION: u8 = 69;
/// The operating system failed.
pub(crate) const SYSTEM: u8 = 71;
/// The server's certificate is not one to be trusted.
pub(crate) const NOT_TRUSTED: u8 = 76;
/// The server does not take the name.
pub(crate) const NO_NAME: u8 = 77;
/// Ended by a signal.
pub(crate) const INTERRUPTED: u8 = 130;

/// Says on standard error what went wrong.
pub(crate) fn fail(code: u8, text: &str) -> ExitCode {
    note(text);
    code.into()
}

/// Says on standard error why there is no session.
pub(crate) fn fail_with(error: &Error) -> ExitCode {
    fail(code(error), &error.to_string())
}

/// A line on standard error. That nobody may be reading it is no error.
pub(crate) fn note(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "klatch: {}", clean::lines(text)));
}

/// Whether the server refused the name, so that another could be tried.
pub(crate) fn is_about_name(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            Code::NameInvalid
                | Code::NameReserved
                | Code::NameTaken
                | Code::NameRegistered
                | Code::BadCredentials
                | Code::GuestsDenied
                | Code::RegistrationClosed
                | Code::InviteInvalid
                | Code::PasswordWeak
        )
    )
}

fn code(error: &Error) -> u8 {
    if is_about_name(error) {
        return NO_NAME;
    }
    if matches!(error, Error::Trust(_)) {
        return NOT_TRUSTED;
    }
    if matches!(error, Error::Address(_)) { USAGE } else { NO_CONNECTION }
}
