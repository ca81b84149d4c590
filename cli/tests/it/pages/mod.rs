//! The pages in a real browser, over real functions. With `STAGEGATE_SCREENSHOTS=DIR` their pictures are kept:
//! `STAGEGATE_SCREENSHOTS=docs/pictures cargo test -p stagegate --test it pages` renews those of the documentation.

mod demo;
mod history;
mod report;

use std::path::PathBuf;

use stagegate_local_browser::{Browser, BrowserError};

#[expect(clippy::print_stderr, reason = "whoever runs the tests should know that this one did not look")]
async fn browser(width: u32, height: u32) -> Option<Browser> {
    let browser = Browser::start(width, height).await.unwrap_or_else(|error| panic!("failed to {error}"));
    if browser.is_none() {
        eprintln!("skipped: neither chromium nor chromedriver is installed");
    }
    browser
}

/// Keeps a picture where a folder for them is named, seen from the root of the repository.
async fn picture(browser: &Browser, name: &str) -> Result<(), BrowserError> {
    let Some(folder) = std::env::var_os("STAGEGATE_SCREENSHOTS") else { return Ok(()) };
    let folder: PathBuf = crate::root().join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    browser.screenshot(&folder.join(name)).await
}
