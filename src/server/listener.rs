//! A listener: its port, and the terms on which it keeps connections. actix-web's own has no bound on their number at one
//! port without the other, and none on their silence.

use std::{
    fmt,
    future::ready,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_http::{ConnectionType, HttpService, Request, Response, body::MessageBody};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    Error,
    dev::{AppConfig, Server},
    rt::net::TcpStream,
};
use socket2::SockRef;

use super::connection::{Census, Connection};
use crate::metrics::Metrics;

/// A burst of calls must not be refused by the kernel.
const BACKLOG: i32 = 4096;
/// For what a refused client still sends.
const LINGER: Duration = Duration::from_secs(1);

/// On what terms a listener keeps its connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// What monitoring calls it.
    pub(super) listener: &'static str,
    /// Threads.
    pub(super) workers: usize,
    /// Connections at a time. Further ones wait in the kernel.
    pub(super) connections: usize,
    /// How long one may be idle.
    pub(super) keep_alive: Duration,
    /// How long one may be busy without anything being written to it.
    pub(super) patience: Duration,
    /// Whether a client that has ended its half gets its answer.
    pub(super) half_closed: bool,
    /// For the last answers to leave, in whole seconds.
    pub(super) last_answers: u64,
}

/// A port that can't be had.
#[derive(Debug, thiserror::Error)]
#[error("{key} {address}: {source}; set {key} to another address")]
pub struct ListenError {
    key: &'static str,
    address: SocketAddr,
    source: io::Error,
}

/// A port at which clients may knock already.
pub(super) struct Listener {
    key: &'static str,
    socket: TcpListener,
    pub(super) address: SocketAddr,
}

impl Listener {
    /// At the address that the key of the configuration has; port 0 is one that is free.
    pub(super) fn bind(key: &'static str, address: SocketAddr) -> Result<Self, ListenError> {
        let bind = || {
            let socket = TcpListener::bind(address)?;
            SockRef::from(&socket).listen(BACKLOG)?;
            let address = socket.local_addr()?;
            Ok(Self { key, socket, address })
        };
        bind().map_err(|source| ListenError { key, address, source })
    }

    /// Answers what comes by an app that each worker makes for itself.
    pub(super) fn serve<F, I, S, B>(self, terms: Terms, metrics: Arc<Metrics>, app: F) -> Result<Server, ListenError>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig, Error: Into<Error>, InitError: fmt::Debug> + 'static,
        S::Response: Into<Response<B>> + 'static,
        S::Service: Service<Request, Future: 'static> + 'static,
        B: MessageBody + 'static,
    {
        let for_each_worker = terms.connections.div_ceil(terms.workers);
        let census = Census::new(metrics, terms.listener, for_each_worker * terms.workers);
        let server = Server::build();
        let stop = server.graceful_shutdown_signal();
        let answering = move || {
            let (room, stop) = (census.clone(), stop.clone());
            let app = app().into_factory().map_err(|error| error.into().error_response()).map(move |answer| {
                let mut answer: Response<B> = answer.into();
                // Who only holds connections, idle or asking now and then, would keep Logto out.
                if room.is_crowded() {
                    answer.head_mut().set_connection_type(ConnectionType::Close);
                }
                answer
            });
            let http = HttpService::build()
                .keep_alive(terms.keep_alive)
                // A client that is refused before it has sent all may read why.
                .client_disconnect_timeout(LINGER)
                .h1_allow_half_closed(terms.half_closed)
                .graceful_shutdown_signal(move || {
                    let stop = stop.clone();
                    async move { stop.notified().await }
                })
                .h1(map_config(app, |()| AppConfig::default()));
            let census = census.clone();
            fn_service(move |stream: TcpStream| {
                // An answer must not wait for more. Where it can't be said, the client has gone.
                let _ = stream.set_nodelay(true);
                let client = stream.peer_addr().ok();
                ready(Ok((Connection::new(stream, terms.patience, census.clone()), client)))
            })
            .and_then(http)
        };
        let Self { key, socket, address } = self;
        let server = server
            .workers(terms.workers)
            .max_concurrent_connections(for_each_worker)
            .shutdown_timeout(terms.last_answers)
            .disable_signals()
            .listen(key, socket, answering)
            .map_err(|source| ListenError { key, address, source })?;
        Ok(server.run())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, HttpResponse, web};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        task::JoinHandle,
    };

    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

    /// A listener that refuses each call, and keeps its connection.
    fn refusing(connections: usize, patience: Duration) -> (SocketAddr, JoinHandle<io::Result<()>>) {
        refusing_seen_by(&Arc::default(), connections, patience)
    }

    fn refusing_seen_by(
        metrics: &Arc<Metrics>,
        connections: usize,
        patience: Duration,
    ) -> (SocketAddr, JoinHandle<io::Result<()>>) {
        let port = Listener::bind("server.listen", "127.0.0.1:0".parse().unwrap()).unwrap();
        let (address, keep_alive) = (port.address, Duration::from_secs(75));
        let listener = "public";
        let terms =
            Terms { listener, workers: 1, connections, keep_alive, patience, half_closed: true, last_answers: 0 };
        let app = || App::new().default_service(web::to(async || HttpResponse::Unauthorized()));
        (address, tokio::spawn(port.serve(terms, Arc::clone(metrics), app).unwrap()))
    }

    /// Sends, and reads the answer.
    async fn ask(client: &mut TcpStream, call: &[u8]) {
        client.write_all(call).await.unwrap();
        let mut answer = [0; 1024];
        let length = client.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 401"), "{length}");
    }

    #[tokio::test]
    async fn a_second_head_that_does_not_end_ends_the_connection() {
        let (address, _served) = refusing(10, Duration::from_millis(200));
        let mut client = TcpStream::connect(address).await.unwrap();
        ask(&mut client, GET).await;
        client.write_all(b"G").await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_refused_body_that_does_not_end_ends_the_connection() {
        let (address, _served) = refusing(10, Duration::from_secs(3600));
        let mut client = TcpStream::connect(address).await.unwrap();
        ask(&mut client, b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
        while client.write_all(&chunk).await.is_ok() {}
    }

    #[tokio::test]
    async fn a_connection_is_not_kept_where_few_are_left() {
        let (address, _served) = refusing(4, Duration::from_secs(3600));
        let mut clients = Vec::new();
        for _ in 0..4 {
            let mut client = TcpStream::connect(address).await.unwrap();
            ask(&mut client, GET).await;
            clients.push(client);
        }
        assert_eq!(clients[3].read(&mut [0]).await.unwrap(), 0, "the last one is closed");
        ask(&mut clients[0], GET).await;
    }

    #[tokio::test]
    async fn connections_beyond_the_most_wait_for_one_to_end() {
        let metrics = Arc::new(Metrics::new());
        let (address, _served) = refusing_seen_by(&metrics, 2, Duration::from_secs(3600));
        let open = || metrics.server_connections.with_label_values(&["public"]).get();
        let mut clients = Vec::new();
        for _ in 0..2 {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(&GET[..1]).await.unwrap();
            clients.push(client);
        }
        while open() < 2 {
            tokio::task::yield_now().await;
        }
        let mut third = TcpStream::connect(address).await.unwrap();
        third.write_all(GET).await.unwrap();
        assert_eq!(third.try_read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(open(), 2);
        clients.pop();
        ask(&mut third, b"").await;
    }
}
