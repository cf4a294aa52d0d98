//! Creates that nobody answers must not become a fleet.

use super::super::{CloudMood, Traffic};
use super::fixture::{minutes, simulation};
use super::scenarios::load_for;

#[tokio::test]
async fn creates_whose_answers_are_lost_for_an_hour_make_no_more_machines_than_max() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.world().set_cloud(CloudMood::LosesCreates);
    simulation.world().set_traffic(Traffic::steady(load_for(9)));
    for minute in 0..12 {
        simulation.runs(minutes(5)).await;
        assert!(simulation.world().instances() <= 10, "{} minutes", minute * 5 + 5);
        if minute == 5 {
            let notes = simulation.status().expect("it runs").notes.join("; ");
            assert!(notes.contains("whose create calls were never answered"), "{notes}");
        }
        simulation.kill();
    }
    assert_eq!(simulation.world().instances(), 10, "as many as may be, and hidden");
    simulation.world().set_cloud(CloudMood::Well);
    simulation.runs(minutes(10)).await;
    simulation.follows_load_for(9).await;
    assert!(simulation.world().tally().most_instances <= 10);
}

#[tokio::test]
async fn an_instance_that_shows_up_after_its_node_was_given_up_is_deleted_and_its_place_is_free() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.world().set_cloud(CloudMood::LosesCreates);
    simulation.world().set_traffic(Traffic::steady(load_for(3)));
    simulation.runs(minutes(10)).await;
    let hidden = simulation.world().instances() - 2;
    assert!((2..=8).contains(&hidden), "{hidden}: some of nodes that were given up, too");
    simulation.world().set_cloud(CloudMood::Well);
    simulation.runs(minutes(1)).await;
    simulation.settles_at(3, minutes(30)).await;
    simulation.is_whole(3).await;
}
