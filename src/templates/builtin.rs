//! The repository's own templates, compiled in.

use super::{fault::TemplateFaults, file::Definitions};

macro_rules! builtin {
    ($($usage_type:literal),* $(,)?) => {
        [$((
            concat!("templates/", $usage_type, ".json"),
            include_str!(concat!("../../templates/", $usage_type, ".json")),
        )),*]
    };
}

const FILES: [(&str, &str); 9] = builtin![
    "BindMfa",
    "BindNewIdentifier",
    "ForgotPassword",
    "Generic",
    "MfaVerification",
    "OrganizationInvitation",
    "Register",
    "SignIn",
    "UserPermissionValidation",
];

pub(super) fn read() -> Result<Definitions, TemplateFaults> {
    Definitions::parse("templates", FILES)
}
