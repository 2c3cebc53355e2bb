//! One order for a certificate, from the account to the chain (RFC 8555).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::{Deserialize, Serialize};

use super::https::Https;
use crate::config::Acme;
use crate::transport::certificate::{self, MakeError};
use crate::transport::challenge::{Awaited, Challenges, ProofError};

/// How long the authority may take to look at proofs, and to make the certificate.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(90));
/// How often it is asked why a proof failed, and how long one waits in between.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Authority(#[from] Error),
    #[error("the proof failed: {0}")]
    Refused(String),
    #[error(
        "the authority does not offer tls-alpn-01 for {0}, and this server knows no other proof"
    )]
    NoWay(String),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error("no key can be made: {0}")]
    Key(#[from] rcgen::Error),
    #[error(transparent)]
    Write(#[from] MakeError),
    #[error("{0}")]
    Setup(#[from] io::Error),
    #[error("{} is damaged: {source}; remove it, and another account is made", path.display())]
    Account { path: PathBuf, source: serde_json::Error },
    #[error("what the authority gave is not for all of acme.domains")]
    Names,
    #[error("what the authority gave cannot be used: {0}")]
    Unusable(#[from] crate::transport::tls::TlsError),
    #[error("the authority takes too long")]
    Late,
}

/// The account as it lies in the state directory.
#[derive(Serialize, Deserialize)]
struct Kept<C> {
    directory: String,
    credentials: C,
}

/// Gets a certificate: its key and its chain, in PEM.
pub(super) async fn gain(
    wanted: &Acme,
    state_dir: &Path,
    challenges: &Challenges,
) -> Result<String, Failure> {
    let names: Vec<_> = wanted.domains.iter().cloned().map(Identifier::Dns).collect();
    let account = Box::pin(account(wanted, state_dir)).await?;
    let mut order = match Box::pin(account.new_order(&NewOrder::new(&names))).await {
        Err(error) if is_unknown(&error) => {
            log::warn!("the authority does not know our account any more: another is made");
            std::fs::remove_file(account_file(state_dir))?;
            let another = Box::pin(self::account(wanted, state_dir)).await?;
            Box::pin(another.new_order(&NewOrder::new(&names))).await?
        }
        order => order?,
    };
    let proofs = Box::pin(prove(&mut order, challenges)).await?;
    match Box::pin(order.poll_ready(&PATIENCE)).await {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => {}
        Ok(_) | Err(Error::Api(_)) => return Err(Box::pin(why(&mut order)).await),
        Err(error) => return Err(error.into()),
    }
    drop(proofs);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(wanted.domains.clone())?;
    params.distinguished_name = DistinguishedName::new();
    Box::pin(order.finalize_csr(params.serialize_request(&key)?.der())).await?;
    let chain = Box::pin(order.poll_certificate(&PATIENCE)).await?;
    Ok(key.serialize_pem() + &chain)
}

fn account_file(state_dir: &Path) -> PathBuf {
    state_dir.join("acme-account.json")
}

/// Whether the authority has forgotten the account.
fn is_unknown(error: &Error) -> bool {
    let Error::Api(problem) = error else { return false };
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:accountDoesNotExist")
}

/// The account at this authority; a new one if there is none.
async fn account(wanted: &Acme, state_dir: &Path) -> Result<Account, Failure> {
    let path = account_file(state_dir);
    let builder = Account::builder_with_http(Box::new(Https::new(wanted.trust.as_deref())?));
    if path.exists() {
        let text = std::fs::read(&path)?;
        let kept: Kept<AccountCredentials> = serde_json::from_slice(&text)
            .map_err(|source| Failure::Account { path: path.clone(), source })?;
        if kept.directory == wanted.directory {
            return Ok(builder.from_credentials(kept.credentials).await?);
        }
    }
    let contact = wanted.contact.as_ref().map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = builder.create(&new, wanted.directory.clone(), None).await?;
    let kept = Kept { directory: wanted.directory.clone(), credentials };
    let text = serde_json::to_vec(&kept).map_err(Error::from)?;
    certificate::write(&path, &text, 0o600)?;
    Ok(account)
}

/// Gives the proofs that the authority still asks for.
async fn prove(order: &mut Order, challenges: &Challenges) -> Result<Vec<Awaited>, Failure> {
    let mut given = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let name = authorization.identifier().to_string();
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        let mut challenge = challenge.ok_or_else(|| Failure::NoWay(name.clone()))?;
        let mut digest = [0; 32];
        digest.copy_from_slice(challenge.key_authorization().digest().as_ref());
        given.push(challenges.prove(&name, &digest)?);
        challenge.set_ready().await?;
    }
    Ok(given)
}

/// Why the authority did not take the proofs. It may say that the order has failed a moment before
/// it says why (Pebble does), so it is asked more than once.
async fn why(order: &mut Order) -> Failure {
    for _ in 0..LOOKS {
        let told = refused(order).await;
        if !told.is_empty() {
            return Failure::Refused(told.join("; "));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Failure::Refused("the authority does not say why".to_owned())
}

/// What it says of each proof now.
async fn refused(order: &mut Order) -> Vec<String> {
    let mut told = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        match authorization.refresh().await {
            Ok(state) => {
                let errors = state.challenges.iter().filter_map(|one| one.error.as_ref());
                told.extend(errors.map(|error| format!("{name}: {error}")));
            }
            Err(error) => told.push(format!("{name}: {error}")),
        }
    }
    told
}
