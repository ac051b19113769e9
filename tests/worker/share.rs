//! How many workers read an export while others of its organization run.

use std::time::Duration;

use export_worker::{Disposition, Splitting};
use integration_tests::records::put_active_sets;
use integration_tests::run;
use tokio::sync::watch;

use crate::faults::{SENT, answer};
use crate::segments::{
    assert_completed, deliver_until_settled, process_invitation, request, segments, unsplit_file, world,
};
use crate::world::{World, let_pass};

/// Lets another export of the organization run beside it.
async fn run_another_export(world: &World) {
    let other = world.another_export(request).await;
    let ids = vec![world.id.clone(), other.id];
    put_active_sets(&world.org, [ids.clone(), ids, Vec::new()]).await;
}

#[test]
fn nobody_is_invited_while_another_export_of_the_organization_runs() {
    run(async {
        let mut world = world().await;
        world.splitting = Splitting { lanes: 1, max_workers: 2, min_pages: 1 };
        run_another_export(&world).await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert!(!segments(&world).await.is_empty());
        assert_eq!(world.faults.sent("SendMessage").len(), 0);
        assert_completed(&world, &unsplit_file(&world).await).await;
    });
}

#[test]
fn invited_workers_leave_when_another_export_of_the_organization_runs() {
    run(async {
        let mut world = world().await;
        world.splitting = Splitting { lanes: 1, max_workers: 2, min_pages: 1 };
        let (invited, mut is_invited) = watch::channel(false);
        world.faults.on("SendMessage", move |_, _| {
            invited.send_replace(true);
            async { answer(200, SENT) }
        });
        tokio::select! {
            _ = world.process(1) => panic!("nobody was invited"),
            _ = is_invited.wait_for(|is_invited| *is_invited) => {}
        }
        // The owner is dead, and the invited worker gets no page.
        let before = held(&world).await;
        world.faults.on("Query", async |_, _| std::future::pending().await);
        let mut invited = world.another_worker();
        invited.splitting.lanes = 3;
        let another_begins = async {
            while held(&world).await <= before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            run_another_export(&world).await;
        };
        let both = async { tokio::join!(process_invitation(&invited), another_begins) };
        let (disposition, ()) = tokio::time::timeout(Duration::from_mins(1), both).await.unwrap();
        assert_eq!((disposition, held(&world).await), (Disposition::Acknowledge, before));
        let attempts = segments(&world).await.iter().filter(|segment| segment["attempts"] != 0).count();
        assert_eq!(attempts, before, "to leave is no attempt");
        world.faults.end();
        world.faults.on("SendMessage", async |_, _| answer(200, SENT));
        let_pass(62);
        deliver_until_settled(&world).await;
        assert_completed(&world, &unsplit_file(&world).await).await;
    });
}

/// How many segments are read by somebody.
async fn held(world: &World) -> usize {
    segments(world).await.iter().filter(|segment| segment.get("lease_owner").is_some()).count()
}
