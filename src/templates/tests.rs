use super::*;
use rstest::rstest;
use serde_json::json;

fn options() -> TemplateOptions {
    let constants = json!({"brand": "ExampleShop", "ttl_minutes": 10});
    TemplateOptions {
        default_locale: "en".to_owned(),
        constants: constants.as_object().unwrap().clone(),
        max_segments: 3,
    }
}

fn payload(values: Value) -> Payload {
    values.as_object().unwrap().clone().into()
}

fn directory(files: &[(&str, Value)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, value) in files {
        std::fs::write(directory.path().join(name), value.to_string()).unwrap();
    }
    directory
}

/// Logto's four, the text of `SignIn` as given.
fn files(sign_in: Value) -> Vec<(&'static str, Value)> {
    let other = |usage_type: &str| json!({"usageType": usage_type, "content": format!("{usage_type} {{{{code}}}}")});
    vec![
        ("Generic.json", other("Generic")),
        ("Register.json", other("Register")),
        ("ForgotPassword.json", other("ForgotPassword")),
        ("SignIn.json", sign_in),
    ]
}

fn load(sign_in: Value) -> Result<TemplateSet, TemplateFaults> {
    TemplateSet::load(Some(directory(&files(sign_in)).path()), &options())
}

fn content(content: Value) -> Value {
    json!({"usageType": "SignIn", "content": content})
}

#[test]
fn logtos_own_vectors_pass() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../tests/vectors/render.json")).unwrap();
    assert_eq!(vectors.len(), 42);
    for vector in vectors {
        let template = PlaceholderTemplate::parse(vector["template"].as_str().unwrap());
        let text = template.render(|name| vector["payload"].get(name));
        assert_eq!(text.as_deref(), vector["expected"].as_str(), "{}", vector["template"]);
    }
}

#[test]
fn the_builtin_set_has_all_usage_types_in_all_languages_and_no_warning() {
    let set = TemplateSet::load(None, &options()).unwrap();
    assert_eq!(set.warnings(), []);
    assert_eq!(set.iter().count(), UsageType::COUNT);
    for (usage_type, locales) in set.iter() {
        assert_eq!(locales.iter().count(), 25, "{usage_type}");
    }
}

#[test]
fn the_language_is_the_first_of_the_persons_that_we_have() {
    let set = load(content(json!({"en": "en {{code}}", "es": "es {{code}}", "nb": "nb {{code}}"}))).unwrap();
    let locale = |values: Value| set.render(UsageType::SignIn, &payload(values)).unwrap().locale;
    assert_eq!(locale(json!({"code": "1", "locale": "es-419"})), "es");
    assert_eq!(locale(json!({"code": "1", "locale": "he", "uiLocales": "fr nn es"})), "nb");
    assert_eq!(locale(json!({"code": "1", "locale": "he"})), "en");
    assert_eq!(locale(json!({"code": "1"})), "en");
}

#[test]
fn the_payload_wins_over_the_constants() {
    let set = load(content(json!("{{brand}} {{code}} {{ttl_minutes}}"))).unwrap();
    let text = |values: Value| set.render(UsageType::SignIn, &payload(values)).unwrap().text;
    assert_eq!(text(json!({"code": "1"})).as_str(), "ExampleShop 1 10");
    assert_eq!(text(json!({"code": "1", "brand": "Other"})).as_str(), "Other 1 10");
}

#[test]
fn a_usage_type_without_templates_is_generic() {
    let set = load(content(json!("{{code}}"))).unwrap();
    let rendered = set.render(UsageType::BindMfa, &payload(json!({"code": "1"}))).unwrap();
    assert_eq!(rendered.text.as_str(), "Generic 1");
}

#[test]
fn a_variant_names_the_template_and_changes_with_its_content() {
    let variant = |content: Value, usage_type: UsageType, locale: &str| {
        let set = load(self::content(content)).unwrap();
        set.render(usage_type, &payload(json!({"code": "1", "locale": locale}))).unwrap().variant.to_string()
    };
    let texts = || json!({"en": "{{code}}", "pt-BR": "Seu {{code}}"});
    // The first digits that `sha256sum` gives.
    assert_eq!(variant(texts(), UsageType::SignIn, "en"), "SignIn/en#43615b");
    assert_eq!(variant(texts(), UsageType::SignIn, "pt"), "SignIn/pt-BR#3e95ec");
    assert_eq!(variant(texts(), UsageType::BindMfa, "pt"), "Generic/en#cc39cb");
    assert_eq!(variant(json!({"en": "Your {{code}}"}), UsageType::SignIn, "en"), "SignIn/en#8cd2c8");
}

#[test]
fn logtos_list_may_be_pasted_into_one_file() {
    let entry = |usage_type: &str| json!({"usageType": usage_type, "content": "{{code}}"});
    let names = ["SignIn", "Register", "ForgotPassword", "Generic", "Test"];
    let list = Value::Array(names.map(entry).to_vec());
    let set = TemplateSet::load(Some(directory(&[("logto.json", list)]).path()), &options()).unwrap();
    assert_eq!(set.iter().count(), 4);
    assert!(set.warnings()[0].to_string().contains("Test is deprecated"));
}

#[test]
fn handlebars_has_conditions_and_is_strict_and_unescaped() {
    let set = load(json!({"usageType": "SignIn", "syntax": "handlebars",
        "content": "{{#if application}}{{application.name}}: {{/if}}{{code}}"}))
    .unwrap();
    let text = |values: Value| set.render(UsageType::SignIn, &payload(values)).map(|rendered| rendered.text);
    assert_eq!(text(json!({"code": "1"})).unwrap().as_str(), "1");
    let named = text(json!({"code": "1", "application": {"name": "A & B's"}})).unwrap();
    assert_eq!(named.as_str(), "A & B's: 1");
    let error = text(json!({"application": {"name": "A"}})).unwrap_err();
    assert!(error.problem.contains("`code` has no value"), "{error}");
}

#[rstest]
#[case(content(json!({"en": "{{code}}", "xx-y": "{{code}}"})), "xx-y` is not a language tag")]
#[case(content(json!({"en": "{{code}}", "EN": "{{code}}"})), "are the same language")]
#[case(content(json!({"de": "{{code}}"})), "SignIn, locale en: has no text, though it is templates.default_locale")]
#[case(content(json!({"en": "{{code}}", "de": "  "})), "SignIn, locale de: the text is empty")]
#[case(content(json!({"en": "{{code}}", "de": "ж".repeat(300)})), "locale de: takes 5 segments")]
#[case(content(json!(["{{code}}"])), "expected a text, or an object from locale to text")]
#[case(json!({"usageType": "Sign-In", "content": "x"}), "there is no usage type `Sign-In`")]
#[case(json!({"usageType": "Register", "content": "x"}), "Register is defined already")]
#[case(json!({"usageType": "SignIn", "content": "x", "sintax": "logto"}), "unknown field `sintax`")]
#[case(json!({"usageType": "SignIn", "syntax": "handlebars", "content": {"en": "{{code}}", "fr": "a\n{{#if code}}"}}),
    "SignIn, locale fr: line 2, column ")]
#[case(json!({"usageType": "SignIn", "syntax": "handlebars", "content": "{{cod}}"}),
    "SignIn, locale en: line 1, column 1: `cod` has no value")]
fn a_fault_names_its_place(#[case] sign_in: Value, #[case] expected: &str) {
    let faults = load(sign_in).err().expect("a fault").to_string();
    assert!(faults.contains(expected), "{faults}");
    assert!(faults.contains("SignIn.json"), "{faults}");
}

#[test]
fn broken_json_is_told_with_its_line() {
    let directory = directory(&files(content(json!("{{code}}"))));
    std::fs::write(directory.path().join("SignIn.json"), "{\n  \"usageType\": \"SignIn\"\n  \"content\"").unwrap();
    let faults = TemplateSet::load(Some(directory.path()), &options()).err().unwrap().to_string();
    assert!(faults.contains("SignIn.json: expected `,` or `}` at line 3 column 3"), "{faults}");
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark() {
    let directory = directory(&files(content(json!("{{code}}"))));
    let json = format!("\u{feff}{}", content(json!("{{code}}")));
    std::fs::write(directory.path().join("SignIn.json"), json).unwrap();
    TemplateSet::load(Some(directory.path()), &options()).map(|_| ()).unwrap();
}

#[test]
fn a_missing_directory_is_named_with_its_key() {
    let faults = TemplateSet::load(Some(Path::new("/nowhere")), &options()).err().unwrap().to_string();
    assert!(faults.starts_with("templates.directory: /nowhere: No such file"), "{faults}");
    let empty = tempfile::tempdir().unwrap();
    let faults = TemplateSet::load(Some(empty.path()), &options()).err().unwrap();
    assert_eq!(faults.0.len(), 4, "{faults}");
}

#[test]
fn a_set_without_logtos_four_is_refused() {
    let mut files = files(content(json!("{{code}}")));
    files.remove(0);
    let faults = TemplateSet::load(Some(directory(&files).path()), &options()).err().unwrap().to_string();
    assert!(faults.contains("no file defines Generic"), "{faults}");
}

#[test]
fn a_text_without_the_code_is_warned_of() {
    let set = load(content(json!("Welcome back"))).unwrap();
    assert!(set.warnings()[0].to_string().ends_with("SignIn, locale en: the text does not show the code"));
}

#[test]
fn what_would_be_sent_as_it_is_written_is_warned_of() {
    let set = load(content(json!("{{code}} {{user.name}} {{na me}}"))).unwrap();
    let warnings: Vec<_> = set.warnings().iter().map(ToString::to_string).collect();
    assert!(warnings[0].contains("`{{na me}}` is no placeholder"), "{warnings:?}");
    assert!(warnings[1].contains("`user` has no value in a usual request"), "{warnings:?}");
}
