use std::fmt;

/// What a message is for, in Logto's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsageType {
    SignIn,
    Register,
    ForgotPassword,
    OrganizationInvitation,
    Generic,
    UserPermissionValidation,
    BindNewIdentifier,
    MfaVerification,
    BindMfa,
}

impl UsageType {
    /// How many there are.
    pub const COUNT: usize = 9;

    pub const ALL: [Self; Self::COUNT] = [
        Self::SignIn,
        Self::Register,
        Self::ForgotPassword,
        Self::OrganizationInvitation,
        Self::Generic,
        Self::UserPermissionValidation,
        Self::BindNewIdentifier,
        Self::MfaVerification,
        Self::BindMfa,
    ];

    /// The usage type of exactly this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage_type| usage_type.as_str() == name)
    }

    /// The usage type that a request of Logto means. A name that we do not know, and the deprecated `Test`, mean
    /// [`Generic`](Self::Generic): a newer Logto must not be turned away.
    pub fn of_request(name: &str) -> Self {
        Self::from_name(name).unwrap_or(Self::Generic)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "SignIn",
            Self::Register => "Register",
            Self::ForgotPassword => "ForgotPassword",
            Self::OrganizationInvitation => "OrganizationInvitation",
            Self::Generic => "Generic",
            Self::UserPermissionValidation => "UserPermissionValidation",
            Self::BindNewIdentifier => "BindNewIdentifier",
            Self::MfaVerification => "MfaVerification",
            Self::BindMfa => "BindMfa",
        }
    }

    /// Its place in [`ALL`](Self::ALL), for tables that hold one entry per usage type.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for UsageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_its_own_usage_type() {
        for (index, usage_type) in UsageType::ALL.into_iter().enumerate() {
            assert_eq!(UsageType::from_name(usage_type.as_str()), Some(usage_type));
            assert_eq!(usage_type.index(), index);
        }
    }

    #[test]
    fn an_unknown_usage_type_is_generic() {
        assert_eq!(UsageType::of_request("Test"), UsageType::Generic);
        assert_eq!(UsageType::of_request("PasskeyRecovery2031"), UsageType::Generic);
        assert_eq!(UsageType::of_request("signin"), UsageType::Generic);
    }
}
