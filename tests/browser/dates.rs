//! Step 1: dates that are typed, clicked in the calendar, or chosen by a preset.

use fantoccini::key::Key;
use integration_tests::wait_for;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{assert_marked, mark, open_form, with_browser};

/// The two inputs.
async fn dates(browser: &Browser) -> (String, String) {
    (browser.value("#start_date").await, browser.value("#end_date").await)
}

/// Types a date key by key, as people do.
async fn type_date(browser: &Browser, css: &str, text: &str) {
    browser.type_into(css, "").await;
    browser.click(css).await;
    browser.press(text.chars()).await;
}

/// Shows March and April 2025 in the calendar.
async fn open_march(browser: &Browser) {
    browser.type_into("#end_date", "04/30/2025").await;
    browser.type_into("#start_date", "03/01/2025").await;
    browser.click("#start_date").await;
    browser.find("[data-day='2025-03-10']").await;
}

#[test]
fn the_first_click_sets_the_start_and_empties_the_end() {
    with_browser("the_first_click", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        mark(&browser).await;
        assert_eq!(browser.texts("[data-preset][aria-pressed=true]").await, ["Last 30 days"]);
        open_march(&browser).await;
        browser.click_day("2025-03-10").await;
        assert_eq!(dates(&browser).await, ("03/10/2025".to_owned(), String::new()));
        assert_eq!(browser.texts("[data-preset][aria-pressed=true]").await, [""; 0]);
        browser.wait_for_text("#summary", "03/10/2025 – …").await;
        browser.wait_for_text(".calendar-hint", "Now choose the end.").await;
        // The old range is not exported.
        browser.press([Key::Escape]).await;
        browser.click("#start").await;
        browser.wait_for_text("#end_date_error", "Enter the end date.").await;
        assert_eq!(browser.focused().await, "#end_date");
        assert_marked(&browser).await;
    });
}

#[test]
fn a_first_click_that_was_abandoned_is_forgotten() {
    with_browser("an_abandoned_click", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        open_march(&browser).await;
        browser.click_day("2025-03-10").await;
        browser.click("[data-preset=last_month]").await;
        let (start, end) = dates(&browser).await;
        assert!(start[2..].starts_with("/01/") && start[..2] == end[..2], "{start} {end}");
        open_march(&browser).await;
        browser.click_day("2025-03-20").await;
        assert_eq!(dates(&browser).await, ("03/20/2025".to_owned(), String::new()));
        // Typing forgets it as well.
        browser.type_into("#end_date", "04/30/2025").await;
        browser.click_day("2025-03-25").await;
        assert_eq!(dates(&browser).await, ("03/25/2025".to_owned(), String::new()));
        // The second click may be the earlier day.
        browser.click_day("2025-03-05").await;
        assert_eq!(dates(&browser).await, ("03/05/2025".to_owned(), "03/25/2025".to_owned()));
        browser.wait_until_gone("#calendar").await;
        assert_eq!(browser.focused().await, "#end_date");
    });
}

#[test]
fn the_calendar_jumps_to_a_month_and_a_year() {
    with_browser("month_and_year", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        browser.click(".open-calendar[data-for=start_date]").await;
        assert_eq!(browser.focused().await, "button.day.edge", "the calendar's day has the focus");
        for (label, value) in [("Year", "2019"), ("Month", "January")] {
            let option = browser.find(&format!("#calendar select[aria-label={label}]")).await;
            option.select_by_label(value).await.unwrap();
        }
        let label = browser.attribute("[data-day='2019-01-31']", "aria-label").await;
        assert_eq!(label.as_deref(), Some("Thursday, January 31, 2019"));
        browser.click("[aria-label='Previous month']").await;
        assert_eq!(browser.attribute("*:focus", "aria-label").await.as_deref(), Some("Previous month"));
        browser.click_day("2018-12-05").await;
        let label = browser.attribute("[data-day='2018-12-05']", "aria-label").await;
        assert_eq!(label.as_deref(), Some("Wednesday, December 5, 2018, start date"));
        browser.press([Key::Escape]).await;
        browser.wait_until_gone("#calendar").await;
    });
}

#[test]
fn digits_alone_make_a_date() {
    with_browser("digits_alone", Options::default().narrow(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        for (typed, read) in
            [("03012025", "03/01/2025"), ("3/1/2025", "3/1/2025"), ("03/01/2025", "03/01/2025")]
        {
            type_date(&browser, "#start_date", typed).await;
            assert_eq!(browser.value("#start_date").await, read);
        }
        // A deleted slash stays deleted.
        type_date(&browser, "#start_date", "0301").await;
        assert_eq!(browser.value("#start_date").await, "03/01/");
        browser.press([Key::Backspace, Key::Backspace]).await;
        assert_eq!(browser.value("#start_date").await, "03/0");
        let size = "return getComputedStyle(document.querySelector('#start_date')).fontSize";
        assert_eq!(browser.script(size, vec![]).await, "16px", "iOS zooms into smaller inputs");
    });
}

#[test]
fn an_invalid_date_is_reported_while_it_is_typed() {
    with_browser("a_date_that_is_wrong", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        mark(&browser).await;
        browser.type_into("#start_date", "02/10/2025").await;
        browser.type_into("#end_date", "02/09/2025").await;
        browser.wait_for_text("#end_date_error", "on or after the start date").await;
        assert_eq!(browser.attribute("#end_date", "aria-invalid").await.as_deref(), Some("true"));
        browser.press([Key::Escape]).await;
        browser.click("#start").await;
        // The other field is corrected, so both dates are valid.
        browser.type_into("#start_date", "02/09/2025").await;
        browser.wait_until_gone("#end_date_error").await;
        browser.type_into("#start_date", "02/29/2023").await;
        browser.wait_for_text("#start_date_error", "There is no February 29 in 2023.").await;
        browser.type_into("#start_date", "13/01/2023").await;
        browser.wait_for_text("#start_date_error", "There is no month 13").await;
        browser.type_into("#start_date", "01/02/03").await;
        browser.press([Key::Tab]).await;
        browser.wait_for_text("#start_date_error", "MM/DD/YYYY").await;
        browser.type_into("#start_date", "").await;
        browser.press([Key::Escape]).await;
        browser.click("#start").await;
        browser.wait_for_text("#start_date_error", "Enter the start date.").await;
        assert_eq!(browser.focused().await, "#start_date");
        assert_marked(&browser).await;
    });
}

#[test]
fn presets_are_counted_in_the_time_zone_of_the_form() {
    with_browser("time_zone", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        browser.click("[data-preset=last_year]").await;
        let (start, end) = dates(&browser).await;
        assert!(start.starts_with("01/01/") && end.starts_with("12/31/"), "{start} {end}");
        // Kiritimati is 14 hours ahead of UTC, Midway 11 hours behind: one of them has another day.
        let mut todays = Vec::new();
        for zone in ["Pacific/Kiritimati", "Pacific/Midway"] {
            browser.find("#time_zone").await.select_by_value(zone).await.unwrap();
            let asked = "return performance.getEntriesByType('resource').filter(({name}) => name.includes(arguments[0])).length";
            wait_for("the presets of the time zone", async || {
                let zone = zone.replace('/', "%2F");
                (browser.script(asked, vec![json!(zone)]).await == 1).then_some(())
            })
            .await;
            browser.wait_for_text("[data-preset=last_year][aria-pressed=true]", "Last year").await;
            todays.push(browser.attribute("#presets", "data-today").await);
        }
        assert_ne!(todays[0], todays[1]);
        assert_eq!(dates(&browser).await, (start, end));
    });
}
