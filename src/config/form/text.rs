//! Texts: lines, words, paths, addresses and names.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use hyper::http::Uri;
use ipnet::IpNet;
use log::LevelFilter;
use rustls_pki_types::ServerName;

use super::{Form, Origin, Written};
use crate::base::name::{RoomName, UserName};

/// Forms whose value shows itself as it is written.
macro_rules! parsed {
    ($($(#[doc = $doc:literal])* $form:ident($type:ty), $expected:literal, $parse:expr;)*) => {
        $(
            $(#[doc = $doc])*
            pub(in crate::config) struct $form;

            impl Form<$type> for $form {
                fn expected() -> String {
                    $expected.into()
                }

                fn read(written: &Written) -> Result<$type, String> {
                    let parse: fn(&str) -> Result<$type, String> = $parse;
                    parse(written.text()?)
                }

                fn show(value: &$type) -> toml::Value {
                    toml::Value::String(value.to_string())
                }
            }
        )*
    };
}

parsed! {
    /// Where to listen.
    Address(SocketAddr),
        "an address with a port, such as \"[::]:5528\" or \"127.0.0.1:5528\"",
        |text| text.parse().map_err(|_| "this is not an address with a port".into());

    /// A network, or one address.
    Network(IpNet), "a network or an address, such as \"10.0.0.0/8\" or \"2001:db8::1\"",
        |text| text
            .parse()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| "this is neither a network nor an address".into());

    /// Where a page comes from.
    Page(Origin), "an origin, such as \"https://chat.example.org\"", Origin::parse;

    /// What a certificate can be made out to.
    Host(String), "a DNS name or an address, such as \"chat.example.org\" or \"192.0.2.7\"",
        |text| ServerName::try_from(text)
            .map(|_| text.into())
            .map_err(|_| "this is neither a DNS name nor an address".into());

    /// What an authority can make a certificate out to.
    Domain(String), "a public DNS name, such as \"chat.example.org\"", domain;

    /// Where something is on the web.
    Url(String), "an https address, such as \"https://ca.example.org/directory\"",
        |text| match text.parse::<Uri>() {
            Ok(uri) if uri.scheme_str() == Some("https") && uri.host().is_some() => Ok(text.into()),
            Ok(_) => Err("this does not begin with https:// and a host".into()),
            Err(error) => Err(error.to_string()),
        };

    /// Where letters go to.
    Mail(String), "an address, such as \"chat@example.org\"",
        |text| match text.split_once('@') {
            Some((who, host)) if !who.is_empty()
                && host.contains('.')
                && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, ',' | '?' | ':')) =>
            {
                Ok(text.into())
            }
            _ => Err("this is not an address of mail".into()),
        };

    /// The name of a room that people can join.
    Room(RoomName), "the name of a room, such as \"lobby\"",
        |text| match RoomName::parse(text) {
            Ok(name) if name.is_direct() => Err("this names the talk of two people".into()),
            Ok(name) => Ok(name),
            Err(error) => Err(error.to_string()),
        };

    /// The name of a person.
    User(UserName), "a name that a person could take, such as \"billing\"",
        |text| UserName::parse(text).map_err(|error| error.to_string());
}

/// The name in lower case; those that no public authority certifies are refused.
fn domain(text: &str) -> Result<String, String> {
    match ServerName::try_from(text) {
        Ok(ServerName::DnsName(_)) if text.ends_with('.') => Err("leave out the last dot".into()),
        Ok(ServerName::DnsName(_)) if !text.contains('.') => {
            Err("this is a name of your own network: no public authority vouches for it".into())
        }
        Ok(ServerName::DnsName(_)) => Ok(text.to_ascii_lowercase()),
        Err(_) if text.starts_with("*.") => {
            Err("one connection proves one name: name each, without the star".into())
        }
        Err(_) if !text.is_ascii() => Err("write it in its ASCII form, xn--...".into()),
        _ => Err("this is not a DNS name".into()),
    }
}

/// A path.
pub(in crate::config) struct File;

impl Form<PathBuf> for File {
    fn expected() -> String {
        "a path".into()
    }

    fn read(written: &Written) -> Result<PathBuf, String> {
        written.text().map(PathBuf::from)
    }

    fn show(value: &PathBuf) -> toml::Value {
        toml::Value::String(value.display().to_string())
    }
}

/// One line for people.
pub(in crate::config) struct Line<const BYTES: usize>;

impl<const BYTES: usize> Form<String> for Line<BYTES> {
    fn expected() -> String {
        format!("one line of at most {BYTES} bytes")
    }

    fn read(written: &Written) -> Result<String, String> {
        let line = written.text()?;
        if line.len() > BYTES {
            return Err(format!("this has {} bytes", line.len()));
        }
        match line.chars().find(|c| c.is_control()) {
            Some(c) => Err(format!("this has the control character U+{:04X}", u32::from(c))),
            None => Ok(line.into()),
        }
    }

    fn show(value: &String) -> toml::Value {
        toml::Value::String(value.clone())
    }
}

/// One of few words.
pub(in crate::config) struct Word;

/// A type that has a word for each of its values.
pub(in crate::config) trait Words: Copy + fmt::Display + 'static {
    /// All of them.
    const ALL: &'static [Self];
}

impl<T: Words> Form<T> for Word {
    fn expected() -> String {
        let words: Vec<String> = T::ALL.iter().map(|one| format!("\"{}\"", word(one))).collect();
        words.join(" or ")
    }

    fn read(written: &Written) -> Result<T, String> {
        let text = written.text()?;
        let found = T::ALL.iter().find(|one| word(*one) == text.to_lowercase());
        found.copied().ok_or_else(|| "this word has no meaning here".into())
    }

    fn show(value: &T) -> toml::Value {
        toml::Value::String(word(value))
    }
}

fn word<T: Words>(value: &T) -> String {
    // Log levels show themselves in capitals.
    value.to_string().to_lowercase()
}

macro_rules! words {
    ($($(#[doc = $doc:literal])* pub enum $name:ident { $($(#[doc = $d:literal])* $variant:ident = $word:literal,)* })*) => {
        $($(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $d])* $variant,)* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)* })
            }
        }

        impl Words for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
        })*
    };
}

words! {
    /// How plain TCP, without TLS, is treated.
    pub enum Plain {
        /// Accepted from this machine's own loopback addresses.
        Loopback = "loopback",
        /// Refused.
        Never = "never",
    }

    /// Who may make an account.
    pub enum Registration {
        /// Everybody.
        Open = "open",
        /// Who has an invitation.
        Invite = "invite",
        /// Nobody.
        Closed = "closed",
    }

    /// Where what is said is kept.
    pub enum Engine {
        /// In a database file.
        Sqlite = "sqlite",
        /// In memory.
        Memory = "memory",
    }
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

impl Words for Switch {
    const ALL: &'static [Self] = &[Self::On, Self::Off];
}

impl Words for LevelFilter {
    const ALL: &'static [Self] =
        &[Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];
}
