//! The README says what is so.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use gatewayapi_sms_connector::simulator::magic_numbers;

const README: &str = include_str!("../README.md");

#[test]
fn it_lists_every_magic_number() {
    for (number, what) in magic_numbers() {
        assert!(README.contains(&format!("| `{number}` | {what} |")), "{number}");
    }
}

/// What is pasted is what runs.
#[test]
fn a_container_has_no_more_than_it_needs_wherever_it_is_shown() {
    let example = include_str!("../examples/python-flask/Dockerfile");
    for text in [README, include_str!("../Dockerfile"), example] {
        let text = text.replace("\\\n#", "");
        let commands: Vec<_> = text.lines().filter(|line| line.contains("docker run")).collect();
        assert!(!commands.is_empty());
        for command in commands {
            for needed in ["--read-only", "--cap-drop ALL", "--security-opt no-new-privileges", " 127.0.0.1:"] {
                assert!(command.contains(needed), "{needed}: {command}");
            }
        }
    }
}

/// Everything that was ever asked for is in it, and Logto's users are.
#[test]
fn a_backup_is_for_nobody_else_and_outside_of_the_repository() {
    let mut found = 0;
    for text in [README, include_str!("../deploy/README.md")] {
        for line in text.lines().filter(|line| line.contains("pg_dumpall") || line.contains(".backup ")) {
            let is_outside = ["$HOME/", "~/", "/root/"].iter().any(|folder| line.contains(folder));
            assert!(line.contains("umask 077") && is_outside, "{line}");
            found += 1;
        }
    }
    assert_eq!(found, 3);
}

#[test]
fn it_lists_every_endpoint_for_operators() {
    let source = include_str!("../src/routes/operator.rs");
    let resources: Vec<_> =
        source.split("resource(").filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()).collect();
    assert!(resources.len() >= 5 && resources.contains(&"/messages/{id}/events"), "{resources:?}");
    for path in resources {
        assert!(README.contains(&format!(" /api{path}` |")), "{path}");
    }
}

/// The lines that are to be typed in a section.
fn typed(section: &str) -> Vec<&'static str> {
    let (_, rest) = README.split_once(&format!("\n## {section}\n")).unwrap();
    rest.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("    ")).collect()
}

/// As they are, but for the token, and without Docker: its file of variables, whose values it takes to the letter, does as
/// well as the shell that they were typed in.
#[test]
fn what_is_typed_to_set_it_up_makes_settings_that_are_in_order() {
    const BINARY: &str = env!("CARGO_BIN_EXE_gatewayapi-sms-connector");
    let lines = typed("Set it up");
    let settings: Vec<_> = lines.iter().copied().filter(|line| line.contains("SMS_")).collect();
    let (_, run) = lines.split_at(lines.iter().position(|line| line.starts_with("docker run")).unwrap());
    assert!(run.join("\n").contains("--env-file sms.env"), "{run:?}");
    // Nobody may publish it by `git add`.
    assert!(include_str!("../.gitignore").lines().any(|line| line == "sms.env"));

    let folder = tempfile::tempdir().unwrap();
    let clean = |program: &str| {
        let mut command = Command::new(program);
        let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SMS_"));
        for (name, _) in ours {
            command.env_remove(name);
        }
        command.current_dir(&folder);
        command
    };
    let script = format!("set -eu\n{}\n'{BINARY}' check", settings.join("\n"));
    let checked = clean("bash").args(["-c", &script]).output().unwrap();
    assert!(checked.status.success(), "{script}\n{checked:?}");

    let file = folder.path().join("sms.env");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let file = fs::read_to_string(file).unwrap();
    let variables: Vec<_> = file.lines().filter_map(|line| line.split_once('=')).collect();
    let (_, header) = variables.iter().find(|(name, _)| *name == "SMS_LOGTO__AUTHORIZATION").unwrap();
    assert!(header.starts_with("Bearer ") && header.len() == "Bearer ".len() + 64, "{file}");
    assert!(!file.contains("ENDPOINT"), "{file}");
    let checked = clean(BINARY).arg("check").envs(variables).output().unwrap();
    assert!(checked.status.success(), "{file}\n{checked:?}");
}
