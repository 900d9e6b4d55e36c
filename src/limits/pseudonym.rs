//! What stands for a number or an address in memory and in the ledger: a keyed hash, for the space of phone numbers is
//! small enough to try them all against one without a key.

use std::net::{IpAddr, Ipv6Addr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::sms::Msisdn;

/// The first 64 bits of an HMAC-SHA256. Among a million subjects two are equal once in ten million ledgers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pseudonym(i64);

impl Pseudonym {
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// As databases keep it.
    pub const fn bits(self) -> i64 {
        self.0
    }
}

/// Makes pseudonyms with one key, which all replicas share.
#[derive(Clone)]
pub struct Pseudonyms(Hmac<Sha256>);

impl Pseudonyms {
    pub fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    pub fn number(&self, msisdn: Msisdn) -> Pseudonym {
        self.of(b'n', &msisdn.digits().to_be_bytes())
    }

    /// Of the numbers that differ from this one in their last three, or four, digits only.
    pub fn ranges(&self, msisdn: Msisdn) -> [Pseudonym; 2] {
        [1_000, 10_000].map(|numbers| {
            let range = [numbers, msisdn.digits() / numbers].map(u64::to_be_bytes);
            self.of(b'r', range.as_flattened())
        })
    }

    /// Of an IPv4 address, or of an IPv6 network of 64 bits, which is what one subscriber has.
    pub fn address(&self, ip: IpAddr) -> Pseudonym {
        match ip.to_canonical() {
            IpAddr::V4(ip) => self.of(b'4', &ip.octets()),
            IpAddr::V6(ip) => self.of(b'6', &Ipv6Addr::octets(&ip)[..8]),
        }
    }

    fn of(&self, kind: u8, subject: &[u8]) -> Pseudonym {
        let mut mac = self.0.clone();
        mac.update(&[kind]);
        mac.update(subject);
        let hash = mac.finalize().into_bytes();
        Pseudonym(i64::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::Recipient;

    fn msisdn(text: &str) -> Msisdn {
        Recipient::parse(text).unwrap().msisdn
    }

    #[test]
    fn a_pseudonym_depends_on_the_key() {
        let number = msisdn("4526091045");
        assert_eq!(Pseudonyms::new(b"one").number(number), Pseudonyms::new(b"one").number(number));
        assert_ne!(Pseudonyms::new(b"one").number(number), Pseudonyms::new(b"two").number(number));
    }

    #[test]
    fn numbers_of_a_range_differ_in_their_last_digits() {
        let pseudonyms = Pseudonyms::new(b"key");
        let ranges = |text| pseudonyms.ranges(msisdn(text));
        assert_eq!(ranges("4526091045"), ranges("4526091999"));
        assert_eq!(ranges("4526091045")[1], ranges("4526099999")[1]);
        assert_ne!(ranges("4526091045")[0], ranges("4526099999")[0]);
        assert_ne!(ranges("4526091045")[0], ranges("4526091045")[1]);
    }

    #[test]
    fn an_ipv6_address_counts_as_its_network() {
        let address = |text: &str| Pseudonyms::new(b"key").address(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_ne!(address("203.0.113.7"), address("203.0.113.8"));
    }
}
