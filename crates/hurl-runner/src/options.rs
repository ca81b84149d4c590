//! The options of an entry.

use std::net::IpAddr;
use std::time::Duration;

use hurl_core::ast::{
    BooleanOption, CountOption, DurationOption, EntryOption, NaturalOption, OptionKind, SourceInfo, Template,
    VariableValue,
};
use hurl_core::types::{Count, DurationUnit};

use crate::fault::Fault;
use crate::files::FileRoot;
use crate::http::connection::HttpVersion;
use crate::http::headers::Headers;
use crate::http::netrc::Netrc;
use crate::http::signature::Scope as SignatureScope;
use crate::http::tls::{TlsOptions, TlsVersion};
use crate::limits::Limits;
use crate::outbound::Family;
use crate::predicate::number_literal;
use crate::template::Scope;
use crate::value::{Number, Value};
use crate::variables::Variables;

/// Whether redirects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    No,
    /// Credentials go to the first host only.
    SameOriginCredentials,
    /// Credentials go along.
    AllCredentials,
}

/// `-1` in a file is no limit.
pub(crate) type Limit = Option<usize>;

/// The options of an entry, with those of the run as defaults. Like requests and responses, they have no `Debug`,
/// because they hold credentials.
#[derive(Clone)]
pub(crate) struct EntryOptions {
    pub(crate) aws_sigv4: Option<SignatureScope>,
    pub(crate) compressed: bool,
    pub(crate) connect_to: Vec<ConnectTo>,
    pub(crate) connect_timeout: Duration,
    pub(crate) delay: Duration,
    pub(crate) family: Option<Family>,
    pub(crate) follow: Follow,
    pub(crate) headers: Headers,
    pub(crate) http_version: HttpVersion,
    pub(crate) jsonpath_coercion: bool,
    /// Bytes per second.
    pub(crate) limit_rate: Option<u64>,
    pub(crate) max_redirects: Limit,
    pub(crate) max_time: Duration,
    pub(crate) netrc: Option<Netrc>,
    pub(crate) no_headers: Vec<String>,
    /// Under which name the body is kept for later entries.
    pub(crate) output: Option<(SourceInfo, String)>,
    pub(crate) path_as_is: bool,
    /// `None` runs an entry once.
    pub(crate) repeat: Option<Limit>,
    pub(crate) resolve: Vec<Resolve>,
    /// `None` never tries again.
    pub(crate) retry: Option<Limit>,
    pub(crate) retry_interval: Duration,
    pub(crate) skip: bool,
    pub(crate) tls: TlsOptions,
    pub(crate) user: Option<String>,
}

impl EntryOptions {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            aws_sigv4: None,
            compressed: false,
            connect_to: Vec::new(),
            connect_timeout: limits.connect_timeout,
            delay: Duration::ZERO,
            family: None,
            follow: Follow::No,
            headers: Headers::default(),
            http_version: HttpVersion::Negotiated,
            jsonpath_coercion: true,
            limit_rate: None,
            max_redirects: Some(50),
            max_time: limits.max_time,
            netrc: None,
            no_headers: Vec::new(),
            output: None,
            path_as_is: false,
            repeat: None,
            resolve: Vec::new(),
            retry: None,
            retry_interval: Duration::from_secs(1),
            skip: false,
            tls: TlsOptions::default(),
            user: None,
        }
    }

    /// Applies the options of an entry in order. Variables that they define stay defined for what follows.
    pub(crate) fn with(
        mut self,
        options: &[EntryOption],
        variables: &mut Variables,
        files: &FileRoot,
    ) -> Result<Self, Fault> {
        for option in options {
            if let OptionKind::Variable(definition) = &option.kind {
                let scope = Scope { variables, files, jsonpath_coercion: true };
                let value = match &definition.value {
                    VariableValue::Null => Value::Null,
                    VariableValue::Bool(value) => Value::Bool(*value),
                    VariableValue::Number(number) => Value::Number(number_literal(number)),
                    VariableValue::String(template) => Value::String(scope.text(template)?),
                };
                variables.set(definition.name.clone(), value);
            } else if let OptionKind::NetRcFile(file) = &option.kind {
                let scope = Scope { variables, files, jsonpath_coercion: true };
                let netrc = netrc(file, scope)?;
                netrc.passwords().for_each(|password| variables.keep_secret(password));
                self.netrc = Some(netrc);
            } else {
                let scope = Scope { variables, files, jsonpath_coercion: true };
                self.apply(&option.kind, scope)?;
            }
        }
        Ok(self)
    }

    fn apply(&mut self, option: &OptionKind, scope: Scope<'_>) -> Result<(), Fault> {
        use OptionKind as O;
        match option {
            O::AwsSigV4(text) => self.aws_sigv4 = Some(parsed("aws-sigv4", text, scope, SignatureScope::parse)?),
            O::CaCertificate(file) => self.tls.authorities = Some(scope.file(file)?),
            O::ClientCert(file) => self.tls.certificate = Some(scope.file(file)?),
            O::ClientKey(file) => self.tls.key = Some(scope.file(file)?),
            O::Compressed(value) => self.compressed = boolean(value, scope)?,
            O::ConnectTo(text) => self.connect_to.push(parsed("connect-to", text, scope, ConnectTo::parse)?),
            O::ConnectTimeout(value) => {
                // As in curl, 0 is the default.
                let timeout = duration(value, scope)?;
                self.connect_timeout = if timeout.is_zero() { self.connect_timeout } else { timeout };
            }
            O::Delay(value) => self.delay = duration(value, scope)?,
            O::FollowLocation(value) if boolean(value, scope)? => self.follow = Follow::SameOriginCredentials,
            O::FollowLocation(_) => self.follow = Follow::No,
            O::FollowLocationTrusted(value) if boolean(value, scope)? => self.follow = Follow::AllCredentials,
            O::Header(text) => {
                let (name, value) = parsed("header", text, scope, header)?;
                self.headers.push(name, value);
            }
            O::Http10(_) | O::Http11(_) | O::Http2(_) | O::Http2PriorKnowledge(_) => self.version(option, scope)?,
            O::Insecure(value) => self.tls.insecure = boolean(value, scope)?,
            O::IpV4(value) => self.family = Some(if boolean(value, scope)? { Family::V4 } else { Family::V6 }),
            O::IpV6(value) => self.family = Some(if boolean(value, scope)? { Family::V6 } else { Family::V4 }),
            O::LimitRate(value) => self.limit_rate = Some(natural(value, scope)?),
            O::MaxRedirect(value) => self.max_redirects = count(value, scope)?,
            O::MaxTime(value) => {
                // As in curl, 0 is no limit; that of the run stays.
                let time = duration(value, scope)?;
                self.max_time = if time.is_zero() { Duration::MAX } else { time };
            }
            O::NoHeader(name) => self.no_headers.push(scope.text(name)?),
            O::NoJsonpathCoercion(value) => self.jsonpath_coercion = !boolean(value, scope)?,
            O::Output(name) => {
                let text = scope.text(name)?;
                self.output = (text != "-").then_some((name.source_info, text));
            }
            O::PathAsIs(value) => self.path_as_is = boolean(value, scope)?,
            O::Repeat(value) => self.repeat = Some(count(value, scope)?),
            O::Resolve(text) => self.resolve.push(parsed("resolve", text, scope, Resolve::parse)?),
            O::Retry(value) => self.retry = Some(count(value, scope)?),
            O::RetryInterval(value) => self.retry_interval = duration(value, scope)?,
            O::Skip(value) => self.skip = boolean(value, scope)?,
            O::TlsMin(text) => self.tls.min = Some(parsed("tls-min", text, scope, tls_version)?),
            O::TlsMax(text) => self.tls.max = Some(parsed("tls-max", text, scope, tls_version)?),
            O::User(text) => self.user = Some(scope.text(text)?),
            // What Hurl prints does not change what is judged. The other options are refused when a file is loaded.
            _ => {}
        }
        Ok(())
    }

    fn version(&mut self, option: &OptionKind, scope: Scope<'_>) -> Result<(), Fault> {
        match option {
            OptionKind::Http10(value) if boolean(value, scope)? => self.http_version = HttpVersion::Http10,
            OptionKind::Http11(value) => {
                let is_11 = boolean(value, scope)?;
                self.http_version = if is_11 { HttpVersion::Http11 } else { HttpVersion::Http10 };
            }
            OptionKind::Http2(value) => {
                let is_2 = boolean(value, scope)?;
                self.http_version = if is_2 { HttpVersion::Negotiated } else { HttpVersion::Http11 };
            }
            OptionKind::Http2PriorKnowledge(value) => {
                let is_2 = boolean(value, scope)?;
                self.http_version = if is_2 { HttpVersion::Http2PriorKnowledge } else { HttpVersion::Http11 };
            }
            _ => {}
        }
        Ok(())
    }
}

/// `host1:port1:host2:port2`: connections for the first go to the second. An empty part stands for every host or port,
/// or for the one that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectTo {
    from: (String, Option<u16>),
    to: (String, Option<u16>),
}

impl ConnectTo {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let [host1, port1, host2, port2] =
            <[&str; 4]>::try_from(host_and_ports(text)).map_err(|_| "expected host1:port1:host2:port2")?;
        let port = |text: &str| match text {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| "a port is not a number"),
        };
        Ok(Self {
            from: (stagegate_network_policy::normalized(host1), port(port1)?),
            to: (stagegate_network_policy::normalized(host2), port(port2)?),
        })
    }

    pub(crate) fn applies_to(&self, host: &str, port: u16) -> bool {
        (self.from.0.is_empty() || self.from.0 == host) && self.from.1.is_none_or(|wanted| wanted == port)
    }

    pub(crate) fn target(&self, host: &str, port: u16) -> (String, u16) {
        let host = if self.to.0.is_empty() { host } else { &self.to.0 };
        (host.to_owned(), self.to.1.unwrap_or(port))
    }
}

/// `host:port:address[,address]...`: the addresses of a host, in place of those of the resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolve {
    host: String,
    port: u16,
    pub(crate) addresses: Vec<IpAddr>,
}

impl Resolve {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let (host, rest) = text.split_once(':').ok_or("expected host:port:address")?;
        let (port, addresses) = rest.split_once(':').ok_or("expected host:port:address")?;
        let port = port.parse().map_err(|_| "the port is not a number")?;
        let addresses: Result<Vec<IpAddr>, _> =
            addresses.split(',').map(|address| stagegate_network_policy::normalized(address.trim()).parse()).collect();
        let addresses = addresses.map_err(|_| "an address is not an IP address")?;
        Ok(Self { host: stagegate_network_policy::normalized(host), port, addresses })
    }

    pub(crate) fn applies_to(&self, host: &str, port: u16) -> bool {
        (self.host == "*" || self.host == host) && self.port == port
    }
}

/// Splits at colons outside of brackets.
fn host_and_ports(text: &str) -> Vec<&str> {
    let mut in_brackets = false;
    text.split(|character| {
        match character {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
        character == ':' && !in_brackets
    })
    .collect()
}

fn netrc(file: &Template, scope: Scope<'_>) -> Result<Netrc, Fault> {
    let name = scope.text(file)?;
    let bytes = scope.file(file)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "the file is not UTF-8");
    text.and_then(Netrc::parse).map_err(|reason| Fault::option(file.source_info, "netrc-file", &name, reason))
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected a name, a colon and a value"),
    }
}

fn tls_version(text: &str) -> Result<TlsVersion, &'static str> {
    TlsVersion::parse(text).ok_or("expected 1.0, 1.1, 1.2 or 1.3")
}

fn parsed<T>(
    name: &str,
    template: &Template,
    scope: Scope<'_>,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<T, Fault> {
    let text = scope.text(template)?;
    parse(&text).map_err(|reason| Fault::option(template.source_info, name, &text, reason))
}

fn boolean(option: &BooleanOption, scope: Scope<'_>) -> Result<bool, Fault> {
    match option {
        BooleanOption::Literal(value) => Ok(*value),
        BooleanOption::Placeholder(placeholder) => match scope.value(&placeholder.expr)? {
            Value::Bool(value) => Ok(value),
            other => Err(Fault::expecting(placeholder.expr.source_info, "boolean", &other)),
        },
    }
}

fn natural(option: &NaturalOption, scope: Scope<'_>) -> Result<u64, Fault> {
    match option {
        NaturalOption::Literal(value) => Ok(value.as_u64()),
        NaturalOption::Placeholder(placeholder) => match scope.value(&placeholder.expr)? {
            Value::Number(Number::Integer(value)) if value > 0 => Ok(value.unsigned_abs()),
            other => Err(Fault::expecting(placeholder.expr.source_info, "integer > 0", &other)),
        },
    }
}

fn count(option: &CountOption, scope: Scope<'_>) -> Result<Limit, Fault> {
    match option {
        CountOption::Literal(Count::Finite(value)) => Ok(Some(*value)),
        CountOption::Literal(Count::Infinite) => Ok(None),
        CountOption::Placeholder(placeholder) => {
            let at = placeholder.expr.source_info;
            match scope.value(&placeholder.expr)? {
                Value::Number(Number::Integer(-1)) => Ok(None),
                ref value @ Value::Number(Number::Integer(number)) => {
                    usize::try_from(number).map(Some).map_err(|_| Fault::expecting(at, "integer >= -1", value))
                }
                other => Err(Fault::expecting(at, "integer", &other)),
            }
        }
    }
}

/// A duration; without a unit, milliseconds.
fn duration(option: &DurationOption, scope: Scope<'_>) -> Result<Duration, Fault> {
    match option {
        DurationOption::Literal(value) => {
            let number = value.value.as_u64();
            Ok(match value.unit {
                None | Some(DurationUnit::MilliSecond) => Duration::from_millis(number),
                Some(DurationUnit::Second) => Duration::from_secs(number),
                Some(DurationUnit::Minute) => Duration::from_secs(number.saturating_mul(60)),
                Some(DurationUnit::Hour) => Duration::from_secs(number.saturating_mul(3600)),
            })
        }
        DurationOption::Placeholder(placeholder) => {
            duration_of(&scope.value(&placeholder.expr)?, placeholder.expr.source_info)
        }
    }
}

fn duration_of(value: &Value, at: SourceInfo) -> Result<Duration, Fault> {
    let fault = || Fault::expecting(at, "positive integer or duration", value);
    let (number, unit) = match value {
        Value::Number(Number::Integer(number)) => (u64::try_from(*number).map_err(|_| fault())?, "ms"),
        Value::String(text) => {
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            (text[..digits].parse().map_err(|_| fault())?, &text[digits..])
        }
        _ => return Err(fault()),
    };
    Ok(match unit {
        "" | "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        "h" => Duration::from_secs(number.saturating_mul(3600)),
        _ => return Err(fault()),
    })
}
