//! What is wrong with templates, and where.

use std::fmt;

use crate::sms::UsageType;

/// One fault, with all that is known of its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    pub file: String,
    pub usage_type: Option<UsageType>,
    pub locale: Option<String>,
    /// Begins with line and column where they are known.
    pub problem: String,
}

/// Something to look at that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateWarning(pub TemplateFault);

/// Why a set of templates was refused: every fault that was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateFaults(pub Vec<TemplateFault>);

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(usage_type) = self.usage_type {
            write!(f, ", usage type {usage_type}")?;
        }
        if let Some(locale) = &self.locale {
            write!(f, ", locale {locale}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl fmt::Display for TemplateWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TemplateFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}
