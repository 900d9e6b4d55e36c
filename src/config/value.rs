//! The forms in which a single value is written.

use std::{collections::BTreeMap, fmt, net::SocketAddr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::sms::{Country, Sender};

/// Enums that are written as one of a few names. A wrong name is answered with the right ones.
macro_rules! named_values {
    ($($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal),+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type {
            $($variant,)+
        }

        impl $type {
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                match name.as_str() {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(serde::de::Error::custom(concat!("must be one of:" $(, " ", $name)+))),
                }
            }
        }
    )+};
}
pub(super) use named_values;

/// A duration: `"8s"`, `"10m"`, or a whole number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(Duration);

impl Seconds {
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"8s\", \"10m\" or a whole number of seconds")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
                Ok(Seconds(Duration::from_secs(seconds)))
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Seconds, E> {
                match u64::try_from(seconds) {
                    Ok(seconds) => self.visit_u64(seconds),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(seconds), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
                match text.trim().parse() {
                    Ok(seconds) => self.visit_u64(seconds),
                    Err(_) => humantime::parse_duration(text.trim())
                        .map(Seconds)
                        .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// The `Authorization` headers that are let in: one, or several while a secret is rotated.
#[derive(Debug, Clone)]
pub struct Authorizations(Vec<SecretString>);

impl Authorizations {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ExposeSecret::expose_secret)
    }

    pub(super) fn any_empty(&self) -> bool {
        self.0.is_empty() || self.iter().any(|value| value.trim().is_empty())
    }
}

impl<'de> Deserialize<'de> for Authorizations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Authorizations;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header value or a list of them")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Authorizations, E> {
                Ok(Authorizations(vec![value.into()]))
            }

            // serde's own errors would show the value.
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Authorizations, E> {
                Err(E::custom("must be a text: put it in quotes"))
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Authorizations, E> {
                self.visit_i64(0)
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Authorizations, E> {
                self.visit_i64(0)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Authorizations, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element::<String>()? {
                    values.push(value.into());
                }
                Ok(Authorizations(values))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// An `http` or `https` address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    pub const fn url(&self) -> &Url {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = &"an http or https address";
        // The address may hold credentials, so it is not repeated.
        let invalid = || de::Error::invalid_value(de::Unexpected::Other("something else"), expected);
        let url = Url::parse(text.trim()).map_err(|_| invalid())?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() { Ok(Self(url)) } else { Err(invalid()) }
    }
}

pub(super) fn listener<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    let expected = "must be an IP address and a port, such as 0.0.0.0:8080 or [::]:8080";
    text.trim().parse().map_err(|_| de::Error::custom(expected))
}

pub(super) fn sender<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sender, D::Error> {
    Sender::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

pub(super) fn senders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Country, Sender>, D::Error> {
    let mut senders = BTreeMap::new();
    for (code, sender) in BTreeMap::<String, String>::deserialize(deserializer)? {
        let country = Country::parse(&code)
            .ok_or_else(|| de::Error::custom(format!("`{code}` is not a two-letter ISO country code")))?;
        if senders.insert(country, Sender::parse(&sender).map_err(de::Error::custom)?).is_some() {
            return Err(de::Error::custom(format!("the country {} stands twice", country.as_str())));
        }
    }
    Ok(senders)
}
