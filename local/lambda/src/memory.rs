//! The peak memory of a process.

/// The greatest resident set that process `pid` had so far, in KiB. `None` if it is gone or the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn peak_kb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    peak_from_status(&status)
}

/// The greatest resident set that process `pid` had so far. Not known on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn peak_kb(_pid: u32) -> Option<u64> {
    None
}

#[cfg(any(target_os = "linux", test))]
fn peak_from_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_line_of_proc_status() {
        for (status, expected) in [
            ("Name:\tx\nVmPeak:\t  9999 kB\nVmHWM:\t    1234 kB\nVmRSS:\t     1 kB\n", Some(1234)),
            ("Name:\tzombie\nState:\tZ (zombie)\n", None),
            ("VmHWM:\t1234\n", None),
        ] {
            assert_eq!(peak_from_status(status), expected, "{status}");
        }
    }
}
