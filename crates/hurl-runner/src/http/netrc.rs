//! Credentials by host, as `.netrc` files have them.

/// The machines of a `.netrc` file. It has no `Debug`, because it holds credentials.
#[derive(Clone, Default)]
pub(crate) struct Netrc {
    /// In the order of the file; the first that fits counts.
    machines: Vec<Machine>,
}

#[derive(Clone, Default)]
struct Machine {
    /// `None` is `default`: every host that is not named before.
    host: Option<String>,
    login: String,
    password: String,
}

impl Netrc {
    /// Reads a file: `machine HOST login USER password PASSWORD`, in any layout, and `default` in place of a machine.
    /// A word between quotes may have blanks in it. Lines that begin with `#`, accounts and macros are passed over.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = words(text)?.into_iter();
        let mut machines: Vec<Machine> = Vec::new();
        while let Some(word) = words.next() {
            let mut argument = || words.next().ok_or("a word at its end has no value");
            match word.as_str() {
                "machine" => {
                    let host = Some(stagegate_network_policy::normalized(&argument()?));
                    machines.push(Machine { host, ..Machine::default() });
                }
                "default" => machines.push(Machine::default()),
                "login" => machines.last_mut().ok_or(NO_MACHINE)?.login = argument()?,
                "password" => machines.last_mut().ok_or(NO_MACHINE)?.password = argument()?,
                "account" => {
                    argument()?;
                }
                _ => return Err("it has a word that is none of machine, default, login, password, account and macdef"),
            }
        }
        Ok(Self { machines })
    }

    /// User name and password for a host, with a colon between them.
    pub(crate) fn user(&self, host: &str) -> Option<String> {
        let fits = |machine: &&Machine| machine.host.as_deref().is_none_or(|name| name == host);
        let machine = self.machines.iter().find(fits)?;
        Some(format!("{}:{}", machine.login, machine.password))
    }

    /// The passwords, which must not be reported.
    pub(crate) fn passwords(&self) -> impl Iterator<Item = &str> {
        self.machines.iter().map(|machine| machine.password.as_str())
    }

    /// Forgets the credentials for hosts that are not named.
    pub(crate) fn drop_default(&mut self) {
        self.machines.retain(|machine| machine.host.is_some());
    }
}

const NO_MACHINE: &str = "a login or a password stands before the first machine";

/// The words outside of comments and macros.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        // A macro goes on to the next empty line.
        in_macro = in_macro && !line.trim().is_empty();
        if in_macro || line.trim_start().starts_with('#') {
            continue;
        }
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            let (word, after) = match rest.strip_prefix('"') {
                Some(rest) => quoted(rest)?,
                None => plain(rest),
            };
            if word == "macdef" {
                in_macro = true;
                break;
            }
            words.push(word);
            rest = after.trim_start();
        }
    }
    Ok(words)
}

fn plain(text: &str) -> (String, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

/// A word up to its closing quote, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut word = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Ok((word, &text[index + 1..])),
            '\\' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => word.push('\n'),
                Some('r') => word.push('\r'),
                Some('t') => word.push('\t'),
                Some(other) => word.push(other),
                None => break,
            },
            other => word.push(other),
        }
    }
    Err("a quote is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_machine_that_fits_counts() {
        let text = "# a comment\nmachine a.test login u password \"p \\\"w\\\"\"\nmacdef init\nmachine x\n\n\
            machine B.test\n  login v\n  account z\n  password q\nmachine a.test login late password late\n\
            default login d password e\nmachine after.test login n password n\n";
        let mut netrc = Netrc::parse(text).unwrap();
        for (host, user) in [("a.test", "u:p \"w\""), ("b.test", "v:q"), ("c.test", "d:e"), ("after.test", "d:e")] {
            assert_eq!(netrc.user(host).as_deref(), Some(user), "{host}");
        }
        netrc.drop_default();
        assert_eq!(netrc.user("c.test"), None);
        assert_eq!(netrc.user("after.test").as_deref(), Some("n:n"));
    }

    #[test]
    fn what_is_no_netrc_file_is_told() {
        for text in ["login a", "machine", "machine a login", "machine a \"b", "machine a nonsense b", "{\"a\": 1}"] {
            assert!(Netrc::parse(text).is_err(), "{text}");
        }
        assert!(Netrc::parse("").unwrap().user("a").is_none());
    }
}
