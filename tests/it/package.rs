//! What is packaged: the unit's sandbox, and that nothing which is named is missing.

use std::path::Path;
use std::process::Command;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// How exposed systemd thinks the service is, in tenths; by its own words if it is more than allowed.
fn exposure(drop_ins: &[&str], allowed: u32) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("klatchd.service");
    std::fs::copy(top().join("packaging/systemd/klatchd.service"), &unit).unwrap();
    for drop_in in drop_ins {
        let place = folder.path().join("klatchd.service.d");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::copy(top().join("packaging/systemd").join(drop_in), place.join(drop_in)).unwrap();
    }
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", &format!("--threshold={allowed}")])
        .arg(&unit)
        .output()
        .expect("systemd-analyze");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("Overall exposure"), "{said}{output:?}");
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[test]
fn the_sandbox_is_as_tight_as_it_is_said_to_be() {
    exposure(&[], 3).expect("0.3 with no network");
    exposure(&["egress.conf"], 12).expect("1.2 with a network");
    assert!(exposure(&["egress.conf"], 3).is_err(), "the threshold means something");
}

#[test]
fn every_file_of_the_package_is_there() {
    let manifest: toml::Table =
        std::fs::read_to_string(top().join("Cargo.toml")).unwrap().parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().unwrap();
    assert!(assets.len() > 10, "{assets:?}");
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        let made = source.starts_with("target/") || source.starts_with("packaging/made/");
        assert!(made || top().join(source).is_file(), "{source} is missing");
    }
    for script in ["postinst", "prerm", "postrm"] {
        assert!(top().join("packaging/debian").join(script).is_file(), "{script}");
    }
}

/// A key that somebody mistypes in a unit only prints a line: it must not be overlooked.
#[test]
fn systemd_understands_every_line_of_the_units() {
    let root = tempfile::tempdir().unwrap();
    let units = root.path().join("lib/systemd/system");
    std::fs::create_dir_all(&units).unwrap();
    std::fs::create_dir_all(root.path().join("usr/bin")).unwrap();
    std::fs::create_dir_all(root.path().join("bin")).unwrap();
    for program in ["usr/bin/klatchd", "bin/kill"] {
        std::fs::copy("/bin/true", root.path().join(program)).unwrap();
    }
    let verify = || {
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no", "--root"])
            .arg(root.path())
            .args(["klatchd.service", "klatchd.socket"])
            .output()
            .expect("systemd-analyze");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.lines()
            .filter(|line| line.contains("klatchd.s"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let service = std::fs::read_to_string(top().join("packaging/systemd/klatchd.service")).unwrap();
    let path = units.join("klatchd.service");
    std::fs::copy(top().join("packaging/systemd/klatchd.socket"), units.join("klatchd.socket"))
        .unwrap();
    std::fs::write(&path, service.replace("PrivateUsers=", "PrivateUser=")).unwrap();
    assert!(!verify().is_empty(), "a mistake is seen");
    std::fs::write(&path, service).unwrap();
    assert_eq!(verify(), Vec::<String>::new());
}
