use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The body of an answer: whole, or one that promises more than it gives.
pub(in crate::simulator) struct Body {
    left: Option<Bytes>,
    promised: u64,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// What was given is yet to be written out.
    Flush,
    Break,
}

impl Body {
    pub fn whole(bytes: Bytes) -> Self {
        Self { promised: bytes.len() as u64, left: Some(bytes), end: End::Whole }
    }

    /// Half of the bytes, and then the connection breaks.
    pub fn cut_short(bytes: Bytes) -> Self {
        Self { promised: bytes.len() as u64, left: Some(bytes.slice(..bytes.len() / 2)), end: End::Flush }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(bytes) = self.left.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Flush => {
                // hyper writes out what it has while a body is not ready, but not when a body fails.
                self.end = End::Break;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Break => Poll::Ready(Some(Err(Dropped))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

/// The connection is closed here, on purpose.
#[derive(Debug)]
pub(in crate::simulator) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulator closed the connection")
    }
}

impl std::error::Error for Dropped {}
