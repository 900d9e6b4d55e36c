use std::{fmt, str::FromStr};

use super::errors::ErrorCode;

/// How the whole simulator behaves, whoever the recipients are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Behaviour {
    #[default]
    Normal,
    /// 429 with `Retry-After: 1`.
    RateLimiting,
    /// This HTTP status without an error code.
    Failing(u16),
    /// Takes connections, reads requests and never answers.
    Dead,
    /// Reads a request, accepts nothing and closes the connection.
    Dropping,
    /// Accepts the messages and closes the connection without an answer.
    DroppingAfterAcceptance,
    /// Accepts the messages and answers 200 with what is no JSON.
    Garbling,
    /// This error code with its status, such as 0x0216 for insufficient credit.
    AccountFault(u16),
}

impl Behaviour {
    /// As [`FromStr`] reads them, for help texts.
    pub const NAMES: &'static str = "normal, rate-limiting, failing[:STATUS], dead, dropping, \
        dropping-after-acceptance, garbling, account-fault[:CODE]";
}

/// A text that names no [`Behaviour`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not one of {}", Behaviour::NAMES)]
pub struct UnknownBehaviour;

impl FromStr for Behaviour {
    type Err = UnknownBehaviour;

    fn from_str(text: &str) -> Result<Self, UnknownBehaviour> {
        let (name, argument) = text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)));
        match (name, argument) {
            ("normal", None) => Some(Self::Normal),
            ("rate-limiting", None) => Some(Self::RateLimiting),
            ("failing", argument) => status(argument.unwrap_or("503")).map(Self::Failing),
            ("dead", None) => Some(Self::Dead),
            ("dropping", None) => Some(Self::Dropping),
            ("dropping-after-acceptance", None) => Some(Self::DroppingAfterAcceptance),
            ("garbling", None) => Some(Self::Garbling),
            ("account-fault", argument) => code(argument.unwrap_or("0x0216")).map(Self::AccountFault),
            _ => None,
        }
        .ok_or(UnknownBehaviour)
    }
}

fn status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| (300..=599).contains(status))
}

fn code(text: &str) -> Option<u16> {
    let code = u16::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
    ErrorCode::find(code).map(|known| known.code)
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::RateLimiting => f.write_str("rate-limiting"),
            Self::Failing(status) => write!(f, "failing:{status}"),
            Self::Dead => f.write_str("dead"),
            Self::Dropping => f.write_str("dropping"),
            Self::DroppingAfterAcceptance => f.write_str("dropping-after-acceptance"),
            Self::Garbling => f.write_str("garbling"),
            Self::AccountFault(code) => write!(f, "account-fault:0x{code:04X}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("normal", Behaviour::Normal)]
    #[case("rate-limiting", Behaviour::RateLimiting)]
    #[case("failing:502", Behaviour::Failing(502))]
    #[case("dead", Behaviour::Dead)]
    #[case("dropping", Behaviour::Dropping)]
    #[case("dropping-after-acceptance", Behaviour::DroppingAfterAcceptance)]
    #[case("garbling", Behaviour::Garbling)]
    #[case("account-fault:0x022A", Behaviour::AccountFault(0x022A))]
    fn a_behaviour_is_read_as_it_is_written(#[case] text: &str, #[case] behaviour: Behaviour) {
        assert_eq!(text.parse(), Ok(behaviour));
        assert_eq!(behaviour.to_string(), text);
    }

    #[test]
    fn status_and_code_have_defaults() {
        assert_eq!("failing".parse(), Ok(Behaviour::Failing(503)));
        assert_eq!("account-fault".parse(), Ok(Behaviour::AccountFault(0x0216)));
    }

    #[rstest]
    fn other_texts_are_no_behaviour(
        #[values("", "Normal", "normal:1", "failing:200", "failing:x", "account-fault:0x0999", "account-fault:216")]
        text: &str,
    ) {
        assert_eq!(text.parse::<Behaviour>(), Err(UnknownBehaviour));
    }
}
