//! The history while it is open: it shows what changes, what others start, and asks less and less often.

use std::time::Duration;

use chrono::TimeDelta;
use integration_tests::page::PAGE;
use integration_tests::records::{completed, failed, id_of, new_record, put_record, running, timestamp};
use integration_tests::system::now;
use integration_tests::wait_for;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{assert_marked, mark, open_page, with_browser};

/// Makes the page record the states of the first badge, and what is announced to screen readers.
const WATCH: &str = "
    window.seen = {badges: [], announced: []};
    const read = (id) => document.querySelector(id)?.textContent.trim();
    const note = (list, text) => text && list.at(-1) !== text && list.push(text);
    const look = () => {
        note(seen.badges, read('.export .badge'));
        note(seen.announced, read('#announcer'));
    };
    new MutationObserver(look).observe(document, {subtree: true, childList: true, characterData: true});
    look();";

const SHIFTS: &str = "
    const observer = new PerformanceObserver(() => {});
    observer.observe({type: 'layout-shift', buffered: true});
    return observer.takeRecords().map((shift) => shift.value)";

/// The layout shifts so far: how far things in the window have moved without an action of the user.
/// <https://web.dev/articles/cls>
async fn shifts(browser: &Browser) -> Vec<Value> {
    browser.script("await 0;", vec![]).await;
    browser.script(SHIFTS, vec![]).await.as_array().unwrap().clone()
}

#[test]
fn a_row_follows_its_export_without_layout_shifts() {
    with_browser("a_row_follows_its_export", Options::default(), async |org, browser| {
        let record = new_record(&org, &org.caller, now());
        put_record(&failed(new_record(&org, &org.caller, now() - TimeDelta::days(1)))).await;
        put_record(&record).await;
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        browser.script(WATCH, vec![]).await;
        browser.wait_for_text(".export:first-child", "Waiting to start").await;
        let before = shifts(&browser).await.len();

        put_record(&running(record.clone(), 20, 1_000)).await;
        browser.wait_for_text(".export:first-child", "20% · 1,000 rows so far").await;
        let mut later = running(record.clone(), 80, 1_234_567);
        later["rows_per_second"] = 8_100.into();
        put_record(&later).await;
        browser.wait_for_text(".export:first-child", "80% · 1,234,567 rows so far").await;
        browser.wait_for_text(".export:first-child", "8,100 rows per second").await;
        later["estimated_finish_ts"] = timestamp(now() + TimeDelta::seconds(170)).into();
        put_record(&later).await;
        browser.wait_for_text(".export:first-child", "about 3 minutes left").await;
        let percent = browser.attribute(".export:first-child progress", "value").await;
        assert_eq!(percent.as_deref(), Some("80"));
        put_record(&completed(record.clone(), 1_300_000, 99_000_000)).await;
        browser.find(".export:first-child .download").await;

        assert_eq!(shifts(&browser).await[before..], [Value::Null; 0]);
        let seen = browser.script("return window.seen", vec![]).await;
        assert_eq!(seen["badges"], json!(["Requested", "In progress", "Completed"]));
        let announced = "The export of 01/01/2025 – 01/31/2025 is ready: 1,300,000 rows.";
        assert_eq!(seen["announced"], json!([announced]));
        assert_marked(&browser).await;

        // Proves that the test would have seen a layout shift.
        browser
            .script("document.querySelector('#exports').before(document.createElement('br'))", vec![])
            .await;
        wait_for("a shift", async || (shifts(&browser).await.len() > before).then_some(())).await;
    });
}

#[test]
fn an_export_that_waits_says_for_what() {
    with_browser("an_export_that_waits", Options::default(), async |org, browser| {
        let mut record = new_record(&org, &org.caller, now());
        record["progress_ts"] = timestamp(now()).into();
        put_record(&record).await;
        open_page(&browser, &org.caller).await;
        let waits = "Waits until another export of your organization is finished";
        browser.wait_for_text(".export .c-progress", waits).await;
    });
}

#[test]
fn what_another_tab_starts_appears_on_top_and_the_focus_stays() {
    with_browser("another_tab", Options::default(), async |org, browser| {
        put_record(&completed(new_record(&org, &org.caller, now() - TimeDelta::minutes(5)), 1, 80)).await;
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        browser.script("document.querySelector('.export .range').focus()", vec![]).await;
        let new = new_record(&org, &org.caller, now());
        put_record(&new).await;
        browser.find(&format!("#export-{}:first-child", id_of(&new))).await;
        browser.wait_for_text("#announcer", "A new export was requested.").await;
        let focused =
            browser.script("return document.activeElement.closest('tr')?.matches(':last-child')", vec![]);
        assert_eq!(focused.await, true);
        // It does not appear among older ones.
        for minutes in 10..40 {
            put_record(&completed(new_record(&org, &org.caller, now() - TimeDelta::minutes(minutes)), 1, 80))
                .await;
        }
        browser.goto(PAGE).await;
        browser.goto(&browser.attribute(".older a", "href").await.unwrap()).await;
        browser.wait_for_text("#history-title", "Older exports").await;
        let newest = new_record(&org, &org.caller, now());
        put_record(&newest).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(!browser.is_shown(&format!("#export-{}", id_of(&newest))).await);
        browser.click(".back a").await;
        browser.find(&format!("#export-{}:first-child", id_of(&newest))).await;
    });
}

#[test]
fn the_page_asks_less_and_less_often_while_nothing_changes() {
    with_browser("asks_less_often", Options::default(), async |org, browser| {
        let record = running(new_record(&org, &org.caller, now()), 20, 1_000);
        put_record(&record).await;
        open_page(&browser, &org.caller).await;
        tokio::time::sleep(Duration::from_secs(12)).await;
        let script = "return performance.getEntriesByType('resource')
            .filter(({name}) => name.includes('/changes')).map(({startTime}) => startTime)";
        let asked: Vec<f64> = serde_json::from_value(browser.script(script, vec![]).await).unwrap();
        let gaps: Vec<_> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.len() >= 2, "{asked:?}");
        assert!(gaps.windows(2).all(|pair| pair[1] > pair[0] * 1.2), "{gaps:?}");
        // A change is followed closely again.
        put_record(&running(record.clone(), 30, 2_000)).await;
        browser.wait_for_text(".export", "2,000 rows so far").await;
        put_record(&running(record, 40, 3_000)).await;
        browser.wait_for_text(".export", "3,000 rows so far").await;
    });
}
