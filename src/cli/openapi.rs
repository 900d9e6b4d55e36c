//! `openapi`: the interface's document.

use std::io::{self, ErrorKind, Write};

use super::CliError;
use crate::routes;

pub(super) fn run() -> Result<(), CliError> {
    match io::stdout().lock().write_all(routes::openapi().as_bytes()) {
        // Whoever reads only the beginning, such as `head`, has what they want.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
