//! The certificate that a server shows, in the words of OpenSSL, which are those that Hurl files compare with.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use chrono::{DateTime, Utc};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Tagged as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

/// The parts of a certificate that asserts and checks look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) start_date: DateTime<Utc>,
    pub(crate) expire_date: DateTime<Utc>,
    /// Pairs of hexadecimal digits, separated by colons.
    pub(crate) serial_number: String,
    pub(crate) subject_alt_name: Option<String>,
    pub(crate) pem: String,
}

impl Certificate {
    /// Reads a certificate in DER; `None` where it is not one.
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let content = certificate.tbs_certificate();
        let names = content.get_extension::<SubjectAltName>().ok().flatten();
        Some(Self {
            subject: name(content.subject()),
            issuer: name(content.issuer()),
            start_date: content.validity().not_before.to_system_time().into(),
            expire_date: content.validity().not_after.to_system_time().into(),
            serial_number: serial_number(content.serial_number().as_bytes()),
            subject_alt_name: names.map(|(_, names)| alternative_names(&names)),
            pem: pem(der),
        })
    }
}

fn serial_number(bytes: &[u8]) -> String {
    // A leading zero byte only keeps the number positive.
    let bytes = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => bytes,
    };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// `C = US, O = Example, CN = localhost`.
fn name(name: &Name) -> String {
    let mut text = String::new();
    for attribute in name.iter() {
        let separator = if text.is_empty() { "" } else { ", " };
        let value = match attribute.value.tag() {
            x509_cert::der::Tag::BmpString => {
                let units: Vec<u16> = attribute
                    .value
                    .value()
                    .chunks_exact(2)
                    .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                    .collect();
                String::from_utf16_lossy(&units)
            }
            _ => String::from_utf8_lossy(attribute.value.value()).into_owned(),
        };
        let _ = write!(text, "{separator}{} = {value}", attribute_name(&attribute.oid));
    }
    text
}

fn attribute_name(oid: &ObjectIdentifier) -> String {
    match oid.to_string().as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.42" => "GN",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "1.3.6.1.4.1.311.60.2.1.2" => "jurisdictionST",
        "1.3.6.1.4.1.311.60.2.1.3" => "jurisdictionC",
        other => return other.to_owned(),
    }
    .to_owned()
}

fn alternative_names(names: &SubjectAltName) -> String {
    let texts = names.0.iter().map(|name| match name {
        GeneralName::DnsName(name) => format!("DNS:{name}"),
        GeneralName::Rfc822Name(name) => format!("email:{name}"),
        GeneralName::UniformResourceIdentifier(uri) => format!("URI:{uri}"),
        GeneralName::DirectoryName(directory) => format!("DirName:{}", self::name(directory)),
        GeneralName::RegisteredId(oid) => format!("Registered ID:{oid}"),
        GeneralName::IpAddress(address) => format!("IP address:{}", ip_address(address.as_bytes())),
        _ => "othername:<unsupported>".to_owned(),
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn ip_address(bytes: &[u8]) -> String {
    if let Ok(v6) = <[u8; 16]>::try_from(bytes) {
        let segments = Ipv6Addr::from(v6).segments();
        return segments.iter().map(|segment| format!("{segment:X}")).collect::<Vec<_>>().join(":");
    }
    bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(".")
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let encoded = base64::prelude::BASE64_STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
