//! Builds the Worker for workerd. Skips the build when nothing that goes into it changed, because
//! the size optimiser alone takes longer than a person waits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::Args;
use sha2::{Digest, Sha256};
use stack::{paths, progress};

use crate::tools;

/// What a Worker is made of. A change anywhere else needs no new build.
const INPUTS: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "edge/Cargo.toml",
    "edge/src",
    "shared/Cargo.toml",
    "shared/src",
    "tests/package-lock.json",
    "tests/xtask/src/tools.rs",
];

/// The Worker's modules in the output folder, the one that workerd starts with first.
pub(crate) const MODULES: [&str; 3] = ["entry.js", "index.js", "index_bg.wasm"];

#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Features of the crate `edge`, comma-separated
    #[arg(long, default_value = "")]
    features: String,
    /// Output folder, relative to `edge/`
    #[arg(long, default_value = "build")]
    out_dir: String,
    /// Build even if nothing changed
    #[arg(long)]
    force: bool,
}

/// The Worker that is deployed.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let folder = build(options)?;
    report_size(&folder)
}

/// The Worker in `edge/build`, as `wrangler.toml` names it.
pub(crate) fn build_default() -> anyhow::Result<PathBuf> {
    build(&Options {
        out_dir: "build".to_owned(),
        ..Options::default()
    })
}

/// The Worker with the routes that only tests and `corpus` use, beside the one that is deployed.
pub(crate) fn build_for_tests() -> anyhow::Result<PathBuf> {
    build(&Options {
        features: "test-routes".to_owned(),
        out_dir: "../target/edge-test".to_owned(),
        force: false,
    })
}

/// Builds and returns the output folder.
pub(crate) fn build(options: &Options) -> anyhow::Result<PathBuf> {
    let folder = paths::workspace().join("edge").join(&options.out_dir);
    let stamp_file = stamp_file(&options.out_dir);
    let stamp = compute_stamp(&options.features)?;
    let known = fs::read_to_string(&stamp_file).is_ok_and(|known| known == stamp);
    if known && !options.force && find_missing(&folder).is_none() {
        return Ok(folder);
    }
    run_worker_build(options)?;
    let entry = paths::workspace().join("edge/src").join(MODULES[0]);
    fs::copy(&entry, entry_point(&folder))
        .with_context(|| format!("cannot copy {}", entry.display()))?;
    if let Some(missing) = find_missing(&folder) {
        bail!("worker-build made no {missing} in {}", folder.display());
    }
    if let Some(stamps) = stamp_file.parent() {
        fs::create_dir_all(stamps)?;
    }
    fs::write(&stamp_file, stamp)?;
    Ok(folder)
}

/// Lives outside the output folder, which worker-build replaces as a whole.
fn stamp_file(out_dir: &str) -> PathBuf {
    paths::target()
        .join("edge-stamps")
        .join(out_dir.replace(['/', '.'], "-"))
}

fn find_missing(folder: &Path) -> Option<&'static str> {
    let mut modules = MODULES.into_iter();
    modules.find(|module| !folder.join(module).is_file())
}

/// The module that workerd starts with.
pub(crate) fn entry_point(folder: &Path) -> PathBuf {
    folder.join(MODULES[0])
}

fn run_worker_build(options: &Options) -> anyhow::Result<()> {
    let tools = tools::install()?;
    let mut command = Command::new(&tools.worker_build);
    command
        .args(["--release", "--out-dir", &options.out_dir, "edge"])
        .current_dir(paths::workspace())
        .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
        .env("WASM_OPT_BIN", &tools.wasm_opt)
        .env("ESBUILD_BIN", &tools.esbuild);
    if !options.features.is_empty() {
        command.args(["--features", &options.features]);
    }
    let log = paths::logs().join("worker-build.log");
    progress::run("building the Worker", &mut command, &log)
}

fn compute_stamp(features: &str) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(features);
    for input in INPUTS {
        hash_into(&mut hasher, &paths::workspace().join(input))?;
    }
    Ok(format!("{:x}", hasher.finalize()))
}

fn hash_into(hasher: &mut Sha256, path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        entries.sort();
        return entries
            .iter()
            .try_for_each(|entry| hash_into(hasher, entry));
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    hasher.update(path.as_os_str().as_encoded_bytes());
    hasher.update(bytes.len().to_le_bytes());
    hasher.update(bytes);
    Ok(())
}

fn report_size(folder: &Path) -> anyhow::Result<()> {
    let parts = MODULES.map(|name| folder.join(name));
    let mut raw = 0;
    for part in &parts {
        raw += fs::metadata(part)
            .with_context(|| format!("no {}", part.display()))?
            .len();
    }
    let zipped = Command::new("gzip")
        .args(["-9", "-c"])
        .args(&parts)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run gzip")?;
    progress::done(&format!(
        "Worker in {}: {} KiB, {} KiB gzipped",
        folder.display(),
        raw / 1024,
        zipped.stdout.len() / 1024
    ));
    Ok(())
}
