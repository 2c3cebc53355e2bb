//! What somebody wants who logs in: a name, and by what right.

use std::sync::Arc;

use crate::base::name::UserName;
use crate::base::secret::{Password, Token};

/// A name that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The name.
    pub name: UserName,
    /// By what right.
    pub claim: Claim,
    /// What the device calls itself.
    pub device: Arc<str>,
}

/// By what right a name is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is free.
    Guest,
    /// It is its owner who comes back.
    Token(Token),
    /// It is an account's, with this password.
    Password(Password),
    /// It is to become an account's, with this password and the code of an invitation.
    Register(Password, Option<Arc<str>>),
}
