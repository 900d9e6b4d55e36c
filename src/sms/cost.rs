use std::{fmt, str::FromStr};

/// What messages cost, in millionths of a currency's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub micros: i64,
    pub currency: Currency,
}

impl Cost {
    /// Units of a currency that no list of messages costs, whatever the currency is worth.
    const ABSURD: f64 = 1e9;

    /// Of an amount in the currency's unit. `None`: no list of messages can cost that.
    pub fn of(amount: f64, currency: Currency) -> Option<Self> {
        (0.0..Self::ABSURD).contains(&amount).then(|| Self { micros: (amount * 1e6).round() as i64, currency })
    }

    /// Shares it among messages by their segments. The shares sum to it exactly: what is left over by rounding falls
    /// to the first messages.
    pub fn shares(self, segments: &[u32]) -> Vec<Self> {
        let weight = |&segments: &u32| i128::from(segments.max(1));
        let total: i128 = segments.iter().map(weight).sum();
        let micros = |segments| (i128::from(self.micros) * weight(segments)).div_euclid(total) as i64;
        let mut shares: Vec<_> = segments.iter().map(|segments| Self { micros: micros(segments), ..self }).collect();
        let rest = self.micros - shares.iter().map(|share| share.micros).sum::<i64>();
        for share in shares.iter_mut().take(usize::try_from(rest).unwrap_or_default()) {
            share.micros += 1;
        }
        shares
    }

    /// In the currency's unit.
    pub fn amount(self) -> f64 {
        self.micros as f64 / 1e6
    }

    /// Nobody is paid for sending.
    #[must_use]
    pub fn at_least_nothing(self) -> Self {
        Self { micros: self.micros.max(0), ..self }
    }
}

/// A currency by its ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency of a three-letter code, in either case.
    pub fn parse(code: &str) -> Option<Self> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_alphabetic).then(|| Self(code.map(|letter| letter.to_ascii_uppercase())))
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("three ASCII letters")
    }
}

impl FromStr for Currency {
    type Err = &'static str;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::parse(code).ok_or("not a three-letter ISO currency code")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn kroner(micros: i64) -> Cost {
        Cost { micros, currency: Currency::parse("dkk").unwrap() }
    }

    #[rstest]
    #[case(0.0, Some(0))]
    #[case(3.0, Some(3_000_000))]
    #[case(0.1, Some(100_000))]
    #[case(0.1234567, Some(123_457))]
    #[case(-0.01, None)]
    #[case(f64::NAN, None)]
    #[case(f64::INFINITY, None)]
    #[case(1e12, None)]
    fn an_amount_is_rounded_to_millionths_unless_it_is_absurd(#[case] amount: f64, #[case] micros: Option<i64>) {
        assert_eq!(Cost::of(amount, kroner(0).currency), micros.map(kroner));
    }

    #[rstest]
    #[case(120_000, &[1], &[120_000])]
    #[case(120_000, &[1, 1], &[60_000, 60_000])]
    #[case(400_000, &[1, 3], &[100_000, 300_000])]
    #[case(100, &[1, 1, 1], &[34, 33, 33])]
    #[case(1, &[1, 1], &[1, 0])]
    #[case(0, &[1, 2], &[0, 0])]
    fn a_cost_is_shared_by_segments(#[case] micros: i64, #[case] segments: &[u32], #[case] expected: &[i64]) {
        let shares: Vec<_> = kroner(micros).shares(segments).iter().map(|share| share.micros).collect();
        assert_eq!(shares, expected);
    }

    proptest! {
        #[test]
        fn no_part_of_a_cost_is_lost(
            micros in 0..1_000_000_000_000_000_i64,
            segments in prop::collection::vec(1..256_u32, 1..200),
        ) {
            let shares = kroner(micros).shares(&segments);
            prop_assert_eq!(shares.len(), segments.len());
            prop_assert_eq!(shares.iter().map(|share| share.micros).sum::<i64>(), micros);
        }
    }
}
