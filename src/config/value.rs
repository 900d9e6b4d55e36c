//! The forms in which a single value is written.

use std::{collections::BTreeMap, fmt, net::SocketAddr, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, de};
use url::{Host, Url};

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

/// As it is written in the configuration.
impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(24 * 3600, "d"), (3600, "h"), (60, "m")];
        let (seconds, rest) = (self.0.as_secs(), self.0.subsec_nanos());
        if rest > 0 {
            return humantime::format_duration(self.0).fmt(f);
        }
        // One day is "24h", because limits of a day count any 24 hours.
        let fits = |(unit, name): &(u64, &str)| seconds > 0 && seconds % unit == 0 && (seconds > *unit || *name != "d");
        let (unit, name) = UNITS.into_iter().find(fits).unwrap_or((1, "s"));
        write!(f, "{}{name}", seconds / unit)
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(duration)
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

/// A list, or one text in which commas or line breaks separate its values.
pub(super) fn list<'de, D, T, L>(deserializer: D) -> Result<L, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
    L: FromIterator<T>,
{
    let texts = match Texts::deserialize(deserializer)? {
        Texts::One(text) => {
            text.split([',', '\n']).filter(|value| !value.trim().is_empty()).map(ToOwned::to_owned).collect()
        }
        Texts::List(texts) => texts,
        Texts::Other => return Err(de::Error::custom("must be a list of texts in quotes, or one text with commas")),
    };
    // By its place, because it may be a number.
    let parse = |(at, text): (usize, &String)| {
        text.trim().parse().map_err(|error| de::Error::custom(format!("entry {}: {error}", at + 1)))
    };
    texts.iter().enumerate().map(parse).collect()
}

/// What may be secret, as it is written. serde's own errors would show a value of another type.
pub(super) enum Texts {
    One(String),
    List(Vec<String>),
    Other,
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts::One(text.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Some(Vec::new());
                while let Some(element) = list.next_element()? {
                    match (element, &mut texts) {
                        (Texts::One(text), Some(texts)) => texts.push(text),
                        _ => texts = None,
                    }
                }
                Ok(texts.map_or(Texts::Other, Texts::List))
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Texts, E> {
                Ok(Texts::Other)
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Texts, E> {
                Ok(Texts::Other)
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Texts, E> {
                Ok(Texts::Other)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
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

/// An `http` or `https` address. `Debug` shows neither user, password nor query, any of which may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// Proxies of the environment are for the world, not for this machine.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// What is sent there can be read on the way.
    pub(super) fn is_clear_text(&self) -> bool {
        self.0.scheme() == "http" && !self.is_loopback()
    }

    pub(super) fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0.origin().ascii_serialization(), self.0.path())
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
