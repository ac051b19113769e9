//! An update of a stack keeps its tables and its bucket. The emulator updates in any case.

use serde_json::Value;

use crate::{TABLES, list, parsed, template};

/// What a stack may have been deployed from.
const EARLIER: &str = include_str!("../../../../tests/deployment/earlier.yaml");

fn indexes(table: &Value) -> Vec<Value> {
    list(&table["Properties"]["GlobalSecondaryIndexes"])
}

/// A changed key replaces the table by an empty one.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>
#[test]
fn tables_and_bucket_are_never_replaced() {
    let (earlier, today) = (&parsed(EARLIER)["Resources"], &template()["Resources"]);
    let are_both = |name: &&str| !earlier[*name].is_null();
    for name in TABLES.into_iter().chain(["ExportBucket"]).filter(are_both) {
        let (earlier, today) = (&earlier[name], &today[name]);
        assert_eq!(earlier["Type"], today["Type"], "{name}");
        for property in ["TableName", "KeySchema", "BucketName"] {
            assert_eq!(earlier["Properties"][property], today["Properties"][property], "{name}");
        }
        assert_eq!(today["UpdateReplacePolicy"], "Retain", "{name}");
    }
}

/// `CloudFormation` refuses more than one new index, and another key or projection of one that is there.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>
#[test]
fn an_update_adds_at_most_one_index_to_a_table_and_changes_none() {
    let (earlier, today) = (&parsed(EARLIER)["Resources"], &template()["Resources"]);
    for name in TABLES.into_iter().filter(|name| !earlier[*name].is_null()) {
        let (before, after) = (indexes(&earlier[name]), indexes(&today[name]));
        assert!(before.iter().all(|index| after.contains(index)), "{name}: {before:?}, {after:?}");
        assert!(after.len() <= before.len() + 1, "{name}: {before:?}, {after:?}");
        let types = list(&today[name]["Properties"]["AttributeDefinitions"]);
        for attribute in list(&earlier[name]["Properties"]["AttributeDefinitions"]) {
            assert!(types.contains(&attribute), "{name}: {attribute}");
        }
    }
}

/// A resource of the same name but of another type cannot be updated.
#[test]
fn no_name_stands_for_something_else() {
    let (earlier, today) = (parsed(EARLIER), template());
    for (name, resource) in earlier["Resources"].as_object().expect("resources") {
        if let Some(now) = today["Resources"].get(name) {
            assert_eq!(now["Type"], resource["Type"], "{name}");
        }
    }
}

/// Other programs find tables, bucket and queues by them.
#[test]
fn no_output_is_lost() {
    let (earlier, today) = (parsed(EARLIER), template());
    for (name, output) in earlier["Outputs"].as_object().expect("outputs") {
        assert_eq!(today["Outputs"][name]["Value"], output["Value"], "{name}");
    }
}
