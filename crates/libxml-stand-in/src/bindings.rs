//! The C interface of libxml2's push parser, as far as `hurl_core` uses it.
//!
//! Names, fields and signatures are libxml2's (`libxml/parser.h`), because they are what `hurl_core` spells out.
#![expect(unsafe_code, reason = "the interface that is stood in for is one of raw pointers and C callbacks")]
#![expect(non_camel_case_types, non_snake_case, reason = "the names are libxml2's")]

use std::os::raw::{c_char, c_int, c_uint, c_void};

use crate::scanner::{Event, Scanner};

/// A byte of UTF-8 text.
pub type xmlChar = u8;

/// A pointer to a handler that stays owned by the caller.
pub type xmlSAXHandlerPtr = *mut xmlSAXHandler;

/// A pointer to a parser, from [`xmlCreatePushParserCtxt`].
pub type xmlParserCtxtPtr = *mut xmlParserCtxt;

/// Marks a handler that has the version 2 callbacks.
pub const XML_SAX2_MAGIC: c_uint = 0xDEED_BEAF;

/// `xmlParserErrors::XML_ERR_DOCUMENT_END`: what this parser returns for every text that is not well-formed.
const NOT_WELL_FORMED: c_int = 5;

/// A callback without arguments of its own.
pub type DocumentCallback = unsafe extern "C" fn(ctx: *mut c_void);

/// The callback for a start tag.
pub type StartElementNsCallback = unsafe extern "C" fn(
    ctx: *mut c_void,
    localname: *const xmlChar,
    prefix: *const xmlChar,
    uri: *const xmlChar,
    nb_namespaces: c_int,
    namespaces: *mut *const xmlChar,
    nb_attributes: c_int,
    nb_defaulted: c_int,
    attributes: *mut *const xmlChar,
);

/// The callback for an end tag.
pub type EndElementNsCallback =
    unsafe extern "C" fn(ctx: *mut c_void, localname: *const xmlChar, prefix: *const xmlChar, uri: *const xmlChar);

macro_rules! handler {
    ($($unused:ident)*) => {
        /// The callbacks of a parser. Only the four with an argument list of their own are ever called.
        #[expect(missing_docs, reason = "the fields are libxml2's and carry its meaning")]
        #[derive(Debug)]
        pub struct xmlSAXHandler {
            $(pub $unused: Option<DocumentCallback>,)*
            pub startDocument: Option<DocumentCallback>,
            pub endDocument: Option<DocumentCallback>,
            pub startElementNs: Option<StartElementNsCallback>,
            pub endElementNs: Option<EndElementNsCallback>,
            pub initialized: c_uint,
            pub _private: *mut c_void,
        }
    };
}

handler! {
    internalSubset isStandalone hasInternalSubset hasExternalSubset resolveEntity getEntity entityDecl notationDecl
    attributeDecl elementDecl unparsedEntityDecl setDocumentLocator startElement endElement reference characters
    ignorableWhitespace processingInstruction comment warning error fatalError getParameterEntity cdataBlock
    externalSubset serror
}

/// A parser that is fed piece by piece.
#[derive(Debug)]
pub struct xmlParserCtxt {
    scanner: Scanner,
    user_data: *mut c_void,
    start_document: Option<DocumentCallback>,
    end_document: Option<DocumentCallback>,
    start_element: Option<StartElementNsCallback>,
    end_element: Option<EndElementNsCallback>,
    /// Bytes of a character whose last byte has not come yet.
    pending: Vec<u8>,
    failed: bool,
}

impl xmlParserCtxt {
    fn feed(&mut self, bytes: &[u8], terminate: bool) -> bool {
        self.pending.extend_from_slice(bytes);
        let (text, rest) = match std::str::from_utf8(&self.pending) {
            Ok(text) => (text.to_owned(), Vec::new()),
            Err(error) if error.error_len().is_none() && !terminate => {
                let (valid, rest) = self.pending.split_at(error.valid_up_to());
                (String::from_utf8_lossy(valid).into_owned(), rest.to_vec())
            }
            Err(_) => return false,
        };
        self.pending = rest;
        for character in text.chars() {
            let Ok(events) = self.scanner.push(character) else { return false };
            for event in events {
                self.call(event);
            }
        }
        if terminate {
            let Ok(()) = self.scanner.finish() else { return false };
            if let Some(callback) = self.end_document {
                // SAFETY: the caller of `xmlCreatePushParserCtxt` promised that callback and data fit together.
                unsafe { callback(self.user_data) };
            }
        }
        true
    }

    fn call(&self, event: Event) {
        let none = std::ptr::null();
        let no_list = std::ptr::null_mut();
        // SAFETY: the caller of `xmlCreatePushParserCtxt` promised that the callbacks and the data fit together. The
        // null pointers and zero counts say that no name, namespace or attribute is handed over.
        unsafe {
            match event {
                Event::StartDocument => {
                    if let Some(callback) = self.start_document {
                        callback(self.user_data);
                    }
                }
                Event::StartElement => {
                    if let Some(callback) = self.start_element {
                        callback(self.user_data, none, none, none, 0, no_list, 0, 0, no_list);
                    }
                }
                Event::EndElement => {
                    if let Some(callback) = self.end_element {
                        callback(self.user_data, none, none, none);
                    }
                }
            }
        }
    }
}

/// Creates a parser with the callbacks of `sax`, which get `user_data` as their first argument. The parser must be
/// given back to [`xmlFreeParserCtxt`]. `filename` is not used.
///
/// # Safety
///
/// `sax` points to a handler whose callbacks accept `user_data` until the parser is freed. `chunk` points to `size`
/// bytes, or `size` is 0.
#[must_use]
pub unsafe fn xmlCreatePushParserCtxt(
    sax: xmlSAXHandlerPtr,
    user_data: *mut c_void,
    chunk: *const c_char,
    size: c_int,
    _filename: *const c_char,
) -> xmlParserCtxtPtr {
    // SAFETY: `sax` is valid by the contract of this function.
    let sax = unsafe { &*sax };
    let parser = Box::into_raw(Box::new(xmlParserCtxt {
        scanner: Scanner::new(),
        user_data,
        start_document: sax.startDocument,
        end_document: sax.endDocument,
        start_element: sax.startElementNs,
        end_element: sax.endElementNs,
        pending: Vec::new(),
        failed: false,
    }));
    if size > 0 {
        // SAFETY: `parser` was just made, and `chunk` holds `size` bytes by the contract of this function.
        unsafe { xmlParseChunk(parser, chunk, size, 0) };
    }
    parser
}

/// Feeds `size` bytes; `terminate` other than 0 says that no more will come. Returns 0 while the text is
/// well-formed so far, and an error number from the first fault on.
///
/// # Safety
///
/// `parser` comes from [`xmlCreatePushParserCtxt`] and has not been freed. `chunk` points to `size` bytes, or `size` is 0.
pub unsafe fn xmlParseChunk(parser: xmlParserCtxtPtr, chunk: *const c_char, size: c_int, terminate: c_int) -> c_int {
    // SAFETY: `parser` is valid and not used elsewhere by the contract of this function.
    let parser = unsafe { &mut *parser };
    let bytes = match usize::try_from(size) {
        // SAFETY: `chunk` holds `size` bytes by the contract of this function.
        Ok(size) if size > 0 => unsafe { std::slice::from_raw_parts(chunk.cast::<u8>(), size) },
        _ => &[],
    };
    if !parser.failed && !parser.feed(bytes, terminate != 0) {
        parser.failed = true;
    }
    if parser.failed { NOT_WELL_FORMED } else { 0 }
}

/// Frees a parser.
///
/// # Safety
///
/// `parser` is null or comes from [`xmlCreatePushParserCtxt`], and is not used again.
pub unsafe fn xmlFreeParserCtxt(parser: xmlParserCtxtPtr) {
    if !parser.is_null() {
        // SAFETY: the parser was made by `Box::into_raw` and is given back once, by the contract of this function.
        drop(unsafe { Box::from_raw(parser) });
    }
}
