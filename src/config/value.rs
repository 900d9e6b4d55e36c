//! The forms in which a single value is written.

use std::{collections::BTreeMap, fmt, net::SocketAddr, str::FromStr, time::Duration};

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

/// A secret, or several of which each is good while one replaces another.
#[derive(Debug, Clone)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ExposeSecret::expose_secret)
    }

    pub(super) fn any_empty(&self) -> bool {
        self.0.is_empty() || self.iter().any(|value| value.trim().is_empty())
    }

    /// Short enough to be guessed.
    pub(super) fn any_short(&self) -> bool {
        self.iter().any(is_short)
    }
}

/// Short enough to be guessed.
pub(super) fn is_short(secret: &str) -> bool {
    secret.len() < 16
}

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Secrets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Secrets, E> {
                Ok(Secrets(vec![value.into()]))
            }

            // serde's own errors would show the value.
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secrets, E> {
                Err(E::custom("must be a text: put it in quotes"))
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secrets, E> {
                self.visit_i64(0)
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secrets, E> {
                self.visit_i64(0)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Secrets, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element::<String>()? {
                    values.push(value.into());
                }
                Ok(Secrets(values))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// A list, or one text in which commas separate its values.
pub(super) fn list<'de, D, T, L>(deserializer: D) -> Result<L, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
    L: FromIterator<T> + IntoIterator<Item = T>,
{
    struct Visitor;

    impl<'de> de::Visitor<'de> for Visitor {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list, or texts separated by commas")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(text.split(',').filter(|value| !value.trim().is_empty()).map(ToOwned::to_owned).collect())
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut values = Vec::new();
            while let Some(value) = list.next_element()? {
                values.push(value);
            }
            Ok(values)
        }
    }

    let texts = deserializer.deserialize_any(Visitor)?;
    texts.iter().map(|text| text.trim().parse().map_err(de::Error::custom)).collect()
}

/// A map whose keys may be written in either case, but none twice.
pub(super) fn map<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: FromStr<Err: fmt::Display> + Ord,
    V: Deserialize<'de>,
{
    let mut map = BTreeMap::new();
    for (written, value) in BTreeMap::<String, V>::deserialize(deserializer)? {
        let key = written.parse().map_err(|error| de::Error::custom(format!("`{written}`: {error}")))?;
        if map.insert(key, value).is_some() {
            return Err(de::Error::custom(format!("`{written}` stands twice")));
        }
    }
    Ok(map)
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
    let senders: BTreeMap<Country, String> = map(deserializer)?;
    let sender = |(country, text): (_, String)| Sender::parse(&text).map(|sender| (country, sender));
    senders.into_iter().map(sender).collect::<Result<_, _>>().map_err(de::Error::custom)
}
