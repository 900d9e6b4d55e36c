//! A connection that is given up when nothing was written to it for long, or after much was read.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::rt::net::{ActixStream, Ready};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use crate::metrics::Metrics;

/// Bytes that are read before anything is answered, or after it was: more than the longest head (128 KiB) and body
/// (64 KiB) have, so that a client whose body is refused unread may read the refusal.
const LONGEST_CALL: usize = 1024 * 1024;

/// Calls that may come before the answers to those before them have left. Each takes 6 KiB once it is read, however short
/// it is, and actix-web reads as many as are there. No client that we know of sends one ahead.
const MOST_CALLS: usize = 8;

/// Reasons to give a connection up, as the label has them.
const SILENT: &str = "silent";
const TOO_MUCH: &str = "too_much";

/// The connections of a listener: counted, told to monitoring, and too many or not.
#[derive(Debug, Clone)]
pub(super) struct Census {
    metrics: Arc<Metrics>,
    /// As the label has it.
    listener: &'static str,
    open: Arc<AtomicUsize>,
    most: usize,
}

impl Census {
    /// Of a listener that has room for `most`.
    pub(super) fn new(metrics: Arc<Metrics>, listener: &'static str, most: usize) -> Self {
        metrics.server_connections.with_label_values(&[listener]).add(0);
        metrics.server_connections_max.with_label_values(&[listener]).set(i64::try_from(most).unwrap_or(i64::MAX));
        for reason in [SILENT, TOO_MUCH] {
            metrics.server_connections_given_up.with_label_values(&[listener, reason]).inc_by(0);
        }
        Self { metrics, listener, open: Arc::default(), most }
    }

    /// So many are open that none is to be kept for a call that may come: three of four.
    pub(super) fn is_crowded(&self) -> bool {
        4 * self.open.load(Ordering::Relaxed) > 3 * self.most
    }

    fn began(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.metrics.server_connections.with_label_values(&[self.listener]).inc();
    }

    fn ended(&self, given_up: Option<&str>) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.metrics.server_connections.with_label_values(&[self.listener]).dec();
        if let Some(reason) = given_up {
            self.metrics.server_connections_given_up.with_label_values(&[self.listener, reason]).inc();
        }
    }
}

/// actix-web ends an idle connection and a first head that does not come, and nothing else: with a later head or a
/// refused body that does not end, or answers that are not read, a client would keep its connection for ever. Each call
/// has its answer before `patience` is over, and a stream of events its heartbeat.
pub(super) struct Connection<S> {
    stream: S,
    patience: Duration,
    /// When something was last written, or the call began that waits for it.
    since: Instant,
    /// Bytes since something was written.
    read: usize,
    /// Ends of heads, for what looks like one, since all answers had left.
    calls: usize,
    /// The next byte begins a line.
    at_line: bool,
    /// Something was written that may not have left.
    answered: bool,
    /// Not set anew with each answer, which would cost more than to wake once too often.
    alarm: Pin<Box<Sleep>>,
    /// Why it was given up.
    given_up: Option<&'static str>,
    census: Census,
}

impl<S> Connection<S> {
    pub(super) fn new(stream: S, patience: Duration, census: Census) -> Self {
        census.began();
        let (since, alarm) = (Instant::now(), Box::pin(sleep(patience)));
        let (calls, at_line, answered) = (0, false, false);
        Self { stream, patience, since, read: 0, calls, at_line, answered, alarm, given_up: None, census }
    }

    /// Takes note of what was read. A head ends with an empty line.
    fn note(&mut self, bytes: &[u8]) {
        self.read += bytes.len();
        for byte in bytes {
            match byte {
                b'\n' => {
                    self.calls += usize::from(self.at_line);
                    self.at_line = true;
                }
                b'\r' => {}
                _ => self.at_line = false,
            }
        }
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.alarm.as_mut().poll(cx).is_ready() {
            let end = self.since + self.patience;
            if end <= Instant::now() {
                tracing::debug!("a connection on which nothing was answered in time is given up");
                self.given_up = Some(SILENT);
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(end);
        }
        Ok(())
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.census.ended(self.given_up);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let bytes = &buffer.filled()[before..];
        if self.read == 0 && !bytes.is_empty() {
            self.since = Instant::now();
        }
        self.note(bytes);
        if self.read > LONGEST_CALL || self.calls > MOST_CALLS {
            tracing::debug!("a connection that sends too much is given up");
            self.given_up = Some(TOO_MUCH);
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        (self.since, self.read, self.answered) = (Instant::now(), 0, true);
        Poll::Ready(Ok(written))
    }

    /// actix-web asks for it once all that it had to write is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.answered) {
            self.calls = 0;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: ActixStream> ActixStream for Connection<S> {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.stream.poll_read_ready(cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.stream.poll_write_ready(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use io::ErrorKind::{FileTooLarge, TimedOut};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    const PATIENCE: Duration = Duration::from_secs(90);

    /// Ours, and the client's end.
    fn connection() -> (Connection<DuplexStream>, DuplexStream) {
        connection_seen_by(&Arc::default())
    }

    fn connection_seen_by(metrics: &Arc<Metrics>) -> (Connection<DuplexStream>, DuplexStream) {
        let (ours, client) = duplex(1024);
        (Connection::new(ours, PATIENCE, Census::new(Arc::clone(metrics), "public", 10)), client)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_begins_a_call_and_is_silent_is_given_up() {
        let (mut ours, mut client) = connection();
        let begun = Instant::now();
        client.write_all(b"G").await.unwrap();
        assert_eq!(ours.read_u8().await.unwrap(), b'G');
        assert_eq!(ours.read_u8().await.unwrap_err().kind(), TimedOut);
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn monitoring_sees_it_and_why_it_was_given_up() {
        let metrics = Arc::new(Metrics::new());
        let open = || metrics.server_connections.with_label_values(&["public"]).get();
        let given_up = |reason| metrics.server_connections_given_up.with_label_values(&["public", reason]).get();

        let (ours, _client) = connection_seen_by(&metrics);
        assert_eq!((open(), metrics.server_connections_max.with_label_values(&["public"]).get()), (1, 10));
        drop(ours);
        assert_eq!((open(), given_up(SILENT), given_up(TOO_MUCH)), (0, 0, 0));

        let (mut ours, _client) = connection_seen_by(&metrics);
        ours.read_u8().await.unwrap_err();
        ours.write_u8(0).await.unwrap_err();
        drop(ours);
        assert_eq!((open(), given_up(SILENT), given_up(TOO_MUCH)), (0, 1, 0));

        let (mut ours, mut client) = connection_seen_by(&metrics);
        tokio::spawn(async move { while client.write_all(&[b'x'; 1024]).await.is_ok() {} });
        while ours.read_u8().await.is_ok() {}
        drop(ours);
        assert_eq!((open(), given_up(SILENT), given_up(TOO_MUCH)), (0, 1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_gives_it_time_anew() {
        let (mut ours, _client) = connection();
        let begun = Instant::now();
        for _ in 0..3 {
            sleep(Duration::from_secs(60)).await;
            ours.write_all(b":\n\n").await.unwrap();
        }
        assert_eq!(ours.read_u8().await.unwrap_err().kind(), TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 3 * 60 + PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn each_call_has_all_of_it_however_long_the_connection_was_idle() {
        let (mut ours, mut client) = connection();
        ours.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        sleep(Duration::from_secs(75)).await;
        let begun = Instant::now();
        client.write_all(b"G").await.unwrap();
        ours.read_u8().await.unwrap();
        sleep(Duration::from_secs(60)).await;
        client.write_all(b"E").await.unwrap();
        ours.read_u8().await.unwrap();
        assert_eq!(ours.read_u8().await.unwrap_err().kind(), TimedOut);
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_its_answer_is_given_up() {
        let (mut ours, _client) = connection();
        let begun = Instant::now();
        assert_eq!(ours.write_all(&[0; 1025]).await.unwrap_err().kind(), TimedOut);
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_makes_many_calls_before_it_is_answered_is_given_up() {
        let (mut ours, mut client) = connection();
        let mut call = [0; 19];
        for _ in 0..3 {
            for _ in 0..MOST_CALLS {
                client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
                ours.read_exact(&mut call[..18]).await.unwrap();
            }
            // Only what has left is an answer.
            ours.flush().await.unwrap();
            ours.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
            ours.flush().await.unwrap();
        }
        // However the end of a head is cut, and written.
        for half in [b"GET / HTTP/1.1\n".as_slice(), b"\n", b"POST / HTTP/1.1\r", b"\n\r", b"\n"] {
            client.write_all(half).await.unwrap();
            ours.read_exact(&mut call[..half.len()]).await.unwrap();
        }
        client.write_all(&b"GET / HTTP/1.1\n\n".repeat(MOST_CALLS - 2)).await.unwrap();
        client.write_all(b"\n").await.unwrap();
        let mut rest = vec![0; 16 * (MOST_CALLS - 2) + 1];
        assert_eq!(ours.read_exact(&mut rest).await.unwrap_err().kind(), FileTooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_ever_more_is_given_up_after_the_longest_call() {
        let (mut ours, mut client) = connection();
        tokio::spawn(async move { while client.write_all(&[b'x'; 1024]).await.is_ok() {} });
        let mut call = vec![0; LONGEST_CALL];
        for _ in 0..2 {
            ours.read_exact(&mut call).await.unwrap();
            ours.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        }
        ours.read_exact(&mut call).await.unwrap();
        assert_eq!(ours.read_u8().await.unwrap_err().kind(), FileTooLarge);
    }
}
