//! A local Lambda: functions as processes against a Runtime API.
