//! Many organizations at the same time.

use super::everything;
use crate::world::{Demands, Outcome, Size, World};

/// 200 exports of all sizes from 20 organizations with faults in 5% of the calls (`--quick`: 30 from 5): every export
/// completes.
pub async fn load(world: World) -> Outcome {
    let sizes: Vec<_> = (0..world.choose(5, 20))
        .map(|number| match number % 10 {
            0 => Size::Large,
            1..=4 => Size::Medium,
            _ => Size::Small,
        })
        .collect();
    let orgs = world.orgs(&sizes).await;
    let each = world.choose(6, 10);
    world.export_with(&orgs, each, everything(0.05)).await.must(orgs.len() * each, Demands::default())
}
