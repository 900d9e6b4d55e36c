//! `healthcheck`: asks the service on this machine whether it is ready.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use super::{CliError, load_leniently};
use crate::config::Source;

const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn run(source: Source) -> Result<(), CliError> {
    let address = reachable(load_leniently(source)?.server.listen);
    let status = ask(address).map_err(|error| CliError::Other(format!("{address}: {error}")))?;
    if status == 200 { Ok(()) } else { Err(CliError::Other(format!("{address} is not ready: status {status}"))) }
}

/// A listener on all addresses is reached on this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_the_loopback() {
        let asked = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(asked("[::]:8080"), "[::1]:8080");
        assert_eq!(asked("10.0.0.3:81"), "10.0.0.3:81");
    }
}
