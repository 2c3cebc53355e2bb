//! Accounts for tests.

use klatch::protocol::event::Event;
use klatch::protocol::reply::LoggedIn;
use klatch::protocol::request::{Login, Register};

use super::{TestClient, TestServer};

/// A new account, online and in its rooms.
pub(crate) fn account(server: &TestServer, name: &str) -> TestClient {
    let mut client = server.connect();
    client.hello();
    let register = Register {
        name: name.into(),
        password: "correct horse".into(),
        invite: None,
        device: None,
        timeout_ms: None,
    };
    let LoggedIn { rooms, token, .. } = client.request(&register).expect("an account");
    client.token = Some(token);
    for _ in rooms {
        client.expect(|event| matches!(event, Event::Room(_)).then_some(()));
    }
    client
}

/// The account once more, by the token of another session's login.
pub(crate) fn again(
    server: &TestServer,
    name: &str,
    client: &TestClient,
) -> (TestClient, LoggedIn) {
    let mut next = server.connect();
    next.hello();
    let logged_in = next.try_login(name, client.token.clone()).expect("a name");
    for _ in &logged_in.rooms {
        next.expect(|event| matches!(event, Event::Room(_)).then_some(()));
    }
    (next, logged_in)
}

/// The account on one device more.
pub(crate) fn another_device(server: &TestServer, name: &str) -> TestClient {
    let mut client = server.connect();
    client.hello();
    let password = Some("correct horse".into());
    let login = Login { password, ..Login::guest(name.into()) };
    let rooms = client.request(&login).unwrap().rooms.len();
    for _ in 0..rooms {
        client.expect(|event| matches!(event, Event::Room(_)).then_some(()));
    }
    client
}
