//! What is wrong with a form, in the words of the page.

use usage_export::problem::Problem;

/// For each input that has something wrong with it, a sentence to show beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormErrors {
    /// What is not about one input.
    pub form: Option<String>,
    /// About the first day.
    pub start_date: Option<String>,
    /// About the last day.
    pub end_date: Option<String>,
    /// About the workspaces.
    pub workspaces: Option<String>,
    /// About the fields.
    pub fields: Option<String>,
}

impl FormErrors {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A refusal of the API in the words of the page. It names the fields of a request where the page has inputs.
    pub fn from_problem(problem: &Problem) -> Self {
        let mut errors = Self::default();
        for error in &problem.errors {
            let sentence = format!("{} {}.", error.field, error.message);
            match error.field.as_str() {
                "start_date" => errors.start_date = Some(sentence.replace("start_date", "The start date")),
                "end_date" => {
                    let sentence = sentence.replacen("end_date", "The end date", 1);
                    errors.end_date = Some(sentence.replace("start_date", "the start date"));
                }
                "workspace_ids" => {
                    errors.workspaces = Some(sentence.replace("workspace_ids has", "The selection has"));
                }
                "export_fields" => {
                    errors.fields = Some(sentence.replace("export_fields has", "The selection has"));
                }
                _ => errors.form = Some(sentence),
            }
        }
        if errors.is_empty() {
            errors.form = Some(problem.detail.clone());
        }
        errors
    }
}
