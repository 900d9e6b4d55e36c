//! What number and address tell alone: lists and kinds of lines.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::{Limit, LimitSet, Refusal, Rule, Rules};
use crate::{
    config::{self, Mode, Party, TestNumber},
    sms::{Country, LineType, Recipient, Timestamp},
};

/// How a message stands before anything is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// To a test number: answered as sent, and not sent.
    Test,
    /// `limits.always_allow`: nothing is counted.
    Exempt,
    /// Counted, with the address where it counts.
    Limited { ip: Option<IpAddr>, monitored: LimitSet },
}

#[derive(Debug)]
pub(super) struct Lists {
    countries: Mode,
    allow: Vec<Country>,
    deny: Vec<Country>,
    line_types: Mode,
    refuse: Vec<LineType>,
    trusted_networks: Vec<IpNet>,
    always_allow: Vec<Party>,
    denied: Vec<Party>,
    test_numbers: Vec<TestNumber>,
}

impl Lists {
    pub(super) fn of(limits: &config::Limits) -> Self {
        Self {
            countries: limits.countries.mode,
            allow: limits.countries.allow.iter().copied().collect(),
            deny: limits.countries.deny.iter().copied().collect(),
            line_types: limits.line_types.mode,
            refuse: limits.line_types.refuse.clone(),
            trusted_networks: limits.trusted_networks.clone(),
            always_allow: limits.always_allow.clone(),
            denied: limits.deny.clone(),
            test_numbers: limits.test_numbers.clone(),
        }
    }
}

impl Rules {
    /// What can be said without looking at what was sent before.
    ///
    /// # Errors
    ///
    /// When a list refuses the number, its country or the address.
    pub fn examine(&self, recipient: Recipient, ip: Option<IpAddr>, now: Timestamp) -> Result<Standing, Refusal> {
        let lists = &self.lists;
        // An IPv4 address may come as an IPv6 one, which no list of networks would know.
        let ip = ip.map(|ip| ip.to_canonical());
        let digits = recipient.msisdn.digits();
        let is_test = |test: &TestNumber| test.digits == digits && test.until.is_none_or(|until| now < until);
        if lists.test_numbers.iter().any(is_test) {
            return Ok(Standing::Test);
        }
        let refuses = |limit| Err(Refusal { limit, rule: Rule::List, wait: None });
        // The more exact entry wins, and of two equal ones the refusal.
        let denied = exactness(&lists.denied, recipient, ip);
        let allowed = exactness(&lists.always_allow, recipient, ip);
        if denied.is_some() && denied >= allowed {
            return refuses(Limit::Deny);
        }
        if allowed.is_some() {
            return Ok(Standing::Exempt);
        }
        let mut monitored = LimitSet::default();
        let is_refused_country = match recipient.country {
            Some(country) => {
                lists.deny.contains(&country) || !(lists.allow.is_empty() || lists.allow.contains(&country))
            }
            None => !lists.allow.is_empty(),
        };
        let is_refused_line = lists.refuse.contains(&recipient.line_type);
        for (is_refused, limit, mode) in [
            (is_refused_country, Limit::Countries, lists.countries),
            (is_refused_line, Limit::LineTypes, lists.line_types),
        ] {
            match mode {
                Mode::Enforce if is_refused => return refuses(limit),
                Mode::Monitor if is_refused => monitored.insert(limit),
                _ => {}
            }
        }
        let counts = |ip: &IpAddr| !is_private(*ip) && !lists.trusted_networks.iter().any(|net| net.contains(ip));
        Ok(Standing::Limited { ip: ip.filter(counts), monitored })
    }
}

/// How exactly an entry means a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exactness {
    Country,
    /// With the length of its prefix.
    Network(u8),
    /// With how many digits it gives.
    Numbers(usize),
    Number,
}

/// How exactly the best entry means this message; `None`: none does.
fn exactness(parties: &[Party], recipient: Recipient, ip: Option<IpAddr>) -> Option<Exactness> {
    if parties.is_empty() {
        return None;
    }
    let number = recipient.msisdn.digits();
    let digits = number.to_string();
    let exactness = |party: &Party| match party {
        Party::Country(country) => (recipient.country == Some(*country)).then_some(Exactness::Country),
        Party::Network(network) => {
            ip.is_some_and(|ip| network.contains(&ip)).then(|| Exactness::Network(network.prefix_len()))
        }
        Party::Numbers(beginning) => digits.starts_with(beginning).then_some(Exactness::Numbers(beginning.len())),
        Party::Number(whole) => (number == *whole).then_some(Exactness::Number),
    };
    parties.iter().filter_map(exactness).max()
}

/// Not an address of the world: a proxy's that was not told whom it speaks for, or one's own network.
fn is_private(ip: IpAddr) -> bool {
    /// Shared by an operator's subscribers (RFC 6598).
    const SHARED: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10);
    match ip {
        IpAddr::V4(ip) => {
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || SHARED.contains(&ip)
        }
        IpAddr::V6(ip) => is_private_v6(ip),
    }
}

const fn is_private_v6(ip: Ipv6Addr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
}
