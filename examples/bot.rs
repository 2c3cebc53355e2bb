//! An echo bot: says again what is said to it. `cargo run --example bot -- 127.0.0.1:5528`

use klatch::client::{Client, Error, Event};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5528".into());
    let builder = Client::builder(&server).name("echo").room("lobby");
    let (client, mut events) = builder.on_unknown_server(|_| true).connect().await?;
    while let Some(event) = events.next().await {
        if let Event::Message(message) = event
            && let Some(text) = message.text.strip_prefix("echo: ")
            && message.from != *client.name()
        {
            client.say(&message.room, text).await?;
        }
    }
    Ok(())
}
