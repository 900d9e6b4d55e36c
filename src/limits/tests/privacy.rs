use super::*;

#[test]
fn debug_shows_no_digit_of_a_number() {
    let rules = rules(
        "",
        "limits.always_allow = ['+4526091045', '+452777*', 'DK', '198.51.100.0/24']
         limits.deny = ['+4526091045', '+452777*']
         limits.test_numbers = ['+4526091045', '+4526091045 until 2030-12-31']",
    );
    let shown = format!("{rules:?}");
    assert!(["2609", "1045", "2777", "198.51"].iter().all(|digits| !shown.contains(digits)), "{shown}");
    assert!(shown.contains("2031-01-01") && shown.contains("DK"), "{shown}");
    let standing = rules.examine(to(SWEDISH).recipient, None, Timestamp::from_seconds(1)).unwrap();
    assert!(!format!("{standing:?}").contains("4567"));
}
