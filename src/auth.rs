//! Who calls: whether it is Logto, and whether a delivery report is GatewayAPI's.

mod report_verifier;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

pub use self::report_verifier::{ReportVerifier, SignatureError};
use crate::config::Secrets;

/// Knows the `Authorization` headers that Logto may send.
///
/// Compares digests in constant time, and all of them, so that the time taken tells nothing of a secret or its length.
#[derive(Clone)]
pub struct LogtoAuthorization(Vec<[u8; 32]>);

impl LogtoAuthorization {
    pub fn of(authorizations: &Secrets) -> Self {
        Self(authorizations.iter().map(|value| digest(value.trim().as_bytes())).collect())
    }

    /// Whether this whole header value is one of them.
    pub fn admits(&self, header: &[u8]) -> bool {
        let given = digest(header);
        self.0.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&given)).into()
    }
}

fn digest(value: &[u8]) -> [u8; 32] {
    Sha256::digest(value).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization(toml: &str) -> LogtoAuthorization {
        let config = config::Config::builder().add_source(config::File::from_str(toml, config::FileFormat::Toml));
        LogtoAuthorization::of(&config.build().unwrap().get("authorization").unwrap())
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
}
