//! Drives Debian's Chromium by WebDriver, for tests of pages.
//!
//! ```no_run
//! # async fn example() -> Result<(), stagegate_local_browser::BrowserError> {
//! use stagegate_local_browser::Browser;
//!
//! let Some(browser) = Browser::start(1280, 900).await? else { return Ok(()) };
//! browser.open("http://127.0.0.1:4600/").await?;
//! browser.click("[data-stage=Approve] .slack-primary").await?;
//! browser.wait_for("[data-stage=Approve][data-status=succeeded]").await?;
//! # Ok(())
//! # }
//! ```
//!
//! Where neither Chromium nor its driver is installed there is no browser, and a test has nothing to do; with
//! `STAGEGATE_BROWSER=required` in the environment that is a failure.

mod driver;

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::time::Instant;

use driver::Driver;

/// How long an element is waited for. A busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long after one look the next one is.
const PAUSE: Duration = Duration::from_millis(50);

/// Under this key WebDriver gives the identifier of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Makes a missing browser a failure.
pub const REQUIRED_VARIABLE: &str = "STAGEGATE_BROWSER";

/// Why the browser did not do what it was told. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrowserError {
    /// There is no browser, and one is required.
    #[error("start a browser: {0}; install Debian's packages chromium and chromium-driver")]
    Missing(String),
    /// The driver does not answer as it should.
    #[error("{command} in the browser: {reason}")]
    Driver {
        /// What it was told.
        command: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// What was waited for did not come.
    #[error("wait for {what} in the browser; it shows:\n{shown}")]
    Waited {
        /// What was waited for.
        what: String,
        /// The text of the page.
        shown: String,
    },
}

/// A headless browser with an empty profile. It ends when this is dropped.
pub struct Browser {
    driver: Driver,
}

impl Browser {
    /// Starts a browser with a window of this size; `None` where there is none on this machine and none is required.
    ///
    /// # Errors
    ///
    /// If it does not start, or is missing and required.
    pub async fn start(width: u32, height: u32) -> Result<Option<Self>, BrowserError> {
        match Driver::start(width, height).await {
            Ok(driver) => Ok(Some(Self { driver })),
            Err(BrowserError::Missing(_)) if std::env::var(REQUIRED_VARIABLE).as_deref() != Ok("required") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a page.
    ///
    /// # Errors
    ///
    /// If it cannot be loaded.
    pub async fn open(&self, url: &str) -> Result<(), BrowserError> {
        self.driver.call("open a page", "url", Some(json!({"url": url}))).await.map(|_| ())
    }

    /// Waits until an element is there that matches the selector.
    ///
    /// # Errors
    ///
    /// If none comes.
    pub async fn wait_for(&self, selector: &str) -> Result<(), BrowserError> {
        self.until(selector, async || self.find(selector).await.map(|found| found.map(drop))).await
    }

    /// Waits until no element matches the selector any more.
    ///
    /// # Errors
    ///
    /// If one stays.
    pub async fn wait_until_gone(&self, selector: &str) -> Result<(), BrowserError> {
        let what = format!("the end of {selector}");
        self.until(&what, async || Ok(self.find(selector).await?.is_none().then_some(()))).await
    }

    /// Clicks the first element that matches the selector, once it is there and can be clicked.
    ///
    /// # Errors
    ///
    /// If none comes.
    pub async fn click(&self, selector: &str) -> Result<(), BrowserError> {
        self.on_element(selector, "click", json!({})).await
    }

    /// Writes into the first element that matches the selector, once it is there.
    ///
    /// # Errors
    ///
    /// If none comes.
    pub async fn write(&self, selector: &str, text: &str) -> Result<(), BrowserError> {
        self.on_element(selector, "value", json!({"text": text})).await
    }

    /// The text that a person sees in the first element that matches the selector, once it is there.
    ///
    /// # Errors
    ///
    /// If none comes.
    pub async fn text(&self, selector: &str) -> Result<String, BrowserError> {
        let script = "const found = document.querySelector(arguments[0]); return found && found.innerText;";
        self.until(selector, async || {
            let value = self.script(script, json!([selector])).await?;
            Ok(value.as_str().map(str::to_owned))
        })
        .await
    }

    /// Runs a script in the page and gives what it returns.
    ///
    /// # Errors
    ///
    /// If it throws.
    pub async fn script(&self, script: &str, arguments: Value) -> Result<Value, BrowserError> {
        self.driver.call("run a script", "execute/sync", Some(json!({"script": script, "args": arguments}))).await
    }

    /// Writes what the window shows to a PNG file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub async fn screenshot(&self, file: &Path) -> Result<(), BrowserError> {
        let encoded = self.driver.call("make a picture", "screenshot", None).await?;
        let bytes = BASE64_STANDARD.decode(encoded.as_str().unwrap_or_default()).map_err(|error| error.to_string());
        let written = bytes.and_then(|bytes| std::fs::write(file, bytes).map_err(|error| error.to_string()));
        written.map_err(|reason| BrowserError::Driver { command: "keep a picture", reason })
    }

    /// The page may exchange an element between the look and the act, so an act that fails is tried again.
    async fn on_element(&self, selector: &str, action: &str, body: Value) -> Result<(), BrowserError> {
        self.until(selector, async || {
            let Some(id) = self.find(selector).await? else { return Ok(None) };
            let path = format!("element/{id}/{action}");
            Ok(self.driver.call("use an element", &path, Some(body.clone())).await.ok().map(drop))
        })
        .await
    }

    async fn find(&self, selector: &str) -> Result<Option<String>, BrowserError> {
        let query = json!({"using": "css selector", "value": selector});
        let found = self.driver.call("find an element", "elements", Some(query)).await?;
        Ok(found[0][ELEMENT].as_str().map(str::to_owned))
    }

    async fn until<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> Result<Option<T>, BrowserError>,
    ) -> Result<T, BrowserError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if Instant::now() > deadline {
                let shown = self.script("return document.body.innerText;", json!([])).await.unwrap_or_default();
                let shown = shown.as_str().unwrap_or_default().to_owned();
                return Err(BrowserError::Waited { what: what.to_owned(), shown });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
