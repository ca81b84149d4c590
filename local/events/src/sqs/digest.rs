//! The MD5 digests by which SDKs check that a message arrived as it was sent (Amazon SQS guide, "Calculating the MD5
//! message digest for message attributes").

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::MessageAttribute;

pub(super) fn of_body(body: &str) -> String {
    hexadecimal(&Md5::digest(body.as_bytes()))
}

/// `None` where there are no attributes.
pub(super) fn of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Option<String> {
    let mut md5 = Md5::new();
    for (name, attribute) in attributes {
        let binary = attribute.is_binary().then(|| STANDARD.decode(&attribute.value).unwrap_or_default());
        field(&mut md5, name.as_bytes());
        field(&mut md5, attribute.data_type.as_bytes());
        md5.update([if binary.is_some() { 2 } else { 1 }]);
        field(&mut md5, binary.as_deref().unwrap_or(attribute.value.as_bytes()));
    }
    (!attributes.is_empty()).then(|| hexadecimal(&md5.finalize()))
}

fn field(md5: &mut Md5, bytes: &[u8]) {
    md5.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(bytes);
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
