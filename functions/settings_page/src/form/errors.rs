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
    /// About the time zone.
    pub time_zone: Option<String>,
    /// About the workspaces.
    pub workspaces: Option<String>,
    /// About the fields.
    pub fields: Option<String>,
    /// About the name under which the form is to be saved.
    pub name: Option<String>,
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
            let sentence = |subject: &str| {
                let message = error.message.replace("start_date", "the start date");
                Some(format!("{subject} {message}."))
            };
            match error.field.as_str() {
                "start_date" => errors.start_date = sentence("The start date"),
                "end_date" => errors.end_date = sentence("The end date"),
                "workspace_ids" => errors.workspaces = sentence("The selection"),
                "export_fields" => errors.fields = sentence("The selection"),
                "name" => errors.name = sentence("This name"),
                "entity_ids" => errors.form = sentence("The selection of workbooks"),
                _ => errors.form = sentence("The form"),
            }
        }
        if errors.is_empty() {
            errors.form = Some(problem.detail.clone());
        }
        errors
    }
}
