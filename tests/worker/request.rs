//! The ids that a request names are in an item of their own.

use export_worker::Disposition;
use integration_tests::records::{delete_record, new_export_id, put_as_it_is, read_record};
use integration_tests::run;
use serde_json::{Value, json};
use usage_export::export::DataExport;
use usage_export::export::request::{ExportRequest, MAX_IDS, Scope};
use usage_export::export::store::create::Created;

use crate::world::{World, now};

fn item_of(world: &World) -> String {
    format!("REQUEST#{}", world.id)
}

async fn assert_failed_without_a_file(world: &World) {
    assert_eq!(world.process(1).await, Disposition::Acknowledge);
    let export = world.export().await;
    assert_eq!(export["state"], "FAILED", "{export}");
    let reason = export["error"].as_str().unwrap();
    assert!(reason.starts_with("The workspaces and workbooks that the export names"), "{reason}");
    assert!(world.file().await.is_none());
    assert!(world.faults.sent("Query").is_empty(), "nothing is read");
    assert_eq!(world.subjects().await.len(), 1);
}

#[test]
fn an_export_whose_ids_are_gone_fails_and_does_not_export_everything() {
    run(async {
        for ids in [json!([]), json!(["wbk_1"])] {
            // Without its ids, a request of workbooks only would be one of every workspace.
            let world = World::with_request(|request| {
                request["scope"]["entity_ids"] = ids;
            })
            .await;
            delete_record(&item_of(&world)).await;
            assert_failed_without_a_file(&world).await;
        }
    });
}

#[test]
fn an_export_whose_ids_are_not_those_of_its_request_fails() {
    run(async {
        let world = World::new().await;
        let empty = json!({"data_export_id": item_of(&world), "workspace_ids": [], "entity_ids": []});
        put_as_it_is(&empty).await;
        assert_failed_without_a_file(&world).await;
    });
}

#[test]
fn an_export_of_an_earlier_version_has_its_ids_in_its_record() {
    run(async {
        let world = World::new().await;
        delete_record(&item_of(&world)).await;
        let mut record = world.export().await;
        record["request"]["scope"] = json!({
            "all_workspaces": false, "personal_workspaces": false, "workspace_ids": world.workspaces,
            "entity_ids": ["wbk_1", "wbk_2"],
        });
        put_as_it_is(&record).await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["row_count"]), (&json!("COMPLETED"), &json!(3)));
        assert_eq!(export["request"], record["request"], "the record keeps them");
    });
}

#[test]
fn a_record_stays_small_however_many_ids_its_request_names() {
    run(async {
        let world = World::new().await;
        let id = |index: usize| format!("wsp_{index:046}");
        let scope = Scope {
            all_workspaces: false,
            organization_workspaces: false,
            personal_workspaces: false,
            workspace_ids: (0..MAX_IDS).map(id).collect(),
            entity_ids: (0..100).map(id).collect(),
        };
        let stored: Value = world.export().await;
        let request = ExportRequest {
            fields: serde_json::from_value(stored["request"]["fields"].clone()).unwrap(),
            interval: serde_json::from_value(stored["request"]["interval"].clone()).unwrap(),
            scope: scope.clone(),
            time_zone: None,
            name: None,
        };
        let mut export = DataExport::new(&world.org.id, &world.org.caller.user_id, request, now());
        export.data_export_id = new_export_id(now());
        let exports = world.worker().exports;
        assert_eq!(exports.create(&export, None, 5, None).await.unwrap(), Created::New);
        let record = read_record(&export.data_export_id).await;
        assert!(record.to_string().len() < 2_000, "{record}");
        let read = exports.get(&export.data_export_id).await.unwrap().unwrap();
        let ids = exports.named_ids(&read).await.unwrap().unwrap();
        assert_eq!((ids.workspace_ids, ids.entity_ids), (scope.workspace_ids, scope.entity_ids));
        exports.create(&export, None, 5, None).await.unwrap_err();
    });
}

#[test]
fn the_ids_are_kept_as_long_as_the_record() {
    run(async {
        let world = World::new().await;
        assert_eq!(read_record(&item_of(&world)).await["ttl"], world.export().await["ttl"]);
        world.process(1).await;
        let export = world.export().await;
        assert_eq!(read_record(&item_of(&world)).await["ttl"], export["ttl"]);
    });
}
