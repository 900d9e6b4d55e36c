//! What others wrote, for a terminal.

/// On one line, and without what would steer the terminal or turn the direction of the text, and so show another one.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|character| if steers(character) { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

/// The same, but its lines stay lines, whichever way they end, and its tabs tabs.
pub(super) fn visible_lines(text: &str) -> String {
    let tabbed = |line: &str| line.split('\t').map(visible).collect::<Vec<_>>().join("\t");
    text.split('\n').map(|line| tabbed(line.strip_suffix('\r').unwrap_or(line))).collect::<Vec<_>>().join("\n")
}

fn steers(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_the_rest_stays() {
        for steering in ["\u{1b}", "\u{9b}", "\r", "\u{7}", "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}"] {
            assert_eq!(visible(&format!("a{steering}b")), "a\u{FFFD}b", "{steering:?}");
        }
        // A mark of direction turns nothing but what stands beside it, and texts in Hebrew or Arabic have them.
        let others = "„Łódź“ \u{200f}\u{5e7}\u{5d5}\u{5d3} \u{1f469}\u{200d}\u{1f52c}";
        assert_eq!(visible(others), others);
    }

    #[test]
    fn lines_stay_where_they_may() {
        assert_eq!(
            (visible("a\nb"), visible_lines("a\n\tb\r\nc\rd")),
            ("a\u{FFFD}b".into(), "a\n\tb\nc\u{FFFD}d".into())
        );
    }
}
