//! The listeners together, from the start to a bounded end.

use std::{io, pin::pin, time::Duration};

use actix_web::dev::Server;

/// What answers, on threads of its own.
pub(super) struct Listeners {
    pub(super) public: Server,
    pub(super) operator: Server,
}

impl Listeners {
    /// Answers until `stopping` is over or one of them fails, and closes within `patience`: a thread whose handler never
    /// comes back does not hear that it should end.
    pub(super) async fn run_until(self, stopping: impl Future<Output = ()>, patience: Duration) -> io::Result<()> {
        let (public, operator) = (self.public.handle(), self.operator.handle());
        let mut serving = pin!(async { tokio::try_join!(self.public, self.operator) });
        let ended = tokio::select! {
            ended = &mut serving => Some(ended),
            () = stopping => {
                let closing = async { tokio::join!(public.stop(true), operator.stop(true), serving).2 };
                tokio::time::timeout(patience, closing).await.ok()
            }
        };
        let Some(ended) = ended else {
            tracing::error!("a request did not end, and is given up");
            return Ok(());
        };
        ended.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, HttpServer, web};
    use std::{
        io::Write,
        net::{SocketAddr, TcpStream},
        sync::{
            Arc,
            mpsc::{self, Receiver, Sender},
        },
        thread,
        time::Instant,
    };

    /// A listener whose handler says that it was called, and then waits for a word.
    fn listener(called: Sender<()>, word: Arc<std::sync::Mutex<Receiver<()>>>) -> (Server, SocketAddr) {
        let server = HttpServer::new(move || {
            let (called, word) = (called.clone(), Arc::clone(&word));
            App::new().default_service(web::to(move || {
                called.send(()).unwrap();
                // Blocks its thread, as a loop without an end would.
                let _ = word.lock().unwrap().recv();
                async { "" }
            }))
        });
        let server = server.workers(1).shutdown_timeout(0).disable_signals().bind("127.0.0.1:0").unwrap();
        let address = server.addrs()[0];
        (server.run(), address)
    }

    #[actix_web::test]
    async fn a_handler_that_never_comes_back_does_not_hold_the_stop() {
        let (called, is_called) = mpsc::channel();
        let (never, word) = mpsc::channel();
        let word = Arc::new(std::sync::Mutex::new(word));
        let (public, _) = listener(called.clone(), Arc::clone(&word));
        let (operator, address) = listener(called, word);
        thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
            stream
        });
        let stopping = async { tokio::task::spawn_blocking(move || is_called.recv().unwrap()).await.unwrap() };

        let patience = Duration::from_millis(200);
        let begun = Instant::now();
        Listeners { public, operator }.run_until(stopping, patience).await.unwrap();
        assert!((patience..Duration::from_secs(20)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        drop(never);
    }
}
