//! Reads the JSON body of a `Query`.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::data::pages::{KeyRange, Projection};

/// What a `Query` asks for.
#[derive(Debug)]
pub struct QueryRequest {
    /// Key of the partition.
    pub partition_key: String,
    /// Which of its items.
    pub range: KeyRange,
    /// Which attributes of them.
    pub projection: Projection,
    /// Whether the read is strongly consistent.
    pub is_consistent: bool,
    /// Whether the answer is to say what the read costs.
    pub wants_cost: bool,
}

impl QueryRequest {
    /// Reads the body. Bounds are those of the product and its peers: `SK >= :a`, `SK <= :b`, `SK BETWEEN :a AND :b`.
    ///
    /// # Errors
    ///
    /// Fails if the condition is another one, or names a value that is not there.
    pub fn parse(query: &Value) -> Result<Self> {
        ensure!(query["FilterExpression"].is_null(), "filters are not implemented");
        let condition = query["KeyConditionExpression"].as_str().context("Query has no condition")?;
        let value = |name: &str| {
            let value = query["ExpressionAttributeValues"][name]["S"].as_str();
            value.map(str::to_owned).with_context(|| format!("{name} has no value"))
        };
        let words: Vec<_> = condition.split_whitespace().collect();
        let (partition_key, first, last) = match words[..] {
            ["PK", "=", key] => (key, None, None),
            ["PK", "=", key, "AND", "SK", ">=", first] => (key, Some(first), None),
            ["PK", "=", key, "AND", "SK", "<=", last] => (key, None, Some(last)),
            ["PK", "=", key, "AND", "SK", "BETWEEN", first, "AND", last] => (key, Some(first), Some(last)),
            _ => bail!("{condition:?} is not implemented"),
        };
        let range = KeyRange {
            first: first.map(value).transpose()?,
            last: last.map(value).transpose()?,
            after: query["ExclusiveStartKey"]["SK"]["S"].as_str().map(str::to_owned),
            limit: query["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()),
        };
        Ok(Self {
            partition_key: value(partition_key)?,
            range,
            projection: projection(query),
            is_consistent: query["ConsistentRead"] == true,
            wants_cost: ["TOTAL", "INDEXES"].iter().any(|wanted| query["ReturnConsumedCapacity"] == *wanted),
        })
    }

    /// Whether DynamoDB refuses the key to start after, because it lies outside the bounds.
    pub fn starts_outside(&self) -> bool {
        let KeyRange { first, last, after, .. } = &self.range;
        after.as_ref().is_some_and(|after| {
            first.as_ref().is_some_and(|first| after < first)
                || last.as_ref().is_some_and(|last| after > last)
        })
    }
}

/// The attributes that the query asks for.
fn projection(query: &Value) -> Projection {
    let mut names: Projection = query["ProjectionExpression"]
        .as_str()
        .into_iter()
        .flat_map(|expression| expression.split(','))
        .map(|name| query["ExpressionAttributeNames"][name.trim()].as_str().unwrap_or(name.trim()).to_owned())
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(condition: &str) -> Value {
        json!({
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {":pk": {"S": "wsp#2025-01"}, ":a": {"S": "a"}, ":b": {"S": "b"}},
        })
    }

    #[test]
    fn bounds_of_the_sort_key() {
        for (condition, first, last) in [
            ("PK = :pk", None, None),
            ("PK = :pk AND SK >= :a", Some("a"), None),
            ("PK = :pk AND SK <= :b", None, Some("b")),
            ("PK = :pk AND SK BETWEEN :a AND :b", Some("a"), Some("b")),
        ] {
            let request = QueryRequest::parse(&query(condition)).unwrap();
            assert_eq!(request.partition_key, "wsp#2025-01");
            assert_eq!((request.range.first.as_deref(), request.range.last.as_deref()), (first, last));
        }
        assert!(QueryRequest::parse(&query("PK = :pk AND SK > :a")).is_err());
        assert!(QueryRequest::parse(&query("PK = :pk AND SK >= :c")).is_err());
    }

    #[test]
    fn a_key_to_start_after_must_lie_within_the_bounds() {
        let mut query = query("PK = :pk AND SK BETWEEN :a AND :b");
        for (after, is_outside) in [("a", false), ("ab", false), ("b", false), ("A", true), ("c", true)] {
            query["ExclusiveStartKey"] = json!({"PK": {"S": "wsp#2025-01"}, "SK": {"S": after}});
            assert_eq!(QueryRequest::parse(&query).unwrap().starts_outside(), is_outside, "{after}");
        }
    }
}
