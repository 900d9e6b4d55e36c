//! Who calls: whether it is Logto or an operator, and whether a delivery report is GatewayAPI's.

mod report_verifier;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

pub use self::report_verifier::{ReportVerifier, SignatureError};
use crate::config::Secrets;

/// Knows the `Authorization` headers that Logto may send.
#[derive(Clone)]
pub struct LogtoAuthorization(Digests);

impl LogtoAuthorization {
    pub fn of(authorizations: &Secrets) -> Self {
        Self(Digests::of(authorizations))
    }

    /// Whether this whole header value is one of them.
    pub fn admits(&self, header: &[u8]) -> bool {
        self.0.contain(header)
    }
}

/// Knows the tokens of operators, who say `Authorization: Bearer <token>`.
#[derive(Clone)]
pub struct OperatorAuthorization(Digests);

impl OperatorAuthorization {
    pub fn of(tokens: &Secrets) -> Self {
        Self(Digests::of(tokens))
    }

    /// Whether this header value bears one of them.
    pub fn admits(&self, header: &[u8]) -> bool {
        const SCHEME: &[u8] = b"Bearer ";
        let Some((scheme, token)) = header.split_at_checked(SCHEME.len()) else { return false };
        scheme.eq_ignore_ascii_case(SCHEME) && self.0.contain(token.trim_ascii())
    }
}

/// The value of the only `Authorization` header: two are a smuggler's, whichever of them is right.
pub fn only_authorization(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut values = headers.get_all(AUTHORIZATION);
    let only = values.next()?;
    values.next().is_none().then_some(only)
}

/// Secrets, known by their digests, which are compared in constant time, and all of them: the time taken tells nothing
/// of a secret or its length.
#[derive(Clone)]
struct Digests(Vec<[u8; 32]>);

impl Digests {
    fn of(secrets: &Secrets) -> Self {
        Self(secrets.iter().map(|value| digest(value.trim().as_bytes())).collect())
    }

    fn contain(&self, value: &[u8]) -> bool {
        let given = digest(value);
        self.0.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&given)).into()
    }
}

fn digest(value: &[u8]) -> [u8; 32] {
    Sha256::digest(value).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(toml: &str) -> Secrets {
        let config = config::Config::builder().add_source(config::File::from_str(toml, config::FileFormat::Toml));
        config.build().unwrap().get("authorization").unwrap()
    }

    fn authorization(toml: &str) -> LogtoAuthorization {
        LogtoAuthorization::of(&secrets(toml))
    }

    #[test]
    fn the_whole_header_must_be_equal() {
        let authorization = authorization(r#"authorization = "Bearer secret""#);
        assert!(authorization.admits(b"Bearer secret"));
        for wrong in ["", "Bearer", "Bearer secre", "Bearer secret ", "bearer secret", "secret", "Bearer secret2"] {
            assert!(!authorization.admits(wrong.as_bytes()), "{wrong:?}");
        }
    }

    #[test]
    fn each_of_a_list_is_let_in() {
        let authorization = authorization(r#"authorization = ["Bearer old", "Bearer new"]"#);
        assert!(authorization.admits(b"Bearer old"));
        assert!(authorization.admits(b"Bearer new"));
        assert!(!authorization.admits(b"Bearer old,Bearer new"));
    }

    #[test]
    fn an_operator_bears_one_of_the_tokens() {
        let authorization = OperatorAuthorization::of(&secrets(r#"authorization = ["old", "new"]"#));
        for right in ["Bearer old", "bearer new", "BEARER  new"] {
            assert!(authorization.admits(right.as_bytes()), "{right:?}");
        }
        for wrong in ["", "old", "Bearer", "Bearer ", "Bearer ol", "Basic old", "Bearer old new", "Bearer old,new"] {
            assert!(!authorization.admits(wrong.as_bytes()), "{wrong:?}");
        }
    }
}
