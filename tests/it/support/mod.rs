//! A server in this process or its own on a port of its own, and a client that speaks the protocol by hand.

pub(crate) mod admin;
pub(crate) mod authority;
pub(crate) mod client;
pub(crate) mod daemon;
pub(crate) mod people;
pub(crate) mod server;
pub(crate) mod spilt;
pub(crate) mod web;

pub(crate) use client::TestClient;
pub(crate) use server::{TestServer, open_limits};
