//! Limits that all messages of a country, or all messages, share.

use super::*;

/// A number of its own each time.
fn danes(count: u32) -> impl Iterator<Item = Message> {
    (0..count).map(|nth| to(&format!("+45{}", 20_000_000 + nth * 10_000)))
}

#[test]
fn a_country_has_its_rates() {
    let mut service = Service::with("limits.country = { mode = 'enforce', rates = ['10/1h', '50/24h'] }");
    assert_eq!(service.send_all(danes(20)), 10);
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Country, Rule::Rates, 6 * MINUTE));
    service.send(to(SWEDISH)).unwrap();
}

#[test]
fn home_countries_are_not_counted() {
    let mut service =
        Service::with("limits.home_countries = ['dk']\nlimits.country = { mode = 'enforce', rates = '1/1h' }");
    assert_eq!(service.send_all(danes(20)), 20);
    assert_eq!(service.send_all([SWEDISH, "+46701234568"].map(to)), 1);
}

#[test]
fn a_country_may_have_rates_of_its_own() {
    let mut service = Service::with(
        "limits.country = { mode = 'enforce', rates = '1/1h', override = { DK = ['3/1h'], SE = [], NO = '2/1h' } }
         limits.home_countries = 'NO'",
    );
    assert_eq!(service.send_all(danes(20)), 3);
    assert_eq!(service.send_all((10..40).map(|last| to(&format!("+467012345{last}")))), 30);
    assert_eq!(service.send_all((10..20).map(|last| to(&format!("+47406123{last}")))), 10, "home is home");
    assert_eq!(service.send_all(["+4915123456789", "+4915123456788"].map(to)), 1);
}

#[test]
fn numbers_of_no_country_share_rates() {
    let mut service = Service::with("limits.country = { mode = 'enforce', rates = '2/1h' }");
    assert_eq!(service.send_all(danes(5).map(Message::in_no_country)), 2);
    service.send(to(DANISH)).unwrap();
}

#[test]
fn the_service_has_its_rates() {
    let mut service = Service::with("limits.service.rates = ['5/1m', '8/1h']");
    assert_eq!(service.send_all(danes(20)), 5);
    assert_eq!(service.refusal(to(SWEDISH)), refused(Limit::Service, Rule::Rates, 12 * SECOND));
    assert_eq!(service.later(MINUTE).send_all(danes(20)), 3);
}

#[test]
fn the_service_is_not_limited_by_default() {
    assert_eq!(Service::with("").send_all(danes(500)), 500);
}

/// Their rate of an hour can't refuse what their day has let pass, and so on: all or none.
#[test]
fn rates_of_a_subject_are_charged_together() {
    let mut service = Service::with("limits.service.rates = ['1/1m', '3/1h']");
    for _ in 0..100 {
        let _ = service.send(to(DANISH));
        let _ = service.send(to(SWEDISH));
        service.later(SECOND);
    }
    assert_eq!(service.later(MINUTE).send_all([GERMAN, AMERICAN].map(to)), 1, "the hour's third");
}
