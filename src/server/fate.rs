//! What a panic means: the end of one session, or of the process.

use crate::base::isolation;

/// `EX_SOFTWARE` of sysexits.h: a supervisor can tell a bug from a bad configuration.
pub const EXIT_CODE: i32 = 70;

/// Has every panic that is not contained end the process: what several sessions share may be left
/// half changed, and a fresh start is safer than going on. Clients come back by themselves.
pub fn decide_on_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let contained = isolation::is_contained();
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        if contained {
            // Without the panic's own text: it may quote what a client sent.
            log::error!(place = place; "a session failed and is closed; the server goes on");
            return;
        }
        report(panic);
        log::error!(place = place; "shared state failed: the server stops");
        #[expect(clippy::exit, reason = "nothing may run on what is left")]
        std::process::exit(EXIT_CODE);
    }));
}
