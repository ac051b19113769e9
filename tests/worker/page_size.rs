//! Pages of usage records that are smaller than those of DynamoDB, so that a few records are many pages.

use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::query::QueryInput;

/// Asks for at most so many records at once.
#[derive(Debug)]
pub struct PageSize(pub i32);

impl Intercept for PageSize {
    fn name(&self) -> &'static str {
        "PageSize"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(query) = context.input_mut().downcast_mut::<QueryInput>() {
            query.limit = Some(query.limit.map_or(self.0, |limit| limit.min(self.0)));
        }
        Ok(())
    }
}
