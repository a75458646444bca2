//! Builds the Workers of the benchmark, each as small as its tools make it, into a folder of its own
//! under `target/bench`, and weighs what would be deployed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use stack::{paths, progress};

use super::worker::Worker;
use crate::{build_edge, tools};

/// A Worker ready to run.
#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) worker: Worker,
    pub(super) folder: PathBuf,
    /// File names in `folder`, the main module first.
    pub(super) modules: Vec<String>,
    pub(super) bytes: u64,
    pub(super) gzipped_bytes: u64,
}

pub(super) fn build_all(workers: impl Iterator<Item = Worker>) -> anyhow::Result<Vec<Bundle>> {
    install_libraries()?;
    let tools = tools::install()?;
    workers
        .map(|worker| build(worker, &tools).with_context(|| worker.id()))
        .collect()
}

/// The version of a library that the peers are built with.
pub(super) fn library_version(name: &str) -> anyhow::Result<String> {
    let manifest = peers().join("node_modules").join(name).join("package.json");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let manifest: serde_json::Value = serde_json::from_str(&text)?;
    Ok(manifest["version"].as_str().unwrap_or("?").to_owned())
}

fn peers() -> PathBuf {
    paths::workspace().join("tests/bench/peers")
}

fn install_libraries() -> anyhow::Result<()> {
    let lock = fs::read(peers().join("package-lock.json"))?;
    let installed = peers().join("node_modules/.portcullis-lock.json");
    if fs::read(&installed).is_ok_and(|bytes| bytes == lock) {
        return Ok(());
    }
    progress::run(
        "installing the peers' libraries",
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(peers()),
        &paths::logs().join("bench-npm.log"),
    )?;
    fs::write(&installed, lock).with_context(|| format!("cannot write {}", installed.display()))
}

fn build(worker: Worker, tools: &tools::Tools) -> anyhow::Result<Bundle> {
    let folder = paths::target().join("bench/edge").join(worker.id());
    fs::create_dir_all(&folder)?;
    let modules = match worker {
        Worker::Portcullis | Worker::PortcullisLoggingAll => {
            copy_modules(&build_edge::build_default()?, &folder, &build_edge::MODULES)?
        }
        Worker::ChecksNothingInRust => {
            copy_modules(&build_bare_rust(tools)?, &folder, &build_edge::MODULES[1..])?
        }
        script => {
            let file = format!("{}.js", script.id());
            bundle_script(tools, &file, &folder)?;
            vec![file]
        }
    };
    bundle_script(tools, "outside.js", &folder)?;
    let (bytes, gzipped_bytes) = weigh(&folder, &modules)?;
    Ok(Bundle {
        worker,
        folder,
        modules,
        bytes,
        gzipped_bytes,
    })
}

fn copy_modules(build: &Path, folder: &Path, modules: &[&str]) -> anyhow::Result<Vec<String>> {
    for module in modules {
        fs::copy(build.join(module), folder.join(module))
            .with_context(|| format!("no {module} in {}", build.display()))?;
    }
    Ok(modules.iter().map(|&module| module.to_owned()).collect())
}

fn bundle_script(tools: &tools::Tools, file: &str, folder: &Path) -> anyhow::Result<()> {
    progress::run(
        &format!("bundling {file}"),
        Command::new(&tools.esbuild)
            .arg(peers().join(file))
            .args(["--bundle", "--minify", "--format=esm"])
            .arg(format!("--outfile={}", folder.join(file).display())),
        &paths::logs().join("bench-esbuild.log"),
    )
}

fn build_bare_rust(tools: &tools::Tools) -> anyhow::Result<PathBuf> {
    let build = peers().join("bare-rust/build");
    progress::run(
        "building the Rust Worker that checks nothing",
        Command::new(&tools.worker_build)
            .args(["--release", "bare-rust"])
            .current_dir(peers())
            .env("CARGO_TARGET_DIR", paths::target())
            .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
            .env("WASM_OPT_BIN", &tools.wasm_opt)
            .env("ESBUILD_BIN", &tools.esbuild),
        &paths::logs().join("bench-bare-rust.log"),
    )?;
    Ok(build)
}

/// Bytes as they are, and gzipped as one upload.
fn weigh(folder: &Path, modules: &[String]) -> anyhow::Result<(u64, u64)> {
    let mut bytes = 0;
    for module in modules {
        bytes += fs::metadata(folder.join(module))?.len();
    }
    let zipped = Command::new("gzip")
        .args(["-9", "-c"])
        .args(modules)
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run gzip")?;
    ensure!(zipped.status.success(), "gzip failed");
    Ok((bytes, zipped.stdout.len() as u64))
}
