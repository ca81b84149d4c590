//! What a person sees and is asked.

use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::OnceLock;

use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Prints a line.
#[expect(clippy::print_stdout, reason = "this is the place where the program talks")]
pub(crate) fn say(line: impl Display) {
    println!("{line}");
}

/// Prints text as it is.
#[expect(clippy::print_stdout, reason = "this is the place where the program talks")]
pub(crate) fn put(text: impl Display) {
    print!("{text}");
    let _ = std::io::stdout().flush();
}

/// Prints why a command gave no result.
#[expect(clippy::print_stderr, reason = "this is the place where the program talks")]
pub(crate) fn complain(error: &impl Display) {
    eprintln!("stagegate: failed to {error}");
}

/// Colours, where standard output is a terminal that wants them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    pub(crate) fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { coloured: std::io::stdout().is_terminal() && !unwanted }
    }

    fn paint(self, code: &str, text: impl Display) -> String {
        if self.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }

    pub(crate) fn good(self, text: impl Display) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: impl Display) -> String {
        self.paint("31", text)
    }

    pub(crate) fn waiting(self, text: impl Display) -> String {
        self.paint("33", text)
    }

    pub(crate) fn faint(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    pub(crate) fn strong(self, text: impl Display) -> String {
        self.paint("1", text)
    }
}

/// A line that says how far something is, on a terminal only: it is written over and leaves nothing behind. It goes to
/// standard error, so that it is in no report.
pub(crate) struct Transient {
    total: usize,
    done: std::sync::atomic::AtomicUsize,
    shown: bool,
}

impl Transient {
    pub(crate) fn new(total: usize) -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { total, done: std::sync::atomic::AtomicUsize::new(0), shown }
    }

    /// One of them is done.
    pub(crate) fn step(&self, name: &str) {
        let done = self.done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        if self.shown {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\u{1b}[K{done} of {} done, the last: {name}", self.total);
            let _ = stderr.flush();
        }
    }

    pub(crate) fn clear(&self) {
        if self.shown {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\u{1b}[K");
            let _ = stderr.flush();
        }
    }
}

/// One line from standard input; `None` at its end. A question that is not waited for any more takes no line.
pub(crate) async fn ask(question: &str) -> Option<String> {
    put(question);
    line().await
}

/// Waits for a line of standard input, or its end.
pub(crate) async fn enter() {
    line().await;
}

/// The next line. Reading cannot be interrupted, so a thread does it that nobody waits for, one for the whole program.
async fn line() -> Option<String> {
    static LINES: OnceLock<Mutex<UnboundedReceiver<String>>> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || read_lines(&sender));
        Mutex::new(lines)
    });
    lines.lock().await.recv().await
}

fn read_lines(sender: &UnboundedSender<String>) {
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = String::new();
        match input.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if sender.send(line.trim().to_owned()).is_err() => return,
            Ok(_) => {}
        }
    }
}
