//! The README says what is so.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

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
