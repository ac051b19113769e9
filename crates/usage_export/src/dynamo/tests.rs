use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;

const TABLE: &str = "table";

fn keys(count: usize) -> Vec<Item> {
    (0..count).map(|id| Item::from([("id".to_owned(), text(format!("{id:04}")))])).collect()
}

fn asked(request: &BatchGetItemInput) -> Vec<Item> {
    request.request_items().unwrap()[TABLE].keys().to_vec()
}

/// Returns items for at most `at_most` keys of a request and leaves the others unprocessed.
fn answers(at_most: usize) -> Rule {
    mock!(Client::batch_get_item).then_compute_output(move |request| {
        let mut found = asked(request);
        assert!(found.len() <= 100, "DynamoDB refuses more");
        let left = found.split_off(at_most.min(found.len()));
        let mut output = BatchGetItemOutput::builder().responses(TABLE, found);
        if !left.is_empty() {
            let left = KeysAndAttributes::builder().set_keys(Some(left)).build().unwrap();
            output = output.unprocessed_keys(TABLE, left);
        }
        output.build()
    })
}

async fn read(rule: &Rule, count: usize) -> Result<Vec<Item>, AwsError> {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [rule]);
    batch_get(&client, TABLE, keys(count), true).await
}

#[tokio::test(start_paused = true)]
async fn only_unprocessed_keys_are_asked_for_again() {
    let rule = answers(1);
    assert_eq!(read(&rule, 8).await.unwrap(), keys(8));
    assert_eq!(rule.num_calls(), 8);
}

#[tokio::test(start_paused = true)]
async fn keys_that_stay_unprocessed_are_an_error_and_never_a_shorter_result() {
    let error = read(&answers(1), 9).await.unwrap_err();
    assert_eq!(error.to_string(), "dynamodb:BatchGetItem: UnprocessedKeys: 1 keys were left after 8 tries");
    let nothing = answers(0);
    assert!(read(&nothing, 3).await.is_err());
    assert_eq!(nothing.num_calls(), 8);
}

#[tokio::test]
async fn keys_are_read_in_chunks_of_a_hundred() {
    let rule = answers(100);
    assert_eq!(read(&rule, 250).await.unwrap(), keys(250));
    assert_eq!(rule.num_calls(), 3);
    assert!(read(&answers(100), 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_error_keeps_the_message_of_the_service_and_no_keys() {
    let body =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"no such thing"}"#;
    let rule = mock!(Client::batch_get_item).sequence().http_status(400, Some(body.to_owned())).build();
    let error = read(&rule, 1).await.unwrap_err();
    assert_eq!(error.to_string(), "dynamodb:BatchGetItem: ValidationException: no such thing");
    assert!(!format!("{error:?}").contains("0000"), "the keys of the request are not told: {error:?}");
}
