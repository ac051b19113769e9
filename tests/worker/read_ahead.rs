//! First pages of many partitions at a time, where they are empty or small.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use integration_tests::run;
use integration_tests::runs::Run;
use serde_json::{Value, json};

use crate::world::World;

/// All fields but the id would only make the file larger.
fn since(year: u32) -> impl FnOnce(&mut Value) {
    move |request| {
        request["interval"]["start"] = format!("{year}-01-01T00:00:00.000Z").into();
        request["fields"] = json!(["run_id"]);
    }
}

/// Lets each `Query` take long enough for a slow machine to send as many as may be in flight, and counts the most that are.
fn count_in_flight(world: &World) -> Arc<AtomicUsize> {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    world.faults.on("Query", move |call, _| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(300)).await;
            let answer = call.send().await;
            now.fetch_sub(1, Ordering::SeqCst);
            answer
        }
    });
    seen
}

/// The ids in the file are those of the runs, each once.
async fn assert_exact(world: &World, runs: &[Run]) {
    let export = world.export().await;
    assert_eq!(
        (&export["state"], &export["row_count"]),
        (&"COMPLETED".into(), &runs.len().into()),
        "{export}"
    );
    let file = String::from_utf8(world.file().await.expect("a file")).expect("UTF-8");
    let ids: Vec<_> = file.lines().skip(1).collect();
    assert_eq!(ids.len(), runs.len());
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), runs.iter().map(|run| run.id.as_str()).collect());
}

/// Forty years of a workspace with runs in two months.
#[test]
fn empty_months_are_asked_for_many_at_a_time() {
    run(async {
        let mut world = World::without_runs(1, since(1985)).await;
        world.page_size = 9;
        let runs = ["1999-06-04T00:00:00.000Z", "2025-01-04T00:00:00.000Z"].map(|start| world.run(0, start));
        world.org.write_runs(&runs).await;
        let most = count_in_flight(&world);
        world.process(1).await;
        assert_exact(&world, &runs).await;
        assert_eq!(world.faults.sent("Query").len(), 40 * 12 + 1);
        assert!((32..=64).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    });
}

/// Months of a workspace since 2016: each has a few runs, but for one in 2024 that has many more than a page that is read on a guess.
#[test]
fn small_months_are_asked_for_many_at_a_time_and_a_large_one_among_them_is_read_to_its_end() {
    const LARGE: usize = 8 * 12 + 5;
    run(async {
        let mut world = World::without_runs(1, since(2016)).await;
        world.page_size = 1_000;
        world.splitting.min_pages = 1_000;
        let months = (2016..=2024).flat_map(|year| (1..=12).map(move |month| format!("{year}-{month:02}")));
        let mut runs = Vec::new();
        for (index, month) in months.enumerate() {
            let count = if index == LARGE { 350 } else { fastrand::usize(1..=5) };
            let starts = (0..count).map(|run| format!("{month}-04T00:{:02}:{:02}.000Z", run / 60, run % 60));
            runs.extend(starts.map(|start| world.run(0, &start)));
        }
        world.org.write_runs(&runs).await;
        let most = count_in_flight(&world);
        world.process(1).await;
        assert_exact(&world, &runs).await;
        // The large month takes one more, because its page of a hundred was not its last one.
        let months = 9 * 12 + 1;
        assert_eq!(world.faults.sent("Query").len(), months + 1);
        assert!((32..=64).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    });
}
