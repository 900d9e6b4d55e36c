//! Outcomes that become known while, or after, their message is given up, in any order.

use super::{limits::OFF, *};
use crate::sms::{Cost, Currency, Recipient};
use rstest::rstest;
use std::time::Instant;

/// A ledger with its threads, and what it told.
struct Running {
    /// Holds the database.
    place: Place,
    ledger: Ledger,
    metrics: Arc<Metrics>,
}

impl Running {
    async fn start(kind: Kind, toml: &'static str) -> Self {
        let open = move || {
            let place = Place::new(kind);
            let url = place.url.clone().unwrap_or_else(|| "sqlite::memory:".to_owned());
            let key = "ledger.pseudonym_key = 'a key of at least 16 characters'";
            let settings = settings(&format!("ledger.url = '{url}'\n{key}\n{toml}"));
            let metrics = Arc::new(Metrics::new());
            let ledger = Ledger::open(&settings, Arc::clone(&metrics)).unwrap();
            Self { place, ledger, metrics }
        };
        tokio::task::spawn_blocking(open).await.unwrap()
    }

    async fn admit(&self, patience: Duration) -> Result<OpenMessage, Denial> {
        let recipient = Recipient::parse(NUMBER).unwrap();
        let applicant = Applicant { id: MessageId::generate(), usage_type: UsageType::SignIn, recipient, ip: None };
        match self.ledger.admit(applicant, Instant::now() + patience).await? {
            Admission::Open(open) => Ok(open),
            Admission::Test => panic!("no test number"),
        }
    }

    async fn give_up(&self, open: &OpenMessage) -> bool {
        let unknown = Settlement::of(open.id(), Outcome::Unknown, Timestamp::now());
        self.ledger.settle(open, unknown, Instant::now() + seconds(5)).await
    }

    async fn late(&self, open: &OpenMessage, outcome: Outcome, cost: Option<Cost>) -> bool {
        self.ledger.settle_late(Settlement { cost, ..Settlement::of(open.id(), outcome, Timestamp::now()) }).await
    }
}

#[derive(Debug, Clone, Copy)]
enum Told {
    /// That nobody waits for the answer any longer.
    GivenUp,
    Accepted,
    /// No answer that can be read.
    Nothing,
    Reported,
}

use Told::{Accepted, GivenUp, Nothing, Reported as Report};

#[rstest]
#[tokio::test]
async fn an_acceptance_is_counted_once(
    #[values(Kind::Memory, Kind::Postgres)] kind: Kind,
    #[values(
        &[GivenUp, Accepted],
        &[Accepted, GivenUp],
        &[GivenUp, Report],
        &[Report, GivenUp],
        &[GivenUp, Accepted, Report],
        &[GivenUp, Report, Accepted],
        &[Accepted, GivenUp, Report],
        &[Accepted, Report, GivenUp],
        &[Report, GivenUp, Accepted],
        &[Report, Accepted, GivenUp],
        &[GivenUp, Nothing, Report],
        &[GivenUp, Report, Nothing],
        &[Nothing, GivenUp, Report],
        &[Nothing, Report, GivenUp],
        &[Report, GivenUp, Nothing],
        &[Report, Nothing, GivenUp]
    )]
    order: &[Told],
) {
    let running = Running::start(kind, OFF).await;
    let open = running.admit(seconds(5)).await.unwrap();
    let mut counted = 0;
    for told in order {
        counted += u32::from(match told {
            GivenUp => running.give_up(&open).await,
            Accepted => running.late(&open, Outcome::Accepted, None).await,
            Nothing => running.late(&open, Outcome::Unknown, None).await,
            Report => {
                let report = report(open.id(), DeliveryStatus::Delivered, Timestamp::now());
                running.ledger.report(report).await.unwrap().newly_accepted
            }
        });
    }
    assert_eq!(counted, 1);
}

#[rstest]
#[tokio::test]
async fn an_answer_may_come_before_it_is_written_that_nobody_waits_for_it(
    #[values(Kind::Memory, Kind::Postgres)] kind: Kind,
) {
    let limits = "limits.number = { mode = 'enforce', cooldown = '1h', rates = [] }\n\
                  limits.spend = { mode = 'enforce', per_day = { EUR = 1 } }\n";
    let running = Running::start(kind, limits).await;
    let refused = running.admit(seconds(5)).await.unwrap();
    running.late(&refused, Outcome::Rejected, None).await;
    running.give_up(&refused).await;

    let accepted = running.admit(seconds(5)).await.expect("what was refused is not counted");
    let cost = Cost { micros: 400_000, currency: Currency::parse("EUR").unwrap() };
    running.late(&accepted, Outcome::Accepted, Some(cost)).await;
    running.give_up(&accepted).await;
    assert!((running.metrics.limits_spend_ratio.with_label_values(&["EUR"]).get() - 0.4).abs() < 1e-9);
}

/// The database may open a row, and charge for it, after the caller has been told that it is away.
#[tokio::test]
async fn what_was_charged_for_nobody_is_given_back() {
    let limits = "ledger.required = true\n\
                  limits.number = { mode = 'enforce', cooldown = '1h', rates = [] }\n";
    let running = Running::start(Kind::Postgres, limits).await;
    let url = running.place.url();
    let (holding, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    holding.batch_execute("BEGIN; LOCK TABLE message IN EXCLUSIVE MODE").await.unwrap();
    // Short enough that the database is not taken to be away for all.
    let denial = running.admit(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(denial, Denial::Away(Away));
    holding.batch_execute("COMMIT").await.unwrap();

    let admitted = loop {
        match running.admit(seconds(5)).await {
            Err(Denial::Away(Away)) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    admitted.expect("nothing was sent to it");
}
