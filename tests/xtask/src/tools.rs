//! Installs what the Worker build needs and is missing: the wasm target, wasm-bindgen,
//! worker-build, and the npm packages. Everything lands in the checkout, from package registries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use stack::{paths, progress};

const WASM_TARGET: &str = "wasm32-unknown-unknown";
const WORKER_BUILD_VERSION: &str = "0.8.7";

/// The programs that a Worker build runs.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) worker_build: PathBuf,
    pub(crate) wasm_bindgen: PathBuf,
    pub(crate) wasm_opt: PathBuf,
    pub(crate) esbuild: PathBuf,
}

/// Installs whatever is missing. Says what it installs, and nothing when there is nothing to do.
pub(crate) fn install() -> anyhow::Result<Tools> {
    add_wasm_target()?;
    install_npm_packages()?;
    Ok(Tools {
        wasm_bindgen: cargo_install(
            "wasm-bindgen-cli",
            &locked_version("wasm-bindgen")?,
            "wasm-bindgen",
        )?,
        worker_build: cargo_install("worker-build", WORKER_BUILD_VERSION, "worker-build")?,
        wasm_opt: paths::node_modules().join("binaryen/bin/wasm-opt"),
        esbuild: find_esbuild()?,
    })
}

fn add_wasm_target() -> anyhow::Result<()> {
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .is_dir()
    {
        return Ok(());
    }
    progress::run(
        "adding the wasm target",
        Command::new("rustup")
            .args(["target", "add", WASM_TARGET])
            .current_dir(paths::workspace()),
        &paths::logs().join("rustup.log"),
    )
    .with_context(|| format!("{WASM_TARGET} is missing: `rustup target add {WASM_TARGET}`"))
}

/// `npm ci` whenever the lock file is not the one that was installed.
pub(crate) fn install_npm_packages() -> anyhow::Result<()> {
    let lock = fs::read(paths::workspace().join("tests/package-lock.json"))?;
    let installed = paths::node_modules().join(".portcullis-lock.json");
    if fs::read(&installed).is_ok_and(|bytes| bytes == lock) {
        return Ok(());
    }
    progress::run(
        "installing the npm packages",
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(paths::workspace().join("tests")),
        &paths::logs().join("npm.log"),
    )
    .context("npm is needed for wrangler and esbuild: install Node 20 or later")?;
    fs::write(&installed, lock).with_context(|| format!("cannot write {}", installed.display()))
}

/// Installs `package` into `target/tools` unless that version's `program` is there.
fn cargo_install(package: &str, version: &str, program: &str) -> anyhow::Result<PathBuf> {
    let root = paths::target()
        .join("tools")
        .join(format!("{package}-{version}"));
    let path = root.join("bin").join(program);
    if path.is_file() {
        return Ok(path);
    }
    progress::run(
        &format!("compiling {package} {version} (once)"),
        Command::new("cargo")
            .args([
                "install",
                &format!("{package}@{version}"),
                "--bin",
                program,
                "--root",
            ])
            .arg(&root)
            // They run for a second: compiling them takes a third of the time this way.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_TARGET_DIR", paths::target().join("tools/build")),
        &paths::logs().join(format!("{package}.log")),
    )?;
    Ok(path)
}

/// The version of `package` that `Cargo.lock` pins.
fn locked_version(package: &str) -> anyhow::Result<String> {
    let lock = fs::read_to_string(paths::workspace().join("Cargo.lock"))?;
    let name = format!("name = \"{package}\"");
    lock.lines()
        .skip_while(|line| *line != name)
        .nth(1)
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .with_context(|| format!("Cargo.lock names no {package}"))
}

/// esbuild ships one package for each platform; npm installs the one that fits.
fn find_esbuild() -> anyhow::Result<PathBuf> {
    let packages = paths::node_modules().join("@esbuild");
    for package in fs::read_dir(&packages).with_context(|| format!("no {}", packages.display()))? {
        let program = package?.path().join("bin/esbuild");
        if program.is_file() {
            return Ok(program);
        }
    }
    bail!(
        "no esbuild in {}: remove tests/node_modules and run again",
        packages.display()
    )
}

fn output_of(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
