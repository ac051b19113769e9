//! `POST /cancel_export`.

use serde_json::{Value, json};

use integration_tests::api::{Answer, Call, ROOTS, as_caller, get_status};
use integration_tests::export::request;
use integration_tests::files::{keys_of, open_uploads};
use integration_tests::org::Caller;
use integration_tests::outbox::{emails_of, wait_for_email, wait_until_handled};
use integration_tests::records::{
    id_of, new_export_id, new_record, put_active, put_record, read_active, read_record,
};
use integration_tests::system::now;
use integration_tests::{wait_for, with_org};

async fn cancel_at(root: &str, caller: &Caller, body: &Value) -> Answer {
    let body = as_caller(caller, body).to_string();
    Call::post(&format!("{root}/cancel_export"), body).with_key(&caller.key).send().await
}

pub async fn cancel(caller: &Caller, id: &str) -> Answer {
    cancel_at("", caller, &json!({"data_export_id": id})).await
}

#[test]
fn an_export_that_waits_is_cancelled_and_its_owner_told() {
    with_org(async |org| {
        // Its message is lost.
        let record = new_record(&org, &org.caller, now());
        let id = id_of(&record);
        put_record(&record).await;
        put_active(&org, vec![id.clone()]).await;
        let answer = cancel(&org.caller, &id).await.ok();
        assert_eq!((&answer["state"], &answer["error"]), (&json!("FAILED"), &json!("cancelled")), "{answer}");
        assert!(answer["finished_ts"].is_string());
        assert_eq!(read_active(&org).await, Vec::<String>::new());
        assert!(wait_for_email(&id).await.subject.contains("was cancelled"));
        for root in ROOTS {
            let again = cancel_at(root, &org.caller, &json!({"data_export_id": id})).await.ok();
            assert_eq!(again, answer, "a repetition gets the same answer");
        }
        assert_eq!(get_status(&org.caller, &id).await.ok(), answer);
        wait_until_handled(&id).await;
        assert_eq!(emails_of(&id).await.len(), 1);
        wait_for("the export is settled", async || {
            read_record(&id).await.get("unsettled").is_none().then_some(())
        })
        .await;
        assert_eq!(keys_of(&org, &id).await, Vec::<String>::new());
        assert_eq!(open_uploads(&org, &id).await, Vec::<String>::new());
    });
}

#[test]
fn an_export_that_is_finished_cannot_be_cancelled() {
    with_org(async |org| {
        let id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        let export = org.finished_export(&id).await;
        cancel(&org.caller, &id).await.assert_problem(409, &[]);
        assert_eq!(get_status(&org.caller, &id).await.ok(), export.status);
    });
}

#[test]
fn only_its_owner_cancels_an_export() {
    with_org(async |org| {
        let record = new_record(&org, &org.caller, now());
        put_record(&record).await;
        let id = id_of(&record);
        let other = org.add_admin().await;
        cancel(&other, &id).await.assert_problem(403, &["data_export_id"]);
        cancel(&org.caller, &new_export_id(now())).await.assert_problem(404, &["data_export_id"]);
        cancel(&org.caller, &format!("ACTIVE#{}", org.id)).await.assert_problem(404, &["data_export_id"]);
        for (body, fields) in [
            (json!({}), &["data_export_id"][..]),
            (json!({"data_export_id": 7}), &["data_export_id"]),
            (json!({"data_export_id": id, "user_id": ""}), &["user_id"]),
        ] {
            cancel_at("", &org.caller, &body).await.assert_problem(400, fields);
        }
        assert_eq!(read_record(&id).await["state"], "REQUESTED");
        cancel(&org.caller, &id).await.ok();
    });
}
