use std::{sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{gateway::Gateway, received::Received, reports};

/// The open connections and their limit.
pub(super) struct Connections {
    limit: usize,
    counts: watch::Sender<Counts>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub open: usize,
    /// Open at the same time.
    pub most: usize,
    /// Reset because of the limit.
    pub refused: usize,
}

impl Connections {
    pub fn new(limit: usize) -> Self {
        Self { limit, counts: watch::Sender::new(Counts::default()) }
    }

    pub fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    pub async fn until_open(&self, connections: usize) {
        // It errs only when the sender is gone, which we hold.
        let _ = self.counts.subscribe().wait_for(|counts| counts.open == connections).await;
    }

    /// Counts a connection, and says whether it may stay.
    fn admit(&self) -> bool {
        let mut admitted = false;
        self.counts.send_modify(|counts| {
            admitted = counts.open < self.limit;
            if admitted {
                counts.open += 1;
                counts.most = counts.most.max(counts.open);
            } else {
                counts.refused += 1;
            }
        });
        admitted
    }
}

/// A place among the open connections, given back when dropped.
struct Place(Arc<Gateway>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.counts.send_modify(|counts| counts.open -= 1);
    }
}

/// Serves until told to stop, or until nobody can tell it any more. Then every connection is closed.
pub(super) async fn serve(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    mut stopped: watch::Receiver<bool>,
    mut accepted: mpsc::UnboundedReceiver<Received>,
) {
    /// Before the next try when the system can't give a connection, for want of file descriptors say.
    const PAUSE: Duration = Duration::from_millis(20);
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            connection = listener.accept() => match connection {
                Ok((stream, _)) if gateway.connections.admit() => {
                    let place = Place(Arc::clone(&gateway));
                    tasks.spawn(converse(stream, place));
                }
                Ok((stream, _)) => reset(stream),
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(message) = accepted.recv() => {
                tasks.spawn(reports::report(Arc::clone(&gateway), message));
            }
            Some(_) = tasks.join_next() => {}
        }
    }
    drop(listener);
    tasks.shutdown().await;
}

async fn converse(stream: TcpStream, place: Place) {
    // Without it a small answer may wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| place.0.answer(request));
    // An error here is a client that went away, or a connection that was meant to break.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Closes a connection as a server does that has no place for it: with a TCP reset.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::{Behaviour, Options, Simulator, client};
    use std::io::ErrorKind;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn the_connection_beyond_the_limit_is_reset() {
        let simulator = client::simulator();
        let mut held = Vec::new();
        for _ in 0..40 {
            held.push(TcpStream::connect(simulator.address()).await.unwrap());
        }
        simulator.until_open_connections(40).await;
        let refused = async {
            let mut stream = TcpStream::connect(simulator.address()).await?;
            stream.read_u8().await
        };
        assert_eq!(refused.await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(simulator.gateway.connections.counts(), Counts { open: 40, most: 40, refused: 1 });

        held.pop();
        simulator.until_open_connections(39).await;
        client::call(&simulator, "GET", "/api/prices/list/sms/json", String::new()).await.unwrap();
        assert_eq!((simulator.most_open_connections(), simulator.refused_connections()), (40, 1));
    }

    #[tokio::test]
    async fn the_limit_can_be_chosen() {
        let simulator = Simulator::start(Options { max_connections: 0, ..Options::default() }).unwrap();
        assert!(client::call(&simulator, "GET", "/api/prices/list/sms/json", String::new()).await.is_err());
        assert_eq!(simulator.refused_connections(), 1);
    }

    #[tokio::test]
    async fn a_connection_serves_one_request_after_another() {
        let simulator = client::simulator();
        let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
        for _ in 0..2 {
            stream.write_all(b"GET /none HTTP/1.1\r\nhost: simulator\r\n\r\n").await.unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"HTTP/1.1 404");
            client::read_to_end_of_answer(&mut stream).await;
        }
        assert_eq!(simulator.open_connections(), 1);
    }

    #[tokio::test]
    async fn a_client_that_gives_up_frees_its_place() {
        let simulator = client::simulator();
        simulator.set_behaviour(Behaviour::Dead);
        let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
        stream.write_all(b"POST /rest/mtsms HTTP/1.1\r\nhost: simulator\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        simulator.until_requests(1).await;
        assert_eq!(simulator.open_connections(), 1);
        drop(stream);
        simulator.until_open_connections(0).await;
    }
}
