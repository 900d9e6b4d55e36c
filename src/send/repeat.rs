//! Which calls are the same, so that a message leaves once though it is asked for twice.
//!
//! Two calls are the same when number, usage type and code are equal: every honest resend has a new code. What is
//! remembered is a keyed hash, never number or code.

use std::{
    collections::{HashMap, VecDeque, hash_map},
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{Delivery, Sent};
use crate::sms::{MessageId, Msisdn, Payload, UsageType};

/// How long an accepted message answers for its repeats.
const REMEMBERED: Duration = Duration::from_secs(60);
/// At most so many are remembered, about 4 MiB; the oldest go first. A minute's worth at 500 messages a second, far
/// beyond what people ask for: whoever floods us shortens our memory, and does not fill it.
const MOST_REMEMBERED: usize = 30_000;

/// The calls of the last minute. Shared by all worker threads.
#[derive(Debug)]
pub(super) struct Repeats {
    /// Two keys, so that a hash has 128 bits.
    keys: [RandomState; 2],
    most_remembered: usize,
    state: Mutex<State>,
}

impl Default for Repeats {
    fn default() -> Self {
        Self { keys: Default::default(), most_remembered: MOST_REMEMBERED, state: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<u128, Entry, BuildHasherDefault<Hashed>>,
    /// Accepted calls, oldest first.
    accepted: VecDeque<(Instant, u128)>,
    /// The newest of the running messages to a number, by the number's hash.
    newest: HashMap<u64, MessageId, BuildHasherDefault<Hashed>>,
}

#[derive(Debug)]
enum Entry {
    /// Going along the line; these wait for its outcome.
    Running(Vec<oneshot::Sender<Delivery>>),
    Accepted(MessageId, Sent),
}

/// What to do with a call.
pub(super) enum Claim {
    /// Send it, and tell the ticket what became of it.
    First(Ticket),
    /// Send it; it is never a repeat.
    Exempt,
    /// The same call is on its way: wait for its outcome.
    Follow(oneshot::Receiver<Delivery>),
    /// The same call was accepted a moment ago.
    Accepted(Delivery),
}

/// The right to send a message. Dropped without an outcome, it leaves no trace.
pub(super) struct Ticket {
    repeats: Arc<Repeats>,
    call: u128,
    number: u64,
    id: MessageId,
    is_settled: bool,
}

impl Repeats {
    pub(super) fn claim(
        self: &Arc<Self>,
        id: MessageId,
        msisdn: Msisdn,
        usage_type: UsageType,
        code: Option<&str>,
        now: Instant,
    ) -> Claim {
        let Some(code) = code.filter(|code| *code != Payload::TEST_CODE) else { return Claim::Exempt };
        let call = self.hash((msisdn, usage_type, code));
        let number = self.keys[0].hash_one(msisdn);
        let mut state = self.lock();
        state.forget(now.checked_sub(REMEMBERED), self.most_remembered);
        match state.calls.get_mut(&call) {
            Some(Entry::Running(waiting)) => {
                let (tell, first) = oneshot::channel();
                waiting.push(tell);
                Claim::Follow(first)
            }
            Some(Entry::Accepted(id, sent)) => Claim::Accepted(Delivery { id: *id, result: Ok(*sent) }),
            None => {
                state.calls.insert(call, Entry::Running(Vec::new()));
                Claim::First(Ticket { repeats: Arc::clone(self), call, number, id, is_settled: false })
            }
        }
    }

    fn hash(&self, call: (Msisdn, UsageType, &str)) -> u128 {
        let [high, low] = self.keys.each_ref().map(|key| u128::from(key.hash_one(call)));
        (high << 64) | low
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets those accepted before `oldest`, and those beyond `most`.
    fn forget(&mut self, oldest: Option<Instant>, most: usize) {
        while let Some((accepted_at, call)) = self.accepted.front().copied() {
            let is_over = oldest.is_some_and(|oldest| accepted_at <= oldest);
            if !is_over && self.accepted.len() < most {
                return;
            }
            self.accepted.pop_front();
            self.calls.remove(&call);
        }
    }
}

impl Ticket {
    /// The message may leave: from now on no older one to the same number does.
    pub(super) fn supersedes(&self) {
        self.repeats.lock().newest.insert(self.number, self.id);
    }

    /// A newer message to the same number may leave meanwhile.
    pub(super) fn is_superseded(&self) -> bool {
        self.repeats.lock().newest.get(&self.number) != Some(&self.id)
    }

    /// Tells those who wait, and remembers an accepted message. Any other outcome is forgotten: a person who asks
    /// again then gets a new attempt.
    pub(super) fn settle(mut self, delivery: &Delivery, now: Instant) {
        let accepted = delivery.result.as_ref().ok().map(|sent| (*sent, now));
        for follower in self.finish(accepted) {
            // A follower that has gone needs no answer.
            let _ = follower.send(delivery.clone());
        }
    }

    /// Ends the running call, and hands out who waits for it.
    fn finish(&mut self, accepted: Option<(Sent, Instant)>) -> Vec<oneshot::Sender<Delivery>> {
        self.is_settled = true;
        let mut state = self.repeats.lock();
        if let hash_map::Entry::Occupied(newest) = state.newest.entry(self.number)
            && *newest.get() == self.id
        {
            newest.remove();
        }
        let entry = match accepted {
            Some((sent, now)) => {
                state.accepted.push_back((now, self.call));
                state.calls.insert(self.call, Entry::Accepted(self.id, sent))
            }
            None => state.calls.remove(&self.call),
        };
        match entry {
            Some(Entry::Running(waiting)) => waiting,
            Some(Entry::Accepted(..)) | None => Vec::new(),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_settled {
            self.finish(None);
        }
    }
}

/// Takes a key for its hash: it is one already, and a keyed one.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_ne_bytes(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gatewayapi::{Failure, NotSent, Receipt},
        sms::Recipient,
    };

    fn msisdn(text: &str) -> Msisdn {
        Recipient::parse(text).unwrap().msisdn
    }

    fn claim(repeats: &Arc<Repeats>, code: &str, now: Instant) -> Claim {
        let (id, to) = (MessageId::generate(), msisdn("4526091045"));
        repeats.claim(id, to, UsageType::SignIn, Some(code), now)
    }

    fn first(claim: Claim) -> Ticket {
        match claim {
            Claim::First(ticket) => ticket,
            _ => panic!("not the first"),
        }
    }

    fn accepted(ticket: &Ticket) -> Delivery {
        Delivery { id: ticket.id, result: Ok(Sent::Accepted(Receipt { id: 1, cost: None })) }
    }

    #[test]
    fn an_accepted_message_answers_for_its_repeats_for_a_minute() {
        let (repeats, now) = (Arc::new(Repeats::default()), Instant::now());
        let ticket = first(claim(&repeats, "123456", now));
        let delivery = accepted(&ticket);
        ticket.settle(&delivery, now);
        let later = now + Duration::from_millis(59_999);
        let Claim::Accepted(repeat) = claim(&repeats, "123456", later) else { panic!("sent again") };
        assert_eq!(repeat.id, delivery.id);
        first(claim(&repeats, "123456", now + REMEMBERED));
    }

    #[tokio::test]
    async fn a_call_that_comes_meanwhile_gets_the_same_outcome() {
        let (repeats, now) = (Arc::new(Repeats::default()), Instant::now());
        let ticket = first(claim(&repeats, "123456", now));
        let Claim::Follow(outcome) = claim(&repeats, "123456", now) else { panic!("sent twice") };
        let failed = Delivery { id: ticket.id, result: Err(Failure::not_sent(NotSent::Unreachable).into()) };
        ticket.settle(&failed, now);
        assert_eq!(outcome.await.unwrap().result, failed.result);
        first(claim(&repeats, "123456", now));
    }

    #[tokio::test]
    async fn a_ticket_that_is_dropped_lets_the_next_call_send() {
        let (repeats, now) = (Arc::new(Repeats::default()), Instant::now());
        let ticket = first(claim(&repeats, "123456", now));
        let Claim::Follow(outcome) = claim(&repeats, "123456", now) else { panic!("sent twice") };
        drop(ticket);
        assert!(outcome.await.is_err());
        first(claim(&repeats, "123456", now));
    }

    #[test]
    fn number_usage_type_and_code_tell_calls_apart() {
        let (repeats, now) = (Arc::new(Repeats::default()), Instant::now());
        let claim = |to: &str, usage_type, code| {
            first(repeats.claim(MessageId::generate(), msisdn(to), usage_type, Some(code), now))
        };
        let tickets = [
            claim("4526091045", UsageType::SignIn, "123456"),
            claim("4526091046", UsageType::SignIn, "123456"),
            claim("4526091045", UsageType::Register, "123456"),
            claim("4526091045", UsageType::SignIn, "123457"),
        ];
        assert_eq!(tickets.len(), 4);
    }

    #[test]
    fn the_test_code_and_a_message_without_a_code_are_never_repeats() {
        let (repeats, now) = (Arc::new(Repeats::default()), Instant::now());
        assert!(matches!(claim(&repeats, Payload::TEST_CODE, now), Claim::Exempt));
        let without = repeats.claim(MessageId::generate(), msisdn("4526091045"), UsageType::SignIn, None, now);
        assert!(matches!(without, Claim::Exempt));
    }

    #[test]
    fn a_newer_code_to_the_same_number_supersedes() {
        let (repeats, now) = (Arc::new(Repeats::default()), Instant::now());
        let older = first(claim(&repeats, "111111", now));
        older.supersedes();
        let newer = first(claim(&repeats, "222222", now));
        assert!(!older.is_superseded(), "a limit may yet refuse the newer one");
        newer.supersedes();
        assert!(older.is_superseded());
        assert!(!newer.is_superseded());
    }

    #[test]
    fn memory_is_bounded() {
        let now = Instant::now();
        let repeats = Arc::new(Repeats { most_remembered: 100, ..Repeats::default() });
        for code in 0..500 {
            let ticket = first(claim(&repeats, &code.to_string(), now));
            let delivery = accepted(&ticket);
            ticket.settle(&delivery, now);
        }
        let state = repeats.lock();
        assert_eq!((state.accepted.len(), state.calls.len(), state.newest.len()), (100, 100, 0));
    }
}
