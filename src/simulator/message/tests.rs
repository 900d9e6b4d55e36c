use super::*;
use rstest::rstest;
use serde_json::{Value, json};

/// A good message with some fields changed; `null` takes one away.
fn message(changes: Value) -> Value {
    let mut message = json!({"message": "123456 is your code", "recipients": [{"msisdn": 4526091045u64}]});
    let fields = message.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(fields.remove(name)),
            _ => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    message
}

fn read(body: &Value) -> Result<Vec<Message>, (u16, Option<u16>)> {
    parse(body.to_string().as_bytes()).map_err(|refusal| (refusal.status, refusal.code()))
}

fn recipients(numbers: impl IntoIterator<Item = u64>) -> Value {
    json!({"recipients": numbers.into_iter().map(|msisdn| json!({"msisdn": msisdn})).collect::<Vec<_>>()})
}

const MALFORMED: (u16, Option<u16>) = (400, None);

#[rstest]
#[case(json!({"recipients": [{"msisdn": "4526091045"}]}))]
#[case(json!({"recipients": [{"msisdn": 999999999999999u64}]}))]
#[case(json!({"sender": "ExampleShop"}))]
#[case(json!({"sender": "123456789012345"}))]
#[case(json!({"sender": "Ærø Øl Å 12"}))]
#[case(json!({"encoding": "UTF8"}))]
#[case(json!({"encoding": "UCS2"}))]
#[case(json!({"class": "secret"}))]
#[case(json!({"class": "premium", "priority": "VERY_URGENT"}))]
#[case(json!({"priority": "BULK"}))]
#[case(json!({"destaddr": "DISPLAY"}))]
#[case(json!({"validity_period": 60}))]
#[case(json!({"userref": "u".repeat(64)}))]
#[case(json!({"callback_url": "https://example.com/reports?a=b"}))]
#[case(json!({"label": "logto"}))]
#[case(json!({"max_parts": 1}))]
#[case(json!({"max_parts": 255}))]
fn a_message_within_the_contract_is_read(#[case] changes: Value) {
    assert_eq!(read(&message(changes)).unwrap().len(), 1);
}

#[rstest]
#[case::no_text(json!({"message": null}))]
#[case::empty_text(json!({"message": ""}))]
#[case::text_of_another_type(json!({"message": 123456}))]
#[case::no_recipients(json!({"recipients": null}))]
#[case::empty_recipients(json!({"recipients": []}))]
#[case::bare_numbers(json!({"recipients": [4526091045u64]}))]
#[case::plus_sign(json!({"recipients": [{"msisdn": "+4526091045"}]}))]
#[case::empty_number(json!({"recipients": [{"msisdn": ""}]}))]
#[case::zeros_in_front(json!({"recipients": [{"msisdn": "004526091045"}]}))]
#[case::sixteen_digits(json!({"recipients": [{"msisdn": 4526091045000000u64}]}))]
#[case::zero(json!({"recipients": [{"msisdn": 0}]}))]
#[case::negative(json!({"recipients": [{"msisdn": -4526091045i64}]}))]
#[case::fraction(json!({"recipients": [{"msisdn": 4526091045.0}]}))]
#[case::unknown_in_recipient(json!({"recipients": [{"msisdn": 4526091045u64, "name": "A"}]}))]
#[case::empty_sender(json!({"sender": ""}))]
#[case::long_sender(json!({"sender": "ExampleShops"}))]
#[case::long_numeric_sender(json!({"sender": "1234567890123456"}))]
#[case::line_break_in_sender(json!({"sender": "A\nB"}))]
#[case::unknown_encoding(json!({"encoding": "GSM7"}))]
#[case::unknown_priority(json!({"priority": "HIGH"}))]
#[case::lower_case_priority(json!({"priority": "normal"}))]
#[case::class_of_another_type(json!({"class": 1}))]
#[case::unknown_destaddr(json!({"destaddr": "FLASH"}))]
#[case::short_validity(json!({"validity_period": 59}))]
#[case::validity_as_text(json!({"validity_period": "60"}))]
#[case::long_userref(json!({"userref": "u".repeat(65)}))]
#[case::userref_beyond_ascii(json!({"userref": "ø"}))]
#[case::userref_as_number(json!({"userref": 7}))]
#[case::relative_callback(json!({"callback_url": "/reports"}))]
#[case::callback_of_another_scheme(json!({"callback_url": "ftp://example.com/"}))]
#[case::empty_label(json!({"label": ""}))]
#[case::no_parts(json!({"max_parts": 0}))]
#[case::too_many_parts(json!({"max_parts": 256}))]
#[case::longer_than_its_cap(json!({"message": "a".repeat(161), "max_parts": 1}))]
#[case::unknown_field(json!({"user_ref": "x"}))]
fn a_message_outside_the_contract_is_refused_without_a_code(#[case] changes: Value) {
    assert_eq!(read(&message(changes)).err(), Some(MALFORMED));
}

#[rstest]
fn what_is_no_message_is_refused_without_a_code(
    #[values("", "{", "[]", "null", "7", "\"text\"", "[7]", "<html>", "{} {}")] body: &str,
) {
    let refusal = parse(body.as_bytes()).err().unwrap();
    assert_eq!((refusal.status, refusal.code()), MALFORMED);
}

#[rstest]
#[case::unknown_class(json!({"class": "gold"}), (422, Some(0x0218)))]
#[case::same_recipient_twice(recipients([4526091045, 4526091046, 4526091045]), (422, Some(0x0310)))]
#[case::urgent_without_premium(json!({"priority": "URGENT"}), (422, Some(0x0311)))]
#[case::very_urgent_secret(json!({"priority": "VERY_URGENT", "class": "secret"}), (422, Some(0x0311)))]
#[case::link(json!({"message": "See https://example.com"}), (422, Some(0x0312)))]
#[case::plain_link(json!({"message": "HTTP://EXAMPLE.COM"}), (422, Some(0x0312)))]
fn a_rule_with_a_code_is_named(#[case] changes: Value, #[case] expected: (u16, Option<u16>)) {
    assert_eq!(read(&message(changes)).err(), Some(expected));
}

#[test]
fn a_bare_domain_is_no_link() {
    assert!(read(&message(json!({"message": "Your code is 123456.\n\n@example.com #123456"}))).is_ok());
}

#[test]
fn a_message_has_at_most_ten_thousand_recipients() {
    assert!(read(&message(recipients(4_526_000_000..4_526_010_000))).is_ok());
    assert_eq!(read(&message(recipients(4_526_000_000..4_526_010_001))).err(), Some(MALFORMED));
}

#[test]
fn a_recipient_may_stand_in_two_messages_of_a_list() {
    assert_eq!(read(&json!([message(json!({})), message(json!({}))])).unwrap().len(), 2);
}

#[test]
fn class_and_label_are_equal_over_a_list() {
    let list = |one: Value, other: Value| read(&json!([message(one), message(other)])).map(|list| list.len());
    assert_eq!(list(json!({"class": "standard", "label": "a"}), json!({"label": "a"})), Ok(2));
    assert_eq!(list(json!({"class": "premium"}), json!({})), Err(MALFORMED));
    assert_eq!(list(json!({"label": "a"}), json!({"label": "b"})), Err(MALFORMED));
    assert_eq!(list(json!({"label": "a"}), json!({})), Err(MALFORMED));
}

#[test]
fn one_bad_message_refuses_its_list() {
    let list = json!([message(json!({})), message(json!({"message": "https://example.com"}))]);
    assert_eq!(read(&list).err(), Some((422, Some(0x0312))));
}

#[rstest]
#[case::short("123456", "UTF8", 1, true)]
#[case::long(&"a".repeat(161), "UTF8", 2, true)]
#[case::latin_as_ucs2(&"a".repeat(71), "UCS2", 2, true)]
#[case::cyrillic(&"ж".repeat(71), "UCS2", 2, true)]
#[case::emoji_pairs(&"🎉".repeat(67), "UCS2", 3, true)]
#[case::cyrillic_as_gsm(&"ж".repeat(71), "UTF8", 1, false)]
fn parts_are_counted_in_the_encoding_of_the_message(
    #[case] text: &str,
    #[case] encoding: &str,
    #[case] parts: u32,
    #[case] lossless: bool,
) {
    let messages = read(&message(json!({"message": text, "encoding": encoding}))).unwrap();
    assert_eq!((messages[0].parts(), messages[0].is_lossless()), (parts, lossless));
}
