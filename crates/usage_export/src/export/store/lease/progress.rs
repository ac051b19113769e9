//! What a worker tells of an export that it makes, for those who watch it.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;

use crate::dynamo::{number, text};
use crate::export::Speed;
use crate::timestamp;

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Percent of the time that is read: 0 to 99.
    pub percent: u8,
    /// Rows that are written so far.
    pub rows: u64,
}

impl Progress {
    /// The values `:percent` and `:rows` of an update.
    pub(super) fn set_in(self, update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        update
            .expression_attribute_values(":percent", number(self.percent))
            .expression_attribute_values(":rows", number(self.rows))
    }
}

/// An update that begins with the expression `set` and saves the speed. What is not known is removed.
pub(super) fn set_speed(
    mut update: UpdateItemFluentBuilder,
    set: &str,
    speed: Speed,
) -> UpdateItemFluentBuilder {
    let rows_per_second = speed.rows_per_second.map(number);
    let estimated_finish_ts = speed.estimated_finish_ts.map(|ts| text(timestamp::to_text(ts)));
    let (mut expression, mut unknown) = (set.to_owned(), Vec::new());
    for (name, value) in [("rows_per_second", rows_per_second), ("estimated_finish_ts", estimated_finish_ts)]
    {
        if let Some(value) = value {
            expression = format!("{expression}, {name} = :{name}");
            update = update.expression_attribute_values(format!(":{name}"), value);
        } else {
            unknown.push(name);
        }
    }
    if !unknown.is_empty() {
        expression = format!("{expression} REMOVE {}", unknown.join(", "));
    }
    update.update_expression(expression)
}
