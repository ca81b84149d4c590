//! Checks without HTTP: whether a port answers, what TLS shows, and what a name resolves to.
