use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{one_of, words};

words! {
    /// What became of a message on its way to GatewayAPI, by its name in the database, in metrics and in logs.
    pub enum Outcome {
        Accepted = "accepted",
        Rejected = "rejected",
        AccountFault = "account_fault",
        NotSent = "not_sent",
        /// It may have been sent.
        Unknown = "unknown",
        /// The text could not be made.
        TemplateFault = "template_fault",
    }
}

impl Outcome {
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// Those after which a message left, or may have: it counts.
    pub const MAY_HAVE_LEFT: [Self; 2] = [Self::Accepted, Self::Unknown];

    pub fn may_have_left(self) -> bool {
        Self::MAY_HAVE_LEFT.contains(&self)
    }
}

impl ToSchema for Outcome {}
impl PartialSchema for Outcome {
    fn schema() -> RefOr<Schema> {
        one_of(Self::ALL.map(Self::as_str), "What became of a message on its way to GatewayAPI.")
    }
}
