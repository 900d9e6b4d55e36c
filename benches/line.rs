//! The pure parts of the line: parse, choose, render, encode.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use gatewayapi_sms_connector::{
    config::{Settings, Source},
    limits::{Charging, Memory, Pseudonyms, Rules, Touched},
    sms::{Payload, Recipient, Timestamp, UsageType, measure, warm_up},
    templates::{Locales, TemplateOptions, TemplateSet},
};
use serde_json::json;

fn parse(criterion: &mut Criterion) {
    warm_up();
    let mut group = criterion.benchmark_group("parse");
    for (name, number) in
        [("DK", "4526091045"), ("US", "+12015550123"), ("DE", "+49 1512 3456789"), ("invalid", "+4512")]
    {
        assert_eq!(Recipient::parse(number).is_ok(), name != "invalid", "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| Recipient::parse(black_box(number))));
    }
    group.finish();
}

fn choose(criterion: &mut Criterion) {
    let ours = ["ar", "de", "en", "es", "fr", "nb", "pt-BR", "pt-PT", "ru", "zh-CN", "zh-HK", "zh-TW"];
    let locales = Locales::new(ours).expect("the tags are right");
    let mut group = criterion.benchmark_group("choose");
    for (requested, expected) in [("en", "en"), ("es-419", "es"), ("zh-Hant-TW", "zh-TW")] {
        assert_eq!(locales.find(requested).map(|index| locales.written(index)), Some(expected));
        group.bench_function(requested, |bencher| bencher.iter(|| locales.choose([black_box(requested)])));
    }
    group.finish();
}

fn render(criterion: &mut Criterion) {
    let constants = json!({ "brand": "Example", "ttl_minutes": 10 });
    let options = TemplateOptions {
        default_locale: "en".to_owned(),
        constants: constants.as_object().expect("an object").clone(),
        max_segments: 3,
    };
    let templates = TemplateSet::load(None, &options).expect("the built-in templates are right");

    let mut group = criterion.benchmark_group("render");
    for (usage_type, locale) in [
        (UsageType::SignIn, "en"),
        (UsageType::SignIn, "ru"),
        (UsageType::SignIn, "es-419"),
        (UsageType::OrganizationInvitation, "en"),
    ] {
        let payload: Payload =
            serde_json::from_value(json!({ "code": "123456", "locale": locale })).expect("an object is a payload");
        group.bench_function(format!("{usage_type}/{locale}"), |bencher| {
            bencher.iter(|| templates.render(usage_type, black_box(&payload)));
        });
    }
    group.finish();

    criterion.bench_function("load", |bencher| bencher.iter(|| TemplateSet::load(None, &options)));
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for (name, text) in [
        ("GSM 03.38", "Example: 123456 is your code to sign in. It expires in 10 min. Don't share it with anyone."),
        ("UCS-2", "Example: 123456 — код для входа. Действует 10 мин. Никому его не сообщайте."),
    ] {
        assert_eq!(measure(text).encoding.alphabet(), name);
        group.bench_function(name, |bencher| bencher.iter(|| measure(black_box(text))));
    }
    group.finish();
}

fn limit(criterion: &mut Criterion) {
    let required = [
        ("SMS_LOGTO__AUTHORIZATION", "Bearer benchmark"),
        ("SMS_GATEWAYAPI__API_TOKEN", "token"),
        ("SMS_GATEWAYAPI__SENDER", "Example"),
    ];
    let environment = required.map(|(name, value)| (name.into(), value.into())).into();
    let source = Source { environment, ..Source::default() };
    let rules = Rules::of(&Settings::load(&source).expect("the defaults are right").settings.limits);
    let pseudonyms = Pseudonyms::new(b"a key of thirty-two bytes, or so");
    let recipient = Recipient::parse("4526091045").expect("a number");
    let ip = "198.51.100.7".parse().expect("an address");
    let now = Timestamp::from_seconds(1_800_000_000);

    let touch = || Touched {
        number: pseudonyms.number(recipient.msisdn),
        ip: Some(pseudonyms.address(ip)),
        ranges: pseudonyms.ranges(recipient.msisdn),
        country: recipient.country,
    };
    let touched = touch();
    let mut group = criterion.benchmark_group("limit");
    group.bench_function("examine", |bencher| bencher.iter(|| rules.examine(black_box(recipient), Some(ip), now)));
    group.bench_function("pseudonyms", |bencher| bencher.iter(|| black_box(touch())));
    group.bench_function("decide/passes", |bencher| {
        let memory = || Memory::new(1000, rules.longest_period());
        let decide = |memory: &mut Memory, now| rules.decide(black_box(&touched), None, Charging::Ask, now, memory);
        let known = || {
            let mut memory = memory();
            assert!(decide(&mut memory, now).result.is_ok());
            memory
        };
        let later = Timestamp::from_seconds(1_800_000_000 + 3600);
        bencher.iter_batched_ref(known, |memory| decide(memory, later), BatchSize::SmallInput);
    });
    group.bench_function("decide/refused", |bencher| {
        let mut memory = Memory::new(1000, rules.longest_period());
        let mut decide = || rules.decide(black_box(&touched), None, Charging::Ask, now, &mut memory);
        assert!(decide().result.is_ok() && decide().result.is_err());
        bencher.iter(decide);
    });
    group.finish();
}

criterion_group!(line, parse, choose, render, encode, limit);
criterion_main!(line);
