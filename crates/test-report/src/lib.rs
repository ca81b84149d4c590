//! Reads test reports of many formats into one model; no AWS, no async.
