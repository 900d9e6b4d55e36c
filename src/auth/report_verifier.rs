use std::fmt;

use actix_web::http::header::HeaderMap;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::Secrets;

const SIGNATURE: &str = "x-gwapi-signature";

/// Knows whether a delivery report is GatewayAPI's: its signature is a JWT (RFC 7519), signed with a secret that we
/// share, whose claims are the whole report.
///
/// GatewayAPI's tokens name no time at which they expire, so one can be sent again by whoever saw it.
#[derive(Clone)]
pub struct ReportVerifier(Vec<DecodingKey>);

/// Why a delivery report is not GatewayAPI's, or can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("no signature")]
    Missing,
    #[error("several signatures")]
    Several,
    #[error("no JWT")]
    Malformed,
    /// Any but the three that need our secret, above all `none`.
    #[error("an algorithm other than HS256, HS384 and HS512")]
    Algorithm,
    #[error("a signature made with another secret, or of other claims")]
    Wrong,
}

impl SignatureError {
    /// For metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "no_signature",
            Self::Several => "several_signatures",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Wrong => "signature",
        }
    }
}

/// What we read of a JWT's header.
#[derive(Deserialize)]
struct JoseHeader {
    alg: Option<Value>,
}

impl ReportVerifier {
    pub fn of(secrets: &Secrets) -> Self {
        Self(secrets.iter().map(|secret| DecodingKey::from_secret(secret.trim().as_bytes())).collect())
    }

    /// The claims of a request's signature. `None`: they are no JSON object, though it is GatewayAPI's.
    pub fn verify(&self, headers: &HeaderMap) -> Result<Option<Map<String, Value>>, SignatureError> {
        let mut signatures = headers.get_all(SIGNATURE);
        match (signatures.next(), signatures.next()) {
            (None, _) => Err(SignatureError::Missing),
            (Some(token), None) => self.claims(token.to_str().map_err(|_| SignatureError::Malformed)?),
            // Two headers are a smuggler's, whichever of them is right.
            (Some(_), Some(_)) => Err(SignatureError::Several),
        }
    }

    fn claims(&self, token: &str) -> Result<Option<Map<String, Value>>, SignatureError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(SignatureError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(SignatureError::Malformed)?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| SignatureError::Malformed)?;
        let header: JoseHeader = serde_json::from_slice(&header).map_err(|_| SignatureError::Malformed)?;
        let algorithm = match header.alg.as_ref().and_then(Value::as_str) {
            Some("HS256") => Algorithm::HS256,
            Some("HS384") => Algorithm::HS384,
            Some("HS512") => Algorithm::HS512,
            _ => return Err(SignatureError::Algorithm),
        };
        let is_of = |key| matches!(crypto::verify(signature, signed.as_bytes(), key, algorithm), Ok(true));
        if !self.0.iter().any(is_of) {
            return Err(SignatureError::Wrong);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).ok();
        Ok(claims.and_then(|claims| serde_json::from_slice(&claims).ok()))
    }
}

/// Shows no secret.
impl fmt::Debug for ReportVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReportVerifier({} secrets)", self.0.len())
    }
}

#[cfg(test)]
mod tests;
