//! How many connections there is room for: a client must not take the descriptors that others need, nor the memory.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Operators and Prometheus, streams of events included.
pub(super) const OPERATOR_CONNECTIONS: usize = 256;
/// Twice a burst of a thousand codes. Each holds 128 KiB at most of a head that is not complete.
const MOST: usize = 2048;
/// With fewer the service is of no use.
const LEAST: usize = 64;
/// For databases, name lookups, files and connections that are being closed.
const OTHERS: usize = 128;

/// Raises this process's limit on descriptors as far as it may, and tells how many connections the world may have beside
/// those to GatewayAPI.
pub(super) fn connections(to_gatewayapi: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // Where it is not allowed, what there is must do.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    let descriptors = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| limit as usize);
    let connections = room(descriptors, to_gatewayapi);
    if connections < MOST {
        tracing::warn!(
            descriptors,
            connections,
            "the limit on open files leaves room for fewer connections than a burst may need: raise it (ulimit -n)"
        );
    }
    connections
}

fn room(descriptors: usize, to_gatewayapi: usize) -> usize {
    descriptors.saturating_sub(OPERATOR_CONNECTIONS + OTHERS + to_gatewayapi).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plenty(1_048_576, 2048)]
    #[case::no_limit(usize::MAX, 2048)]
    #[case::as_in_a_shell(1024, 608)]
    fn others_keep_their_descriptors(#[case] descriptors: usize, #[case] expected: usize) {
        assert_eq!(room(descriptors, 32), expected);
    }

    #[test]
    fn some_are_let_in_even_where_that_is_more_than_there_is() {
        assert_eq!(room(256, 32), LEAST);
    }
}
