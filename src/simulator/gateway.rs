use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::{mpsc, watch};

use super::{
    Options, behaviour::Behaviour, connections::Connections, inbox::Inbox, message::Message, received::Received,
    reports::Reports,
};

/// What all connections of one simulator share.
pub(super) struct Gateway {
    pub token: String,
    pub credit_as_text: bool,
    pub reports: Option<Reports>,
    pub inbox: Inbox,
    pub connections: Connections,
    /// Requests to send that were read.
    pub requests: watch::Sender<usize>,
    pub reports_answered: watch::Sender<usize>,
    /// The path whose answers wait until they are released.
    held: watch::Sender<Option<&'static str>>,
    /// Requests whose answers wait for reports, once for each message that is still to be reported.
    untold: watch::Sender<Vec<usize>>,
    conduct: Mutex<Conduct>,
    /// Accepted messages that want delivery reports.
    outbox: mpsc::UnboundedSender<Received>,
}

struct Conduct {
    behaviour: Behaviour,
    latency: Duration,
    /// Where all reports go, whatever the message says.
    report_url: Option<String>,
    /// Refusals so far of numbers that are refused a few times before they are accepted.
    refusals: HashMap<u64, u32>,
}

impl Gateway {
    pub fn new(options: Options, outbox: mpsc::UnboundedSender<Received>) -> Self {
        let Options { listen: _, token, max_connections, latency, behaviour, credit_as_text, reports } = options;
        Self {
            token,
            credit_as_text,
            reports,
            inbox: Inbox::new(),
            connections: Connections::new(max_connections),
            requests: watch::Sender::new(0),
            reports_answered: watch::Sender::new(0),
            held: watch::Sender::new(None),
            untold: watch::Sender::new(Vec::new()),
            conduct: Mutex::new(Conduct { behaviour, latency, report_url: None, refusals: HashMap::new() }),
            outbox,
        }
    }

    pub fn behaviour(&self) -> Behaviour {
        self.conduct().behaviour
    }

    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.conduct().behaviour = behaviour;
    }

    pub fn latency(&self) -> Duration {
        self.conduct().latency
    }

    pub fn set_latency(&self, latency: Duration) {
        self.conduct().latency = latency;
    }

    /// Holds the answers to requests for this path, or none any longer.
    pub fn hold(&self, path: Option<&'static str>) {
        self.held.send_replace(path);
    }

    /// Waits until answers to requests for this path may go.
    pub async fn until_released(&self, path: &str) {
        // It errs only when the sender is gone, which we hold.
        let _ = self.held.subscribe().wait_for(|held| *held != Some(path)).await;
    }

    pub fn report_url(&self) -> Option<String> {
        self.conduct().report_url.clone()
    }

    pub fn report_to(&self, url: String) {
        self.conduct().report_url = Some(url);
    }

    /// Counts a request to send, and gives its number.
    pub fn count_request(&self) -> usize {
        let mut number = 0;
        self.requests.send_modify(|requests| {
            *requests += 1;
            number = *requests;
        });
        number
    }

    /// Whether a number is still to be refused: so many times, then accepted once, then from the start.
    pub fn refuses(&self, msisdn: u64, times: u32) -> bool {
        let mut conduct = self.conduct();
        let refusals = conduct.refusals.entry(msisdn).or_default();
        let refused = *refusals < times;
        *refusals = if refused { *refusals + 1 } else { 0 };
        refused
    }

    pub fn accept(&self, messages: Vec<Message>, request: usize) -> Vec<Received> {
        let accepted = self.inbox.accept(messages, request);
        if let Some(reports) = &self.reports {
            if reports.before_answer {
                self.untold.send_modify(|untold| untold.extend(vec![request; accepted.len()]));
            }
            for message in &accepted {
                // It errs only after the simulator stopped.
                let _ = self.outbox.send(message.clone());
            }
        }
        accepted
    }

    /// One more message of a request was reported.
    pub fn told(&self, request: usize) {
        self.untold.send_modify(|untold| {
            if let Some(place) = untold.iter().position(|&other| other == request) {
                untold.swap_remove(place);
            }
        });
    }

    /// Waits until all messages of a request were reported, where its answer waits for that.
    pub async fn until_told(&self, request: usize) {
        // It errs only when the sender is gone, which we hold.
        let _ = self.untold.subscribe().wait_for(|untold| !untold.contains(&request)).await;
    }

    fn conduct(&self) -> MutexGuard<'_, Conduct> {
        // Each change is a single assignment, so a panic elsewhere leaves nothing half done.
        self.conduct.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unix seconds.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
