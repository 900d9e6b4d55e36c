//! `healthcheck`: asks the service on this machine whether it is ready.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::{CliError, load_leniently, reachable};
use crate::config::Source;

const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn run(source: Source) -> Result<(), CliError> {
    let address = reachable(load_leniently(source)?.server.listen);
    let status = ask(address).map_err(|error| CliError::Other(format!("{address}: {error}")))?;
    if status == 200 { Ok(()) } else { Err(CliError::Other(format!("{address} is not ready: status {status}"))) }
}

/// The status of `GET /health/ready`. So little HTTP that a client would be more code.
fn ask(address: SocketAddr) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut status_line = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status_line)?;
    let status = str::from_utf8(&status_line).ok().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    status.ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}
