//! Keeps the order of `src/lib.rs` (a module uses only those above it), the homes of heavy dependencies, and files short
//! enough to read.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The modules in which code outside tests may name a dependency; `main` is `src/main.rs`.
const HOMES: &[(&str, &[&str])] = &[
    ("actix_http", &["server"]),
    ("actix_service", &["server"]),
    ("actix_web", &["auth", "routes", "server"]),
    ("clap", &["cli"]),
    ("config", &["config"]),
    ("handlebars", &["templates"]),
    ("hmac", &["limits"]),
    ("http_body_util", &["cli", "simulator"]),
    ("hyper", &["cli", "simulator"]),
    ("hyper_util", &["cli", "simulator"]),
    ("icu_locale", &["templates"]),
    ("ipnet", &["config", "limits"]),
    ("jsonwebtoken", &["auth", "simulator"]),
    ("opentelemetry", &["traces"]),
    ("opentelemetry_proto", &["traces"]),
    ("opentelemetry_sdk", &["traces"]),
    ("prometheus", &["metrics"]),
    ("prost", &["traces"]),
    ("reqwest", &["gatewayapi", "http_client", "traces"]),
    ("rlibphonenumber", &["sms"]),
    ("rusqlite", &["ledger"]),
    ("rust_embed", &["routes"]),
    ("rustix", &["server"]),
    ("rustls", &["gatewayapi", "http_client", "ledger", "tls"]),
    ("ryu_js", &["templates"]),
    ("socket2", &["server"]),
    ("subtle", &["auth"]),
    ("tikv_jemallocator", &["main"]),
    ("tokio_postgres", &["ledger"]),
    ("tokio_postgres_rustls", &["ledger"]),
    ("tracing_subscriber", &["telemetry"]),
    ("utoipa", &["ledger", "routes", "sms", "templates"]),
    ("webpki_roots", &["tls"]),
];
/// Lines outside tests.
const LONGEST_FILE: usize = 320;
const LONGEST_MAIN: usize = 49;

#[test]
fn a_module_uses_only_those_above_it() {
    let order = order();
    assert!(order.len() > 1, "src/lib.rs declares no modules");
    none(sources().iter().flat_map(|source| source.against_the_order(&order)));
}

#[test]
fn a_heavy_dependency_stays_in_its_home() {
    none(sources().iter().flat_map(|source| source.away_from_home(HOMES)));
}

#[test]
fn a_file_is_short_enough_to_read() {
    none(sources().iter().filter_map(Source::too_long));
}

#[test]
fn each_home_and_each_dependency_exists() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is readable");
    let modules = order();
    for (dependency, homes) in HOMES {
        let declared = |line: &str| line.split(['=', '.']).next().unwrap_or("").trim().replace('-', "_") == *dependency;
        assert!(manifest.lines().any(declared), "HOMES: Cargo.toml has no `{dependency}`");
        for home in *homes {
            assert!(*home == "main" || modules.iter().any(|module| module == home), "HOMES: no module `{home}`");
        }
    }
}

fn none(problems: impl Iterator<Item = String>) {
    let problems: Vec<_> = problems.collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The modules, as `src/lib.rs` declares them.
fn order() -> Vec<String> {
    read("lib.rs").modules
}

/// Every source file but the map itself.
fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut folders = vec![src.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src is readable") {
            let path: PathBuf = entry.expect("src is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(&src).expect("inside src").to_str().expect("UTF-8").to_owned());
            }
        }
    }
    files.sort();
    files.iter().filter(|file| *file != "lib.rs").map(|file| read(file)).collect()
}

fn read(file: &str) -> Source {
    Source::parse(file, &fs::read_to_string(root().join("src").join(file)).expect("a source file is readable"))
}

/// A file as far as the rules ask.
struct Source {
    /// Below `src`.
    file: String,
    lines: usize,
    test_lines: usize,
    /// `mod a;` and `mod a {}` at the top of the file, in order.
    modules: Vec<String>,
    /// What `use` and `mod` name in this file, which hides a crate of the same name.
    bound: BTreeSet<String>,
    mentions: Vec<Mention>,
}

/// A path of at least two parts, or any path in a `use`.
struct Mention {
    path: Vec<String>,
    /// Begins with `::`, so nothing but a crate can be meant.
    global: bool,
    line: usize,
    scope: Scope,
}

#[derive(Clone, Copy)]
struct Scope {
    test: bool,
    /// Modules in braces around it.
    inline: usize,
}

impl Source {
    fn parse(file: &str, text: &str) -> Self {
        let tokens = text.parse().unwrap_or_else(|error| panic!("src/{file} is no Rust: {error}"));
        let lines = text.lines().count();
        let test = file.split('/').any(|part| part == "tests" || part == "tests.rs");
        let mut source = Self {
            file: file.to_owned(),
            lines,
            test_lines: if test { lines } else { 0 },
            modules: Vec::new(),
            bound: BTreeSet::new(),
            mentions: Vec::new(),
        };
        source.walk(tokens, Scope { test, inline: 0 });
        source
    }

    /// `["gatewayapi", "dispatch", "list"]` for `gatewayapi/dispatch/list.rs`.
    fn module(&self) -> Vec<&str> {
        self.file.trim_end_matches(".rs").split('/').collect()
    }

    fn at(&self, line: usize, problem: &str) -> String {
        format!("src/{}:{line}: {problem}", self.file)
    }

    fn against_the_order(&self, order: &[String]) -> Vec<String> {
        let place = |name: &str| order.iter().position(|module| module == name);
        let own = self.module()[0];
        if own == "main" {
            return Vec::new();
        }
        let Some(own_place) = place(own) else {
            return vec![self.at(1, "belongs to no module that src/lib.rs declares")];
        };
        let below = |mention: &Mention| {
            let used = self.below_the_crate(mention)?;
            if used == "*" {
                return Some(self.at(mention.line, "uses all of the crate, which hides the modules it needs"));
            }
            let late = place(used).is_some_and(|used_place| used_place > own_place);
            late.then(|| self.at(mention.line, &format!("`{own}` uses `{used}`, which src/lib.rs declares below it")))
        };
        distinct(self.mentions.iter().filter_map(below))
    }

    /// What a path names at the top of the crate: `sms` of `crate::sms::Msisdn`, also by way of `super`.
    fn below_the_crate<'a>(&self, mention: &'a Mention) -> Option<&'a str> {
        let path = mention.path.strip_prefix(&["self".to_owned()]).unwrap_or(&mention.path);
        if path.first()? == "crate" {
            return path.get(1).map(String::as_str);
        }
        let ups = path.iter().take_while(|part| *part == "super").count();
        let depth = self.module().len() + mention.scope.inline;
        (ups == depth).then(|| path.get(ups).map(String::as_str)).flatten()
    }

    fn away_from_home(&self, homes: &[(&str, &[&str])]) -> Vec<String> {
        let own = self.module()[0];
        let away = |mention: &Mention| {
            let (dependency, homes) = homes.iter().find(|(dependency, _)| *dependency == mention.path[0])?;
            let hidden = !mention.global && self.bound.contains(*dependency);
            let away = !mention.scope.test && !hidden && !homes.contains(&own);
            let problem = || format!("`{own}` uses the crate `{dependency}`, whose home is {}", homes.join(", "));
            away.then(|| self.at(mention.line, &problem()))
        };
        distinct(self.mentions.iter().filter_map(away))
    }

    fn too_long(&self) -> Option<String> {
        let most = if self.file == "main.rs" { LONGEST_MAIN } else { LONGEST_FILE };
        let lines = self.lines - self.test_lines;
        (lines > most).then(|| self.at(lines, &format!("{lines} lines outside tests, more than {most}: split it")))
    }

    fn walk(&mut self, tokens: TokenStream, scope: Scope) {
        self.walk_all(&tokens.into_iter().collect::<Vec<_>>(), scope, true);
    }

    fn walk_all(&mut self, tokens: &[TokenTree], scope: Scope, top: bool) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Punct(hash) if hash.as_char() == '#' && is_cfg_test(tokens.get(at + 1)) => {
                    let end = end_of_item(tokens, at + 2);
                    if !scope.test {
                        let last = tokens[end - 1].span().end().line;
                        self.test_lines += last + 1 - hash.span().start().line;
                    }
                    self.walk_all(&tokens[at + 2..end], Scope { test: true, ..scope }, top);
                    at = end;
                }
                // `use<'a>` is the other meaning of the word.
                TokenTree::Ident(word)
                    if word == "use" && !matches!(tokens.get(at + 1), Some(next) if is_punct(next, '<')) =>
                {
                    let end = at + tokens[at..].iter().take_while(|token| !is_punct(token, ';')).count();
                    self.read_use(&tokens[at + 1..end], scope, &[], false);
                    at = end;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                        self.bound.insert(name.to_string());
                        if top && scope.inline == 0 {
                            self.modules.push(name.to_string());
                        }
                    }
                    at += 2;
                    if let Some(TokenTree::Group(body)) = tokens.get(at) {
                        self.walk(body.stream(), Scope { inline: scope.inline + 1, ..scope });
                        at += 1;
                    }
                }
                TokenTree::Group(group) => {
                    self.walk_all(&group.stream().into_iter().collect::<Vec<_>>(), scope, false);
                    at += 1;
                }
                TokenTree::Ident(_) => at = self.read_path(tokens, at, scope, false),
                TokenTree::Punct(_) if is_colons(tokens, at) => {
                    // After `Vec::<u8>` or `<T as Trait>` the path goes on, and begins nowhere that we know.
                    let goes_on = at > 0 && is_punct(&tokens[at - 1], '>');
                    at = if goes_on { at + 3 } else { self.read_path(tokens, at + 2, scope, true) };
                }
                _ => at += 1,
            }
        }
    }

    /// Reads `a::b::c`, and returns where it ends.
    fn read_path(&mut self, tokens: &[TokenTree], start: usize, scope: Scope, global: bool) -> usize {
        let mut path = Vec::new();
        let mut at = start;
        while let Some(TokenTree::Ident(part)) = tokens.get(at) {
            path.push(part.to_string());
            at += 1;
            if !(is_colons(tokens, at) && matches!(tokens.get(at + 2), Some(TokenTree::Ident(_)))) {
                break;
            }
            at += 2;
        }
        if path.len() > 1 {
            self.mentions.push(Mention { path, global, line: tokens[start].span().start().line, scope });
        }
        at.max(start + 1)
    }

    /// Reads one branch of a `use`: `a::b`, `a::{b, c as d}`, `a::*`.
    fn read_use(&mut self, tokens: &[TokenTree], scope: Scope, above: &[String], global: bool) {
        let global = global || (above.is_empty() && is_colons(tokens, 0));
        let mut path = above.to_vec();
        let mut name = None;
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    let inside: Vec<_> = group.stream().into_iter().collect();
                    for branch in inside.split(|token| is_punct(token, ',')) {
                        self.read_use(branch, scope, &path, global);
                    }
                    return;
                }
                TokenTree::Ident(word) if word == "as" => {
                    name = tokens.get(at + 1).map(ToString::to_string);
                    break;
                }
                TokenTree::Ident(part) => path.push(part.to_string()),
                TokenTree::Punct(star) if star.as_char() == '*' => path.push("*".to_owned()),
                _ => {}
            }
        }
        let Some(line) = tokens.first().map(|token| token.span().start().line) else { return };
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        // `use config;` names the crate, `use crate::config;` hides it.
        if path.len() > 1 || name.is_some() {
            self.bound.extend(name.or_else(|| path.last().cloned()));
        }
        if !path.is_empty() {
            self.mentions.push(Mention { path, global, line, scope });
        }
    }
}

/// A line that names a thing twice has one problem.
fn distinct(problems: impl Iterator<Item = String>) -> Vec<String> {
    let mut problems: Vec<_> = problems.collect();
    problems.dedup();
    problems
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let joint = matches!(tokens.get(at), Some(TokenTree::Punct(first)) if first.spacing() == Spacing::Joint);
    joint && is_punct(&tokens[at], ':') && tokens.get(at + 1).is_some_and(|second| is_punct(second, ':'))
}

fn is_cfg_test(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(attribute)) if attribute.to_string().replace(' ', "") == "[cfg(test)]")
}

/// Behind the `;`, `,` or braces that close the item that begins here.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let closes = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(token, ';') || is_punct(token, ','),
    };
    tokens[start..].iter().position(closes).map_or(tokens.len(), |length| start + length + 1)
}

/// The rules on made-up sources, so that they can be seen to fail.
mod rules {
    use super::{HOMES, LONGEST_FILE, Source};

    fn against_the_order(file: &str, text: &str) -> Vec<String> {
        let order = ["sms", "config", "send", "routes"].map(ToOwned::to_owned);
        Source::parse(file, text).against_the_order(&order)
    }

    fn away_from_home(file: &str, text: &str) -> Vec<String> {
        Source::parse(file, text).away_from_home(HOMES)
    }

    #[test]
    fn a_module_below_is_found_in_any_spelling() {
        for text in [
            "use crate::routes::Answer;",
            "use crate::{\n    config,\n    routes as r,\n};",
            "use crate::{sms::{Msisdn, self}, routes::{self, Answer}};",
            "fn f() -> crate::routes::Answer { todo!() }",
            "fn f() { info!(\"{}\", crate::routes::name()) }",
            "use super::routes;",
            "mod inner { use super::super::routes; }",
            "#[cfg(test)]\nmod tests { use crate::routes; }",
        ] {
            let problems = against_the_order("send.rs", text);
            assert_eq!(problems.len(), 1, "{text}");
            assert!(problems[0].ends_with("`send` uses `routes`, which src/lib.rs declares below it"), "{problems:?}");
        }
    }

    #[test]
    fn a_problem_names_file_and_line() {
        let text = "use crate::{\n    config,\n    send::Send,\n};\n";
        let expected = "src/sms/msisdn.rs:2: `sms` uses `config`, which src/lib.rs declares below it\n\
                        src/sms/msisdn.rs:3: `sms` uses `send`, which src/lib.rs declares below it";
        assert_eq!(against_the_order("sms/msisdn.rs", text).join("\n"), expected);
    }

    #[test]
    fn the_own_module_those_above_and_plain_words_are_fine() {
        let text = r##"
            //! [`crate::routes`]
            /* crate::routes */
            use crate::{config::{self, Settings}, send::repeat, sms::Msisdn};
            use super::record;
            /// See [`routes`](crate::routes).
            const TEXT: &str = r#"use "crate::routes";"#;
            fn f<'routes>() -> char { '"' }
            mod inner { use super::*; }
        "##;
        assert_eq!(against_the_order("send/repeat.rs", text), [""; 0]);
    }

    #[test]
    fn a_file_outside_the_map_and_a_glob_of_the_crate_are_found() {
        assert_eq!(
            against_the_order("stray.rs", ""),
            ["src/stray.rs:1: belongs to no module that src/lib.rs declares"]
        );
        assert_eq!(against_the_order("send.rs", "use crate::*;").len(), 1);
    }

    #[test]
    fn a_dependency_away_from_home_is_found_in_any_spelling() {
        for text in [
            "use reqwest::Client;",
            "use {std::fmt, reqwest as http};",
            "fn f() -> reqwest::Result<()> { todo!() }",
            "fn f(client: ::reqwest::Client) {}",
            "#[derive(Debug)] struct A { client: Option<reqwest::Client> }",
            "#[reqwest::main] fn f() {}",
        ] {
            let expected =
                "src/send.rs:1: `send` uses the crate `reqwest`, whose home is gatewayapi, http_client, traces";
            assert_eq!(away_from_home("send.rs", text), [expected], "{text}");
            assert_eq!(away_from_home("gatewayapi/connection.rs", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn our_module_of_the_same_name_is_not_the_crate() {
        assert_eq!(away_from_home("send.rs", "use crate::config; fn f(_: config::Settings) {}"), [""; 0]);
        assert_eq!(
            away_from_home("send.rs", "use crate::{config::{self, Class}}; fn f(_: config::Settings) {}"),
            [""; 0]
        );
        assert_eq!(away_from_home("send.rs", "use crate::config::Class; fn f(_: config::Config) {}").len(), 1);
        assert_eq!(away_from_home("send.rs", "use crate::config; fn f(_: ::config::Config) {}").len(), 1);
    }

    #[test]
    fn tests_may_use_any_dependency() {
        let text = "#[cfg(test)]\nmod tests {\n    use reqwest::Client;\n}\nuse hyper::Uri;\n";
        let expected = "src/send.rs:5: `send` uses the crate `hyper`, whose home is cli, simulator";
        assert_eq!(away_from_home("send.rs", text), [expected]);
        assert_eq!(away_from_home("send/tests.rs", "use reqwest::Client;"), [""; 0]);
    }

    #[test]
    fn only_lines_outside_tests_count() {
        let code = "const A: u8 = 1;\n".repeat(LONGEST_FILE);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
        assert_eq!(
            Source::parse("send.rs", &format!("{code}\n{tests}")).too_long().as_deref(),
            Some("src/send.rs:321: 321 lines outside tests, more than 320: split it",)
        );
        assert_eq!(Source::parse("send.rs", &format!("{code}{tests}")).too_long(), None);
        assert_eq!(Source::parse("send/tests.rs", &format!("{code}{code}")).too_long(), None);
        assert!(Source::parse("main.rs", &"const A: u8 = 1;\n".repeat(50)).too_long().is_some());
    }
}
