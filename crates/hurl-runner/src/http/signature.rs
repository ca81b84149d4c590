//! AWS Signature Version 4, as curl's option `--aws-sigv4` describes it.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;

use super::HttpError;
use super::headers::Headers;

/// Who signs, for which region and service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    region: Option<String>,
    service: Option<String>,
}

impl Scope {
    /// Reads `aws[:amz[:region[:service]]]`. Other providers have other algorithms.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = text.split(':');
        let provider = parts.next().unwrap_or_default();
        let header = parts.next().unwrap_or("amz");
        if !provider.eq_ignore_ascii_case("aws") || !header.eq_ignore_ascii_case("amz") {
            return Err("only the provider aws:amz is supported");
        }
        let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        Ok(Self { region: part(), service: part() })
    }
}

/// Signs a request and adds the headers that prove it. `user` is the access key id, a colon and the secret key.
pub(super) fn add(
    scope: &Scope,
    user: &str,
    method: &str,
    url: &str,
    host: &str,
    body: &[u8],
    headers: &mut Headers,
) -> Result<(), HttpError> {
    let fault = |message: &str| HttpError::connection(format!("could not sign the request: {message}"));
    let (id, secret) =
        user.split_once(':').ok_or_else(|| fault("the option user is not a key id, a colon and a secret"))?;
    // Without region and service, they are the labels of the host: service.region.amazonaws.com.
    let mut labels = host.split(['.', ':']);
    let (first, second) = (labels.next(), labels.next());
    let service = scope.service.as_deref().or(first).ok_or_else(|| fault("the service is missing"))?;
    let region = scope.region.as_deref().or(second).ok_or_else(|| fault("the region is missing"))?;
    let identity = Credentials::new(id, secret, None, None, "hurl").into();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .map_err(|error| fault(&error.to_string()))?
        .into();
    let signed = headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("user-agent"));
    let request = SignableRequest::new(method, url, signed, SignableBody::Bytes(body));
    let request = request.map_err(|error| fault(&error.to_string()))?;
    let (instructions, _) = sign(request, &params).map_err(|error| fault(&error.to_string()))?.into_parts();
    let added: Vec<(String, String)> =
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, value) in added {
        headers.push(name, value);
    }
    Ok(())
}
