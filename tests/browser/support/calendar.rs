//! The calendar. It is a web component, so selectors do not reach its days.

use fantoccini::elements::{Element, ElementRef};
use fantoccini::error::CmdError;
use serde_json::{Value, json};

use super::browser::{Browser, until};

/// Finds the button of a day that is shown, by the heading of its month and the number of the day.
const FIND: &str = "
    const [heading, day] = arguments;
    const month = [...document.querySelectorAll('calendar-month')]
        .find((month) => month.shadowRoot.textContent.includes(heading) && month.offsetParent);
    return [...(month?.shadowRoot.querySelectorAll('button') ?? [])].find((button) => button.textContent === day)";

/// The property that a reference to an element has in `WebDriver`: <https://www.w3.org/TR/webdriver2/#elements>.
const REFERENCE: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// Clicks on a day of a month that is shown, such as `("March", 10)`.
    pub async fn click_day(&self, month: &str, day: u32) {
        until(&format!("{month} {day} to take a click"), async || {
            let found = self.client.execute(FIND, vec![json!(month), json!(day.to_string())]).await?;
            let Some(button) = self.element(&found) else { return Ok(None) };
            self.click_on(button).await.map(Some)
        })
        .await;
    }

    fn element(&self, found: &Value) -> Option<Element> {
        let id = found.get(REFERENCE)?.as_str()?;
        Some(Element::from_element_id(self.client.clone(), ElementRef::from(id.to_owned())))
    }

    /// Scrolls the element to the middle and clicks on it. At the edge of the window, a bar that stays there may cover it.
    pub(super) async fn click_on(&self, element: Element) -> Result<(), CmdError> {
        let script = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        self.client.execute(script, vec![serde_json::to_value(&element)?]).await?;
        element.click().await
    }
}
