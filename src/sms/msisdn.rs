use std::{fmt, str::FromStr};

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, enums::Region,
};

/// A phone number in E.164: calling code and national number, at most 15 digits.
///
/// `Debug` shows it masked, and there is no `Display`: a plain number goes to GatewayAPI and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Msisdn {
    digits: u64,
    /// How many of the digits are the calling code.
    calling_code_length: u8,
}

impl Msisdn {
    /// The digits with the calling code, as GatewayAPI's `msisdn` wants them.
    pub const fn digits(self) -> u64 {
        self.digits
    }

    /// The calling code, such as 45.
    pub const fn calling_code(self) -> u16 {
        let national_length = self.digits.ilog10() + 1 - self.calling_code_length as u32;
        (self.digits / 10_u64.pow(national_length)) as u16
    }

    /// For people and logs: calling code and last two digits, `+45******45`.
    pub fn masked(self) -> String {
        let digits = self.digits.to_string();
        let calling_code = usize::from(self.calling_code_length);
        let last = if digits.len() > calling_code + 4 { digits.len() - 2 } else { digits.len() };
        let mask = |(at, digit)| if (calling_code..last).contains(&at) { '*' } else { digit };
        std::iter::once('+').chain(digits.chars().enumerate().map(mask)).collect()
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// A country by its ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of a two-letter code, in either case.
    pub fn parse(code: &str) -> Option<Self> {
        let code: [u8; 2] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_alphabetic).then(|| Self(code.map(|letter| letter.to_ascii_uppercase())))
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("two ASCII letters")
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Country {
    type Err = &'static str;

    /// Takes only codes that a number's country can have: in a list, another one would never mean anybody.
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let is_known = |country: &Self| {
            PHONE_NUMBER_UTIL.get_supported_regions().any(|region| region.as_region_str().as_str() == country.as_str())
        };
        Self::parse(code).filter(is_known).ok_or("not the ISO code of a country, such as DK (GB, not UK)")
    }
}

/// What a number is used for, as far as its numbering plan tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineType {
    Mobile,
    /// The plan does not tell them apart: in Denmark or the United States this is an ordinary mobile number.
    FixedLineOrMobile,
    FixedLine,
    Voip,
    Personal,
    TollFree,
    PremiumRate,
    SharedCost,
    Pager,
    /// Universal access number: one number of an organization.
    Uan,
    Voicemail,
    /// Possible by its length, but in no range that the plan describes.
    Unknown,
}

impl LineType {
    pub const ALL: [Self; 12] = [
        Self::Mobile,
        Self::FixedLineOrMobile,
        Self::FixedLine,
        Self::Voip,
        Self::Personal,
        Self::TollFree,
        Self::PremiumRate,
        Self::SharedCost,
        Self::Pager,
        Self::Uan,
        Self::Voicemail,
        Self::Unknown,
    ];

    /// Its name in the configuration and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::FixedLineOrMobile => "fixed_line_or_mobile",
            Self::FixedLine => "fixed_line",
            Self::Voip => "voip",
            Self::Personal => "personal",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Pager => "pager",
            Self::Uan => "uan",
            Self::Voicemail => "voicemail",
            Self::Unknown => "unknown",
        }
    }

    /// The line type of this name; `premium` is another one for `premium_rate`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "premium" { Self::PremiumRate.as_str() } else { name };
        Self::ALL.into_iter().find(|line_type| line_type.as_str() == name)
    }
}

impl FromStr for LineType {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_name(name).ok_or(
            "must be one of: mobile fixed_line_or_mobile fixed_line voip personal toll_free premium_rate shared_cost \
             pager uan voicemail unknown",
        )
    }
}

/// Where a message goes: a number that is possible, of whatever line type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    pub msisdn: Msisdn,
    /// `None` for numbers that belong to no country, such as satellite phones.
    pub country: Option<Country>,
    pub line_type: LineType,
}

/// Why a text can't be a recipient's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("not a phone number")]
    NotANumber,
    #[error("no number of its country has this length")]
    NotPossible,
}

impl NumberError {
    /// For metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::NotPossible => "not_possible",
        }
    }
}

impl Recipient {
    /// Longer texts are no numbers: E.164 has 15 digits, and some punctuation may stand between them.
    const MAX_LENGTH: usize = 32;

    /// Reads a number as Logto sends it: `4526091045`, `+4526091045`, `004526091045`, with spaces, dashes, dots and
    /// brackets inside. Always with the calling code.
    ///
    /// # Errors
    ///
    /// When nobody can have the number: it is of no country, or of an impossible length. A possible number that is in
    /// no known range is accepted, because numbering plans change.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let number = PHONE_NUMBER_UTIL
            .parse(&international(text).ok_or(NumberError::NotANumber)?, None)
            .map_err(|_| NumberError::NotANumber)?;
        match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) {
            Ok(NumberLengthType::IsPossible) => {}
            Ok(_) | Err(_) => return Err(NumberError::NotPossible),
        }
        Self::of(&number).ok_or(NumberError::NotANumber)
    }

    fn of(number: &PhoneNumber) -> Option<Self> {
        let e164 = PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164);
        let digits = e164.strip_prefix('+').filter(|digits| digits.len() <= 15)?.parse().ok()?;
        let calling_code_length = number.country_code.to_string().len() as u8;
        // A possible number outside all known ranges has no region of its own: that of its calling code, then.
        let region = PHONE_NUMBER_UTIL
            .get_region_for_number(number)
            .or_else(|| PHONE_NUMBER_UTIL.get_region_for_country_code(number.country_code));
        Some(Self {
            msisdn: Msisdn { digits, calling_code_length },
            country: region.and_then(|region| Country::parse(region.as_region_str().as_str())),
            line_type: line_type(PHONE_NUMBER_UTIL.get_number_type(number)),
        })
    }
}

/// The text with `+` in front and nothing but digits behind.
fn international(text: &str) -> Option<String> {
    if text.len() > Recipient::MAX_LENGTH {
        return None;
    }
    let mut digits = String::with_capacity(text.len());
    let mut has_plus = false;
    for character in text.chars() {
        match character {
            '0'..='9' => digits.push(character),
            '+' if digits.is_empty() && !has_plus => has_plus = true,
            '-' | '.' | '(' | ')' | '[' | ']' => {}
            _ if character.is_whitespace() => {}
            _ => return None,
        }
    }
    let digits = if has_plus { digits.as_str() } else { digits.strip_prefix("00").unwrap_or(&digits) };
    Some(format!("+{digits}"))
}

const fn line_type(found: PhoneNumberType) -> LineType {
    match found {
        PhoneNumberType::Mobile => LineType::Mobile,
        PhoneNumberType::FixedLineOrMobile => LineType::FixedLineOrMobile,
        PhoneNumberType::FixedLine => LineType::FixedLine,
        PhoneNumberType::VoIP => LineType::Voip,
        PhoneNumberType::PersonalNumber => LineType::Personal,
        PhoneNumberType::TollFree => LineType::TollFree,
        PhoneNumberType::PremiumRate => LineType::PremiumRate,
        PhoneNumberType::SharedCost => LineType::SharedCost,
        PhoneNumberType::Pager => LineType::Pager,
        PhoneNumberType::UAN => LineType::Uan,
        PhoneNumberType::VoiceMail => LineType::Voicemail,
        PhoneNumberType::Unknown => LineType::Unknown,
    }
}

/// Loads the numbering plans, which the first number would otherwise wait for.
pub fn warm_up() {
    let example = PHONE_NUMBER_UTIL.get_example_number(Region::DK);
    if let Ok(number) = example {
        let _ = Recipient::of(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("4526091045", 45, LineType::FixedLineOrMobile)]
    #[case("+12125550123", 1, LineType::FixedLineOrMobile)]
    #[case("+4915123456789", 49, LineType::Mobile)]
    #[case("+3544101234", 354, LineType::FixedLine)]
    #[case("+390612345678", 39, LineType::FixedLine)]
    #[case("+376312345", 376, LineType::Mobile)]
    #[case("+881612345678", 881, LineType::Mobile)]
    #[case("+4590123456", 45, LineType::PremiumRate)]
    #[case("+18005551234", 1, LineType::TollFree)]
    #[case("+491800123456", 49, LineType::SharedCost)]
    fn a_number_has_a_calling_code_and_a_line_type(
        #[case] text: &str,
        #[case] calling_code: u16,
        #[case] line_type: LineType,
    ) {
        let recipient = Recipient::parse(text).unwrap();
        assert_eq!((recipient.msisdn.calling_code(), recipient.line_type), (calling_code, line_type));
    }

    #[test]
    fn a_line_type_is_read_by_its_name() {
        for line_type in LineType::ALL {
            assert_eq!(LineType::from_name(line_type.as_str()), Some(line_type));
        }
        assert_eq!(LineType::from_name("premium"), Some(LineType::PremiumRate));
        assert_eq!(LineType::from_name("Mobile"), None);
    }
}
