//! How much memory there is for clients: as configured, or by what the machine and the service have.

use std::path::Path;

use crate::config::Config;

/// What may be held for clients, in bytes.
pub(super) fn ceiling(config: &Config) -> u64 {
    let configured = config.limits.memory.map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX));
    configured.unwrap_or_else(|| available(Path::new("/")) / 2)
}

/// The memory of the machine, or of the service if it may have less. Files are those below `root`.
fn available(root: &Path) -> u64 {
    let machine = rustix::system::sysinfo();
    let machine = machine.totalram.saturating_mul(u64::from(machine.mem_unit));
    service(root).map_or(machine, |service| service.min(machine))
}

/// What the service manager lets this process have: the least of its control group and those above.
fn service(root: &Path) -> Option<u64> {
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let all = root.join("sys/fs/cgroup");
    let up = all.join(own);
    let chain = up.ancestors().take_while(|folder| folder.starts_with(&all));
    let bounds =
        chain.flat_map(|folder| ["memory.max", "memory.high"].map(|name| folder.join(name)));
    // Where there is no bound the file says "max".
    bounds.filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_the_bounds_around_the_service_holds() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(service(root), None);
        let group = root.join("sys/fs/cgroup/system.slice/klatchd.service");
        std::fs::create_dir_all(&group).unwrap();
        std::fs::create_dir_all(root.join("proc/self")).unwrap();
        std::fs::write(root.join("proc/self/cgroup"), "0::/system.slice/klatchd.service\n")
            .unwrap();
        std::fs::write(group.join("memory.max"), "max\n").unwrap();
        assert_eq!(service(root), None);
        std::fs::write(group.join("memory.high"), "3000\n").unwrap();
        assert_eq!(service(root), Some(3_000));
        std::fs::write(root.join("sys/fs/cgroup/system.slice/memory.max"), "2000\n").unwrap();
        assert_eq!(available(root), 2_000);
    }
}
