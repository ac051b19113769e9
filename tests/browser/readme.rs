//! Takes the pictures of the README. `cargo xtask screenshots` sets the folder they go to; in other runs they stay with the other
//! pictures.

use std::path::{Path, PathBuf};
use std::{env, fs};

use integration_tests::org::TestOrg;
use integration_tests::page::PAGE;
use integration_tests::runs::Run;

use crate::looks::fill;
use crate::support::browser::Browser;
use crate::support::film::Film;
use crate::support::options::Options;
use crate::support::{open_page, started_export, with_browser};

/// Puts a picture into the folder of the README, if there is one.
fn keep(picture: &Path) {
    if let Some(folder) = env::var_os("USAGE_EXPORT_README_PICTURES").map(PathBuf::from) {
        fs::copy(picture, folder.join(picture.file_name().unwrap())).unwrap();
    }
}

#[test]
fn pictures_for_the_readme() {
    let options = Options::default().with_reduced_motion();
    with_browser("pictures_for_the_readme", options, async |org, browser| {
        org.set_email(&org.caller.user_id, "ada@example.com").await;
        fill(&org).await;
        open_page(&browser, &org.caller).await;
        for (name, options) in [("settings-page", options), ("settings-page-dark", options.dark())] {
            browser.emulate(options).await;
            keep(&browser.screenshot(name).await);
        }
    });
}

/// Adds two workspaces more and runs of last month and this one.
async fn add_runs(org: &TestOrg) {
    let mut runs = Vec::new();
    for (name, cost) in [("Finance operations", "12.5"), ("Support", "3.25")] {
        let workspace = org.add_workspace(name).await;
        for day in 1..=20 {
            for month in [3, 4] {
                let start = format!("2025-{month:02}-{day:02}T09:{day:02}:00.000Z");
                runs.push(Run::new(&workspace, &start).by(&org.caller.user_id).costing(cost));
            }
        }
    }
    org.write_runs(&runs).await;
}

#[test]
fn film_for_the_readme() {
    let options = Options { width: 1120, height: 720, ..Options::default() }.with_reduced_motion();
    with_browser("film_for_the_readme", options, async |org, browser| {
        org.set_email(&org.caller.user_id, "ada@example.com").await;
        fill(&org).await;
        add_runs(&org).await;
        open_page(&browser, &org.caller).await;
        let mut film = Film::default();
        film.take(&browser, 2_000).await;
        browser.click("#new-export").await;
        browser.wait_for_text("#workspace_count", "11 selected").await;
        film.take(&browser, 1_200).await;
        choose(&browser, &mut film).await;
        browser.click("#start").await;
        let id = started_export(&org, &browser).await;
        browser.script("scrollTo(0, 0)", vec![]).await;
        film.take(&browser, 1_500).await;
        browser.find(&format!("#export-{id} .download")).await;
        film.take(&browser, 2_000).await;
        browser.click(&format!("#export-{id} .range")).await;
        browser.find("#drawer .export-result").await;
        film.take(&browser, 5_000).await;
        keep(&film.write("settings-page-film"));
    });
}

/// Chooses dates, workspaces and fields.
async fn choose(browser: &Browser, film: &mut Film) {
    assert!(browser.url().await.ends_with(&format!("{PAGE}/new")));
    browser.type_into("#end_date", "04/30/2025").await;
    browser.type_into("#start_date", "03/01/2025").await;
    browser.click("#start_date").await;
    film.take(browser, 1_000).await;
    browser.click_day("2025-03-10").await;
    film.take(browser, 1_000).await;
    browser.click_day("2025-04-05").await;
    film.take(browser, 1_200).await;
    for text in ["s", "su", "sup"] {
        browser.type_into("#workspace_search", text).await;
        film.take(browser, 300).await;
    }
    browser.type_into("#workspace_search", "").await;
    browser.click("#workspaces_selected").await;
    browser.click("#personal").await;
    browser.type_into("#workspace_search", "fin").await;
    browser.click("#workspace_all").await;
    browser.script("document.querySelector('#step-workspaces').scrollIntoView()", vec![]).await;
    film.take(browser, 1_500).await;
    browser.click("[data-fields*=credit_cost]").await;
    browser.wait_for_text(".estimate", "rows").await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    browser.script("document.querySelector('#step-fields').scrollIntoView()", vec![]).await;
    film.take(browser, 2_500).await;
}
