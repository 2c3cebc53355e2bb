//! Puts the GUI into the binary: every file of `web/dist`, compressed, in a table.
//!
//! `web/dist` is built by `make web` and is not in the repository. Without it a page says how to get
//! it. With it, it must have been built from the sources that are there: the build of the pages writes
//! `SOURCES.sha256`, a hash over every file below `web/` that git knows, but for the tests
//! (`path NUL sha256 LF` for each, in the order of the paths), and a bundle whose hash is another is
//! refused.
//!
//! `KLATCH_REQUIRE_WEB=1` refuses a build without the GUI: for releases and CI.
//! `KLATCH_ALLOW_STALE_WEB=1` takes a stale bundle, and `klatchd --version` says so.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// Below `web/`, what is made and not written: where git cannot tell, these are left out.
const MADE: [&str; 4] = ["dist", "node_modules", "screenshots", "test-results"];
/// Below `web/`, what the bundle is not made from.
const NOT_BUNDLED: [&str; 2] = ["web/dist/", "web/tests/"];
/// Files of the bundle that are not for browsers.
const NOT_SERVED: [&str; 1] = ["SOURCES.sha256"];

type Outcome<T> = Result<T, String>;

fn main() {
    if let Err(why) = run() {
        // Cargo shows it, and fails.
        println!("cargo::error=the web GUI: {why}");
    }
}

fn run() -> Outcome<()> {
    println!("cargo:rerun-if-env-changed=KLATCH_REQUIRE_WEB");
    println!("cargo:rerun-if-env-changed=KLATCH_ALLOW_STALE_WEB");
    // Changes whenever the way to the bundle does; and a build script must watch something.
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=Makefile");
    println!("cargo:rerun-if-changed=src/web/without_gui.html");
    let top = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let web = top.join("web");
    let dist = web.join("dist");
    let (files, label) = if dist.is_dir() {
        println!("cargo:rerun-if-changed=web/dist");
        let label = check(&top, &dist)?;
        (served(&dist)?, label)
    } else {
        if web.is_dir() {
            // A file that is not there would have everything built anew each time.
            println!("cargo:rerun-if-changed=web");
        }
        if is_set("KLATCH_REQUIRE_WEB") {
            return Err("web/dist is missing, and KLATCH_REQUIRE_WEB is set; run: make web".into());
        }
        let page = ("/index.html".to_owned(), top.join("src/web/without_gui.html"));
        (vec![page], "without web GUI".to_owned())
    };
    println!("cargo:rustc-env=KLATCH_GUI={label}");
    let table = table(&files, &out)?;
    fs::write(out.join("assets.rs"), table).map_err(|error| error.to_string())
}

/// What to call the bundle, if it is one of these sources.
fn check(top: &Path, dist: &Path) -> Outcome<String> {
    let written = fs::read_to_string(dist.join("SOURCES.sha256")).map_err(|error| {
        format!("web/dist/SOURCES.sha256 cannot be read ({error}); run: make web")
    })?;
    let sources = sources(top)?;
    for path in &sources {
        println!("cargo:rerun-if-changed={path}");
    }
    // New files come to light here.
    for folder in ["web/src", "web/public"] {
        if top.join(folder).is_dir() {
            println!("cargo:rerun-if-changed={folder}");
        }
    }
    let hash = hash_of(top, &sources)?;
    let short = hash.get(..8).unwrap_or_default();
    if written.trim() == hash {
        return Ok(format!("web GUI {short}"));
    }
    if is_set("KLATCH_ALLOW_STALE_WEB") {
        println!("cargo:warning=web/dist is stale, and is taken as it is");
        return Ok("web GUI, stale".to_owned());
    }
    Err("web/dist was built from other sources than those below web/. Run `make web`; or remove \
         web/dist, to build without the GUI; or set KLATCH_ALLOW_STALE_WEB=1, to take it as it is"
        .into())
}

/// The files that the bundle is built from, in order: those that git knows.
fn sources(top: &Path) -> Outcome<Vec<String>> {
    let listed =
        Command::new("git").args(["ls-files", "-z", "--", "web"]).current_dir(top).output();
    let mut paths: Vec<String> = match listed {
        Ok(listed) if listed.status.success() => String::from_utf8_lossy(&listed.stdout)
            .split('\0')
            .filter(|path| !path.is_empty() && top.join(path).is_file())
            .map(str::to_owned)
            .collect(),
        _ => {
            let mut files = Vec::new();
            walk(&top.join("web"), "web", &mut files)?;
            files.into_iter().map(|(path, _)| path).filter(|path| is_source(path)).collect()
        }
    };
    paths.retain(|path| !NOT_BUNDLED.iter().any(|folder| path.starts_with(folder)));
    paths.sort();
    Ok(paths)
}

fn is_source(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    !MADE.contains(&first) && !path.split('/').any(|part| part.starts_with('.'))
}

fn hash_of(top: &Path, sources: &[String]) -> Outcome<String> {
    let mut all = Sha256::new();
    for path in sources {
        let content = read(&top.join(path))?;
        all.update(format!("{path}\0{}\n", hex(&Sha256::digest(content))));
    }
    Ok(hex(&all.finalize()))
}

/// The files of the bundle, by the path at which each is served.
fn served(dist: &Path) -> Outcome<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    walk(dist, "", &mut files)?;
    files.retain(|(path, _)| !NOT_SERVED.contains(&path.trim_start_matches('/')));
    files.sort();
    if files.iter().any(|(path, _)| path == "/index.html") {
        Ok(files)
    } else {
        Err("web/dist has no index.html; run: make web".into())
    }
}

/// All files below a folder; links are not followed.
fn walk(folder: &Path, path: &str, files: &mut Vec<(String, PathBuf)>) -> Outcome<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let inner = format!("{path}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && !(path == "web" && MADE.iter().any(|made| inner.ends_with(made))) {
            walk(&entry.path(), &inner, files)?;
        } else if kind.is_file() {
            files.push((inner, entry.path()));
        }
    }
    Ok(())
}

/// The table as a source file, with the content in files beside it.
fn table(files: &[(String, PathBuf)], out: &Path) -> Outcome<String> {
    let mut table = String::from("pub(super) static ASSETS: &[Asset] = &[\n");
    for (number, (path, file)) in files.iter().enumerate() {
        let content = read(file)?;
        let tag = hex(&Sha256::digest(&content)[..12]);
        let kind = kind(path)?;
        // By a name beside the table: the folder may be moved, and is when builds are cached.
        let part = |suffix: &str, content: &[u8]| -> Outcome<String> {
            let name = format!("asset-{number}{suffix}");
            fs::write(out.join(&name), content).map_err(|error| error.to_string())?;
            Ok(format!("include_bytes!({name:?})"))
        };
        let smaller = |suffix: &str, packed: Vec<u8>| -> Outcome<String> {
            // Fonts and pictures are packed already.
            if packed.len() + packed.len() / 20 >= content.len() {
                return Ok("None".into());
            }
            Ok(format!("Some({})", part(suffix, &packed)?))
        };
        let (brotli, gzip) = (smaller(".br", brotli(&content)?)?, smaller(".gz", gzip(&content)?)?);
        let plain = part("", &content)?;
        writeln!(
            table,
            "    Asset {{ path: {path:?}, kind: {kind:?}, tag: {tag:?}, plain: {plain}, \
             brotli: {brotli}, gzip: {gzip} }},"
        )
        .map_err(|error| error.to_string())?;
    }
    table.push_str("];\n");
    Ok(table)
}

/// The media type by the name's end; a name that has none is a mistake, not a riddle for browsers.
fn kind(path: &str) -> Outcome<&'static str> {
    Ok(match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "txt" => "text/plain; charset=utf-8",
        _ => return Err(format!("build.rs knows no media type for {path}")),
    })
}

fn brotli(content: &[u8]) -> Outcome<Vec<u8>> {
    let mut packed = Vec::new();
    let parameters =
        brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &content[..], &mut packed, &parameters)
        .map_err(|error| error.to_string())?;
    Ok(packed)
}

fn gzip(content: &[u8]) -> Outcome<Vec<u8>> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(content).and_then(|()| packer.finish()).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn is_set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| !value.is_empty() && value != "0")
}

fn variable(name: &str) -> Outcome<String> {
    std::env::var(name).map_err(|_| format!("cargo does not set {name}"))
}
