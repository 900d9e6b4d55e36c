//! How a text travels: its alphabet and the number of segments it takes, each of which is billed.
//!
//! GSM 03.38 is 3GPP TS 23.038's default alphabet with its basic extension table (section 6.2.1).

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

/// The alphabet of a message on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// GSM 03.38: 160 septets, or 153 in each segment of several.
    Gsm7,
    /// UCS-2: 70 UTF-16 units, or 67 in each segment of several.
    Ucs2,
}

impl Encoding {
    /// GatewayAPI's name for it, also in logs, metrics and JSON. Its `UTF8` means the GSM 03.38 alphabet.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "UTF8",
            Self::Ucs2 => "UCS2",
        }
    }

    /// The alphabet's name, for people.
    pub const fn alphabet(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM 03.38",
            Self::Ucs2 => "UCS-2",
        }
    }

    /// Units that fit a message of one segment, and each segment of a longer one.
    const fn capacity(self) -> (u32, u32) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    /// The units of a character.
    const fn width(self, character: char) -> u32 {
        match self {
            Self::Gsm7 => match septets(character) {
                Some(septets) => septets,
                None => 1,
            },
            Self::Ucs2 => character.len_utf16() as u32,
        }
    }
}

/// What [`measure`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    pub encoding: Encoding,
    /// Septets in GSM 03.38, UTF-16 units in UCS-2.
    pub units: u32,
    pub segments: u32,
    /// The first character outside GSM 03.38: what forced UCS-2.
    pub first_outside_gsm: Option<char>,
}

/// Chooses the encoding of a text and counts its segments.
///
/// A character of two units (an extension pair, a surrogate pair) never straddles two segments.
pub fn measure(text: &str) -> Measure {
    let first_outside_gsm = text.chars().find(|&character| septets(character).is_none());
    let encoding = if first_outside_gsm.is_none() { Encoding::Gsm7 } else { Encoding::Ucs2 };
    let units = text.chars().map(|character| encoding.width(character)).sum();
    let segments = 1 + starts(text, encoding, units).map_or(0, |starts| starts.count() as u32);
    Measure { encoding, units, segments, first_outside_gsm }
}

/// A character that makes a text dearer, and how often it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Costly {
    #[schema(value_type = String, examples("ó"))]
    pub character: char,
    pub count: usize,
    pub why: WhyCostly,
}

/// Why a character is dear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyCostly {
    /// It has no place in GSM 03.38 and forces UCS-2, where a segment holds 70 characters instead of 160.
    OutsideGsm,
    /// Of the extension table: it takes two septets.
    TwoSeptets,
}

/// The characters that make a text dearer than others would, in the order in which they first come. In UCS-2 those of
/// GSM 03.38 are not to blame.
pub fn costly(text: &str) -> Vec<Costly> {
    let Measure { encoding, .. } = measure(text);
    let mut found: Vec<Costly> = Vec::new();
    let mut places = HashMap::new();
    for character in text.chars() {
        let why = match (encoding, septets(character)) {
            (Encoding::Ucs2, None) => WhyCostly::OutsideGsm,
            (Encoding::Gsm7, Some(2)) => WhyCostly::TwoSeptets,
            _ => continue,
        };
        let place = *places.entry(character).or_insert(found.len());
        match found.get_mut(place) {
            Some(costly) => costly.count += 1,
            None => found.push(Costly { character, count: 1, why }),
        }
    }
    found
}

/// Where each segment after the first begins, in characters (Unicode scalar values).
pub fn segment_starts(text: &str) -> Vec<usize> {
    let Measure { encoding, units, .. } = measure(text);
    starts(text, encoding, units).into_iter().flatten().collect()
}

/// Of a text of so many units. `None`: it fits one segment.
fn starts(text: &str, encoding: Encoding, units: u32) -> Option<impl Iterator<Item = usize>> {
    let (single, split) = encoding.capacity();
    let mut used = 0;
    let starts = text.chars().enumerate().filter_map(move |(at, character)| {
        let width = encoding.width(character);
        let is_full = used + width > split;
        used = if is_full { width } else { used + width };
        is_full.then_some(at)
    });
    (units > single).then_some(starts)
}

/// Septets of a character in GSM 03.38: 1 in the default alphabet, 2 in the extension table, `None` outside.
const fn septets(character: char) -> Option<u32> {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '\n' | '\r' | ' '..='#' | '%'..='?' => Some(1),
        '@' | '$' | '_' | '£' | '¥' | '¤' | '§' | '¡' | '¿' => Some(1),
        'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Æ' | 'æ' | 'ß' | 'É' => Some(1),
        'Ä' | 'Ö' | 'Ñ' | 'Ü' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        'Δ' | 'Φ' | 'Γ' | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' => Some(1),
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{c}' => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// 3GPP TS 23.038, section 6.2.1: the default alphabet by code (ESC left out), and the extension table.
    const DEFAULT_ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
        ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION_TABLE: &str = "\u{c}^{}\\[~]|€";

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        assert_eq!(DEFAULT_ALPHABET.chars().count(), 127);
        for character in '\0'..=char::MAX {
            let expected = match character {
                c if DEFAULT_ALPHABET.contains(c) => Some(1),
                c if EXTENSION_TABLE.contains(c) => Some(2),
                _ => None,
            };
            assert_eq!(septets(character), expected, "{character:?}");
        }
    }

    #[rstest]
    #[case::empty("", Encoding::Gsm7, 0, 1)]
    #[case::full_segment(&"a".repeat(160), Encoding::Gsm7, 160, 1)]
    #[case::one_more(&"a".repeat(161), Encoding::Gsm7, 161, 2)]
    #[case::two_full(&"a".repeat(306), Encoding::Gsm7, 306, 2)]
    #[case::three(&"a".repeat(307), Encoding::Gsm7, 307, 3)]
    #[case::extension(&"€".repeat(80), Encoding::Gsm7, 160, 1)]
    #[case::pair_moves_on(&format!("{}{}{}", "a".repeat(152), "€", "a".repeat(152)), Encoding::Gsm7, 306, 3)]
    #[case::pair_fits(&format!("{}{}{}", "a".repeat(151), "€", "a".repeat(153)), Encoding::Gsm7, 306, 2)]
    #[case::cyrillic(&"ж".repeat(70), Encoding::Ucs2, 70, 1)]
    #[case::cyrillic_split(&"ж".repeat(71), Encoding::Ucs2, 71, 2)]
    #[case::emoji(&"🎉".repeat(35), Encoding::Ucs2, 70, 1)]
    #[case::surrogates_move_on(&"🎉".repeat(67), Encoding::Ucs2, 134, 3)]
    #[case::small_cedilla("ç", Encoding::Ucs2, 1, 1)]
    #[case::capital_cedilla("Ç", Encoding::Gsm7, 1, 1)]
    fn segments_are_counted_as_they_are_billed(
        #[case] text: &str,
        #[case] encoding: Encoding,
        #[case] units: u32,
        #[case] segments: u32,
    ) {
        let found = measure(text);
        assert_eq!((found.encoding, found.units, found.segments), (encoding, units, segments));
    }

    #[test]
    fn the_character_that_forced_ucs2_is_named() {
        assert_eq!(measure("Código `x`").first_outside_gsm, Some('ó'));
        assert_eq!(measure("{code} €").first_outside_gsm, None);
    }

    #[rstest]
    #[case("Code 123", &[])]
    #[case("{x} €", &[('{', 1, WhyCostly::TwoSeptets), ('}', 1, WhyCostly::TwoSeptets), ('€', 1, WhyCostly::TwoSeptets)])]
    #[case("€ Código, código 🎉", &[('ó', 2, WhyCostly::OutsideGsm), ('🎉', 1, WhyCostly::OutsideGsm)])]
    fn costly_characters_are_named_once(#[case] text: &str, #[case] expected: &[(char, usize, WhyCostly)]) {
        let found: Vec<_> = costly(text).iter().map(|c| (c.character, c.count, c.why)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_segment_starts_where_the_one_before_is_full() {
        assert_eq!(segment_starts(&"a".repeat(160)), [0_usize; 0]);
        assert_eq!(segment_starts(&"a".repeat(161)), [153]);
        assert_eq!(segment_starts(&format!("{}€{}", "a".repeat(152), "a".repeat(152))), [152, 304]);
        assert_eq!(segment_starts(&"🎉".repeat(67)), [33, 66]);
    }

    proptest! {
        #[test]
        fn each_segment_but_the_first_has_a_start(text in "\\PC{0,400}") {
            prop_assert_eq!(segment_starts(&text).len() + 1, measure(&text).segments as usize);
        }

        #[test]
        fn segments_hold_the_units_and_none_is_wasted(text in "\\PC{0,400}") {
            let found = measure(&text);
            let (single, split) = found.encoding.capacity();
            if found.segments == 1 {
                prop_assert!(found.units <= single);
            } else {
                prop_assert!(found.units > single);
                prop_assert!(found.units <= found.segments * split);
                // Each but the last may end one unit early, for a pair that did not fit.
                prop_assert!(found.units > (found.segments - 1) * (split - 1));
            }
        }

        #[test]
        fn a_longer_text_never_takes_fewer_segments(text in "[a-z€]{0,400}", more in "[a-z€]{1,20}") {
            let longer = measure(&format!("{text}{more}")).segments;
            prop_assert!(longer >= measure(&text).segments);
        }
    }
}
