//! Secrets that nothing shows.

use std::fmt;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Takes the secret as it is stored; blanks and line ends around it are not part of it.
            pub fn new(text: &str) -> Self {
                Self(text.trim().to_owned())
            }

            /// Whether there is none. Nothing is verified or sent with an empty secret.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            pub(crate) fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

secret! {
    /// The signing secret of a Slack app.
    SigningSecret
}

secret! {
    /// The bot token of a Slack app, `xoxb-...`.
    BotToken
}
