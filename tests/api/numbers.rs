//! The forms of a number, and what is no possible number.

use rstest::rstest;

use crate::app::{sign_in, spawn_app};

#[rstest]
#[case("4526091045", 4_526_091_045)]
#[case("+4526091045", 4_526_091_045)]
#[case("004526091045", 4_526_091_045)]
#[case(" +45 26 09 10 45 ", 4_526_091_045)]
#[case("+45 26-09.10(45)", 4_526_091_045)]
#[case("(+45) 26 09 10 45", 4_526_091_045)]
#[case("[0045] 26091045", 4_526_091_045)]
#[case("+1 (212) 555-0123", 12_125_550_123)]
#[case("4512345678", 4_512_345_678)]
#[case("491511234567", 491_511_234_567)]
#[tokio::test]
async fn a_number_is_sent_as_digits(#[case] to: &str, #[case] msisdn: u64) {
    let app = spawn_app().await;
    assert_eq!(app.send(sign_in(to, "493817")).await.status, 200);
    assert_eq!(app.received_one().msisdn, msisdn);
}

#[rstest]
#[case::empty("")]
#[case::one_digit("1")]
#[case::too_long("12345678901234567890123456789012")]
#[case::far_too_long(&"4".repeat(60_000))]
#[case::national("26091045")]
#[case::letters("+4526O91045")]
#[case::vanity("+1800FLOWERS")]
#[case::two_plus("++4526091045")]
#[case::extension("+4526091045;ext=7")]
#[case::no_country("+9991234567")]
#[case::arabic_digits("+٤٥٢٦٠٩١٠٤٥")]
#[tokio::test]
async fn what_is_no_possible_number_is_refused(#[case] to: &str) {
    let app = spawn_app().await;
    let answer = app.send(sign_in(to, "493817")).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("phone number"), "{}", answer.body);
    assert_eq!(app.gatewayapi.requests(), 0);
}
